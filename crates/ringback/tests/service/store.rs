//! The request store is slow, full, away, or does not tell what it did.

use ringback::cti::message::CallState;
use ringback::serviceability::alarm::AlarmName::{RequestsNotSaved, StoreBack, StoreLost};

use crate::desk::{Desk, pass};
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
