//! Bugs found in other implementations of call completion, not to be repeated.

use ringback_callback::Occupancy::{Idle, InUse};
use ringback_callback::Parameters;
use ringback_callback::PressedDuring::{Busy, NoAnswer};
use ringback_model::Millis;

use crate::harness::Bench;

#[test]
fn a_global_limit_that_is_compared_but_never_counted() {
    let mut b = Bench::with(Parameters { max_in_all: 2, ..Default::default() });
    for (name, number) in [("A", "1002"), ("C", "1004"), ("E", "1001")] {
        b.press(name, number, NoAnswer);
    }
    assert_eq!(b.engine.pending(), 2);
}

#[test]
fn a_time_out_added_in_the_wrong_unit() {
    let p = Parameters::default();
    assert_eq!(p.recall_timer, Millis(20_000));
    assert_eq!(p.busy_duration, Millis(45 * 60 * 1000));
    assert_eq!(p.no_answer_duration, Millis(180 * 60 * 1000));
    let mut b = Bench::with(Parameters { busy_duration: Millis::from_mins(15), ..p });
    b.press("A", "1002", Busy);
    let record = b.engine.request_of(&crate::harness::device("A")).unwrap();
    assert_eq!(record.expires, Some(record.since + Millis(900_000)));
}

#[test]
fn a_recall_though_a_second_call_is_still_up() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    // The first of B's two calls ends, the second one goes on.
    b.line("B", InUse);
    b.expect_nothing();
    b.line("B", Idle);
    assert!(b.out().contains(&"alert A 1-1#1".to_owned()));
}

#[test]
fn the_next_caller_never_served_after_the_first_ignored_the_recall() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.waits("C", "1002", Busy);
    b.line("B", Idle);
    b.wait_secs(20);
    assert!(b.out().contains(&"alert C 1-2#1".to_owned()));
}

#[test]
fn a_caller_called_twice() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    // Told of again and again; read anew over another link; taken over by another instance.
    b.line("B", Idle);
    b.idle("A");
    b.lose_link();
    b.regain_link();
    b.restart();
    b.wait_secs(3600);
    assert_eq!(b.out().iter().filter(|line| line.starts_with("alert")).count(), 1);
}

#[test]
fn events_lost_while_the_link_was_down() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.lose_link();
    b.line("B", Idle);
    b.expect_at_phones(&[]);
    b.regain_link();
    assert!(b.out().contains(&"alert A 1-1#1".to_owned()));
}
