//! The session against a hostile CTIManager, judged by a naive reference.
//!
//! A history is a list of at least 200 [`Act`](act::Act)s: what the application asks for, what the far side sends (late,
//! twice, never, out of order, with wrong numbers and wrong types, in halves, as garbage), what the network does, and how
//! time goes on. The [`Bench`](bench::Bench) does each to the production session and tells the
//! [`Reference`](reference::Reference), which says what must come out: whom to connect to and when, when a link is
//! lost, the one outcome of each command, heartbeats, silence. What is open is judged by [`Belief`](belief::Belief).
//! At the end the CTIManager turns honest, and everything that is wanted must be open there.
//!
//! The long run, with the number of histories in `PROPTEST_CASES`:
//!
//! ```text
//! PROPTEST_CASES=100000 cargo test --release -p ringback-cti --test hostile -- --ignored
//! ```
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod act;
mod belief;
mod bench;
mod honest;
mod reference;
mod wire;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

use act::{Act, act};
use bench::Bench;

fn play(history: &[Act]) {
    let mut bench = Bench::new();
    for act in history {
        bench.act(act);
    }
    bench.end();
}

fn histories() -> impl Strategy<Value = Vec<Act>> {
    vec(act(), 200..260)
}

proptest! {
    #![proptest_config(Config { cases: 256, ..Config::default() })]

    #[test]
    fn whatever_the_ctimanager_does(history in histories()) {
        play(&history);
    }
}

proptest! {
    #[test]
    #[ignore = "a long run: see the top of this file"]
    fn whatever_the_ctimanager_does_for_long(history in histories()) {
        play(&history);
    }
}
