//! Change notification over TCP, on the loopback interface.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};

use ringback_db::tcp::{
    ChangeClient, ChangeListener, ClientError, ListenError, SharedSecret, TcpFeed, TcpLimits,
};
use ringback_db::{Change, ChangeFeed, FeedError, MemoryDirectory, Table, conformance};
use ringback_model::{Group, reveal_personal_data};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn secret() -> SharedSecret {
    SharedSecret::new("correct horse battery staple").unwrap()
}

async fn listener() -> ChangeListener {
    ChangeListener::bind(ANY_PORT, secret(), TcpLimits::default()).await.unwrap()
}

fn row(seq: u64, table: Table, key: &str) -> Result<Change, FeedError> {
    Ok(Change::Row { seq, table, key: key.to_owned() })
}

#[tokio::test]
async fn who_knows_the_secret_is_heard() {
    let listener = listener().await;
    let (group, other) = (Group::default(), Group::new("other").unwrap());
    let (mut feed, mut second) = (listener.feed(&group), listener.feed(&group));
    let mut client = ChangeClient::connect(listener.address(), &secret()).await.unwrap();
    client.ping().await.unwrap();
    client.changed(Table::Line, "inside/1001").await.unwrap();
    client.resync().await.unwrap();
    for feed in [&mut feed, &mut second] {
        assert_eq!(feed.next().await, Ok(Change::Resync));
        assert_eq!(feed.next().await, row(1, Table::Line, "inside/1001"));
        assert_eq!(feed.next().await, Ok(Change::Resync));
    }
    let nobody = ClientError::Refused("no such group here: say GROUP NAME first".to_owned());
    assert_eq!(client.group(&other).await, Err(nobody));
    let mut apart = listener.feed(&other);
    client.group(&other).await.unwrap();
    client.changed(Table::Parameter, "Call Back Recall Timer").await.unwrap();
    assert_eq!(apart.next().await, Ok(Change::Resync));
    assert_eq!(apart.next().await, row(1, Table::Parameter, "Call Back Recall Timer"));
    for key in ["", "a\nb", "a\r", &"x".repeat(2000)] {
        assert_eq!(client.changed(Table::Phone, key).await, Err(ClientError::Key));
    }
    client.ping().await.unwrap();

    drop(listener);
    let ended = FeedError::Lost("the listener for change notifications has ended".to_owned());
    assert_eq!(apart.next().await, Err(ended));
    assert_eq!(client.ping().await, Err(ClientError::Lost));
}

#[tokio::test]
async fn who_does_not_know_it_is_refused() {
    let listener = listener().await;
    let wrong = SharedSecret::new("incorrect horse battery staple").unwrap();
    let refused = ChangeClient::connect(listener.address(), &wrong).await.unwrap_err();
    assert_eq!(refused.to_string(), "the service refuses: not authenticated");
}

/// What was recorded on one connection is of no use on the next.
#[tokio::test]
async fn a_replayed_authentication_is_refused() {
    let listener = listener().await;
    // A wire-tapper between client and listener.
    let tap = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = tap.local_addr().unwrap();
    let client = tokio::spawn(async move { ChangeClient::connect(address, &secret()).await });
    let mut near = BufReader::new(tap.accept().await.unwrap().0);
    let mut far = BufReader::new(TcpStream::connect(listener.address()).await.unwrap());
    let (mut greeting, mut recorded, mut answer) = (String::new(), String::new(), String::new());
    far.read_line(&mut greeting).await.unwrap();
    near.write_all(greeting.as_bytes()).await.unwrap();
    near.read_line(&mut recorded).await.unwrap();
    far.write_all(recorded.as_bytes()).await.unwrap();
    far.read_line(&mut answer).await.unwrap();
    assert_eq!(answer, "OK\n");
    near.write_all(b"OK\n").await.unwrap();
    client.await.unwrap().unwrap();

    let mut again = BufReader::new(TcpStream::connect(listener.address()).await.unwrap());
    let mut other = String::new();
    again.read_line(&mut other).await.unwrap();
    assert_ne!(other, greeting);
    again.write_all(recorded.as_bytes()).await.unwrap();
    let mut rest = String::new();
    again.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "ERR not authenticated\n");
}

