//! The CallBack key and what it starts: R1 to R6.

use ringback_callback::PressedDuring::{Busy, NoAnswer, Other, Ringback};
use ringback_callback::{Kind, Occupancy, Refusal, SoftKey};
use ringback_model::{CallId, LineId, Partition};

use crate::harness::{Bench, Directory, Store, answers, at, device, dn, line, refused_for};

#[test]
fn r1_busy_ringback_and_reorder_for_no_answer_are_valid() {
    for (during, kind) in [(Busy, Kind::Busy), (Ringback, Kind::NoAnswer), (NoAnswer, Kind::NoAnswer)] {
        let mut b = Bench::new();
        b.press("A", "1002", during);
        assert_eq!(b.engine.request_of(&device("A")).unwrap().kind, kind);
    }
}

#[test]
fn r2_at_any_other_moment_the_key_is_not_active_and_nothing_else_happens() {
    let mut b = Bench::new();
    b.press("A", "1002", Other);
    b.expect(&["key not active"]);
    b.expect_all_closed();
}

#[test]
fn r3_idle_without_a_request_shows_not_active_until_exit() {
    let mut b = Bench::new();
    b.press_idle("A");
    b.expect(&["key accepted", "open A", "show A: Not active"]);
    b.key("A", SoftKey::Exit);
    b.expect(&["clear A", "close A"]);
    b.expect_all_closed();
}

#[test]
fn r3_idle_with_a_pending_request_shows_its_screen() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press_idle("A");
    b.expect(&["key accepted", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r3_idle_with_a_notified_request_shows_its_screen() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.wait_secs(10);
    b.line("B", Occupancy::Idle);
    b.key("A", SoftKey::Exit);
    b.look_away();
    b.press_idle("A");
    b.expect(&["key accepted", "show A: Available 1002 at 10.001s (1-1)"]);
}

#[test]
fn r4_a_request_is_durable_before_activated_is_shown() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    b.expect(&[
        "key accepted",
        "resolve 1002 for A/1001",
        "open A",
        "open A/1001",
        "open B",
        "open B/1002",
        "save 1-1 waiting",
    ]);
    assert_eq!(b.engine.pending(), 0);
    b.store_writes();
    b.expect(&["notice: 1-1 accepted", "show A: Activated 1002 (1-1)"]);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r4_a_save_not_confirmed_within_2_s_is_revoked_and_the_caller_told() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    b.wait(ringback_model::Millis(1999));
    b.look_away();
    b.wait(ringback_model::Millis(1));
    b.expect(&[
        "notice: A refused: StoreUnavailable",
        "show A: Cannot 1002: StoreUnavailable",
        "revoke 1-1",
        "close A/1001",
        "close B/1002",
        "close B",
    ]);
    b.key("A", SoftKey::Exit);
    b.expect_all_closed();
}

#[test]
fn r4_a_confirmation_after_the_revocation_is_ignored() {
    let mut b = Bench::new();
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    b.wait_secs(2);
    b.look_away();
    b.give(ringback_callback::Input::Saved(ringback_callback::SaveId(1)));
    b.expect_nothing();
    assert_eq!(b.engine.pending(), 0);
}

#[test]
fn r4_a_timer_of_an_accepted_request_is_stale() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.press("A", "1002", Busy);
    b.look_away();
    b.wait_secs(3);
    b.expect_nothing();
}

#[test]
fn r4_what_b_does_while_the_request_is_saved_is_not_lost() {
    let mut b = Bench::new();
    b.store_is(Store::Slow);
    b.press("A", "1002", NoAnswer);
    b.hang_up("A");
    b.look_away();
    b.line("B", Occupancy::InUse);
    b.line("B", Occupancy::Idle);
    b.expect_nothing();
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect(&[
        "notice: 1-1 accepted",
        "save 1-1 waiting, cycle complete",
        "show A: Activated 1002 (1-1)",
        "save 1-1 turn #1, cycle complete",
        "notice: 1-1 has the turn until 20s",
        "show A: Available 1002 at 0s (1-1)",
        "alert A 1-1#1",
        "save 1-1 turn #1 alerted, cycle complete",
    ]);
}

#[test]
fn r5_the_same_number_again_shows_activated_again_and_nothing_doubles() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1002", Busy);
    b.expect(&["key accepted", "show A: Activated 1002 (1-1)"]);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r5_a_notified_request_shows_available_again() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Occupancy::Idle);
    b.look_away();
    b.press("A", "1002", Ringback);
    b.expect(&["key accepted", "show A: Available 1002 at 0.001s (1-1)"]);
}

