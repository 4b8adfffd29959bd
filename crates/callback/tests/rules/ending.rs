//! How requests end: R7, R18, R23, R29, R40, R43. Each once, and everything is closed afterwards.

use ringback_callback::Occupancy::{Idle, InUse};
use ringback_callback::PressedDuring::{Busy, Ringback};
use ringback_callback::{CallProgress, Input, Phase, SoftKey};
use ringback_model::Millis;

use crate::harness::{Bench, Store, answers, device};

const MINUTE: u64 = 60;

/// A waits for B, who is in a call; A's screen is up.
fn waiting() -> Bench {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.press("A", "1002", Busy);
    b.hang_up("A");
    b.look_away();
    b
}

/// A request in each phase there is, and the name of the phase.
fn every_phase() -> Vec<(&'static str, Bench)> {
    let turn = || {
        let mut b = waiting();
        b.line("B", Idle);
        b
    };
    let saving = {
        let mut b = Bench::new();
        b.line("B", InUse);
        b.store_is(Store::Slow);
        b.press("A", "1002", Busy);
        b.store_is(Store::Ready);
        b
    };
    let suspended = {
        let mut b = waiting();
        b.busy("A");
        b.line("B", Idle);
        b
    };
    let turn_saving = {
        let mut b = waiting();
        b.store_is(Store::Slow);
        b.line("B", Idle);
        b.store_is(Store::Ready);
        b
    };
    let lapsed = {
        let mut b = turn();
        b.wait_secs(20);
        b
    };
    let dialling = {
        let mut b = turn();
        b.key("A", SoftKey::Dial);
        b.dial_starts("A");
        b
    };
    let retained = {
        let mut b = turn();
        b.dials("A", CallProgress::Busy);
        b
    };
    let on_dnd = {
        let mut b = waiting();
        b.dnd("B", true);
        b.line("B", Idle);
        b
    };
    let mut all = vec![
        ("saving", saving),
        ("waiting", waiting()),
        ("suspended", suspended),
        ("turn being saved", turn_saving),
        ("turn", turn()),
        ("lapsed", lapsed),
        ("dialling", dialling),
        ("retained", retained),
        ("do not disturb", on_dnd),
    ];
    all.iter_mut().for_each(|(_, b)| b.look_away());
    all
}

/// Whatever happens afterwards, nothing of the request is left.
fn expect_silence(b: &mut Bench, phase: &str) {
    b.store_writes();
    b.expect_all_closed();
    b.look_away();
    b.line("B", InUse);
    b.line("B", Idle);
    b.hang_up("A");
    b.wait_secs(4 * 60 * MINUTE);
    assert_eq!(b.out(), [""; 0], "{phase}");
}

#[test]
fn r7_b_answers_the_call_during_which_the_key_was_pressed() {
    let mut b = Bench::new();
    b.press("A", "1002", Ringback);
    b.look_away();
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1002"), answers("1002"));
    b.expect(&[
        "remove 1-1",
        "notice: 1-1 ended: Answered",
        "close A/1001",
        "close B/1002",
        "close B",
        "clear A",
        "close A",
    ]);
    expect_silence(&mut b, "answered");
}

#[test]
fn r7_counts_for_a_call_during_which_it_was_pressed_again() {
    let mut b = Bench::new();
    b.waits("A", "1002", Ringback);
    b.press("A", "1002", Ringback);
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1002"), answers("1002"));
    b.expect_all_closed();
}

