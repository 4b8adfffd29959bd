//! Dial and what becomes of it: R19 to R22, R42.

use ringback_callback::Occupancy::{Idle, InUse, Ringing};
use ringback_callback::PressedDuring::{Busy, NoAnswer};
use ringback_callback::{CallProgress, DialOutcome, Input, Phase, SoftKey};
use ringback_model::CallId;

use crate::harness::{Bench, Store, answers, at, device, dn, line, rings};

/// A has the turn.
fn notified() -> Bench {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.look_away();
    b
}

/// A's turn has run out.
fn lapsed() -> Bench {
    let mut b = notified();
    b.wait_secs(20);
    b.look_away();
    b
}

const REACHED: [&str; 7] = [
    "remove 1-1",
    "notice: 1-1 ended: Reached",
    "close A/1001",
    "close B/1002",
    "close B",
    "clear A",
    "close A",
];

#[test]
fn r19_within_the_recall_time_dial_overrides_forwarding() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.expect(&["save 1-1 dialing in turn", "dial 1002 from A/1001, overriding forwarding (1-1)"]);
}

#[test]
fn r19_later_dial_does_not_override_forwarding() {
    let mut b = lapsed();
    b.key("A", SoftKey::Dial);
    b.expect(&["save 1-1 dialing", "dial 1002 from A/1001 (1-1)"]);
}

#[test]
fn r19_b_rings_is_reached_and_ends_the_request() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.look_away();
    b.call("A", call, None, rings("1002"));
    b.expect(&REACHED);
    b.expect_all_closed();
}

#[test]
fn r19_b_answers_at_once_is_reached() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.look_away();
    b.call("A", call, None, answers("1002"));
    b.expect(&REACHED);
}

#[test]
fn r19_a_provider_that_does_not_know_who_rings_is_believed() {
    let mut b = notified();
    b.dials("A", CallProgress::Alerting { peer: None });
    b.expect_all_closed();
}

#[test]
fn r19_the_press_is_on_record_before_the_call() {
    let mut b = notified();
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Dial);
    b.expect(&["save 1-1 dialing in turn"]);
    // Pressed again meanwhile: one call.
    b.key("A", SoftKey::Dial);
    b.expect(&[
        "notice: ignored: Dial, but the request is not notified",
        "show A: Available 1002 at 0.001s (1-1)",
    ]);
    b.store_writes();
    b.expect(&["dial 1002 from A/1001, overriding forwarding (1-1)"]);
}

#[test]
fn r19_dial_before_the_turn_is_on_record_dials_nothing() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Idle);
    b.look_away();
    b.key_about("A", SoftKey::Dial, Some(b.id_of("A")));
    b.expect(&["notice: ignored: Dial, but the request is not notified", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r19_another_call_of_the_same_line_is_not_the_one_that_dial_makes() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.look_away();
    b.call("A", CallId(900), Some("1004"), CallProgress::Busy);
    b.call("A", CallId(901), None, CallProgress::Ended);
    b.expect_nothing();
    let call = b.dial_starts("A");
    b.call("A", call, Some("1002"), rings("1002"));
    b.expect(&REACHED);
}

#[test]
fn r19_a_reading_of_the_line_that_was_under_way_when_dial_was_pressed_says_nothing_of_its_call() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.look_away();
    b.give(Input::Line { at: at("A", "1001"), occupancy: Idle, calls: Some(Vec::new()) });
    b.expect_nothing();
    let call = b.dial_starts("A");
    b.call("A", call, None, rings("1002"));
    b.expect(&REACHED);
}

#[test]
fn r19_b_is_who_has_the_number_that_was_dialled_and_who_has_the_number_it_leads_to() {
    for number in ["0 1002", "1002"] {
        let mut b = Bench::new();
        b.dial_plan.insert("0 1002".to_owned(), line("1002"));
        b.line("B", InUse);
        b.waits("A", "0 1002", Busy);
        b.line("B", Idle);
        b.dials("A", rings(number));
        b.expect_all_closed();
    }
}

#[test]
fn r19_a_store_that_is_down_does_not_keep_the_user_from_dialling() {
    let mut b = notified();
    b.store_is(Store::Down);
    b.key("A", SoftKey::Dial);
    b.expect(&["save 1-1 dialing in turn", "dial 1002 from A/1001, overriding forwarding (1-1)"]);
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_nothing();
}

#[test]
fn r19_the_call_is_known_by_its_number_when_its_events_come_before_the_answer() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.look_away();
    b.call("A", CallId(900), Some("1002"), rings("1002"));
    b.expect(&REACHED);
}

