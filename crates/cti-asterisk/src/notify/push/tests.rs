//! Exact requests and answers, and phones and strangers that do not behave.

mod elsewhere;
mod hostile;
mod orders;
mod served;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ringback_cti::RequestFailure;
use ringback_model::{DeviceName, Millis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::notify::{Courier, Errand, Press, Presses, Screen, Way};

/// Nothing takes that long, however busy the machine is.
const LONG: Duration = Duration::from_secs(60);

fn config() -> Config {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let mut config = Config::new(listen, Login::new("ringback", "pass:word".to_owned().into()));
    for time in [&mut config.answer, &mut config.fetch, &mut config.connection] {
        *time = Millis::from_secs(60);
    }
    config
}

fn device() -> DeviceName {
    DeviceName::new("1001").unwrap()
}

fn screen(text: &str, keys: &[&str]) -> Screen {
    Screen {
        title: "CallBack".to_owned(),
        prompt: "Please choose".to_owned(),
        lines: vec![text.to_owned(), "Press <Dial>".to_owned()],
        keys: keys.iter().map(|key| ((*key).to_owned(), format!("{key}:ringback:7-12"))).collect(),
    }
}

/// A server, the courier for a phone, and what comes of the keys.
struct Room {
    server: PushServer,
    courier: Arc<dyn Courier>,
    presses: Presses,
    pressed: mpsc::Receiver<Press>,
}

impl Room {
    async fn new(config: Config, phone: &str) -> Self {
        Self::at(PushServer::start(config).await.unwrap(), phone)
    }

    fn at(server: PushServer, phone: &str) -> Self {
        let courier = server.phone(phone).unwrap().courier().unwrap();
        let (presses, pressed) = Presses::new();
        Self { server, courier, presses, pressed }
    }

    async fn run(&self, errand: Errand) -> Result<(), RequestFailure> {
        self.courier.run(&device(), errand, self.presses.clone()).await
    }

    /// As a phone fetches it: the whole answer.
    async fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: ringback\r\n\r\n")).await
    }

    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = stream.read_to_string(&mut answer);
        tokio::time::timeout(LONG, reading).await.unwrap().unwrap();
        without_date(&answer)
    }
}

fn without_date(answer: &str) -> String {
    answer.split_inclusive("\r\n").filter(|line| !line.to_lowercase().starts_with("date:")).collect()
}

/// A phone that reads whole requests, and answers as the test says.
struct Wire(TcpListener);

impl Wire {
    async fn new() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap())
    }

    fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The next request, and where to answer it.
    async fn request(&self) -> (String, TcpStream) {
        let (mut stream, _) = tokio::time::timeout(LONG, self.0.accept()).await.unwrap().unwrap();
        let mut request = String::new();
        while !is_whole(&request) {
            let mut part = [0; 1024];
            let size = tokio::time::timeout(LONG, stream.read(&mut part)).await.unwrap().unwrap();
            assert!(size > 0, "ended within a request: {request}");
            request.push_str(std::str::from_utf8(&part[..size]).unwrap());
        }
        (request, stream)
    }

    /// Answers the next request with this; gives back the XML that was posted.
    async fn answer(&self, answer: &str) -> String {
        let (request, mut stream) = self.request().await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        posted(&request)
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head
        .to_lowercase()
        .split("content-length: ")
        .nth(1)
        .map(|rest| rest.lines().next().unwrap().to_owned());
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

/// The XML in a posted form.
fn posted(request: &str) -> String {
    let (_, form) = request.split_once("\r\n\r\n").unwrap();
    let (field, xml) = form_urlencoded::parse(form.as_bytes()).next().unwrap();
    assert_eq!(field, "XML");
    xml.into_owned()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const DONE: &str =
    r#"<CiscoIPPhoneResponse><ResponseItem URL="x" Data="" Status="0"/></CiscoIPPhoneResponse>"#;

/// The path of the screen in posted XML.
fn screen_path(xml: &str) -> String {
    let start = xml.find("/screen/").unwrap();
    let end = xml[start..].find('"').unwrap();
    xml[start..start + end].to_owned()
}

/// The path of a key of a fetched screen, by what it sends.
fn key_path(fetched: &str, key: &str) -> String {
    let urls = fetched.match_indices("/key/").map(|(start, _)| fetched[start..].split('<').next().unwrap());
    let found = urls.into_iter().find(|url| url.rsplit('/').next().unwrap().split(':').next() == Some(key));
    found.unwrap_or_else(|| panic!("no key {key} in {fetched}")).to_owned()
}

/// Shows a screen on a phone that fetches it; gives back its path, and what was fetched.
async fn show(room: &Room, wire: &Wire, screen: Screen) -> (String, String) {
    let phone = async {
        let xml = wire.answer(&ok(DONE)).await;
        let path = screen_path(&xml);
        let fetched = room.get(&path).await;
        (path, fetched)
    };
    let (shown, fetched) = tokio::join!(room.run(Errand::Show(screen)), phone);
    shown.unwrap();
    fetched
}
