//! Backups keep a copy of the requests, and read little when they take over.

use ringback::callback::{Phase, Record};
use ringback::cti::message::CallState;
use ringback::db::{RequestStore, Write};
use ringback::election::{Evidence, Role};
use ringback::model::{Epoch, Group, RequestId};

use crate::desk::{Desk, Instance, at, pass};

/// Requests that the store held before anybody was there.
const MANY: usize = 2000;

fn record(number: usize) -> Record {
    let device = format!("X{number}");
    Record {
        id: RequestId { epoch: Epoch(0), number: u64::try_from(number).unwrap() },
        caller: at(&device, &format!("5{number:04}")),
        called: crate::desk::line("1999"),
        dialled: crate::desk::dn("1999"),
        kind: ringback::callback::Kind::Busy,
        since: ringback::model::Timestamp(1_767_621_600_000),
        expires: None,
        origin: None,
        phase: Phase::Lapsed,
        cycle: None,
        alerts: 1,
        notified: None,
    }
}

async fn fill(desk: &Desk, epoch: Epoch) {
    let writes: Vec<Write> = (0..MANY).map(|number| Write::Put(record(number))).collect();
    desk.store.inner.apply(&Group::default(), epoch, &writes).await.unwrap();
}

async fn dies(desk: &Desk, node: Instance, other: &Instance) {
    node.task.abort();
    desk.registry.cut([10, 0, 0, 1].into());
    other.handle.peer_died(desk.config(1).member, Evidence::LinkClosed);
    pass(100).await;
}

/// It has what the store has: so many requests.
async fn has_all(desk: &Desk, node: &Instance, count: usize) {
    let held: Vec<String> = desk.store.held().await;
    let has: Vec<String> = node.handle.records().await.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(held.len(), count);
    assert!(has == held, "{} requests", has.len());
}

#[tokio::test(start_paused = true)]
async fn a_take_over_reads_what_was_written_last() {
    let desk = Desk::new().await;
    fill(&desk, Epoch(0)).await;
    let node = desk.instance(1).await;
    assert_eq!(desk.store.read(), [MANY], "an instance that was no backup reads everything");
    let other = desk.instance(2).await;
    assert_eq!(desk.store.read(), [MANY], "the backup begins its copy");
    node.press(1, "1003", CallState::Busy);
    pass(1000).await;
    assert_eq!(desk.store.read(), [1], "and follows");
    node.press_at(at("C", "1003"), 2, "1002", CallState::Busy);
    // Written, but the backup has not looked yet.
    pass(100).await;
    desk.store.read();
    dies(&desk, node, &other).await;
    assert_eq!(other.status().role, Role::Active);
    let read = desk.store.read();
    assert_eq!(read.len(), 1, "{read:?}");
    assert!(read[0] <= 1, "{read:?}");
    has_all(&desk, &other, MANY + 2).await;
}

/// The store was set back behind what the backup has seen, and has gone on otherwise.
#[tokio::test(start_paused = true)]
async fn a_copy_that_does_not_fit_is_not_believed() {
    let desk = Desk::new().await;
    fill(&desk, Epoch(0)).await;
    let node = desk.instance(1).await;
    let other = desk.instance(2).await;
    desk.store.lose_one_from_news();
    node.press(1, "1003", CallState::Busy);
    pass(100).await;
    dies(&desk, node, &other).await;
    has_all(&desk, &other, MANY + 1).await;
    assert_eq!(desk.store.read().last(), Some(&(MANY + 1)), "everything was read");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_followed_again_when_it_is_back() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    let other = desk.instance(2).await;
    desk.store.inner.set_available(false);
    pass(10_000).await;
    desk.store.inner.set_available(true);
    fill(&desk, Epoch(1)).await;
    pass(1000).await;
    desk.store.read();
    dies(&desk, node, &other).await;
    assert_eq!(desk.store.read(), [0]);
    assert_eq!(other.status().pending, MANY);
}
