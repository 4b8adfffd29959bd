//! What a phone is told, and what its answers come to.

use ringback_cti::LinkLoss;
use ringback_cti::message::CtiError;
use ringback_screen::phone::{ExecuteItem, Priority};

use super::*;

fn play() -> Errand {
    Errand::Execute(vec![ExecuteItem { url: "Play:CallBack.raw".to_owned(), priority: Priority::AtOnce }])
}

#[tokio::test]
async fn an_order_is_this_request() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let phone = async {
        let (request, mut stream) = wire.request().await;
        stream.write_all(ok(DONE).as_bytes()).await.unwrap();
        request
    };
    let (done, request) = tokio::join!(room.run(play()), phone);
    assert_eq!(done, Ok(()));
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let length = request.len() - head.len() - 4;
    assert_eq!(
        head.to_lowercase(),
        format!(
            "post /cgi/execute http/1.1\r\nhost: {}\r\nauthorization: basic cmluz2jhy2s6cgfzczp3b3jk\r\n\
             content-type: application/x-www-form-urlencoded\r\nconnection: close\r\ncontent-length: {length}",
            wire.address()
        )
    );
    assert!(
        head.starts_with("POST /CGI/Execute HTTP/1.1") && head.contains("cmluZ2JhY2s6cGFzczp3b3Jk"),
        "{head}"
    );
    assert_eq!(
        posted(&request),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneExecute>\n\
         <ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/>\n</CiscoIPPhoneExecute>\n"
    );
}

#[tokio::test]
async fn a_screen_is_told_by_an_order_that_the_oldest_phones_take() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let (path, _) = show(&room, &wire, screen("1002", &["Dial"])).await;
    assert_eq!(path.len(), "/screen/".len() + 32);
    let mut longest = config();
    longest.public = Some("a".repeat(128));
    let room = Room::new(longest, &wire.address()).await;
    let phone = async {
        let (request, _) = wire.request().await;
        request
    };
    let errand = Errand::Show(screen("1002", &["Dial", "Cancel", "Exit"]));
    let (_, request) = tokio::join!(room.run(errand), phone);
    let xml = posted(&request);
    assert!(xml.len() <= 512, "{} bytes", xml.len());
    assert_eq!(
        xml,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneExecute>\n\
             <ExecuteItem Priority=\"0\" URL=\"http://{}{}\"/>\n</CiscoIPPhoneExecute>\n",
            "a".repeat(128),
            screen_path(&xml)
        )
    );
}

#[tokio::test]
async fn a_phone_has_its_own_login() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let login = Login::new("other", "x".to_owned().into());
    let way = room.server.phone(&wire.address()).unwrap().with_login(login).unwrap();
    let phone = async {
        let (request, mut stream) = wire.request().await;
        stream.write_all(ok(DONE).as_bytes()).await.unwrap();
        request
    };
    let courier = way.courier().unwrap();
    let device = device();
    let (done, request) = tokio::join!(courier.run(&device, play(), room.presses.clone()), phone);
    assert_eq!(done, Ok(()));
    assert!(request.contains("Basic b3RoZXI6eA=="), "{request}");
}

#[tokio::test]
async fn each_answer_comes_to_something() {
    let wire = Wire::new().await;
    let room = Room::new(config(), &wire.address()).await;
    let error = |number: u8| ok(&format!("<CiscoIPPhoneError Number=\"{number}\"/>"));
    let item = |status: i32| ok(&DONE.replace("\"0\"", &format!("\"{status}\"")));
    let status = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
    let refused = |error: CtiError| Err(RequestFailure::Refused(error));
    for (answer, outcome) in [
        (ok(DONE), Ok(())),
        (ok("<CiscoIPPhoneResponse/>"), Ok(())),
        (item(1), refused(CtiError::DataRejected)),
        (error(1), refused(CtiError::DataRejected)),
        (error(2), Err(RequestFailure::OutcomeUnknown)),
        (error(3), refused(CtiError::DataRejected)),
        (error(4), refused(CtiError::DeviceRestricted)),
        (error(9), refused(CtiError::DataRejected)),
        (status("401 Unauthorized"), refused(CtiError::DeviceRestricted)),
        (status("403 Forbidden"), refused(CtiError::DeviceRestricted)),
        (status("404 Not Found"), refused(CtiError::NotSupported)),
        (status("413 Payload Too Large"), refused(CtiError::DataSizeLimitExceeded)),
        (status("301 Moved Permanently"), refused(CtiError::DataRejected)),
        (status("500 Internal Server Error"), refused(CtiError::DataRejected)),
        (status("204 No Content"), refused(CtiError::DataRejected)),
    ] {
        let (done, _) = tokio::join!(room.run(play()), wire.answer(&answer));
        assert_eq!(done, outcome, "{answer}");
    }
}