#[test]
fn r7_a_call_that_has_ended_is_not_answered_any_more_though_its_id_is_used_again() {
    let mut b = Bench::new();
    b.press("A", "1002", Ringback);
    let call = b.phone("A").calls[0];
    b.hang_up("A");
    b.call("A", call, Some("1002"), answers("1002"));
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r7_somebody_else_answers_and_the_request_stays() {
    let mut b = Bench::new();
    b.press("A", "1002", Ringback);
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1002"), answers("1009"));
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r7_r22_a_later_call_that_b_answers_ends_nothing() {
    let mut b = waiting();
    b.call("A", ringback_model::CallId(900), Some("1002"), answers("1002"));
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r7_while_the_request_is_saved_ends_it_unaccepted() {
    let mut b = Bench::new();
    b.store_is(Store::Slow);
    b.press("A", "1002", Ringback);
    b.look_away();
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1002"), answers("1002"));
    b.expect(&["revoke 1-1", "close A/1001", "close A", "close B/1002", "close B"]);
    expect_silence(&mut b, "answered");
}

#[test]
fn r7_r38_while_the_request_is_saved_that_replaces_another_keeps_the_other_on_record() {
    let mut b = waiting();
    b.press("A", "1003", Ringback);
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    // One transaction has written the new one and removed the old one; its confirmation is under way.
    b.store_writes_one_silently(0);
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1003"), answers("1003"));
    b.store_is(Store::Ready);
    b.store_writes();
    b.restart();
    assert_eq!(b.queue("1002"), ["A"]);
}

#[test]
fn r7_a_proposal_whose_call_is_answered_goes_with_its_screen() {
    let mut b = waiting();
    b.press("A", "1003", Ringback);
    b.look_away();
    let call = b.phone("A").calls[0];
    b.call("A", call, Some("1003"), answers("1003"));
    b.expect(&["clear A"]);
    assert_eq!(b.queue("1002"), ["A"]);
}

#[test]
fn r18_cancel_ends_the_request_in_every_phase() {
    for (phase, mut b) in every_phase() {
        if phase == "saving" {
            continue;
        }
        let id = b.id_of("A");
        b.key_about("A", SoftKey::Cancel, Some(id));
        b.store_writes();
        let ended = format!("notice: {id} ended: Cancelled");
        assert_eq!(b.out().iter().filter(|line| **line == ended).count(), 1, "{phase}");
        expect_silence(&mut b, phase);
    }
}

#[test]
fn r18_the_screen_goes_when_the_removal_has_an_outcome() {
    for fails in [false, true] {
        let mut b = waiting();
        b.store_is(Store::Slow);
        b.key("A", SoftKey::Cancel);
        b.expect(&["remove 1-1", "notice: 1-1 ended: Cancelled", "close A/1001", "close B/1002", "close B"]);
        if fails {
            b.store_fails();
        } else {
            b.store_writes();
        }
        b.expect(&["clear A", "close A"]);
        b.store_writes();
        b.expect_nothing();
    }
}

#[test]
fn r23_a_screen_shown_since_is_not_taken_away_by_an_old_removal() {
    let mut b = waiting();
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Cancel);
    b.press_idle("A");
    b.look_away();
    b.store_writes();
    b.expect_nothing();
}

#[test]
fn r29_a_busy_request_lives_45_min_and_a_no_answer_request_180_min() {
    for (during, minutes) in [(Busy, 45), (Ringback, 180)] {
        let mut b = Bench::new();
        b.line("B", InUse);
        b.press("A", "1002", during);
        b.hang_up("A");
        b.wait(Millis(minutes * MINUTE * 1000 - 1));
        b.look_away();
        b.wait(Millis(1));
        b.expect(&[
            "remove 1-1",
            "notice: 1-1 ended: Expired",
            "close A/1001",
            "close B/1002",
            "close B",
            "clear A",
            "close A",
        ]);
        expect_silence(&mut b, "expired");
    }
}

#[test]
fn r29_zero_is_no_limit() {
    let mut b = Bench::new();
    b.set(|p| p.busy_duration = Millis::ZERO);
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.wait_secs(365 * 24 * 3600);
    b.expect_nothing();
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r29_a_changed_duration_acts_on_later_requests() {
    let mut b = waiting();
    b.set(|p| p.busy_duration = Millis::from_mins(1));
    b.wait_secs(44 * MINUTE);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r29_the_end_comes_in_every_phase() {
    for (phase, mut b) in every_phase() {
        b.store_writes();
        b.look_away();
        b.wait_secs(45 * MINUTE);
        let out = b.out();
        assert_eq!(out.iter().filter(|l| *l == "notice: 1-1 ended: Expired").count(), 1, "{phase}: {out:#?}");
        expect_silence(&mut b, phase);
    }
}

#[test]
fn r40_the_callers_phone_resets_in_every_phase() {
    for (phase, mut b) in every_phase() {
        b.reset("A");
        let out = b.out();
        for verb in ["show", "alert", "clear", "dial"] {
            assert!(!out.iter().any(|line| line.starts_with(verb)), "{phase}: {out:#?}");
        }
        let ends = out.iter().filter(|line| *line == "notice: 1-1 ended: CallerReset").count();
        assert_eq!(ends, usize::from(phase != "saving"), "{phase}: {out:#?}");
        expect_silence(&mut b, phase);
    }
}

#[test]
fn r40_during_its_turn_the_turn_passes_on() {
    let mut b = waiting();
    b.waits("C", "1002", Busy);
    b.line("B", Idle);
    b.look_away();
    b.unregister("A");
    b.expect_at_phones(&["show C: Available 1002 at 0.001s (1-2)", "alert C 1-2#1"]);
    assert!(matches!(b.phase_of("C"), Some(Phase::Turn { .. })));
}

#[test]
fn r40_a_phone_found_unregistered_after_a_lost_link() {
    let mut b = waiting();
    b.lose_link();
    b.phone("A").registered = false;
    b.look_away();
    b.regain_link();
    assert!(b.out().contains(&"notice: 1-1 ended: CallerReset".to_owned()));
    expect_silence(&mut b, "waiting");
}

#[test]
fn r43_another_user_at_the_callers_phone_ends_the_request_in_every_phase() {
    for (phase, mut b) in every_phase() {
        b.give(Input::UserChanged(device("A")));
        b.store_writes();
        expect_silence(&mut b, phase);
    }
}

#[test]
fn r43_a_proposal_goes_with_its_user() {
    let mut b = waiting();
    b.press("A", "1003", Ringback);
    b.give(Input::UserChanged(device("A")));
    expect_silence(&mut b, "proposal");
}

#[test]
fn r43_another_user_at_bs_phone_changes_nothing() {
    let mut b = waiting();
    b.give(Input::UserChanged(device("B")));
    b.expect_nothing();
}

#[test]
fn r44_a_lost_link_is_nothing_the_caller_sees_in_any_phase() {
    for (phase, mut b) in every_phase() {
        let before = b.phase_of("A");
        b.lose_link();
        b.regain_link();
        b.lose_link();
        b.wait(Millis(100));
        b.regain_link();
        assert_eq!(b.out(), [""; 0], "{phase}");
        assert_eq!(b.phase_of("A"), before, "{phase}");
    }
}

#[test]
fn r48_r49_a_request_survives_the_service_in_every_phase_and_can_be_cancelled_afterwards() {
    for (phase, mut b) in every_phase() {
        b.restart();
        assert_eq!(b.engine.pending(), usize::from(phase != "saving"), "{phase}");
        if phase != "saving" {
            let id = b.id_of("A");
            assert_eq!(id.to_string(), "1-1", "{phase}");
            b.key_about("A", SoftKey::Cancel, Some(id));
        }
        // A screen without a request of its own is not known to the new instance.
        b.key("A", SoftKey::Exit);
        expect_silence(&mut b, phase);
    }
}

#[test]
fn r48_a_screen_of_an_earlier_instance_stays_until_the_removal_of_its_request_is_on_record() {
    let mut b = Bench::new();
    b.waits("A", "1002", Busy);
    let earlier = b.id_of("A");
    b.restart();
    b.store_is(Store::Slow);
    b.key_about("A", SoftKey::Cancel, Some(earlier));
    b.press("A", "1003", Busy);
    let call = b.phones["A"].calls[0];
    b.call("A", call, None, answers("1003"));
    b.expect_at_phones(&[]);
    b.store_writes();
    b.expect_at_phones(&["clear A"]);
    b.expect_all_closed();
}
