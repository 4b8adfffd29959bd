//! The call manager's own clock, log and observations.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use std::time::Duration;

use ringback_model::{DeviceName, DirectoryNumber, LineId, Millis, Partition};
use ringback_sim::{Action, ActionError, CallManager, CallManagerConfig, PhoneSetup, Tone};

fn dev(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).unwrap()
}

fn call_manager() -> CallManager {
    let call_manager = CallManager::new(CallManagerConfig::default());
    for (name, number) in [("A", "1001"), ("B", "1002")] {
        let lines = vec![LineId::new(Partition::default(), dn(number))];
        call_manager.add_phone(PhoneSetup { device: dev(name), lines, calls_per_line: 1 }).unwrap();
    }
    call_manager
}

fn calls(to: &str) -> Action {
    Action::Calls { to: dn(to), on: None }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_answers_turns_to_reorder_and_a_waiter_learns_of_it() {
    let call_manager = call_manager();
    let timers = call_manager.spawn_timers();
    let start = call_manager.now();
    call_manager.act(&dev("A"), calls("1002")).unwrap();
    assert_eq!(
        (call_manager.hears(&dev("A")), call_manager.rings(&dev("B"))),
        (Tone::Ringback, vec![dn("1001")])
    );
    let mut changed = call_manager.changed();
    changed.changed().await.unwrap();
    assert_eq!(call_manager.now() - start, Millis::from_secs(180));
    assert_eq!(call_manager.hears(&dev("A")), Tone::Reorder);
    assert!(call_manager.is_idle(&dev("B")));
    drop((call_manager, changed));
    timers.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_same_actions_at_the_same_times_give_the_same_log() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let call_manager = call_manager();
        let _timers = call_manager.spawn_timers();
        call_manager.act(&dev("A"), calls("1002")).unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        call_manager.act(&dev("B"), Action::Answers).unwrap();
        call_manager.act(&dev("B"), Action::HangsUp(None)).unwrap();
        logs.push(call_manager.log());
    }
    assert_eq!(logs[0], logs[1]);
    assert_eq!(
        logs[0].iter().find(|line| line.contains("B line 1002")).map(String::as_str),
        Some("2026-01-05T14:00:00.000Z B line 1002 call 1 Offering cause 0 called 1002 peer 1001")
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_application_callback_is_not_available() {
    let call_manager = call_manager();
    call_manager.act(&dev("A"), Action::Presses("CallBack".into())).unwrap();
    assert_eq!(call_manager.prompt(&dev("A")).as_deref(), Some("Feature unavailable"));
    call_manager.act(&dev("A"), Action::Lifts).unwrap();
    assert_eq!(call_manager.prompt(&dev("A")), None);
}

#[tokio::test(start_paused = true)]
async fn looking_is_no_change() {
    let call_manager = call_manager();
    let changed = call_manager.changed();
    let _seen = (call_manager.open_devices(), call_manager.open_lines(), call_manager.phones());
    assert!(!changed.has_changed().unwrap());
    assert_eq!(call_manager.remove_phone(&dev("X")), Err(ActionError::UnknownPhone));
}
