//! The mistakes that others have made (section 10 of the requirement), planted one by one: each is found. Without this,
//! histories without a difference prove nothing.
//!
//! The language of the caller, lost on the recall, is no matter of the engine: it names the phone and the view, and the
//! language is that of the phone at the moment of each screen (planted in `crates/ringback/tests/service/planted.rs`).
//! What goes wrong between instances is planted in `crates/election/tests/model/protections.rs`.

use ringback_callback::Fault;

use crate::play::find;

fn is_found(fault: Fault) {
    let found = find(fault, 2, 200);
    let Some((histories, steps, difference)) = found else { panic!("{fault:?} is not found") };
    println!(
        "{fault:?}: found in history {histories}, shrunk to {} steps: {steps:?}\n  {difference}",
        steps.len()
    );
    assert!(steps.len() < 20, "not shrunk: {steps:#?}");
}

#[test]
fn a_global_limit_that_is_compared_but_never_counted() {
    is_found(Fault::LimitNotCounted);
}

#[test]
fn a_time_out_added_in_the_wrong_unit() {
    is_found(Fault::DurationInAnotherUnit);
}

#[test]
fn a_recall_though_a_second_call_is_still_up() {
    is_found(Fault::SecondCallIgnored);
}

#[test]
fn the_next_caller_never_served_after_the_first_ignored_the_recall() {
    is_found(Fault::NextNeverServed);
}

#[test]
fn a_caller_called_twice() {
    is_found(Fault::CalledTwice);
}

#[test]
fn events_lost_while_the_link_was_down() {
    is_found(Fault::LostWithTheLink);
}
