//! The phone that shows screens: it takes orders over HTTP, fetches what they name, and follows its keys.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::Ipv4Addr;
use std::time::Duration;

use ringback_pbx_lab::{XmlManner, XmlPhone};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LONG: Duration = Duration::from_secs(60);

const PAGE: &str = "<CiscoIPPhoneText><Title>T</Title><Prompt>P</Prompt><Text>one\ntwo</Text>\
    <SoftKeyItem><Name>Quitter</Name><URL>http://HERE/key/Exit</URL><Position>2</Position></SoftKeyItem>\
    <SoftKeyItem><Name>Rappeler</Name><URL>http://HERE/key/Dial</URL><Position>1</Position></SoftKeyItem>\
    </CiscoIPPhoneText>";
const CLOSE: &str = r#"<CiscoIPPhoneExecute><ExecuteItem URL="Init:Services"/></CiscoIPPhoneExecute>"#;

/// Serves the page, and for its keys what closes it; gives back its address.
async fn pages() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let here = address.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let size = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..size]).into_owned();
            let page =
                if request.starts_with("GET /key/") { CLOSE.to_owned() } else { PAGE.replace("HERE", &here) };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.len());
            stream.write_all((head + &page).as_bytes()).await.unwrap();
        }
    });
    address
}

async fn post(phone: &XmlPhone, login: &str, items: &str) -> String {
    let xml = format!("<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>");
    let form = xml.bytes().fold("XML=".to_owned(), |form, byte| form + &format!("%{byte:02X}"));
    let mut stream = TcpStream::connect(phone.address()).await.unwrap();
    let head = format!(
        "POST /CGI/Execute HTTP/1.1\r\nHost: phone\r\nAuthorization: Basic {login}\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    stream.write_all((head + &form).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// `user:secret`.
const LOGIN: &str = "dXNlcjpzZWNyZXQ=";

#[tokio::test]
async fn it_does_what_it_is_told() {
    let mut phone = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "user", "secret").await.unwrap();
    let here = pages().await;
    let items = format!(
        r#"<ExecuteItem Priority="0" URL="Play:Call.raw"/><ExecuteItem Priority="0" URL="http://{here}/page"/>"#
    );
    let answer = post(&phone, LOGIN, &items).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(r#"<ResponseItem URL="Play:Call.raw" Data="Success" Status="0"/>"#), "{answer}");
    let seen = phone.wait_for(LONG, |display| display.shows("one two")).await.unwrap();
    assert_eq!((seen.alerts(), seen.screens), (1, 1));
    assert_eq!(seen.played, ["Call.raw"]);
    assert_eq!(seen.keys(), ["Dial", "Exit"]);
    let screen = phone.shown().unwrap();
    assert_eq!((screen.title.as_str(), screen.prompt.as_str()), ("T", "P"));
    assert!(phone.press("OK").await.is_err());
    phone.press("Rappeler").await.unwrap();
    assert_eq!(phone.shown(), None);
}

#[tokio::test]
async fn it_waits_until_it_is_idle() {
    let mut phone = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "user", "secret").await.unwrap();
    phone.set_idle(false);
    let items = r#"<ExecuteItem Priority="2" URL="Play:2"/><ExecuteItem Priority="1" URL="Play:1"/>
        <ExecuteItem Priority="0" URL="Play:0"/>"#;
    post(&phone, LOGIN, items).await;
    phone.wait_for(LONG, |display| display.played == ["0"]).await.unwrap();
    phone.set_idle(true);
    phone.wait_for(LONG, |display| display.played == ["0", "1"]).await.unwrap();
}

#[tokio::test]
async fn it_refuses_as_phones_do() {
    let phone = XmlPhone::start(Ipv4Addr::LOCALHOST.into(), "user", "secret").await.unwrap();
    let play = r#"<ExecuteItem URL="Play:x"/>"#;
    assert!(post(&phone, "bad", play).await.contains(r#"<CiscoIPPhoneError Number="4"/>"#));
    assert!(post(&phone, LOGIN, "<What/>").await.contains(r#"<CiscoIPPhoneError Number="1"/>"#));
    phone.set_manner(XmlManner::Fails(3));
    assert!(post(&phone, LOGIN, play).await.contains(r#"<CiscoIPPhoneError Number="3"/>"#));
    phone.set_manner(XmlManner::Status(403));
    assert!(post(&phone, LOGIN, play).await.starts_with("HTTP/1.1 403"));
    assert_eq!(phone.display().alerts(), 0);
}

#[test]
fn keys_are_known_by_what_they_mean() {
    let key = |url: &str| {
        let key = ringback_pbx_lab::XmlSoftKey { name: "Rappeler".to_owned(), url: url.to_owned() };
        key.key().to_owned()
    };
    assert_eq!(key("http://here:80/key/Dial"), "Dial");
    assert_eq!(key("http://here:80/key/abc/1001/Cancel:ringback:7-12"), "Cancel");
    assert_eq!(key("SoftKey:Exit"), "Exit");
}
