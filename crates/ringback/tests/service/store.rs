//! The request store is slow, full, away, or does not tell what it did.

use ringback::cti::message::CallState;
use ringback::model::Epoch;
use ringback::serviceability::alarm::AlarmName::{RequestsNotSaved, StoreBack, StoreLost};

use crate::desk::{Desk, link_up, pass};
use crate::ports::Trouble;

const CANNOT: &str = "A <- Cannot 1002 StoreUnavailable [de_DE]";

#[tokio::test(start_paused = true)]
async fn away_it_refuses_new_requests_and_notifies_late() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.alarm_names();
    desk.store.inner.set_available(false);
    // R37, R47
    node.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Busy);
    pass(100).await;
    let asked = node.board.asked();
    assert!(asked.contains(&"C <- Cannot 1002 StoreUnavailable [en_US]".to_owned()), "{asked:?}");
    node.b_is_free().await;
    pass(30_000).await;
    assert_eq!(node.board.asked(), [""; 0], "the alert waits");
    assert!(!node.status().store_up);
    assert_eq!(node.alarm_names(), [StoreLost, RequestsNotSaved]);
    desk.store.inner.set_available(true);
    pass(2000).await;
    let asked = node.board.asked();
    assert_eq!(asked[0], "A <- Available 1002 [de_DE] 1-1");
    assert!(asked[1].starts_with("A <- plays"));
    assert_eq!(node.alarm_names(), [StoreBack]);
    assert!(node.status().store_up);
    assert_eq!(desk.store.held().await, ["1-1"]);
}

#[tokio::test(start_paused = true)]
async fn hung_it_refuses_after_two_seconds_and_what_is_written_late_is_undone() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.b_talks();
    desk.store.set(Trouble::Hangs);
    node.press(1, "1002", CallState::Busy);
    pass(1900).await;
    assert!(!node.board.asked().contains(&CANNOT.to_owned()));
    pass(200).await;
    assert!(node.board.asked().contains(&CANNOT.to_owned()));
    pass(10_000).await;
    assert!(!node.status().store_up, "noticed without an error");
    desk.store.set(Trouble::None);
    pass(100).await;
    assert_eq!(desk.store.held().await, [""; 0]);
    pass(6000).await;
    assert!(node.status().store_up);
    assert_eq!(node.handle.records().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_that_was_refused_does_not_stay() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.b_talks();
    desk.store.set(Trouble::LosesAnswers);
    node.press(1, "1002", CallState::Busy);
    pass(50).await;
    assert!(node.board.asked().contains(&CANNOT.to_owned()));
    assert_eq!(desk.store.held().await, ["1-1"], "it was written");
    desk.store.set(Trouble::None);
    pass(2000).await;
    assert_eq!(desk.store.held().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_raises_its_alarm_once() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.alarm_names();
    desk.store.set(Trouble::Full);
    node.b_is_free().await;
    pass(60_000).await;
    assert_eq!(node.alarm_names(), [StoreLost], "that it can be read does not clear it");
    desk.store.set(Trouble::None);
    pass(2000).await;
    assert_eq!(node.alarm_names(), [StoreBack]);
}

#[tokio::test(start_paused = true)]
async fn away_at_the_start_it_is_waited_for() {
    let desk = Desk::new().await;
    desk.store.inner.set_available(false);
    let node = desk.instance(1).await;
    pass(10_000).await;
    assert_eq!(node.board.asked(), [""; 0]);
    desk.store.inner.set_available(true);
    pass(300).await;
    assert_eq!(node.board.asked(), ["assume 1"]);
    assert_eq!(node.alarm_names().iter().filter(|name| **name == StoreLost).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_epoch_of_an_earlier_run_is_not_used_again() {
    let desk = Desk::new().await;
    let first = desk.active().await;
    first.activate().await;
    first.task.abort();
    // The registry was in memory; the store cannot be asked when the next run starts.
    let again = Desk { registry: Desk::new().await.registry, ..desk };
    again.store.inner.set_available(false);
    let second = again.started(again.config(1), |_| {});
    second.board.happens(link_up());
    pass(3000).await;
    assert_eq!(second.status().epoch, Epoch(1), "given a second time");
    again.store.inner.set_available(true);
    pass(3000).await;
    let asked = second.board.asked();
    let assumed: Vec<&String> = asked.iter().filter(|asked| asked.starts_with("assume")).collect();
    assert_eq!(assumed, ["assume 3"], "{asked:?}");
    second.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Busy);
    pass(100).await;
    assert_eq!(again.store.held().await, ["1-1", "3-1"]);
}