#[test]
fn r5_another_spelling_of_the_number_is_the_same_line() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.odd = Box::new(|resolution| {
        resolution.line = line("1002");
        resolution.devices = vec![device("B")];
    });
    b.press("A", "10 02", Busy);
    b.expect(&["key accepted", "resolve 10 02 for A/1001", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r5_the_same_number_from_another_line_of_the_phone_is_the_same_request() {
    let mut b = Bench::new();
    b.add_phone("A", &["1001", "1011"]);
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press_on(at("A", "1011"), Some(CallId(77)), "1002", Busy);
    b.expect(&["key accepted", "resolve 1002 for A/1011", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r6_another_number_asks_and_ok_replaces() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.line("C", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.expect(&["key accepted", "resolve 1003 for A/1001", "show A: Replace 1002 by 1003?"]);
    b.key("A", SoftKey::Ok);
    b.expect(&[
        "open C",
        "open C/1003",
        "save 1-2 waiting replacing 1-1",
        "notice: 1-1 ended: Replaced",
        "close B/1002",
        "close B",
        "notice: 1-2 accepted",
        "show A: Activated 1003 (1-2)",
    ]);
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn r6_r7_an_answer_to_another_call_leaves_the_question_up() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.line("C", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.look_away();
    b.call("A", CallId(900), Some("1004"), answers("1004"));
    b.expect_nothing();
    b.key("A", SoftKey::Ok);
    b.expect_at_phones(&["show A: Activated 1003 (1-2)"]);
}

#[test]
fn r3_the_key_of_an_idle_phone_whose_request_is_being_saved_shows_nothing_yet() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    b.hang_up("A");
    b.look_away();
    b.press_idle("A");
    b.expect(&["key accepted"]);
    b.store_writes();
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
}

#[test]
fn r4_the_limit_for_saving_outlives_many_requests_that_come_and_go() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.store_is(Store::Slow);
    b.press("A", "1002", Busy);
    for _ in 0..100 {
        b.press("C", "1002", Busy);
        b.reset("C");
    }
    b.look_away();
    b.wait_secs(2);
    b.expect_at_phones(&["show A: Cannot 1002: StoreUnavailable"]);
}

#[test]
fn r6_exit_keeps_the_old_one() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.look_away();
    b.key("A", SoftKey::Exit);
    b.expect(&["clear A"]);
    assert_eq!(b.queue("1002"), ["A"]);
    b.key_about("A", SoftKey::Ok, None);
    b.expect(&["notice: ignored: OK, but nothing was proposed", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r6_refusals_come_before_the_question() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.odd = refused_for(Refusal::ForwardsAllCalls);
    b.press("A", "1003", Busy);
    b.expect_at_phones(&["show A: Cannot 1003: ForwardsAllCalls"]);
}

#[test]
fn r6_r38_a_replacement_the_store_does_not_take_leaves_the_old_request_as_it_was() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    b.look_away();
    b.wait_secs(2);
    b.expect(&[
        "notice: A refused: StoreUnavailable",
        "show A: Cannot 1003: StoreUnavailable",
        "revoke 1-2",
        "close C/1003",
        "close C",
        // The revoked transaction may have removed it.
        "save 1-1 waiting",
    ]);
    b.store_writes();
    assert_eq!(b.queue("1002"), ["A"]);
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn r6_r38_a_turn_of_the_old_request_that_waits_for_the_store_goes_on_waiting() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Occupancy::Idle);
    b.press("A", "1003", Busy);
    b.key("A", SoftKey::Ok);
    b.wait_secs(2);
    b.hang_up("A");
    b.look_away();
    b.store_is(Store::Ready);
    b.store_writes();
    b.expect_at_phones(&["show A: Available 1002 at 2.001s (1-1)", "alert A 1-1#1"]);
}

#[test]
fn r6_a_request_that_is_written_again_while_it_is_replaced_is_removed_for_good() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.line("C", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Occupancy::Idle);
    b.press("A", "1003", Busy);
    b.key("A", SoftKey::Ok);
    b.look_away();
    // One transaction holds the turn and the replacement; the turn's confirmation, which comes first, finds A busy.
    b.store_writes();
    b.store_writes();
    b.expect(&[
        "save 1-1 waiting",
        "remove 1-1",
        "notice: 1-1 ended: Replaced",
        "close B/1002",
        "close B",
        "notice: 1-2 accepted",
        "show A: Activated 1003 (1-2)",
    ]);
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn r6_a_turn_that_is_on_record_while_its_request_is_replaced_is_not_alerted() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.line("C", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.store_is(Store::Slow);
    b.line("B", Occupancy::Idle);
    b.press("A", "1003", Busy);
    b.key("A", SoftKey::Ok);
    b.hang_up("A");
    b.look_away();
    b.store_writes();
    b.store_writes();
    b.expect_at_phones(&["show A: Activated 1003 (1-2)"]);
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn r6_nobody_is_notified_for_a_request_that_is_being_replaced() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.hang_up("A");
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    b.look_away();
    b.line("B", Occupancy::Idle);
    b.expect_nothing();
    // The store does not take the new one: the old one is served.
    b.wait_secs(2);
    b.store_writes();
    b.expect_at_phones(&[
        "show A: Cannot 1003: StoreUnavailable",
        "show A: Available 1002 at 2.001s (1-1)",
        "alert A 1-1#1",
    ]);
}

#[test]
fn r6_ok_pressed_twice_replaces_once() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.waits("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Ok);
    b.look_away();
    b.key("A", SoftKey::Ok);
    b.expect(&["notice: ignored: OK, but nothing was proposed"]);
}

#[test]
fn a_later_press_takes_the_place_of_one_the_directory_has_not_answered() {
    let mut b = Bench::new();
    b.line("B", Occupancy::InUse);
    b.line("C", Occupancy::InUse);
    b.directory = Directory::Slow;
    b.press("A", "1002", Busy);
    b.press("A", "1003", Busy);
    b.look_away();
    b.directory_answers();
    b.expect_at_phones(&["show A: Activated 1003 (1-1)"]);
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r8_the_same_number_in_another_partition_is_another_line() {
    let mut b = Bench::new();
    let other = LineId::new(Partition::new("lab").unwrap(), dn("1002"));
    b.line("B", Occupancy::InUse);
    b.phone("E").lines.insert(other.clone(), Occupancy::InUse);
    b.odd = Box::new(move |resolution| {
        resolution.line = other.clone();
        resolution.devices = vec![device("E")];
    });
    b.waits("A", "1002", Busy);
    b.line("B", Occupancy::Idle);
    b.expect_nothing();
    let other = LineId::new(Partition::new("lab").unwrap(), dn("1002"));
    let at = ringback_model::Appearance { device: device("E"), line: other };
    b.give(ringback_callback::Input::Line { at, occupancy: Occupancy::Idle, calls: None });
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}
