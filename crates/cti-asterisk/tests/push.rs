//! The way of phone XML, with the laboratory's phone over loopback: what is shown, heard and pressed there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_cti::RequestFailure;
use ringback_cti::message::CtiError;
use ringback_cti_asterisk::notify::push::{Config, Login, PushServer, PushWay};
use ringback_cti_asterisk::notify::{Alert, Errand, Press, Presses, Recipient, Screen, Step, Way};
use ringback_model::{DeviceName, Millis};
use ringback_pbx_lab::{XmlManner, XmlPhone};
use ringback_screen::phone::{ExecuteItem, Priority};
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(60);

struct Table {
    phone: XmlPhone,
    way: PushWay,
    device: DeviceName,
    presses: Presses,
    pressed: mpsc::Receiver<Press>,
}

impl Table {
    async fn laid(fetch: Millis) -> Self {
        let phone = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "ringback", "secret").await.unwrap();
        let login = Login::new("ringback", "secret".to_owned().into());
        let config = Config { fetch, ..Config::new((Ipv4Addr::LOCALHOST, 0).into(), login) };
        let config = Config { answer: Millis::from_secs(60), connection: Millis::from_secs(60), ..config };
        let server = PushServer::start(config).await.unwrap();
        let way = server.phone(&phone.address().to_string()).unwrap();
        let (presses, pressed) = Presses::new();
        Self { phone, way, device: DeviceName::new("1001").unwrap(), presses, pressed }
    }

    /// As the provider does.
    async fn tell(&self, how: impl Fn(&PushWay, Recipient<'_>) -> Vec<Step>) -> Result<(), RequestFailure> {
        let recipient = Recipient { device: &self.device, dial: "PJSIP/1001", in_call: None };
        for step in how(&self.way, recipient) {
            let Step::Errand(errand) = step else { panic!("{step:?} is for the server") };
            self.way.courier().unwrap().run(&self.device, errand, self.presses.clone()).await?;
        }
        Ok(())
    }

    async fn show(&self, screen: &Screen) -> Result<(), RequestFailure> {
        self.tell(|way, phone| way.show(phone, screen).unwrap()).await
    }
}

fn available() -> Screen {
    let key = |key: &str| (key.to_owned(), format!("{key}:ringback:7-12"));
    Screen {
        title: "CallBack".to_owned(),
        prompt: "Please choose".to_owned(),
        lines: vec!["1002 has become available".to_owned(), "Time 14:00".to_owned()],
        keys: vec![key("Dial"), key("Cancel"), key("Exit")],
    }
}

fn item(url: &str) -> [ExecuteItem; 1] {
    [ExecuteItem { url: url.to_owned(), priority: Priority::AtOnce }]
}