#[test]
fn r19_r21_the_call_during_which_callback_was_pressed_again_is_not_the_one_that_dial_makes() {
    for progress in [CallProgress::Busy, CallProgress::Ended] {
        let mut b = notified();
        b.press("A", "1002", Busy);
        let by_hand = b.phone("A").calls[0];
        b.key("A", SoftKey::Dial);
        b.look_away();
        // It makes way for the new one, whose answer is not there yet.
        b.call("A", by_hand, Some("1002"), progress);
        b.expect_nothing();
        let call = b.dial_starts("A");
        b.call("A", call, Some("1002"), rings("1002"));
        b.expect(&REACHED);
    }
}

#[test]
fn r20_busy_gives_back_the_old_place_and_waits_for_busy_to_idle() {
    let mut b = notified();
    b.waits("C", "1002", NoAnswer);
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    // B's line tells it before the call does.
    b.line("B", InUse);
    b.look_away();
    b.call("A", call, None, CallProgress::Busy);
    b.expect(&["save 1-1 waiting", "notice: 1-1 retained", "show A: Activated 1002 (1-1)"]);
    assert_eq!(b.queue("1002"), ["A", "C"]);
    b.hang_up("A");
    b.look_away();
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.002s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_a_call_that_is_not_made_because_b_is_busy() {
    let mut b = notified();
    b.waits("C", "1002", NoAnswer);
    b.key("A", SoftKey::Dial);
    b.line("B", InUse);
    b.look_away();
    b.dialled("A", DialOutcome::Busy);
    b.expect(&["save 1-1 waiting", "notice: 1-1 retained", "show A: Activated 1002 (1-1)"]);
    assert_eq!(b.queue("1002"), ["A", "C"]);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.002s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_b_seen_busy_after_the_result() {
    let mut b = notified();
    b.dials("A", CallProgress::Busy);
    b.hang_up("A");
    b.look_away();
    // Idle as it was all the time: that is not yet busy to idle.
    b.wait_secs(60);
    b.expect_nothing();
    b.line("B", InUse);
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 60.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_another_caller_who_joins_while_b_is_still_seen_idle_makes_it_available_to_himself_only() {
    let mut b = notified();
    b.dials("A", CallProgress::Busy);
    b.hang_up("A");
    b.look_away();
    b.press("C", "1002", Busy);
    b.hang_up("C");
    b.expect_at_phones(&[
        "show C: Activated 1002 (1-2)",
        "show C: Available 1002 at 0.001s (1-2)",
        "alert C 1-2#1",
    ]);
    b.key("C", SoftKey::Cancel);
    b.wait_secs(60);
    b.expect_at_phones(&["clear C"]);
}

#[test]
fn r20_b_busy_and_idle_again_before_the_result() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.line("B", Ringing);
    b.line("B", Idle);
    b.look_away();
    b.call("A", call, None, CallProgress::Busy);
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
    b.hang_up("A");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_a_lapsed_caller_whose_line_is_not_watched() {
    let mut b = lapsed();
    b.line("B", InUse);
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.look_away();
    b.call("A", call, None, CallProgress::Busy);
    b.expect(&[
        "save 1-1 waiting",
        "notice: 1-1 retained",
        "show A: Activated 1002 (1-1)",
        "open B",
        "open B/1002",
    ]);
    b.hang_up("A");
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 20.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_a_lapsed_caller_whose_line_others_watch_and_who_was_busy_at_dial() {
    let mut b = lapsed();
    b.line("B", InUse);
    b.waits("C", "1002", NoAnswer);
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.line("B", Idle);
    b.look_away();
    b.call("A", call, None, CallProgress::Busy);
    assert_eq!(b.queue("1002"), ["A"]);
    b.hang_up("A");
    b.look_away();
    // C had the turn.
    b.wait_secs(20);
    b.expect_at_phones(&["show A: Available 1002 at 40.002s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r20_a_retained_no_answer_request_waits_for_idle_only() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", InUse);
    b.line("B", Idle);
    b.line("B", Ringing);
    b.dials("A", CallProgress::Busy);
    assert_eq!(b.cycle_of("A"), None);
    b.hang_up("A");
    b.look_away();
    b.line("B", Idle);
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r21_reorder_keeps_the_request_and_available_comes_back_when_idle() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.key("A", SoftKey::Exit);
    b.look_away();
    b.call("A", call, None, CallProgress::Ended);
    b.expect(&["save 1-1 lapsed", "notice: 1-1 dial failed", "close B/1002", "close B"]);
    b.hang_up("A");
    b.expect(&["show A: Available 1002 at 0.001s (1-1)"]);
    b.busy("A");
    b.idle("A");
    b.expect_nothing();
    // And Dial works again, later than the recall time.
    b.key("A", SoftKey::Dial);
    b.expect_at_phones(&["dial 1002 from A/1001 (1-1)"]);
}

#[test]
fn r21_a_call_that_cannot_be_made_at_all() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.look_away();
    b.dialled("A", DialOutcome::Failed);
    b.expect(&[
        "save 1-1 lapsed",
        "notice: 1-1 dial failed",
        "show A: Available 1002 at 0.001s (1-1)",
        "close B/1002",
        "close B",
    ]);
}

#[test]
fn r21_a_forward_target_that_rings_is_not_reached() {
    let mut b = lapsed();
    b.dials("A", rings("1003"));
    assert_eq!(b.phase_of("A"), Some(Phase::Lapsed));
    b.look_away();
    b.hang_up("A");
    b.expect(&["show A: Available 1002 at 0.001s (1-1)"]);
}

#[test]
fn r21_a_failed_dial_passes_the_turn_on() {
    let mut b = notified();
    b.waits("C", "1002", Busy);
    b.dials("A", CallProgress::Ended);
    b.expect_at_phones(&[
        "dial 1002 from A/1001, overriding forwarding (1-1)",
        "show C: Available 1002 at 0.002s (1-2)",
        "alert C 1-2#1",
    ]);
}

#[test]
fn r22_a_call_dialled_by_hand_ends_nothing() {
    for mut b in [notified(), lapsed()] {
        b.busy("A");
        b.call("A", CallId(900), Some("1002"), rings("1002"));
        b.call("A", CallId(900), Some("1002"), answers("1002"));
        b.expect_nothing();
        assert_eq!(b.engine.pending(), 1);
    }
}

#[test]
fn r44_a_call_that_is_gone_after_a_lost_link_has_failed() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    b.dial_starts("A");
    b.lose_link();
    b.phone("A").calls.clear();
    b.phone("A").busy = false;
    b.look_away();
    b.regain_link();
    b.expect(&[
        "save 1-1 lapsed",
        "notice: 1-1 dial failed",
        "show A: Available 1002 at 0.001s (1-1)",
        "close B/1002",
        "close B",
    ]);
}

#[test]
fn r44_a_call_that_goes_on_after_a_lost_link_goes_on() {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.lose_link();
    b.look_away();
    b.regain_link();
    b.expect_nothing();
    b.call("A", call, None, rings("1002"));
    b.expect(&REACHED);
}

/// A has dialled B, and before the call goes on wants C instead, which is being saved.
fn dialling_and_replacing() -> (Bench, CallId) {
    let mut b = notified();
    b.key("A", SoftKey::Dial);
    let call = b.dial_starts("A");
    b.press_on(at("A", "1001"), Some(CallId(900)), "1003", Busy);
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    b.look_away();
    (b, call)
}

#[test]
fn r19_a_dial_goes_on_while_another_request_is_being_saved_in_its_place() {
    let (mut b, call) = dialling_and_replacing();
    b.call("A", call, None, rings("1002"));
    b.expect(&["remove 1-1", "notice: 1-1 ended: Reached", "close B/1002", "close B"]);
    b.store_writes();
    assert_eq!(b.engine.request_of(&device("A")).unwrap().dialled, dn("1003"));
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn r38_the_outcome_of_a_dial_is_not_lost_when_the_new_request_is_given_up() {
    let (mut b, call) = dialling_and_replacing();
    b.call("A", call, None, CallProgress::Ended);
    b.wait_secs(2);
    assert_eq!(b.phase_of("A"), Some(Phase::Lapsed));
    // The same, seen in the first reading over a new link.
    let (mut b, _) = dialling_and_replacing();
    b.lose_link();
    b.phone("A").calls = vec![CallId(900)];
    b.regain_link();
    b.wait_secs(2);
    assert_eq!(b.phase_of("A"), Some(Phase::Lapsed));
}

#[test]
fn stale_results_are_ignored() {
    let mut b = notified();
    let id = b.id_of("A");
    b.give(Input::Dialled { request: id, outcome: DialOutcome::Made(CallId(900)) });
    b.give(Input::Call { at: at("D", "1004"), call: CallId(1), called: None, progress: CallProgress::Busy });
    b.expect_nothing();
    b.key("A", SoftKey::Cancel);
    b.look_away();
    b.give(Input::Dialled { request: id, outcome: DialOutcome::Failed });
    b.expect_nothing();
}