#[tokio::test]
async fn nobody_there_means_never_sent() {
    // A port that was free a moment ago.
    let gone = Wire::new().await.address();
    let room = Room::new(config(), &gone).await;
    let failed = room.run(play()).await.unwrap_err();
    let RequestFailure::NeverSent(LinkLoss::Connect(why)) = failed else { panic!("{failed}") };
    assert!(why.ends_with("check the phone's address, and that its web access is switched on"), "{why}");
    // Its screen cannot be fetched then.
    room.run(Errand::Show(screen("1002", &["Dial"]))).await.unwrap_err();
    assert!(room.server.desk.table().shown(&device()).is_none());
}

#[tokio::test]
async fn what_no_phone_would_take_is_not_posted() {
    let room = Room::new(config(), "127.0.0.1:9").await;
    let long = screen(&"x".repeat(3000), &[]);
    let failed = room.run(Errand::Show(long)).await;
    assert_eq!(failed, Err(RequestFailure::Refused(CtiError::DataSizeLimitExceeded)));
    let failed = room.run(Errand::Show(screen("1002", &["Dial"; 300]))).await;
    assert_eq!(failed, Err(RequestFailure::Refused(CtiError::DataRejected)));
}

#[test]
fn each_error_says_what_to_do() {
    let second = Millis::from_secs(1);
    let io = || std::io::Error::other("no route");
    let fault = |number| PushError::from(ringback_screen::phone::PhoneFault::from_number(number));
    for (error, wanted) in [
        (PushError::Connect(io()), "check the phone's address"),
        (PushError::ConnectTimeout(Millis(1500)), "cannot connect within 1.5 s"),
        (PushError::AnswerTimeout(second), "give it longer (`answer`)"),
        (PushError::Broken("reset".to_owned()), "restart it"),
        (PushError::Unauthorized { status: hyper::StatusCode::FORBIDDEN }, "HTTP 403"),
        (PushError::NotAPhone, "check that the address is the phone's"),
        (PushError::TooLarge, "`public`"),
        (PushError::AnswerTooLong { limit: 4096 }, "4096 bytes"),
        (PushError::Item { status: 3 }, "status 3"),
        (PushError::NotFetched { public: "a:1".to_owned(), within: second }, "http://a:1 within 1 s"),
        (fault(4), "create that user with that password"),
    ] {
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_named() {
    let wrong = |change: &dyn Fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    for (found, wanted) in [
        (wrong(&|config| config.login.user = "a:b".to_owned()), "the user for phones must not"),
        (wrong(&|config| config.login.password = String::new().into()), "the password for phones must not"),
        (wrong(&|config| config.listen.set_ip(Ipv4Addr::UNSPECIFIED.into())), "say in `public`"),
        (
            wrong(&|config| config.public = Some("http://a".to_owned())),
            "phones cannot fetch from \"http://a\"",
        ),
        (wrong(&|config| config.public = Some("a/b".to_owned())), "phones cannot fetch from"),
        (wrong(&|config| config.public = Some("a:0".to_owned())), "phones cannot fetch from"),
        (wrong(&|config| config.public = Some("a".repeat(129))), "at most 128 characters"),
        (wrong(&|config| config.fetch = Millis(0)), "fetch must be at least 1"),
        (wrong(&|config| config.phones = 0), "phones must be at least 1"),
    ] {
        assert!(found.contains(wanted), "{found}");
    }
    let printed = format!("{:?}", config());
    assert!(!printed.contains("pass:word"), "{printed}");
}

#[tokio::test]
async fn hosts_are_checked() {
    let server = PushServer::start(config()).await.unwrap();
    for host in ["192.0.2.7", "192.0.2.7:8080", "phone.example", "[::1]", "[::1]:80"] {
        assert!(server.phone(host).is_ok(), "{host}");
    }
    for host in ["", "http://a", "a b", "u@a", "a:b", "a:99999", "a/b", "::1"] {
        assert!(server.phone(host).is_err(), "{host}");
    }
    let taken = Config { listen: server.address(), ..config() };
    let failed = PushServer::start(taken).await.unwrap_err().to_string();
    assert!(failed.contains("end what uses it, or give another address"), "{failed}");
}