#[tokio::test]
async fn what_is_sent_is_seen_and_heard_and_what_is_pressed_is_told() {
    let mut table = Table::laid(Millis::from_secs(60)).await;
    table.show(&available()).await.unwrap();
    // It counts as shown when it was fetched; the phone draws it then.
    let seen = table.phone.wait_for(LONG, |seen| seen.screens == 1).await.unwrap();
    assert!(seen.shows("1002 has become available Time 14:00") && seen.shows("Please choose"));
    assert_eq!(seen.keys(), ["Dial", "Cancel", "Exit"]);
    let (screen, play) = (available(), item("Play:CallBack.raw"));
    let alert = Alert { screen: Some(&screen), items: &play };
    table.tell(|way, phone| way.alert(phone, alert).unwrap()).await.unwrap();
    table.phone.wait_for(LONG, |seen| seen.played == ["CallBack.raw"]).await.unwrap();
    table.phone.press("Dial").await.unwrap();
    let pressed = table.pressed.recv().await.unwrap();
    assert_eq!(pressed, Press { device: table.device.clone(), content: "Dial:ringback:7-12".to_owned() });
    assert!(table.phone.display().shows("has become available"), "until the service says otherwise");
    let close = item("Init:Services");
    table.tell(|way, phone| way.clear(phone, &close).unwrap()).await.unwrap();
    table.phone.wait_for(LONG, |seen| seen.screen.is_none()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_told_and_nothing_is_shown() {
    let mut table = Table::laid(Millis::from_secs(60)).await;
    let right = table.way.clone();
    table.way = right.clone().with_login(Login::new("ringback", "wrong".to_owned().into())).unwrap();
    let refused = Err(RequestFailure::Refused(CtiError::DeviceRestricted));
    assert_eq!(table.show(&available()).await, refused);
    assert_eq!(table.phone.shown(), None);
    table.way = right;
    table.show(&available()).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_asks_whether_the_login_is_right_may_ask_us() {
    let login = || Login::new("ringback", "s&c=ret%".to_owned().into());
    let config = Config::new((Ipv4Addr::LOCALHOST, 0).into(), login());
    let server = PushServer::start(Config { authenticates: true, ..config }).await.unwrap();
    let url = format!("http://{}/authenticate", server.address());
    let mut phone = XmlPhone::start_with_authentication_url(Ipv4Addr::LOCALHOST.into(), &url).await.unwrap();
    let way = server.phone(&phone.address().to_string()).unwrap();
    let wrong = way.clone().with_login(Login::new("ringback", "other".to_owned().into())).unwrap();
    let device = DeviceName::new("1001").unwrap();
    let (presses, _pressed) = Presses::new();
    let play = || Errand::Execute(item("Play:CallBack.raw").to_vec());
    let refused = wrong.courier().unwrap().run(&device, play(), presses.clone()).await;
    assert_eq!(refused, Err(RequestFailure::Refused(CtiError::DeviceRestricted)));
    way.courier().unwrap().run(&device, play(), presses).await.unwrap();
    phone.wait_for(LONG, |seen| seen.alerts() == 1).await.unwrap();
}

#[tokio::test]
async fn a_phone_that_cannot_reach_us_has_not_shown_it() {
    let table = Table::laid(Millis(300)).await;
    table.phone.set_manner(XmlManner::CutOff);
    assert_eq!(table.show(&available()).await, Err(RequestFailure::OutcomeUnknown));
    assert_eq!(table.phone.shown(), None);
}

/// What was traced.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn traces_say_what_to_do_and_nothing_personal() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Everything of this test runs in its own thread.
    let _traced = tracing::subscriber::set_default(subscriber);
    let mut table = Table::laid(Millis::from_secs(60)).await;
    table.show(&available()).await.unwrap();
    table.phone.wait_for(LONG, |seen| seen.screens == 1).await.unwrap();
    table.phone.press("Dial").await.unwrap();
    let pressed = table.pressed.recv().await.unwrap();
    tracing::info!(?pressed, way = ?table.way);
    table.phone.set_manner(XmlManner::Fails(4));
    table.show(&available()).await.unwrap_err();
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("does not accept user and password (error 4)"), "{lines}");
    for personal in ["1001", "1002", "secret", "cmluZ2JhY2s6", "7-12", "/screen/", "/key/"] {
        assert!(!lines.contains(personal), "{personal} in {lines}");
    }
}

#[tokio::test]
async fn phones_do_not_wait_for_each_other() {
    // One that never answers, and a hundred that do.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let login = Login::new("ringback", "secret".to_owned().into());
    let config = Config::new((Ipv4Addr::LOCALHOST, 0).into(), login);
    let forever = Millis::from_secs(600);
    let server = PushServer::start(Config { answer: forever, fetch: forever, ..config }).await.unwrap();
    let (presses, _pressed) = Presses::new();
    let show = |way: PushWay, name: String| {
        let presses = presses.clone();
        async move {
            let device = DeviceName::new(name).unwrap();
            let phone = Recipient { device: &device, dial: "", in_call: None };
            let step = way.show(phone, &available()).unwrap().pop();
            let Some(Step::Errand(errand)) = step else { panic!("an errand") };
            way.courier().unwrap().run(&device, errand, presses).await
        }
    };
    let stuck = server.phone(&silent.local_addr().unwrap().to_string()).unwrap();
    let stuck = tokio::spawn(show(stuck, "1000".to_owned()));
    let mut phones = Vec::new();
    let mut told = tokio::task::JoinSet::new();
    for number in 1001..1101 {
        let phone = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "ringback", "secret").await.unwrap();
        let way = server.phone(&phone.address().to_string()).unwrap();
        told.spawn(show(way, number.to_string()));
        phones.push(phone);
    }
    let done = tokio::time::timeout(LONG, told.join_all()).await.unwrap();
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    for mut phone in phones {
        phone.wait_for(LONG, |seen| seen.shows("1002 has become available")).await.unwrap();
    }
    assert!(!stuck.is_finished());
    stuck.abort();
}
