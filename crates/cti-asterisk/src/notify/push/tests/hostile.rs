//! Phones that lie, stop or flood, and strangers at the server.

use proptest::prelude::*;
use ringback_cti::message::CtiError;
use ringback_screen::phone::{ExecuteItem, Priority};

use super::super::address::Signer;
use super::super::table::{Entry, Table, Token};
use super::*;

fn play() -> Errand {
    Errand::Execute(vec![ExecuteItem { url: "Play:CallBack.raw".to_owned(), priority: Priority::AtOnce }])
}

/// Waiting is over soon, because it must be waited for.
fn impatient() -> Config {
    Config { answer: Millis(200), fetch: Millis(200), connection: Millis(200), ..config() }
}

#[tokio::test]
async fn answers_that_are_none_leave_the_outcome_open() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    for answer in [
        String::new(),
        "HTTP/1.1 200".to_owned(),
        "SIP/2.0 200 OK\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        ok(""),
        ok("<html>It works!</html>"),
        ok("<CiscoIPPhoneResponse>"),
        ok("<!DOCTYPE x [<!ENTITY a \"b\">]><CiscoIPPhoneError Number=\"&a;\"/>"),
        ok("<CiscoIPPhoneError Number=\"four\"/>"),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<CiscoIPPhone".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        ok(&" ".repeat(4097)),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", u64::MAX - 1),
    ] {
        let (done, _) = tokio::join!(room.run(play()), wire.answer(&answer));
        assert_eq!(done, Err(RequestFailure::OutcomeUnknown), "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "] {
        let flood = async {
            let (_, mut stream) = wire.request().await;
            stream.write_all(head.as_bytes()).await.unwrap();
            // Until it is hung up on.
            while stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
        };
        let (done, ()) = tokio::join!(room.run(play()), flood);
        assert_eq!(done, Err(RequestFailure::OutcomeUnknown));
    }
}

#[tokio::test]
async fn a_phone_that_does_not_answer_is_waited_for_so_long_only() {
    let wire = Wire::new().await;
    let room = Room::new(impatient(), &wire.address()).await;
    // One says nothing at all, one begins.
    for beginning in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<"] {
        let silent = async {
            let (_, mut stream) = wire.request().await;
            // It may have been hung up on already.
            let _ = stream.write_all(beginning.as_bytes()).await;
            stream
        };
        let (done, _held) = tokio::join!(room.run(play()), silent);
        assert_eq!(done, Err(RequestFailure::OutcomeUnknown));
    }
}

#[tokio::test]
async fn a_phone_that_says_yes_and_fetches_nothing_has_not_shown_it() {
    let wire = Wire::new().await;
    let room = Room::new(impatient(), &wire.address()).await;
    let taken = ok(DONE);
    let (done, xml) = tokio::join!(room.run(Errand::Show(screen("1002", &["Dial"]))), wire.answer(&taken));
    assert_eq!(done, Err(RequestFailure::OutcomeUnknown));
    // It may do so later.
    assert!(room.get(&screen_path(&xml)).await.contains("1002"));
}

