//! A lower address joins, or the service is told to stop: what was begun comes to its end.

use std::sync::Arc;

use ringback::cti::message::CallState;
use ringback::cti::{LinkLoss, ProviderEvent};
use ringback::election::Role;
use ringback::serviceability::alarm::AlarmName;

use crate::desk::{Desk, pass};
use crate::ports::Trouble;

#[tokio::test(start_paused = true)]
async fn a_stop_in_good_order_writes_everything() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.b_talks();
    desk.store.set(Trouble::Hangs);
    node.press(1, "1002", CallState::Busy);
    pass(10).await;
    node.handle.stop();
    pass(300).await;
    assert_eq!(node.status().role, Role::Draining, "it waits for the store");
    desk.store.set(Trouble::None);
    pass(10).await;
    let asked = node.board.asked();
    assert_eq!(asked[asked.len() - 2..], ["A <- Activated 1002 [de_DE] 1-1", "relinquish"]);
    assert_eq!(desk.store.held().await, ["1-1"]);
    let (handle, alarms) = (node.handle.clone(), Arc::clone(&node.alarms));
    node.ends().await;
    assert_eq!(handle.status().role, Role::Stopped);
    assert_eq!(alarms.names().last(), Some(&AlarmName::ServiceStopped));
    assert!(desk.registry.ledger(&ringback::model::Group::default()).members.is_empty(), "it has left");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_with_dead_ports_too() {
    for dead in ["store", "registry", "phones", "provider", "handles"] {
        let desk = Desk::new().await;
        let node = desk.active().await;
        node.activate().await;
        match dead {
            "store" => desk.store.set(Trouble::Hangs),
            "registry" => desk.registry.lose_answers([10, 0, 0, 1].into()),
            _ => node.board.with(|manners| manners.data = None),
        }
        node.b_is_free().await;
        match dead {
            "provider" => node.board.happens(ProviderEvent::LinkFailed {
                manager: "the end".to_owned(),
                reason: LinkLoss::Closed,
            }),
            "handles" => drop(node.handle),
            _ => node.handle.stop(),
        }
        tokio::time::timeout(std::time::Duration::from_secs(3), node.task).await.expect(dead).expect(dead);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_under_way_is_served_before_the_hand_over() {
    let desk = Desk::new().await;
    let old = desk.instance(2).await;
    assert_eq!(old.board.asked(), ["assume 1"]);
    old.b_talks();
    desk.store.set(Trouble::Hangs);
    old.press(1, "1002", CallState::Busy);
    let new = desk.started(desk.config(1), |_| {});
    new.board.happens(crate::desk::link_up());
    // The new one cannot read the store either, and joins when it has stopped waiting for it.
    pass(2600).await;
    assert_eq!(old.status().role, Role::Draining);
    // This one comes too late to be begun: its user is told to press it again.
    old.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Busy);
    pass(10).await;
    desk.store.set(Trouble::None);
    pass(500).await;
    let asked = old.board.asked();
    assert_eq!(asked[asked.len() - 2..], ["key 2 not active", "relinquish"], "{asked:?}");
    assert_eq!(old.status().role, Role::Backup);
    assert_eq!(new.status().role, Role::Active);
}

#[tokio::test(start_paused = true)]
async fn what_happens_during_a_hand_over_that_is_called_off_is_not_missed() {
    let desk = Desk::new().await;
    let old = desk.instance(2).await;
    old.activate().await;
    old.board.with(|manners| manners.data = None);
    // An alert without an outcome keeps the hand-over waiting.
    old.key("A", "Exit:ringback:1-1");
    let new = desk.started(desk.config(1), |_| {});
    new.board.happens(crate::desk::link_up());
    pass(700).await;
    assert_eq!(old.status().role, Role::Draining);
    old.b_is_free().await;
    assert!(!old.board.asked().iter().any(|asked| asked.contains("plays")), "nothing is begun");
    // The one who was to take over is gone.
    new.task.abort();
    desk.registry.cut([10, 0, 0, 1].into());
    old.handle.peer_died(desk.config(1).member, ringback::election::Evidence::ExitSeen);
    pass(200).await;
    assert_eq!(old.status().role, Role::Active);
    let asked = old.board.asked();
    assert!(asked.iter().any(|asked| asked.contains("plays")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn timers_that_are_due_during_a_hand_over_do_not_make_it_spin() {
    let desk = Desk::new().await;
    let node = desk.active().await;
    node.activate().await;
    node.b_is_free().await;
    // The turn ends in the middle of the drain, which waits for the store.
    pass(19_600).await;
    desk.store.set(Trouble::Hangs);
    node.key("A", "Cancel:ringback:1-1");
    pass(100).await;
    node.press_at(crate::desk::at("C", "1003"), 2, "1002", CallState::Ringback);
    pass(10).await;
    node.handle.stop();
    pass(600).await;
    assert_eq!(node.status().role, Role::Draining);
    node.ends().await;
}
