//! What phones fetch, and the keys they press.

use super::*;

#[tokio::test]
async fn a_screen_is_this_answer() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let (path, fetched) = show(&room, &wire, screen("1002 is free", &["Dial", "Exit"])).await;
    let url = |key: &str| format!("http://{}{}", room.server.address(), key_path(&fetched, key));
    let (dial, exit) = (url("Dial"), url("Exit"));
    assert!(dial.ends_with("/1001/Dial:ringback:7-12"), "{dial}");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneText>\n<Title>CallBack</Title>\n\
         <Prompt>Please choose</Prompt>\n<Text>1002 is free\nPress &lt;Dial&gt;</Text>\n\
         <SoftKeyItem>\n<Name>Dial</Name>\n<URL>{dial}</URL>\n<Position>1</Position>\n</SoftKeyItem>\n\
         <SoftKeyItem>\n<Name>Exit</Name>\n<URL>{exit}</URL>\n<Position>2</Position>\n</SoftKeyItem>\n\
         </CiscoIPPhoneText>\n"
    );
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml; charset=UTF-8\r\nexpires: -1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(fetched, head + &body);
    // A phone may fetch it again.
    assert_eq!(room.get(&path).await, fetched);
}

#[tokio::test]
async fn a_key_is_told_and_the_screen_stays() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    let (_, fetched) = show(&room, &wire, screen("1002", &["Dial", "Exit"])).await;
    let key = key_path(&fetched, "Exit");
    assert_eq!(room.get(&key).await, fetched);
    let pressed = room.pressed.recv().await.unwrap();
    assert_eq!(pressed, Press { device: device(), content: "Exit:ringback:7-12".to_owned() });
    for wrong in ["Cancel", "Dial", "", "exit"] {
        let forged = key.replace("Exit", wrong);
        assert!(room.get(&forged).await.starts_with("HTTP/1.1 404"), "{forged}");
    }
    for forged in [key.replace("1001", "1002"), format!("{key}/"), key.replace("7-12", "7-13")] {
        assert!(room.get(&forged).await.starts_with("HTTP/1.1 404"), "{forged}");
    }
    assert!(room.pressed.try_recv().is_err());
}

#[tokio::test]
async fn keys_that_are_not_ours_are_told_as_they_are() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    let mut other = screen("1002", &[]);
    other.keys = vec![("One".to_owned(), "something".to_owned()), ("Two".to_owned(), "a/b c".to_owned())];
    let (_, fetched) = show(&room, &wire, other).await;
    room.get(&key_path(&fetched, "a%2fb%20c")).await;
    assert_eq!(room.pressed.recv().await.unwrap().content, "a/b c");
}

#[tokio::test]
async fn the_screen_before_keeps_its_keys_until_there_is_a_third() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    let (first, fetched) = show(&room, &wire, screen("first", &["Dial"])).await;
    let press = |fetched: &str| key_path(fetched, "Dial");
    let key = press(&fetched);
    let phone = async {
        let second = screen_path(&wire.answer(&ok(DONE)).await);
        // What is not fetched yet is not what the phone shows.
        assert!(room.get(&key).await.contains("first"));
        let fetched = room.get(&second).await;
        assert!(fetched.contains("second"));
        // Pressed while the second one was drawn: that is what the phone is to show.
        assert!(room.get(&key).await.contains("second"));
        assert!(room.get(&first).await.contains("second"));
        (second, press(&fetched))
    };
    let (shown, second) = tokio::join!(room.run(Errand::Show(screen("second", &["Dial"]))), phone);
    let (second, second_key) = second;
    shown.unwrap();
    for _ in 0..2 {
        assert_eq!(room.pressed.recv().await.unwrap().content, "Dial:ringback:7-12");
    }
    show(&room, &wire, screen("third", &["Dial"])).await;
    // Nobody listens who would take a key of a screen that is not known any more.
    assert!(room.get(&key).await.starts_with("HTTP/1.1 503"));
    assert!(room.get(&first).await.starts_with("HTTP/1.1 503"));
    assert!(room.get(&second_key).await.contains("third"));
    let taken = ok(DONE);
    let (cleared, xml) = tokio::join!(room.run(Errand::Clear(clear())), wire.answer(&taken));
    cleared.unwrap();
    assert!(xml.contains("<ExecuteItem Priority=\"0\" URL=\"Init:Services\"/>"), "{xml}");
    assert!(room.get(&second).await.starts_with("HTTP/1.1 503"));
    assert_eq!(room.pressed.recv().await.unwrap().content, "Dial:ringback:7-12");
    assert!(room.pressed.try_recv().is_err());
}

