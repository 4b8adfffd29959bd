//! Notifications and turns: R15, R16, R24 to R28, R47.

use ringback_callback::Occupancy::{Idle, InUse, Ringing};
use ringback_callback::PressedDuring::{Busy, NoAnswer};
use ringback_callback::{AlertId, Input, Phase, QueuePolicyName, SoftKey};
use ringback_model::Millis;

use crate::harness::{Bench, Store, rings};

/// A, then C, then D wait for B, who is in a call.
fn three_wait() -> Bench {
    let mut b = Bench::new();
    b.line("B", InUse);
    for name in ["A", "C", "D"] {
        b.waits(name, "1002", Busy);
    }
    b
}

fn has_turn(b: &Bench, name: &str) -> bool {
    matches!(b.phase_of(name), Some(Phase::Turn { .. }))
}

#[test]
fn r15_the_alert_is_on_record_before_it_is_played() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.expect(&["save 1-1 turn #1"]);
    b.store_writes();
    b.expect(&[
        "notice: 1-1 has the turn until 20.001s",
        "show A: Available 1002 at 0.001s (1-1)",
        "alert A 1-1#1",
        "save 1-1 turn #1 alerted",
    ]);
}

#[test]
fn r15_the_outcome_of_an_alert_counts_once() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.look_away();
    let alert = AlertId { request: b.id_of("A"), number: 1 };
    b.give(Input::Alerted { alert, delivered: true });
    b.give(Input::Alerted { alert: AlertId { number: 2, ..alert }, delivered: true });
    b.expect_nothing();
}

#[test]
fn an_alert_the_phone_does_not_take_is_told_and_the_turn_goes_on() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.look_away();
    let alert = AlertId { request: b.id_of("A"), number: 1 };
    b.give(Input::Alerted { alert, delivered: false });
    b.expect(&["notice: 1-1 alert failed", "save 1-1 turn #1 alerted"]);
    assert!(has_turn(&b, "A"));
}

