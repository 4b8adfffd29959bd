//! Going on with what the store holds: R48, R49. The new instance has epoch 2.

use ringback_callback::Occupancy::{Idle, InUse, Ringing};
use ringback_callback::PressedDuring::{Busy, NoAnswer};
use ringback_callback::{CallProgress, Phase, QueuePolicyName, SoftKey};
use ringback_model::Millis;

use crate::harness::{Bench, Store, rings};

fn waiting(names: &[&str]) -> Bench {
    let mut b = Bench::new();
    b.line("B", InUse);
    for name in names {
        b.waits(name, "1002", Busy);
    }
    b
}

fn notified(names: &[&str]) -> Bench {
    let mut b = waiting(names);
    b.line("B", Idle);
    b.look_away();
    b
}

#[test]
fn a_waiting_request_waits_on_in_its_place() {
    let mut b = waiting(&["A", "C"]);
    b.restart();
    b.expect(&["open A", "open A/1001", "locate 1002", "open C", "open C/1003", "open B", "open B/1002"]);
    assert_eq!(b.queue("1002"), ["A", "C"]);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.002s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r44_b_became_idle_while_nobody_looked() {
    let mut b = waiting(&["A"]);
    b.stop();
    b.line("B", Idle);
    b.start();
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn a_no_answer_request_remembers_how_far_b_is() {
    // Nothing seen: a whole cycle is needed.
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.restart();
    b.expect_at_phones(&[]);
    // Off hook seen by the old instance, on hook by the new one.
    b.line("B", InUse);
    b.stop();
    b.line("B", Idle);
    b.start();
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn a_complete_cycle_of_a_suspended_caller_still_counts() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.busy("A");
    b.line("B", InUse);
    b.line("B", Idle);
    b.restart();
    b.look_away();
    b.idle("A");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r14_do_not_disturb_off_for_a_suspended_caller_still_counts() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.dnd("B", true);
    b.busy("A");
    b.dnd("B", false);
    b.restart();
    b.look_away();
    b.idle("A");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn a_turn_goes_on_and_runs_out_when_it_would_have() {
    let mut b = notified(&["A", "C"]);
    b.wait_secs(5);
    b.restart();
    b.wait(Millis(14_999));
    b.expect_at_phones(&[]);
    b.wait(Millis(1));
    b.expect_at_phones(&["show C: Available 1002 at 20.002s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn dial_works_on_the_screen_the_old_instance_has_put_up() {
    let mut b = notified(&["A"]);
    b.restart();
    b.look_away();
    b.key("A", SoftKey::Dial);
    b.expect_at_phones(&["dial 1002 from A/1001, overriding forwarding (1-1)"]);
    let call = b.dial_starts("A");
    b.call("A", call, None, rings("1002"));
    b.expect_at_phones(&["clear A"]);
    b.expect_all_closed();
}

#[test]
fn r27_a_turn_of_the_old_instance_is_withdrawn_and_its_screen_replaced() {
    let mut b = notified(&["A"]);
    b.stop();
    b.line("B", InUse);
    b.start();
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
    assert_eq!(b.queue("1002"), ["A"]);
}

#[test]
fn an_alert_in_doubt_is_repeated_once_under_its_id() {
    let mut b = waiting(&["A", "C"]);
    b.alerts_answered = false;
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.002s (1-1)", "alert A 1-1#1"]);
    b.alerts_answered = true;
    b.restart();
    b.expect_at_phones(&["show A: Available 1002 at 0.002s (1-1)", "alert A 1-1#1"]);
    b.restart();
    b.expect_at_phones(&[]);
}

#[test]
fn the_operator_is_told_of_an_alert_that_is_repeated_and_of_no_other() {
    let mut b = waiting(&["A", "C"]);
    b.alerts_answered = false;
    b.line("B", Idle);
    b.alerts_answered = true;
    b.restart();
    b.wait_secs(20);
    let mut out = b.out();
    out.retain(|line| line.starts_with("alert") || line.contains("repeated"));
    assert_eq!(out, ["alert A 1-1#1", "notice: 1-1#1 alert repeated", "alert A 1-1#1", "alert C 1-2#1"]);
}

#[test]
fn an_alert_in_doubt_is_repeated_late_too() {
    let mut b = waiting(&["A", "C"]);
    b.alerts_answered = false;
    b.line("B", Idle);
    b.stop();
    b.wait_secs(600);
    b.alerts_answered = true;
    b.look_away();
    b.start();
    b.expect_at_phones(&["show A: Available 1002 at 600.002s (1-1)", "alert A 1-1#1"]);
    b.wait_secs(20);
    b.expect_at_phones(&["show C: Available 1002 at 620.002s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn an_alert_in_doubt_is_not_repeated_when_b_is_off_hook_by_now() {
    let mut b = waiting(&["A"]);
    b.alerts_answered = false;
    b.line("B", Idle);
    b.stop();
    b.line("B", InUse);
    b.look_away();
    b.start();
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn an_alert_in_doubt_passes_on_when_its_caller_is_busy_by_now() {
    let mut b = waiting(&["A", "C"]);
    b.alerts_answered = false;
    b.line("B", Idle);
    b.stop();
    b.busy("A");
    b.look_away();
    b.start();
    b.expect_at_phones(&["show C: Available 1002 at 0.002s (1-2)", "alert C 1-2#1"]);
    assert_eq!(b.queue("1002"), ["A"]);
}

#[test]
fn a_turn_that_was_not_on_record_is_given_anew() {
    let mut b = waiting(&["A"]);
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.store_is(Store::Ready);
    b.look_away();
    b.restart();
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn a_lapsed_request_is_not_alerted_again() {
    let mut b = notified(&["A"]);
    b.wait_secs(20);
    b.restart();
    b.look_away();
    b.line("B", InUse);
    b.line("B", Idle);
    b.expect_nothing();
    b.key("A", SoftKey::Dial);
    b.expect_at_phones(&["dial 1002 from A/1001 (1-1)"]);
}

#[test]
fn a_dial_on_record_whose_call_is_not_there_has_failed_and_is_not_made_again() {
    let mut b = notified(&["A"]);
    b.key("A", SoftKey::Dial);
    b.restart();
    b.expect_at_phones(&[
        "dial 1002 from A/1001, overriding forwarding (1-1)",
        "show A: Available 1002 at 0.001s (1-1)",
    ]);
    assert_eq!(b.phase_of("A"), Some(Phase::Lapsed));
}

#[test]
fn a_dial_on_record_whose_call_goes_on_is_known_by_its_number() {
    for (progress, pending) in [(rings("1002"), 0), (CallProgress::Busy, 1)] {
        let mut b = notified(&["A"]);
        b.key("A", SoftKey::Dial);
        let call = b.dial_starts("A");
        // The line's calls are told before the reading of the whole line.
        b.phone("A").lines.clear();
        b.restart();
        b.look_away();
        b.add_phone("A", &["1001"]);
        b.call("A", call, Some("1002"), progress);
        assert_eq!(b.engine.pending(), pending);
    }
}

#[test]
fn r49_a_request_whose_time_passed_meanwhile_has_ended_and_its_screen_goes() {
    let mut b = waiting(&["A"]);
    b.stop();
    b.wait_secs(45 * 60);
    b.look_away();
    b.start();
    b.expect(&[
        "open A",
        "open A/1001",
        "locate 1002",
        "remove 1-1",
        "notice: 1-1 ended: Expired",
        "close A/1001",
        "clear A",
        "close A",
    ]);
    b.expect_all_closed();
}

#[test]
fn r49_the_rest_of_the_time_is_kept() {
    let mut b = waiting(&["A"]);
    b.wait_secs(44 * 60);
    b.restart();
    b.wait_secs(59);
    assert_eq!(b.engine.pending(), 1);
    b.wait_secs(1);
    assert_eq!(b.engine.pending(), 0);
}

#[test]
fn two_records_of_one_phone_and_the_later_one_counts() {
    let mut b = waiting(&["A"]);
    b.stop();
    let mut second = b.stored.values().next().unwrap().clone();
    second.id.number = 2;
    second.since = second.since + Millis(5);
    b.stored.insert(second.id, second);
    b.start();
    assert_eq!(b.engine.pending(), 1);
    assert_eq!(b.id_of("A").number, 2);
    assert_eq!(b.stored.len(), 1);
    let out = b.out();
    assert_eq!(out.iter().filter(|line| *line == "notice: 1-1 ended: Replaced").count(), 1, "{out:#?}");
    // The screen that may be there is the one of the later.
    assert!(!out.contains(&"clear A".to_owned()), "{out:#?}");
}

#[test]
fn a_turn_that_had_passed_on_before_the_crash_is_not_given_back() {
    // The turn of C reached the store before the end of A's turn did.
    let mut b = notified(&["A", "C"]);
    let mut turn_of_a = b.stored[&b.id_of("A")].clone();
    if let Phase::Turn { alerted, .. } = &mut turn_of_a.phase {
        *alerted = false;
    }
    b.wait_secs(20);
    b.stop();
    b.stored.insert(turn_of_a.id, turn_of_a);
    b.look_away();
    b.start();
    b.expect_at_phones(&[]);
    assert_eq!(b.phase_of("A"), Some(Phase::Lapsed));
    assert!(matches!(b.phase_of("C"), Some(Phase::Turn { .. })));
}

#[test]
fn r28_under_policy_all_every_turn_goes_on() {
    let mut b = waiting(&["A", "C"]);
    b.set(|p| p.queue_policy = QueuePolicyName::All);
    b.line("B", Idle);
    b.restart();
    for name in ["A", "C"] {
        assert!(matches!(b.phase_of(name), Some(Phase::Turn { .. })), "{name}");
    }
}

#[test]
fn ids_of_the_new_instance_are_its_own() {
    let mut b = waiting(&["A"]);
    b.restart();
    b.waits("C", "1002", Busy);
    assert_eq!(b.id_of("C").to_string(), "2-1");
    assert_eq!(b.queue("1002"), ["A", "C"]);
}

#[test]
fn restored_twice_changes_nothing() {
    let mut b = waiting(&["A"]);
    let records = b.stored.values().cloned().collect();
    b.give(ringback_callback::Input::Restored(records));
    b.expect_nothing();
}

#[test]
fn r12_b_rings_when_it_is_first_read() {
    let mut b = waiting(&["A"]);
    b.stop();
    b.line("B", Ringing);
    b.start();
    b.expect_at_phones(&[]);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}