#[tokio::test]
async fn a_refused_screen_cannot_be_fetched() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let errand = Errand::Show(screen("1002", &["Dial"]));
    let answer = ok("<CiscoIPPhoneError Number=\"4\"/>");
    let (done, xml) = tokio::join!(room.run(errand), wire.answer(&answer));
    assert_eq!(done, Err(RequestFailure::Refused(CtiError::DeviceRestricted)));
    assert!(room.get(&screen_path(&xml)).await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn strangers_learn_nothing() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    room.courier.listen(None, &room.presses);
    let (path, fetched) = show(&room, &wire, screen("1002", &["Dial"])).await;
    let dial = key_path(&fetched, "Dial");
    let token = path.trim_start_matches("/screen/").to_owned();
    let other = "0".repeat(32);
    let shorter = &token[1..];
    for path in [
        "/".to_owned(),
        "/screen".to_owned(),
        "/screen/".to_owned(),
        format!("/screen/{other}"),
        format!("/screen/{shorter}"),
        format!("/screen/+{shorter}"),
        format!("/screen/{token}/"),
        format!("/screen/{token}/Dial"),
        format!("/screens/{token}"),
        format!("//screen/{token}"),
        format!("/key/{token}/1001/Dial:ringback:7-12"),
        format!("/key/{other}/1001/Dial:ringback:7-12"),
        format!("{dial}/"),
        dial.replace("/1001/", "/1002/"),
        dial.replace("/1001/", "/%311001/"),
        dial.replace("7-12", "7-1"),
        dial.replace("Dial", "Cancel"),
        "/key/../../etc/passwd".to_owned(),
        format!("/{}", "a".repeat(4000)),
    ] {
        let answer = room.get(&path).await;
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{path}: {answer}");
    }
    for method in ["POST", "PUT", "DELETE", "HEAD"] {
        let request = format!("{method} {dial} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        assert!(room.send(&request).await.starts_with("HTTP/1.1 405"), "{method}");
    }
    for garbage in ["\r\n\r\n\0\u{1}", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let answer = room.send(garbage).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{garbage:?}: {answer}");
    }
    assert!(room.pressed.try_recv().is_err());
}

#[tokio::test]
async fn those_who_stall_hold_others_up_for_so_long_only() {
    let mut config = impatient();
    config.connections = 2;
    let room = Room::new(config, "127.0.0.1:9").await;
    let mut stalled = Vec::new();
    for beginning in ["", "GET /screen/"] {
        let mut stream = TcpStream::connect(room.server.address()).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    assert!(room.get("/x").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_server_ends_with_the_last_way_to_it() {
    let server = PushServer::start(config()).await.unwrap();
    let address = server.address();
    let way = server.phone("127.0.0.1:9").unwrap();
    drop(server);
    assert!(TcpStream::connect(address).await.is_ok());
    drop(way);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// What can happen to the screens of phones.
#[derive(Debug, Clone)]
enum Event {
    Insert(u8),
    Fetch(u8),
    Clear(u8),
    Remove(u8),
}

fn event() -> impl Strategy<Value = Event> {
    (0..4_u8, any::<u8>()).prop_map(|(kind, which)| match kind {
        0 => Event::Insert(which),
        1 => Event::Fetch(which),
        2 => Event::Clear(which),
        _ => Event::Remove(which),
    })
}

fn told(table: &Table, device: &DeviceName, token: Token) -> Option<String> {
    table.press(device, token.mark()).map(|(_, xml)| xml.to_owned())
}

proptest! {
    #[test]
    fn screens_are_bounded_and_what_is_answered_is_the_latest_that_was_fetched(
        events in prop::collection::vec(event(), 0..60)
    ) {
        let mut table = Table::default();
        let signer = Signer::new(None, &config().login);
        // Of each phone the tokens, in order, and whether it was fetched.
        let mut tokens: [Vec<(Token, bool)>; 3] = Default::default();
        for (number, event) in events.into_iter().enumerate() {
            let (Event::Insert(which) | Event::Fetch(which) | Event::Clear(which) | Event::Remove(which)) = event;
            let phone = usize::from(which % 3);
            let device = DeviceName::new(format!("100{phone}")).unwrap();
            let tokens = &mut tokens[phone];
            let known = tokens.len().checked_sub(1).map(|last| usize::from(which / 3) % (last + 1));
            match event {
                Event::Insert(_) => {
                    let token = Token::random().unwrap();
                    let (presses, _) = Presses::new();
                    let shown = screen(&format!("number {number};"), &["Dial"]);
                    let (entry, _) = Entry::new(token, &device, ("a:1", &signer), shown, presses).unwrap();
                    table.insert(&device, entry);
                    tokens.push((token, false));
                }
                Event::Fetch(_) => if let Some(known) = known {
                    tokens[known].1 |= table.fetch(tokens[known].0).is_some();
                },
                Event::Clear(_) => {
                    table.clear(&device);
                    prop_assert!(table.shown(&device).is_none());
                    tokens.clear();
                }
                Event::Remove(_) => if let Some(known) = known {
                    table.remove(tokens[known].0);
                    prop_assert!(table.fetch(tokens[known].0).is_none());
                    tokens.remove(known);
                },
            }
            let alive: Vec<_> = tokens.iter().filter(|(token, _)| table.knows(*token)).collect();
            prop_assert!(alive.len() <= 2);
            let answers: Vec<_> = alive.iter().filter_map(|(token, _)| told(&table, &device, *token)).collect();
            prop_assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "one phone, one screen");
            prop_assert_eq!(answers.is_empty(), alive.iter().all(|(_, fetched)| !fetched));
            if let (Some(answer), Some((token, _))) = (answers.first(), alive.iter().rev().find(|(_, fetched)| *fetched)) {
                prop_assert_eq!(Some(answer.as_str()), table.fetch(*token));
            }
        }
    }

    #[test]
    fn any_path_gets_an_answer(text in "[ -~]{0,60}") {
        let _ = text.parse::<Token>();
    }
}
