//! When B is available: R8 to R14, R41, R42, R44.

use ringback_callback::Occupancy::{Idle, InUse, Ringing};
use ringback_callback::PressedDuring::{Busy, NoAnswer};
use ringback_callback::{Cycle, Input, Phase, PressedDuring};
use ringback_model::Millis;

use crate::harness::{Bench, Directory, device, line};

const AVAILABLE: [&str; 2] = ["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"];

#[test]
fn r10_a_busy_request_is_available_when_no_call_is_left() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.expect(&[
        "save 1-1 turn #1",
        "notice: 1-1 has the turn until 20.001s",
        "show A: Available 1002 at 0.001s (1-1)",
        "alert A 1-1#1",
        "save 1-1 turn #1 alerted",
    ]);
}

#[test]
fn r10_a_second_call_that_rings_keeps_the_line_busy() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Ringing);
    b.expect_nothing();
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r11_staying_idle_is_no_cycle() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", Idle);
    b.wait_secs(3600);
    b.expect_nothing();
}

#[test]
fn r11_off_hook_and_on_hook_is_a_cycle() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", InUse);
    b.expect(&["save 1-1 waiting, off hook"]);
    b.line("B", Idle);
    b.expect(&[
        "save 1-1 waiting, cycle complete",
        "save 1-1 turn #1, cycle complete",
        "notice: 1-1 has the turn until 20.001s",
        "show A: Available 1002 at 0.001s (1-1)",
        "alert A 1-1#1",
        "save 1-1 turn #1 alerted, cycle complete",
    ]);
}

#[test]
fn r11_an_unanswered_call_is_no_cycle() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", Ringing);
    b.line("B", Idle);
    b.expect_nothing();
}

#[test]
fn r11_another_callers_failed_recall_is_no_cycle() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("C", "1002", Busy);
    b.line("B", Idle);
    b.waits("A", "1002", NoAnswer);
    b.dials("C", crate::harness::rings("1002"));
    b.line("B", Ringing);
    b.line("B", Idle);
    assert_eq!(b.cycle_of("A"), Some(Cycle::Untouched));
    assert_eq!(b.phase_of("A"), Some(Phase::Waiting));
}

#[test]
fn r11_a_cycle_over_before_the_activation_does_not_count() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("C", "1002", Busy);
    b.line("B", Idle);
    b.waits("A", "1002", NoAnswer);
    b.key("C", ringback_callback::SoftKey::Cancel);
    b.expect_at_phones(&["clear C"]);
    assert_eq!(b.cycle_of("A"), Some(Cycle::Untouched));
}

#[test]
fn r11_a_use_that_was_going_on_at_the_activation_counts_when_it_ends() {
    // B is in a call and lets a second one ring: it is its going on hook that shows that it is there.
    for watched_already in [false, true] {
        let mut b = Bench::new();
        b.line("B", InUse);
        if watched_already {
            b.busy("C");
            b.press("C", "1002", Busy);
        }
        b.waits("A", "1002", NoAnswer);
        assert_eq!(b.cycle_of("A"), Some(Cycle::OffHook));
        b.line("B", Idle);
        assert!(matches!(b.phase_of("A"), Some(Phase::Turn { .. })), "{watched_already}");
    }
}

#[test]
fn r11_r44_a_cycle_may_be_split_over_a_lost_link() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", InUse);
    b.lose_link();
    b.line("B", Idle);
    b.look_away();
    b.regain_link();
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r44_a_cycle_nobody_saw_does_not_count() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.lose_link();
    b.line("B", InUse);
    b.line("B", Idle);
    b.regain_link();
    b.expect_nothing();
}

#[test]
fn r11_a_use_that_ends_in_ringing_is_a_cycle_and_counts_once_the_line_is_silent() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", Ringing);
    b.line("B", InUse);
    b.line("B", Ringing);
    b.expect(&["save 1-1 waiting, off hook", "save 1-1 waiting, cycle complete"]);
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r12_a_busy_request_whose_b_only_rang_is_available_when_it_falls_silent() {
    let mut b = Bench::new();
    b.line("B", Ringing);
    b.waits("A", "1002", Busy);
    b.expect_nothing();
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r12_ringing_withdraws_no_turn() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.look_away();
    b.line("B", Ringing);
    b.line("B", Idle);
    b.expect_nothing();
}

