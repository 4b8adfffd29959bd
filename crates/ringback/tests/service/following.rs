//! Backups keep a copy of the requests, and read little when they take over.

use ringback::callback::{Phase, Record};
use ringback::cti::message::CallState;
use ringback::db::{RequestStore, StoreBackup, Write};
use ringback::election::{Evidence, Role};
use ringback::model::{Epoch, Group, RequestId};
use ringback::serviceability::alarm::{Alarm, AlarmName, AlarmParameter, AlarmValue};

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

/// Set back while the active goes on: what it lacks is written again with the next write.
#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_written_again_by_the_active() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    let earlier = between_two_requests(&desk, &node).await;
    assert_eq!(desk.store.held().await, ["1-1", "1-2"]);
    desk.store.inner.set_back(earlier);
    assert_eq!(desk.store.held().await, ["1-1"]);
    drop(node.alarms.take());
    node.press_at(at("C", "1003"), 3, "1001", CallState::Busy);
    pass(100).await;
    assert_eq!(desk.store.held().await, ["1-1", "1-2", "1-3"]);
    assert_eq!(set_back(&node), ["1"]);
    // It is noticed once.
    node.press(4, "1003", CallState::Busy);
    pass(100).await;
    assert!(node.alarms.take().is_empty());
}

/// Set back while nobody acts: whoever takes over writes again what it has followed.
#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_written_again_by_the_next_one() {
    let desk = Desk::new().await;
    let node = desk.instance(1).await;
    let other = desk.instance(2).await;
    let earlier = between_two_requests(&desk, &node).await;
    // It is followed.
    pass(1000).await;
    drop(other.alarms.take());
    desk.store.inner.set_available(false);
    dies(&desk, node, &other).await;
    desk.store.inner.set_back(earlier);
    desk.store.inner.set_available(true);
    pass(2000).await;
    assert_eq!(other.status().role, Role::Active);
    assert_eq!(set_back(&other), ["1"]);
    has_all(&desk, &other, 2).await;
}

/// What ended after somebody else had gone on from the lesser state does not come back.
#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_stays_lost_if_somebody_has_acted_since() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    let earlier = between_two_requests(&desk, &node).await;
    desk.store.inner.set_back(earlier);
    desk.store.inner.claim(&Group::default(), Epoch(5)).await.unwrap();
    drop(node.alarms.take());
    node.press_at(at("C", "1003"), 3, "1001", CallState::Busy);
    pass(3000).await;
    assert_eq!((node.status().role, node.status().epoch), (Role::Active, Epoch(6)));
    assert_eq!(set_back(&node), ["0"]);
    has_all(&desk, &node, 1).await;
}

/// Of two requests the store has the first.
async fn between_two_requests(desk: &Desk, node: &Instance) -> StoreBackup {
    node.press(1, "1002", CallState::Busy);
    pass(100).await;
    let earlier = desk.store.inner.backup();
    node.press_at(at("B", "1002"), 2, "1003", CallState::Busy);
    pass(100).await;
    earlier
}

/// The alarms that the store was set back: how many requests were written again.
fn set_back(node: &Instance) -> Vec<String> {
    let count = |alarm: &Alarm| {
        let of = |(parameter, value): &(AlarmParameter, AlarmValue)| {
            (*parameter == AlarmParameter::Count).then(|| value.to_string())
        };
        alarm.report.parameters.iter().find_map(of)
    };
    let alarms = node.alarms.take();
    alarms.iter().filter(|alarm| alarm.name() == AlarmName::StoreSetBack).filter_map(count).collect()
}
