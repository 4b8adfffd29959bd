//! The engine against a naive reference, which is written from the requirement: random histories of phones, users,
//! lines, links, stores, directories and crashes, compared after every step.
//!
//! The long run, 100 000 histories of 200 steps, each transition of a request at least 1 000 times:
//!
//! ```text
//! cargo test --release -p ringback-callback --test model -- --ignored --nocapture
//! ```
//!
//! Seen on a busy machine of 2 cores: 162 s, no difference; the rarest transition, *being saved* to *ended: user changed*,
//! 3 191 times.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code")]

mod cast;
mod compare;
mod coverage;
mod driver;
#[path = "../harness/mod.rs"]
mod harness;
mod history;
mod planted;
mod play;
mod reference;
mod step;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, prop_state_machine};

use crate::coverage::Coverage;
use crate::history::Histories;
use crate::play::{Against, histories, run};

prop_state_machine! {
    #![proptest_config(Config { cases: 50, rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..Config::default() })]

    /// As the library plays them: a difference is shrunk and shown.
    #[test]
    fn no_difference_in_a_few_histories(sequential 200..=200 => Against);
}

/// The same histories in every run.
#[test]
fn no_difference_and_every_transition_in_fixed_histories() {
    let coverage = run(1, 250);
    println!("{}", coverage.table());
    assert_eq!(coverage.rarer_than(1), []);
}

/// The long run; see above for the command.
#[test]
#[ignore = "takes many minutes"]
fn no_difference_in_100_000_histories_and_every_transition_1_000_times() {
    let workers = 2;
    let parts = (0..workers).map(|n| std::thread::spawn(move || run(1_000 + n, 100_000 / workers as u32)));
    let mut coverage = Coverage::default();
    for part in parts.collect::<Vec<_>>() {
        coverage.add(part.join().unwrap());
    }
    println!("{}", coverage.table());
    assert_eq!(coverage.rarer_than(1_000), []);
}

/// A history is a function of its seed: what was found is found again.
#[test]
fn histories_are_repeated_by_their_seed() {
    let first = |seed| {
        let mut runner: TestRunner = histories(seed);
        let strategy = Histories::sequential_strategy(20..=20);
        strategy.new_tree(&mut runner).unwrap().current().1
    };
    assert_eq!(first(7), first(7));
    assert_ne!(first(7), first(8));
}