#[test]
fn r13_b_must_stay_idle_for_the_guard_time() {
    let mut b = Bench::new();
    b.set(|p| p.idle_guard = Millis::from_secs(5));
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.wait_secs(4);
    // An interruption begins it anew.
    b.line("B", InUse);
    b.line("B", Idle);
    b.wait_secs(3);
    b.line("B", Ringing);
    b.line("B", Idle);
    b.wait(Millis(4999));
    b.expect_nothing();
    b.wait(Millis(1));
    b.expect_at_phones(&["show A: Available 1002 at 12.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r13_without_a_guard_or_while_b_is_busy_there_is_no_time_to_wait_for() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    let expires = b.engine.request_of(&device("A")).unwrap().expires;
    // Until nothing is left of the time for saving.
    b.wait_secs(3);
    b.set(|p| p.idle_guard = Millis::from_secs(5));
    assert_eq!(b.engine.next_timeout(), expires, "B is busy");
    b.set(|p| p.idle_guard = Millis::ZERO);
    b.busy("A");
    b.line("B", Idle);
    assert_eq!(b.engine.next_timeout(), expires, "no guard");
}

#[test]
fn r13_a_shorter_guard_acts_at_once() {
    let mut b = Bench::new();
    b.set(|p| p.idle_guard = Millis::from_secs(60));
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.wait_secs(10);
    b.expect_nothing();
    b.set(|p| p.idle_guard = Millis::from_secs(10));
    b.expect_at_phones(&["show A: Available 1002 at 10.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r13_r44_a_guard_set_while_the_link_is_down_is_waited_for_over_the_new_one() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.busy("A");
    b.line("B", Idle);
    b.lose_link();
    b.set(|p| p.idle_guard = Millis::from_secs(3));
    b.idle("A");
    b.regain_link();
    b.expect_at_phones(&[]);
    b.wait_secs(60);
    b.expect_at_phones(&["show A: Available 1002 at 3.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r14_do_not_disturb_at_availability_shows_a_screen_without_alert_and_turn() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.dnd("B", true);
    b.line("B", Idle);
    b.expect(&["show A: Do not disturb 1002 (1-1)"]);
    assert_eq!(b.queue("1002"), ["A"]);
    // R3, R17: its screen can be brought back.
    b.key("A", ringback_callback::SoftKey::Exit);
    b.press_idle("A");
    b.expect(&["clear A", "key accepted", "show A: Do not disturb 1002 (1-1)"]);
    b.dnd("B", false);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r14_do_not_disturb_off_while_idle_is_availability_for_a_no_answer_request_too() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.dnd("B", true);
    b.expect_nothing();
    b.dnd("B", false);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r14_do_not_disturb_off_during_a_call_waits_for_its_end() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.dnd("B", true);
    b.dnd("B", false);
    b.expect_nothing();
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r14_a_caller_who_is_busy_sees_do_not_disturb_when_idle() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.busy("A");
    b.dnd("B", true);
    b.line("B", Idle);
    b.expect_nothing();
    b.idle("A");
    b.expect(&["show A: Do not disturb 1002 (1-1)"]);
}

#[test]
fn r14_a_line_found_idle_on_dnd_at_activation_leaves_activated_up() {
    let mut b = Bench::new();
    b.dnd("B", true);
    b.press("A", "1002", Busy);
    b.hang_up("A");
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
    b.dnd("B", false);
    b.expect_at_phones(&["show A: Available 1002 at 0s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r9_one_appearance_off_hook_is_enough_to_know_even_if_the_others_cannot_be_seen() {
    let mut b = Bench::new();
    b.add_phone("B2", &["1002"]);
    b.waits("A", "1002", NoAnswer);
    b.lose_link();
    b.line("B", InUse);
    // B2 is not read yet.
    b.regain_link_of(&["A", "B"]);
    assert_eq!(b.cycle_of("A"), Some(Cycle::OffHook));
    b.line("B", Idle);
    b.look_away();
    b.regain_link_of(&["B2"]);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r9_a_shared_line_is_busy_while_any_appearance_has_a_call() {
    let mut b = Bench::new();
    b.add_phone("B2", &["1002"]);
    b.line("B", InUse);
    b.line("B2", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.expect_nothing();
    b.line("B2", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r9_a_cycle_on_any_appearance_counts() {
    let mut b = Bench::new();
    b.add_phone("B2", &["1002"]);
    b.waits("A", "1002", NoAnswer);
    b.line("B2", InUse);
    b.line("B2", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r9_an_unregistered_appearance_does_not_count() {
    let mut b = Bench::new();
    b.add_phone("B2", &["1002"]);
    b.phone("B2").registered = false;
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r9_an_appearance_that_unregisters_in_a_call_frees_the_line() {
    let mut b = Bench::new();
    b.add_phone("B2", &["1002"]);
    b.line("B2", InUse);
    b.waits("A", "1002", Busy);
    b.unregister("B2");
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r9_only_the_phone_that_activated_is_notified() {
    let mut b = Bench::new();
    b.add_phone("A2", &["1001"]);
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r41_b_resets_and_a_busy_request_is_available() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.unregister("B");
    b.expect_nothing();
    b.register("B");
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r41_b_resets_and_a_no_answer_request_waits_for_a_whole_cycle() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", InUse);
    b.look_away();
    b.reset("B");
    b.expect(&["save 1-1 waiting, untouched"]);
    b.line("B", InUse);
    b.line("B", Idle);
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r41_b_resets_during_a_turn_and_the_caller_waits_again() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.look_away();
    b.unregister("B");
    b.expect(&["save 1-1 waiting", "notice: 1-1 turn withdrawn", "show A: Activated 1002 (1-1)"]);
    b.register("B");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#2"]);
}

#[test]
fn r42_b_is_removed_from_the_directory_and_the_request_stays() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.give(Input::Located { line: line("1002"), devices: Vec::new() });
    b.expect(&["close B/1002", "close B"]);
    assert_eq!(b.queue("1002"), ["A"]);
    b.line("B", Idle);
    b.give(Input::Located { line: line("1002"), devices: vec![device("B")] });
    b.expect_at_phones(&AVAILABLE);
}

#[test]
fn r44_busy_before_and_idle_after_a_lost_link_is_available_once() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.lose_link();
    b.line("B", Idle);
    b.regain_link();
    b.expect_at_phones(&AVAILABLE);
    b.lose_link();
    b.regain_link();
    b.expect_nothing();
}

#[test]
fn r44_over_a_new_link_nobody_is_notified_before_b_is_read() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.busy("A");
    b.line("B", Idle);
    b.look_away();
    b.lose_link();
    b.idle("A");
    b.line("B", InUse);
    // The phones are read in this order: A, then B. What B's line was before the loss is old.
    b.regain_link();
    b.expect_nothing();
}

/// A waits for B, who is idle. C's request is made while B cannot be seen.
fn made_unseen(during: PressedDuring) -> Bench {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.directory = Directory::Slow;
    b.press("C", "1003", during);
    b.press("C", "1002", during);
    b.hang_up("C");
    b.lose_link();
    b.directory_answers();
    b.look_away();
    b
}

#[test]
fn r44_a_request_made_while_the_link_is_down_is_judged_by_the_first_reading() {
    let mut b = made_unseen(Busy);
    b.regain_link();
    b.expect_at_phones(&[
        "show C: Activated 1002 (1-2)",
        "show C: Available 1002 at 0.001s (1-2)",
        "alert C 1-2#1",
    ]);
    // The readings that follow are not the first.
    let mut b = made_unseen(NoAnswer);
    b.regain_link();
    b.lose_link();
    b.regain_link();
    b.expect_at_phones(&["show C: Activated 1002 (1-2)"]);
}

#[test]
fn r44_a_use_that_is_going_on_at_the_first_reading_counts() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.line("B", InUse);
    b.directory = Directory::Slow;
    b.press("C", "1002", NoAnswer);
    b.hang_up("C");
    b.lose_link();
    b.directory_answers();
    b.regain_link();
    assert_eq!(b.cycle_of("C"), Some(Cycle::OffHook));
}

#[test]
fn r14_a_first_reading_that_finds_b_on_dnd_is_no_availability() {
    let mut b = made_unseen(Busy);
    b.phone("B").dnd = true;
    b.regain_link();
    b.expect_at_phones(&["show C: Activated 1002 (1-2)"]);
    b.dnd("B", false);
    // It counts for A as well, who has waited longer (R14).
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r9_a_phone_that_was_not_known_is_read_before_a_new_caller_is_notified() {
    let mut b = Bench::new();
    b.waits("A", "1002", NoAnswer);
    b.reads_wait = true;
    b.add_phone("B2", &["1002"]);
    b.press("C", "1002", Busy);
    b.reads_wait = false;
    b.hang_up("C");
    assert_eq!(b.phase_of("C"), Some(Phase::Waiting));
    b.look_away();
    b.regain_link_of(&["B2"]);
    b.expect_at_phones(&["show C: Available 1002 at 0.001s (1-2)", "alert C 1-2#1"]);
}

#[test]
fn lines_and_phones_nobody_has_open_are_ignored() {
    let mut b = Bench::new();
    for input in [
        Input::Line { at: crate::harness::at("D", "1004"), occupancy: InUse, calls: None },
        Input::Device { device: device("X"), state: ringback_callback::DeviceState::OutOfService },
        Input::UserChanged(device("X")),
        Input::ScreenLost(device("X")),
        Input::Located { line: line("9999"), devices: vec![device("X")] },
    ] {
        b.give(input);
    }
    b.expect_nothing();
}
