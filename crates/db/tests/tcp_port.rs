//! The listener for change notifications follows its service parameter.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ringback_db::tcp::{
    ChangeClient, ClientError, RebindingTcpFeed, SharedListeners, SharedSecret, TcpLimits, TcpPort,
};
use ringback_db::{Change, ChangeFeed, FeedError, Table};
use ringback_model::Group;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn secret() -> SharedSecret {
    SharedSecret::new("correct horse battery staple").unwrap()
}

/// A feed that is always read, and what it tells.
fn feed() -> (TcpPort, UnboundedReceiver<Result<Change, FeedError>>) {
    read(RebindingTcpFeed::new(IP, secret(), TcpLimits::default(), Group::default()))
}

fn read(
    (mut feed, port): (RebindingTcpFeed, TcpPort),
) -> (TcpPort, UnboundedReceiver<Result<Change, FeedError>>) {
    let (sender, told) = unbounded_channel();
    tokio::spawn(async move { while sender.send(feed.next().await).is_ok() {} });
    (port, told)
}

/// A listener of somebody else.
async fn taken() -> (TcpListener, u16) {
    let listener = TcpListener::bind(SocketAddr::new(IP, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn client(port: u16) -> ChangeClient {
    ChangeClient::connect(SocketAddr::new(IP, port), &secret()).await.unwrap()
}

fn row(seq: u64, key: &str) -> Option<Result<Change, FeedError>> {
    Some(Ok(Change::Row { seq, table: Table::Phone, key: key.to_owned() }))
}

#[tokio::test]
async fn it_moves_with_the_parameter() {
    let (port, mut told) = feed();
    assert_eq!(port.bound(), None, "before the parameter is known");
    port.set(0);
    assert_eq!(told.recv().await, Some(Ok(Change::Resync)));
    let first = port.bound().unwrap().port();
    let mut before = client(first).await;
    before.changed(Table::Phone, "a").await.unwrap();
    assert_eq!(told.recv().await, row(1, "a"));
    // The same again changes nothing.
    port.set(0);
    before.changed(Table::Phone, "b").await.unwrap();
    assert_eq!(told.recv().await, row(2, "b"));

    let (other, free) = taken().await;
    drop(other);
    port.set(free);
    assert_eq!(told.recv().await, Some(Ok(Change::Resync)), "what was told meanwhile");
    assert_eq!(port.bound(), Some(SocketAddr::new(IP, free)));
    client(free).await.changed(Table::Phone, "c").await.unwrap();
    assert_eq!(told.recv().await, row(1, "c"));
    assert_eq!(before.changed(Table::Phone, "d").await, Err(ClientError::Lost));
    let gone = ChangeClient::connect(SocketAddr::new(IP, first), &secret()).await;
    assert!(gone.is_err(), "the old port is free");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_the_old_one_stays() {
    let (port, mut told) = feed();
    let (other, old) = taken().await;
    drop(other);
    port.set(old);
    assert_eq!(told.recv().await, Some(Ok(Change::Resync)));
    let mut client = client(old).await;

    let (_other, new) = taken().await;
    port.set(new);
    let Some(Err(error)) = told.recv().await else { panic!("no error") };
    assert_eq!(
        error.to_string(),
        format!(
            "\"CBB Change Notification TCP Port\" cannot be {new}: port {new} of 127.0.0.1 for change notifications is \
             in use by another program: end that program, or set \"CBB Change Notification TCP Port\" to another port; \
             {old} stays in force"
        )
    );
    client.changed(Table::Phone, "a").await.unwrap();
    assert_eq!(told.recv().await, row(1, "a"), "nothing was missed");
    // Back to the old one: nothing is closed, nothing told.
    port.set(old);
    client.changed(Table::Phone, "b").await.unwrap();
    assert_eq!(told.recv().await, row(2, "b"));
}

/// Time passes by itself: only the listener is real.
#[tokio::test(start_paused = true)]
async fn a_port_that_becomes_free_is_taken() {
    let (port, mut told) = feed();
    let (other, taken) = taken().await;
    port.set(taken);
    let Some(Err(FeedError::Lost(reason))) = told.recv().await else { panic!("not lost") };
    assert!(reason.contains("is in use by another program"), "{reason}");
    assert_eq!(port.bound(), None);
    drop(other);
    assert_eq!(told.recv().await, Some(Ok(Change::Resync)));
    assert_eq!(port.bound(), Some(SocketAddr::new(IP, taken)));
}

#[tokio::test]
async fn groups_with_the_same_port_share_it() {
    let group = |name| Group::new(name).unwrap();
    let listeners = SharedListeners::new(secret(), TcpLimits::default());
    let feed = |name| read(RebindingTcpFeed::sharing(IP, listeners.clone(), group(name)));
    let ((east, mut told_east), (west, mut told_west)) = (feed("east"), feed("west"));
    let (other, both) = taken().await;
    let (another, alone) = taken().await;
    drop((other, another));
    east.set(both);
    west.set(both);
    for told in [&mut told_east, &mut told_west] {
        assert_eq!(told.recv().await, Some(Ok(Change::Resync)));
    }
    let mut client = client(both).await;
    client.group(&group("west")).await.unwrap();
    client.changed(Table::Phone, "w").await.unwrap();
    assert_eq!(told_west.recv().await, row(1, "w"));
    client.group(&group("east")).await.unwrap();
    client.changed(Table::Phone, "e").await.unwrap();
    assert_eq!(told_east.recv().await, row(1, "e"));

    // One moves, the other stays, and so does who is connected there.
    west.set(alone);
    assert_eq!(told_west.recv().await, Some(Ok(Change::Resync)));
    assert_eq!((east.bound(), west.bound()), (Some((IP, both).into()), Some((IP, alone).into())));
    client.changed(Table::Phone, "e").await.unwrap();
    assert_eq!(told_east.recv().await, row(2, "e"));
    assert!(client.group(&group("west")).await.is_err(), "it is told of elsewhere");
}
