//! Connections that are lost, and servers that restart: everything goes on by itself, and the loss is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ringback_db::{Change, ChangeFeed, Directory, DirectoryAdmin, FeedError, RequestStore, Table, Write};
use ringback_db_postgres::PostgresFeed;
use ringback_election::{Incarnation, Intent, Member, Registry, Report};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use ringback_postgres_lab::{Durability, Postgres, Server, Signal};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::site::{open, open_with, operator, record, terminate};

async fn told_lost(feed: &mut PostgresFeed) -> String {
    match feed.next().await {
        Err(FeedError::Lost(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

async fn parameter(feed: &mut PostgresFeed, name: &str) {
    match feed.next().await {
        Ok(Change::Row { table: Table::Parameter, key, .. }) => assert_eq!(key, name),
        other => panic!("{other:?}"),
    }
}

fn report(intent: Intent) -> Report {
    let member = Member::new(Ipv4Addr::new(10, 0, 0, 1).into(), Incarnation(7), Timestamp(3));
    Report { member, ready: true, length: Millis(60_000), intent }
}

const CLAIM: Intent = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };

#[tokio::test]
async fn a_listener_that_is_ended_is_told_and_reads_anew() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let group = Group::default();
    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let operator = operator(&address).await;
    for round in ["A", "B", "C"] {
        terminate(&operator, "listener").await;
        told_lost(&mut feed).await;
        database.directory().set_parameter(&group, round, Some("missed?")).await.unwrap();
        assert_eq!(feed.next().await, Ok(Change::Resync));
        database.directory().set_parameter(&group, "P", Some(round)).await.unwrap();
        // What was written before it listened again may be told, too.
        loop {
            match feed.next().await {
                Ok(Change::Row { key, .. }) if key == "P" => break,
                Ok(Change::Row { key, .. }) => assert_eq!(key, round),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn every_session_is_ended_and_everything_goes_on() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let group = Group::default();
    let (store, directory, registry) = (database.store(), database.directory(), database.registry());
    let epoch = registry.tick(&group, &report(CLAIM)).await.unwrap().epoch;
    store.apply(&group, epoch, &[Write::Put(record(1, 1))]).await.unwrap();
    let operator = operator(&address).await;
    for _ in 0..3 {
        terminate(&operator, "%").await;
        // What reads goes on at once; what writes may have to be told again.
        assert_eq!(store.load(&group).await, Ok(vec![record(1, 1)]));
        assert_eq!(directory.probe().await, Ok(()));
        terminate(&operator, "%").await;
        assert_eq!(directory.set_parameter(&group, "P", Some("1")).await, Ok(()));
        while store.apply(&group, epoch, &[Write::Put(record(1, 1))]).await.is_err() {}
        let renewed = loop {
            if let Ok(view) = registry.tick(&group, &report(Intent::Renew { epoch })).await {
                break view;
            }
        };
        assert_eq!((renewed.epoch, renewed.in_force().is_some()), (Epoch(1), true));
    }
}

/// Whatever was confirmed is there after a crash of the server.
#[tokio::test]
async fn a_server_that_restarts() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let server = Server::start_with(&postgres, Durability::Full, &[]).unwrap();
    let address = server.fresh_database().unwrap();
    let database = open(&address).await;
    let group = Group::default();
    let (store, registry) = (database.store(), database.registry());
    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let mut expected = Vec::new();
    registry.tick(&group, &report(CLAIM)).await.unwrap();
    for (number, signal) in (1..).zip([Signal::Fast, Signal::Immediate, Signal::Kill]) {
        expected.push(record(1, number));
        store.apply(&group, Epoch(1), &[Write::Put(record(1, number))]).await.unwrap();
        server.stop(signal).unwrap();
        told_lost(&mut feed).await;
        let unreached = store.load(&group).await.unwrap_err().to_string();
        assert_eq!(unreached, "request store unavailable: Connection refused (os error 111)");
        let unreached = registry.tick(&group, &report(Intent::Watch)).await.unwrap_err().to_string();
        assert!(unreached.starts_with("registry "), "{unreached}");
        server.start_again().unwrap();
        assert_eq!(feed.next().await, Ok(Change::Resync));
        assert_eq!(store.load(&group).await, Ok(expected.clone()));
        let view = registry.tick(&group, &report(Intent::Renew { epoch: Epoch(1) })).await.unwrap();
        assert!(view.in_force().is_some());
        database.directory().set_parameter(&group, "P", Some("1")).await.unwrap();
        parameter(&mut feed, "P").await;
    }
}

/// What goes on between a client and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Nothing comes through, and nobody is told.
    Silent,
    /// Broken off by a reset.
    Reset,
}

/// A way to the server that can be broken. Gives the address of its entrance.
async fn way(to: SocketAddr) -> (SocketAddr, watch::Sender<Way>) {
    let entrance = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = entrance.local_addr().unwrap();
    let (sender, state) = watch::channel(Way::Open);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = entrance.accept().await {
            let mut state = state.clone();
            state.wait_for(|way| *way == Way::Open).await.unwrap();
            let mut far = TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move {
                let broken = {
                    let carry = copy_bidirectional(&mut near, &mut far);
                    tokio::select! {
                        _ = carry => return,
                        way = state.wait_for(|way| *way != Way::Open) => *way.unwrap(),
                    }
                };
                if broken == Way::Silent {
                    // Both ends stay open for as long as the test runs.
                    std::future::pending::<()>().await;
                }
                near.set_zero_linger().unwrap();
            });
        }
    });
    (address, sender)
}

async fn loss_on_the_way(broken: Way) -> (String, String) {
    let server = Server::shared().unwrap();
    let direct = server.fresh_database().unwrap();
    let (entrance, state) = way(server.address().into()).await;
    let through = direct.replace(&server.address().to_string(), &entrance.to_string());
    let database = open_with(&through, |options| {
        // Silence is found by these alone; long enough for a machine that has other things to do.
        options.write_timeout = Millis(2_000);
        options.read_timeout = Millis(2_000);
        options.probe_interval = Millis(50);
    })
    .await;
    let group = Group::default();
    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let store = database.store();
    store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.unwrap();
    state.send_replace(broken);
    let lost = told_lost(&mut feed).await;
    let write = store.apply(&group, Epoch(1), &[Write::Put(record(1, 1))]).await.unwrap_err().to_string();
    let behind = open(&direct).await;
    behind.directory().set_parameter(&group, "P", Some("1")).await.unwrap();
    state.send_replace(Way::Open);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    while store.apply(&group, Epoch(1), &[Write::Put(record(1, 2))]).await.is_err() {}
    behind.directory().set_parameter(&group, "Q", Some("1")).await.unwrap();
    parameter(&mut feed, "Q").await;
    (lost, write)
}

#[tokio::test]
async fn a_link_that_is_dead_without_a_word_is_found() {
    if Server::shared().is_none() {
        return;
    }
    let found = tokio::time::timeout(Duration::from_secs(60), loss_on_the_way(Way::Silent)).await.unwrap();
    let silent = "the server does not answer";
    let unknown = format!("request store: the outcome of the write is unknown: {silent}");
    assert_eq!(found, (silent.to_owned(), unknown));
}

#[tokio::test]
async fn a_link_that_is_reset_is_found() {
    if Server::shared().is_none() {
        return;
    }
    let (lost, _) = loss_on_the_way(Way::Reset).await;
    assert_eq!(lost, "Connection reset by peer (os error 104)");
}