#[test]
fn an_alert_without_an_outcome_is_repeated_under_its_id_and_then_the_turn_passes_on() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.look_away();
    for _ in 0..3 {
        b.wait_secs(20);
        let out = b.out();
        assert_eq!(out.last().map(String::as_str), Some("alert A 1-1#1"), "{out:#?}");
    }
    b.wait_secs(20);
    b.expect_at_phones(&["show C: Available 1002 at 80.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn an_alert_in_doubt_of_a_caller_who_is_busy_by_now_lets_the_next_one_have_the_turn() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.busy("A");
    b.look_away();
    b.wait_secs(20);
    b.expect(&[
        "save 1-1 waiting",
        "notice: 1-1 suspended",
        "save 1-2 turn #1",
        "notice: 1-2 has the turn until 40.003s",
        "show C: Available 1002 at 20.003s (1-2)",
        "alert C 1-2#1",
    ]);
}

#[test]
fn r16_a_busy_caller_is_not_notified_and_keeps_the_place() {
    let mut b = three_wait();
    b.busy("A");
    b.line("B", Idle);
    b.expect_at_phones(&["show C: Available 1002 at 0.003s (1-2)", "alert C 1-2#1"]);
    assert_eq!(b.queue("1002"), ["A", "D"]);
    // Idle again, but another caller has the turn.
    b.idle("A");
    b.expect_nothing();
    b.wait_secs(20);
    b.expect_at_phones(&["show A: Available 1002 at 20.003s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r16_a_caller_idle_again_is_notified_if_b_is_still_available() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.busy("A");
    b.line("B", Idle);
    b.expect(&["notice: 1-1 suspended"]);
    b.busy("A");
    b.expect_nothing();
    b.idle("A");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r16_a_caller_who_cannot_be_seen_is_not_called_suspended() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.lose_link();
    b.line("B", Idle);
    b.regain_link_of(&["B"]);
    b.expect_nothing();
    b.regain_link_of(&["A"]);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r16_a_caller_idle_again_waits_again_if_b_became_busy() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.busy("A");
    b.line("B", Idle);
    b.line("B", InUse);
    b.look_away();
    b.idle("A");
    b.expect_nothing();
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r16_a_caller_who_becomes_busy_before_the_turn_is_on_record_is_not_alerted() {
    let mut b = three_wait();
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.busy("A");
    b.look_away();
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect(&[
        "save 1-1 waiting",
        "notice: 1-1 suspended",
        "save 1-2 turn #1",
        "notice: 1-2 has the turn until 20.003s",
        "show C: Available 1002 at 0.003s (1-2)",
        "alert C 1-2#1",
        "save 1-2 turn #1 alerted",
    ]);
    assert_eq!(b.queue("1002"), ["A", "D"]);
}

#[test]
fn r12_r14_nobody_is_alerted_while_b_rings_or_is_on_dnd_by_the_time_the_turn_is_on_record() {
    let mut b = three_wait();
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.line("B", Ringing);
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_at_phones(&[]);
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.dnd("B", true);
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_at_phones(&[
        "show C: Do not disturb 1002 (1-2)",
        "show D: Do not disturb 1002 (1-3)",
        "show A: Do not disturb 1002 (1-1)",
    ]);
}

#[test]
fn r3_until_the_turn_is_on_record_the_screen_is_activated() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.look_away();
    b.press_idle("A");
    b.expect(&["key accepted", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r24_the_longest_waiting_caller_has_the_turn_for_the_recall_time() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.003s (1-1)", "alert A 1-1#1"]);
    b.wait(Millis(19_999));
    b.expect_nothing();
    b.wait(Millis(1));
    b.expect(&[
        "save 1-1 lapsed",
        "notice: 1-1 turn lapsed",
        "save 1-2 turn #1",
        "notice: 1-2 has the turn until 40.003s",
        "show C: Available 1002 at 20.003s (1-2)",
        "alert C 1-2#1",
        "save 1-2 turn #1 alerted",
    ]);
}

#[test]
fn r27_a_turn_that_is_withdrawn_before_it_was_told_changes_nothing_on_the_screen() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.press("A", "1002", Busy);
    b.hang_up("A");
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.look_away();
    b.line("B", InUse);
    b.expect(&["save 1-1 waiting"]);
}

#[test]
fn r24_the_recall_time_counts_from_the_alert() {
    let mut b = three_wait();
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.wait_secs(30);
    b.look_away();
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect(&[
        "notice: 1-1 has the turn until 50.003s",
        "show A: Available 1002 at 30.003s (1-1)",
        "alert A 1-1#1",
        "save 1-1 turn #1 alerted",
    ]);
}

#[test]
fn r25_cancel_passes_the_turn_on_at_once() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.look_away();
    b.key("A", SoftKey::Cancel);
    b.expect_at_phones(&["clear A", "show C: Available 1002 at 0.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r25_while_the_caller_dials_nobody_else_is_notified() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.look_away();
    b.key("A", SoftKey::Dial);
    b.dial_starts("A");
    b.wait_secs(60);
    b.expect(&["save 1-1 dialing in turn", "dial 1002 from A/1001, overriding forwarding (1-1)"]);
}

#[test]
fn r25_after_an_unanswered_dial_the_next_is_one_for_whom_b_is_available() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    // C comes after the cycle and needs one of its own; D waits for idle.
    b.waits("C", "1002", NoAnswer);
    b.waits("D", "1002", Busy);
    b.dials("A", rings("1002"));
    b.line("B", Ringing);
    b.look_away();
    b.line("B", Idle);
    b.expect_at_phones(&["show D: Available 1002 at 0.003s (1-3)", "alert D 1-3#1"]);
    b.line("B", InUse);
    b.line("B", Idle);
    b.expect_at_phones(&[
        "show D: Activated 1002 (1-3)",
        "show C: Available 1002 at 0.003s (1-2)",
        "alert C 1-2#1",
    ]);
}

#[test]
fn r25_a_no_answer_caller_waits_though_the_line_is_idle_after_an_unanswered_dial() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.waits("C", "1002", NoAnswer);
    b.dials("A", rings("1002"));
    b.line("B", Ringing);
    b.look_away();
    b.line("B", Idle);
    b.wait_secs(60);
    b.expect_nothing();
}

#[test]
fn r25_b_who_rings_is_not_taken_for_idle_when_its_line_tells_it_late() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.dials("A", rings("1002"));
    b.look_away();
    // A's line has told that B rings; B's own line tells it now.
    b.line("B", Ringing);
    b.wait_secs(30);
    b.expect_nothing();
    b.line("B", Idle);
    b.expect_at_phones(&["show C: Available 1002 at 30.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r25_should_b_never_ring_the_next_caller_is_served_all_the_same() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.dials("A", rings("1002"));
    b.look_away();
    b.wait_secs(1);
    b.expect_at_phones(&["show C: Available 1002 at 1.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r26_a_turn_that_ran_out_keeps_request_and_screen_and_is_not_alerted_again() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.look_away();
    b.wait_secs(20);
    // Nobody waits and no turn runs: the line is closed.
    b.expect(&["save 1-1 lapsed", "notice: 1-1 turn lapsed", "close B/1002", "close B"]);
    b.line("B", InUse);
    b.line("B", Idle);
    b.expect_nothing();
    assert!(b.queue("1002").is_empty());
    b.key("A", SoftKey::Dial);
    b.expect(&["save 1-1 dialing", "dial 1002 from A/1001 (1-1)"]);
}

#[test]
fn r27_b_off_hook_withdraws_the_turn_and_activated_replaces_available() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.look_away();
    b.line("B", InUse);
    b.expect(&["save 1-1 waiting", "notice: 1-1 turn withdrawn", "show A: Activated 1002 (1-1)"]);
    assert_eq!(b.queue("1002"), ["A", "C", "D"]);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.003s (1-1)", "alert A 1-1#2"]);
    // The timer of the first turn is stale.
    b.wait(Millis(19_999));
    b.expect_nothing();
}

#[test]
fn r27_a_screen_that_was_left_does_not_come_back() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.key("A", SoftKey::Exit);
    b.look_away();
    b.line("B", InUse);
    b.expect(&["save 1-1 waiting", "notice: 1-1 turn withdrawn"]);
}

#[test]
fn r27_a_turn_is_withdrawn_while_it_is_being_saved() {
    let mut b = three_wait();
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.line("B", InUse);
    b.expect(&["save 1-1 turn #1", "save 1-1 waiting"]);
    b.store_writes();
    b.expect_nothing();
    b.line("B", Idle);
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_at_phones(&["show A: Available 1002 at 0.003s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r28_policy_all_notifies_everybody_who_is_not_suspended() {
    let mut b = three_wait();
    b.set(|p| p.queue_policy = QueuePolicyName::All);
    b.busy("C");
    b.line("B", Idle);
    b.expect_at_phones(&[
        "show A: Available 1002 at 0.003s (1-1)",
        "alert A 1-1#1",
        "show D: Available 1002 at 0.003s (1-3)",
        "alert D 1-3#1",
    ]);
    b.idle("C");
    b.expect_at_phones(&["show C: Available 1002 at 0.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r28_a_policy_changed_while_a_turn_runs_acts_at_once() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.look_away();
    b.set(|p| p.queue_policy = QueuePolicyName::All);
    b.expect_at_phones(&[
        "show C: Available 1002 at 0.003s (1-2)",
        "alert C 1-2#1",
        "show D: Available 1002 at 0.003s (1-3)",
        "alert D 1-3#1",
    ]);
}

#[test]
fn r44_a_turn_that_ran_out_while_the_link_was_down_passes_on_over_the_new_one() {
    let mut b = three_wait();
    b.line("B", Idle);
    b.lose_link();
    b.look_away();
    b.wait_secs(30);
    b.expect(&["save 1-1 lapsed", "notice: 1-1 turn lapsed"]);
    b.regain_link();
    b.expect_at_phones(&["show C: Available 1002 at 30.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r44_an_alert_in_doubt_when_the_link_was_lost_is_repeated_once_under_its_id() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.lose_link();
    b.look_away();
    b.alerts_answered = true;
    b.regain_link();
    b.expect_at_phones(&["show A: Available 1002 at 0.003s (1-1)", "alert A 1-1#1"]);
    b.lose_link();
    b.regain_link();
    b.expect_nothing();
}

#[test]
fn r44_an_alert_in_doubt_passes_on_when_its_caller_is_found_busy_last_of_all() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.lose_link();
    b.busy("A");
    b.look_away();
    b.regain_link_of(&["B", "C", "D", "A"]);
    b.expect_at_phones(&["show C: Available 1002 at 0.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r44_a_repeated_alert_has_the_whole_recall_time() {
    let mut b = three_wait();
    b.alerts_answered = false;
    b.line("B", Idle);
    b.lose_link();
    b.wait_secs(5);
    b.alerts_answered = true;
    b.regain_link();
    b.look_away();
    // The timer of the first time is stale.
    b.wait(Millis(19_999));
    b.expect_nothing();
    b.wait(Millis(1));
    b.expect_at_phones(&["show C: Available 1002 at 25.003s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn r44_a_link_lost_while_a_turn_is_saved_alerts_nobody_unseen() {
    let mut b = three_wait();
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.lose_link();
    b.look_away();
    b.store_writes();
    b.expect(&["save 1-1 waiting"]);
    b.store_is(Store::Ready);
    b.store_writes();
    b.regain_link();
    b.expect_at_phones(&["show A: Available 1002 at 0.003s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r47_a_notification_waits_for_the_store_and_goes_out_late() {
    let mut b = three_wait();
    b.store_is(Store::Down);
    b.line("B", Idle);
    b.wait_secs(600);
    b.expect(&["save 1-1 turn #1"]);
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_at_phones(&["show A: Available 1002 at 600.003s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r6_an_alert_in_doubt_is_not_repeated_while_another_request_is_being_saved() {
    let mut b = Bench::new();
    b.alerts_answered = false;
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.wait_secs(19);
    b.press("A", "1003", Busy);
    b.hang_up("A");
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    b.look_away();
    // The turn is over, but nobody knows whether the phone has alerted.
    b.wait_secs(1);
    b.expect_at_phones(&[]);
    // The new request is given up, and the alert is repeated under its id.
    b.wait_secs(1);
    assert!(b.out().contains(&"alert A 1-1#1".to_owned()));
}
