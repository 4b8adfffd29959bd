//! What is told while the server is away, and that it goes on afterwards.

use ringback_election::{Intent, Registry, RegistryError, Report};
use ringback_etcd_lab::{Etcd, Server, Signal};
use ringback_model::{Epoch, Group, Millis};

use crate::site::{CLAIM, fresh, member, open, open_at_last, options, report, soon};

#[tokio::test]
async fn away_and_back() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start(&etcd).unwrap();
    let registry = open(&fresh(&server)).await;
    let (group, me) = (Group::default(), member(1, 1));
    let view = registry.tick(&group, &report(me, CLAIM)).await.unwrap();
    let renewing = report(me, Intent::Renew { epoch: view.epoch });
    server.stop(Signal::Kill).unwrap();
    // The first may meet a connection that was open; then nothing can be sent, so that nothing can be done.
    let first = registry.tick(&group, &renewing).await.unwrap_err();
    assert!(matches!(first, RegistryError::OutcomeUnknown(_) | RegistryError::NotDone(_)), "{first}");
    let told = registry.tick(&group, &renewing).await.unwrap_err();
    let expected =
        format!("registry unavailable, nothing was changed: {}: Connection refused", server.address());
    assert!(told.to_string().starts_with(&expected), "{told}");
    let told = registry.read(&group).await.unwrap_err();
    assert!(told.to_string().starts_with(&expected), "{told}");
    // Nothing is told of changes while nothing can be heard.
    let changed = registry.changed(&group, &me, 0);
    let heard = tokio::time::timeout(std::time::Duration::from_millis(200), changed).await;
    assert!(heard.is_err());
    server.start_again().unwrap();
    let view = registry.tick(&group, &renewing).await.unwrap();
    assert_eq!(view.in_force().map(|lease| (lease.holder, lease.epoch)), Some((me, Epoch(1))));
    soon(registry.changed(&group, &me, 0)).await;
    let claim = Intent::Acquire { seen: Epoch(1), above: Epoch(0) };
    let view = registry.tick(&group, &report(me, claim)).await.unwrap();
    assert_eq!(view.epoch, Epoch(2));
}

/// Every request has a time-out: here it lapses.
#[tokio::test]
async fn no_answer_at_all() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start(&etcd).unwrap();
    let mut options = options();
    options.request_timeout = Millis(100);
    let address = fresh(&server);
    let (group, me) = (Group::default(), member(1, 1));
    let view = open(&address).await.tick(&group, &report(me, CLAIM)).await.unwrap();
    let registry = open_at_last(&address, &options).await;
    server.pause().unwrap();
    let told = registry.read(&group).await.unwrap_err();
    let expected =
        format!("registry unavailable, nothing was changed: {} does not answer in 100ms", server.address());
    assert_eq!(told.to_string(), expected);
    server.resume().unwrap();
    let renewing = report(me, Intent::Renew { epoch: view.epoch });
    soon(async { while registry.tick(&group, &renewing).await.is_err() {} }).await;
    server.pause().unwrap();
    let told = registry.tick(&group, &renewing).await.unwrap_err();
    let expected = format!(
        "registry did not answer, the outcome is unknown: {} does not answer in 100ms",
        server.address()
    );
    assert_eq!(told.to_string(), expected);
    server.resume().unwrap();
    soon(async { while registry.tick(&group, &renewing).await.is_err() {} }).await;
}

/// Who acts goes on; nobody can join or take over until an operator has made room.
#[tokio::test]
async fn a_full_database() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start_with(&etcd, |_| Ok(vec!["--quota-backend-bytes=1000000".to_owned()])).unwrap();
    let registry = open(&fresh(&server)).await;
    let (group, me) = (Group::default(), member(1, 1));
    let view = registry.tick(&group, &report(me, CLAIM)).await.unwrap();
    let heap = format!(r#"{{"key":"aGVhcA==","value":"{}"}}"#, "A".repeat(400_000));
    let full = |answer: String| answer.contains("space exceeded");
    assert!((0..20).any(|_| full(server.ask("/v3/kv/put", &heap).unwrap())));
    let renewing = report(me, Intent::Renew { epoch: view.epoch });
    let renewed = registry.tick(&group, &renewing).await.unwrap();
    assert_eq!(renewed.in_force().map(|lease| lease.holder), Some(me));
    let told = registry.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap_err();
    assert!(matches!(told, RegistryError::NotDone(_)), "{told}");
    assert!(told.to_string().contains("compact and defragment it"), "{told}");
}

/// Only what etcd still has is confirmed, though it was renewed in time by the clock here.
#[tokio::test]
async fn what_was_taken_away_is_not_confirmed() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let registry = open(&address).await;
    let (group, me) = (Group::default(), member(1, 1));
    let view = registry.tick(&group, &report(me, CLAIM)).await.unwrap();
    let renewing = report(me, Intent::Renew { epoch: view.epoch });
    registry.tick(&group, &renewing).await.unwrap();
    let other = open(&address).await;
    let dead = ringback_election::Evidence::ExitSeen;
    other.expel(&group, &member(2, 1), &me, dead).await.unwrap();
    let claim = Intent::Acquire { seen: Epoch(1), above: Epoch(0) };
    let taken = other.tick(&group, &Report { ready: false, ..report(member(2, 1), claim) }).await.unwrap();
    assert_eq!(taken.in_force().map(|lease| (lease.holder, lease.epoch)), Some((member(2, 1), Epoch(2))));
    let told = registry.tick(&group, &renewing).await.unwrap_err();
    assert_eq!(told, RegistryError::Fenced { ours: Epoch(1), current: Epoch(2) });
    let read = registry.read(&group).await.unwrap();
    assert_eq!(read.members.len(), 2, "the heartbeat counts");
}
