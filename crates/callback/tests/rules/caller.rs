//! The caller's phone and the screens on it: R3, R17, R23, and what is lost on the way.

use ringback_callback::Occupancy::{Idle, InUse};
use ringback_callback::PressedDuring::Busy;
use ringback_callback::{DeviceState, Input, SoftKey};
use ringback_model::{Epoch, RequestId};

use crate::harness::{Bench, Directory, Store, device};

fn waiting() -> Bench {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.press("A", "1002", Busy);
    b.hang_up("A");
    b.look_away();
    b
}

#[test]
fn r17_exit_only_leaves_the_screen() {
    let mut b = waiting();
    b.key("A", SoftKey::Exit);
    b.expect(&["clear A"]);
    assert_eq!(b.queue("1002"), ["A"]);
    b.press_idle("A");
    b.expect(&["key accepted", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn r17_exit_from_available_keeps_the_turn() {
    let mut b = waiting();
    b.line("B", Idle);
    b.key("A", SoftKey::Exit);
    b.press_idle("A");
    b.look_away();
    b.key("A", SoftKey::Dial);
    b.expect_at_phones(&["dial 1002 from A/1001, overriding forwarding (1-1)"]);
}

#[test]
fn a_key_of_a_screen_about_another_request_brings_the_right_screen() {
    let mut b = waiting();
    let other = RequestId { epoch: Epoch(1), number: 9 };
    for key in [SoftKey::Cancel, SoftKey::Dial] {
        for about in [None, Some(other)] {
            b.key_about("A", key, about);
            b.expect(&[
                "notice: ignored: a softkey of a screen that is out of date",
                "show A: Activated 1002 (1-1)",
            ]);
        }
    }
    assert_eq!(b.engine.pending(), 1);
}

#[test]
fn r23_a_screen_about_something_else_stays_when_the_request_ends() {
    let mut b = waiting();
    b.press("A", "1001", Busy);
    b.hang_up("A");
    b.look_away();
    // *Cannot* is up: one cannot call oneself back.
    b.wait_secs(45 * 60);
    b.expect(&["remove 1-1", "notice: 1-1 ended: Expired", "close A/1001", "close B/1002", "close B"]);
    b.key("A", SoftKey::Exit);
    b.expect(&["clear A", "close A"]);
}

#[test]
fn r23_a_key_of_a_screen_that_is_about_to_go_does_not_make_it_go_before_the_end_is_on_record() {
    let mut b = waiting();
    let id = b.id_of("A");
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Cancel);
    b.look_away();
    b.key_about("A", SoftKey::Cancel, Some(id));
    b.expect(&["notice: ignored: a softkey of a screen that is out of date"]);
    b.store_writes();
    b.expect(&["clear A", "close A"]);
}

#[test]
fn what_is_told_of_a_phone_that_is_not_open_is_not_remembered() {
    let mut b = Bench::new();
    b.directory = Directory::Slow;
    b.press("A", "1002", Busy);
    b.look_away();
    b.give(Input::Device { device: device("A"), state: DeviceState::OutOfService });
    b.directory_answers();
    b.expect_at_phones(&["show A: Activated 1002 (1-1)"]);
}

#[test]
fn dial_on_a_screen_that_is_not_available_any_more() {
    let mut b = waiting();
    let id = b.id_of("A");
    b.key_about("A", SoftKey::Dial, Some(id));
    b.expect(&["notice: ignored: Dial, but the request is not notified", "show A: Activated 1002 (1-1)"]);
}

#[test]
fn a_key_without_a_request_takes_the_old_screen_away() {
    let mut b = Bench::new();
    b.press_idle("A");
    b.look_away();
    b.key("A", SoftKey::Cancel);
    b.expect(&["notice: ignored: a softkey of a screen that is out of date", "clear A", "close A"]);
}

#[test]
fn a_key_of_an_unknown_phone_is_ignored() {
    let mut b = Bench::new();
    for key in [SoftKey::Dial, SoftKey::Cancel, SoftKey::Exit, SoftKey::Ok] {
        b.key("X", key);
        b.expect(&["notice: ignored: a softkey of a phone that has no screen of ours"]);
    }
}

#[test]
fn ok_after_another_screen_took_the_place_of_the_question_replaces_nothing() {
    let mut b = waiting();
    b.press("A", "1003", Busy);
    b.hang_up("A");
    b.line("B", Idle);
    b.look_away();
    b.key("A", SoftKey::Ok);
    b.expect(&["notice: ignored: OK, but nothing was proposed", "show A: Available 1002 at 0s (1-1)"]);
}

#[test]
fn a_lost_screen_is_sent_again_with_the_phones_next_sign_of_life() {
    let mut b = waiting();
    b.give(Input::ScreenLost(device("A")));
    b.expect_nothing();
    b.busy("A");
    b.expect(&["show A: Activated 1002 (1-1)"]);
    b.idle("A");
    b.expect_nothing();
}

#[test]
fn r23_a_lost_screen_of_a_request_that_has_ended_is_not_sent_again() {
    let mut b = waiting();
    b.give(Input::ScreenLost(device("A")));
    b.store_is(Store::Slow);
    b.key("A", SoftKey::Cancel);
    b.look_away();
    b.busy("A");
    b.expect_nothing();
    b.store_writes();
    b.expect(&["clear A", "close A"]);
}

#[test]
fn a_screen_taken_away_in_vain_is_taken_away_again() {
    let mut b = waiting();
    b.key("A", SoftKey::Exit);
    b.give(Input::ScreenLost(device("A")));
    b.look_away();
    b.busy("A");
    b.expect(&["clear A"]);
}

#[test]
fn a_screen_waits_for_the_phone_while_the_link_is_down() {
    let mut b = waiting();
    b.lose_link();
    b.press_idle("A");
    b.expect(&["key accepted"]);
    b.regain_link();
    b.expect(&["show A: Activated 1002 (1-1)"]);
}

#[test]
fn r44_screens_that_arrived_are_not_sent_again_over_a_new_link() {
    let mut b = waiting();
    b.lose_link();
    b.regain_link();
    b.expect_nothing();
}

#[test]
fn r23_a_screen_that_cannot_be_taken_away_now_keeps_the_phone_open_until_it_is() {
    let mut b = waiting();
    b.lose_link();
    b.key("A", SoftKey::Cancel);
    b.expect(&["remove 1-1", "notice: 1-1 ended: Cancelled", "close A/1001", "close B/1002", "close B"]);
    b.regain_link();
    b.expect(&["clear A", "close A"]);
    b.expect_all_closed();
}

#[test]
fn a_phone_can_be_caller_and_called() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.line("A", InUse);
    b.waits("A", "1002", Busy);
    b.press("B", "1001", Busy);
    b.hang_up("B");
    b.key("B", SoftKey::Exit);
    b.look_away();
    b.line("A", Idle);
    b.expect_at_phones(&["show B: Available 1001 at 0.001s (1-2)", "alert B 1-2#1"]);
    b.unregister("B");
    b.line("B", Idle);
    b.expect_at_phones(&[]);
    b.register("B");
    b.expect_at_phones(&["show A: Available 1002 at 0.001s (1-1)", "alert A 1-1#1"]);
}