#[tokio::test]
async fn garbage_and_floods_leave_the_listener_well() {
    let listener = listener().await;
    let mut feed = listener.feed(&Group::default());
    for garbage in [vec![0; 100_000], vec![0xFF; 2000], b"\n\n\n".to_vec(), b"AUTH ".repeat(1000)] {
        let mut stream = TcpStream::connect(listener.address()).await.unwrap();
        // It may be sent away before all is written.
        let _ = stream.write_all(&garbage).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    // More than there is room for, and none says a word.
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(listener.address()).await.unwrap());
    }
    let mut last = silent.pop().unwrap();
    let mut told = String::new();
    last.read_to_string(&mut told).await.unwrap();
    assert_eq!(told, "ERR too many connections: try again later\n");
    drop(silent);
    // Their places are free as soon as the listener has seen them go.
    let mut client = loop {
        match ChangeClient::connect(listener.address(), &secret()).await {
            Ok(client) => break client,
            Err(ClientError::Refused(_) | ClientError::NoListener | ClientError::Lost) => {}
            Err(error) => panic!("{error}"),
        }
    };
    client.changed(Table::Phone, "A").await.unwrap();
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert_eq!(feed.next().await, row(1, Table::Phone, "A"));
}

#[tokio::test]
async fn a_port_that_is_in_use_is_named() {
    let taken = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = ChangeListener::bind(address, secret(), TcpLimits::default()).await.unwrap_err();
    assert!(matches!(error, ListenError::PortInUse(at) if at == address), "{error:?}");
    let expected = format!(
        "port {} of 127.0.0.1 for change notifications is in use by another program: end that program, or set \"CBB \
         Change Notification TCP Port\" to another port",
        address.port()
    );
    assert_eq!(error.to_string(), expected);
    drop(taken);
    ChangeListener::bind(address, secret(), TcpLimits::default()).await.unwrap();
    let elsewhere = "192.0.2.1:2552".parse().unwrap();
    let error = ChangeListener::bind(elsewhere, secret(), TcpLimits::default()).await.unwrap_err();
    assert!(matches!(error, ListenError::NoSuchAddress(_)), "{error:?}");
}

#[tokio::test]
async fn what_is_no_listener_is_named() {
    let server = TcpListener::bind(ANY_PORT).await.unwrap();
    let address = server.local_addr().unwrap();
    for greeting in ["SSH-2.0-x\r\n", "RINGBACK-CHANGES 2 00\n", ""] {
        let serve = async {
            let (mut stream, _) = server.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        };
        let secret = secret();
        let (refused, ()) = tokio::join!(ChangeClient::connect(address, &secret), serve);
        assert_eq!(refused.unwrap_err(), ClientError::NoListener, "{greeting}");
    }
    drop(server);
    let refused = ChangeClient::connect(address, &secret()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Unreachable(_)), "{refused:?}");
}

/// A directory whose tool tells of its writes over TCP.
async fn told_over_tcp(group: &Group) -> (MemoryDirectory, Listening) {
    let listener = listener().await;
    let feed = listener.feed(group);
    let directory = MemoryDirectory::new();
    let mut changes = directory.feed(group);
    assert_eq!(changes.next().await, Ok(Change::Resync));
    let mut client = ChangeClient::connect(listener.address(), &secret()).await.unwrap();
    client.group(group).await.unwrap();
    tokio::spawn(async move {
        while let Ok(change) = changes.next().await {
            match change {
                Change::Row { table, key, .. } => client.changed(table, &key).await.unwrap(),
                _ => client.resync().await.unwrap(),
            }
        }
    });
    (directory, Listening { feed, _listener: listener })
}

struct Listening {
    feed: TcpFeed,
    _listener: ChangeListener,
}

#[async_trait::async_trait]
impl ChangeFeed for Listening {
    async fn next(&mut self) -> Result<Change, FeedError> {
        self.feed.next().await
    }
}

#[tokio::test]
async fn it_conforms() -> Result<(), conformance::Violation> {
    reveal_personal_data(true);
    conformance::feed(told_over_tcp).await
}