fn clear() -> Vec<ringback_screen::phone::ExecuteItem> {
    let priority = ringback_screen::phone::Priority::AtOnce;
    vec![ringback_screen::phone::ExecuteItem { url: "Init:Services".to_owned(), priority }]
}

#[tokio::test]
async fn a_prompt_stands_below_the_screen_whose_keys_stay() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    for (up, text) in [(false, "<Text>Key Not Active</Text>"), (true, "<Text>1002\n")] {
        if up {
            show(&room, &wire, screen("1002", &["Dial"])).await;
        }
        let phone = async {
            let path = screen_path(&wire.answer(&ok(DONE)).await);
            room.get(&path).await
        };
        let prompt = Errand::Prompt("Key Not Active".to_owned());
        let (shown, fetched) = tokio::join!(room.run(prompt), phone);
        shown.unwrap();
        assert!(fetched.contains(text), "{fetched}");
        assert_eq!(fetched.contains("<Prompt>Key Not Active</Prompt>"), up, "{fetched}");
        if up {
            room.get(&key_path(&fetched, "Dial")).await;
            assert_eq!(room.pressed.recv().await.unwrap().content, "Dial:ringback:7-12");
        }
    }
}

#[tokio::test]
async fn nobody_to_tell_is_said() {
    let wire = Wire::new().await;
    let mut room = Room::new(config(), &wire.address()).await;
    let (_, fetched) = show(&room, &wire, screen("1002", &["Dial"])).await;
    let key = key_path(&fetched, "Dial");
    // More than are taken.
    for _ in 0..256 {
        assert!(room.get(&key).await.starts_with("HTTP/1.1 200"));
    }
    assert!(room.get(&key).await.starts_with("HTTP/1.1 503"));
    room.pressed.recv().await.unwrap();
    assert!(room.get(&key).await.starts_with("HTTP/1.1 200"));
    room.pressed.close();
    assert!(room.get(&key).await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn phones_may_ask_whether_a_login_is_right() {
    let room = Room::new(config(), "127.0.0.1:9").await;
    let right = "UserID=ringback&Password=pass%3Aword&devicename=SEP001122334455";
    assert!(
        room.get(&format!("/authenticate?{right}")).await.starts_with("HTTP/1.1 404"),
        "unless it is configured"
    );
    let room = Room::new(Config { authenticates: true, ..config() }, "127.0.0.1:9").await;
    let is = |answer: String, word: &str| {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, word);
    };
    is(room.get(&format!("/authenticate?{right}")).await, "AUTHORIZED");
    let post = |form: &str| {
        format!("POST /authenticate HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{form}", form.len())
    };
    is(room.send(&post(right)).await, "AUTHORIZED");
    for wrong in [
        "",
        "UserID=ringback",
        "UserID=ringback&Password=pass",
        "Password=pass%3Aword",
        "UserID=x&Password=pass%3Aword",
    ] {
        is(room.get(&format!("/authenticate?{wrong}")).await, "UN-AUTHORIZED");
        is(room.send(&post(wrong)).await, "UN-AUTHORIZED");
    }
    let endless = "a".repeat(2000);
    assert!(room.send(&post(&endless)).await.starts_with("HTTP/1.1 413"));
}
