//! Queue policies of somebody else's.

use ringback_callback::Occupancy::{Idle, InUse, Ringing};
use ringback_callback::PressedDuring::Busy;
use ringback_callback::{Candidate, Engine, Input, Parameters, Phase, QueuePolicy};
use ringback_model::{Epoch, Group, RequestId};

use crate::harness::{Bench, text};

/// The latest caller first, two at a time.
#[derive(Debug)]
struct LatestTwo;

impl QueuePolicy for LatestTwo {
    fn choose(&self, turns: usize, candidates: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
        let mut all: Vec<_> = candidates.map(|candidate| candidate.request).collect();
        all.reverse();
        all.truncate(2_usize.saturating_sub(turns));
        all
    }
}

/// Names requests that are no candidates, that do not exist, and each of them twice.
#[derive(Debug)]
struct Nonsense;

impl QueuePolicy for Nonsense {
    fn choose(&self, _: usize, _: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
        (0..20).map(|n| RequestId { epoch: Epoch(1), number: n % 10 }).collect()
    }
}

/// Never chooses anybody.
#[derive(Debug)]
struct Nobody;

impl QueuePolicy for Nobody {
    fn choose(&self, _: usize, _: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
        Vec::new()
    }
}

fn four_wait(policy: impl QueuePolicy + 'static) -> Bench {
    let mut b = Bench::with_policy(policy);
    b.line("B", InUse);
    for name in ["A", "C", "D", "E"] {
        b.waits(name, "1002", Busy);
    }
    b
}

#[test]
fn a_policy_of_ones_own_decides_who_is_notified() {
    let mut b = four_wait(LatestTwo);
    b.line("B", Idle);
    b.expect_at_phones(&[
        "show E: Available 1002 at 0.004s (1-4)",
        "alert E 1-4#1",
        "show D: Available 1002 at 0.004s (1-3)",
        "alert D 1-3#1",
    ]);
    b.wait_secs(20);
    b.expect_at_phones(&[
        "show C: Available 1002 at 20.004s (1-2)",
        "alert C 1-2#1",
        "show A: Available 1002 at 20.004s (1-1)",
        "alert A 1-1#1",
    ]);
}

#[test]
fn a_policy_that_names_nonsense_alerts_nobody_twice_and_nobody_it_must_not() {
    let mut b = four_wait(Nonsense);
    // Waits for another line, which was in use and rings now.
    b.add_phone("F", &["1006"]);
    b.line("A", InUse);
    b.waits("F", "1001", Busy);
    b.line("A", Ringing);
    b.busy("C");
    b.line("B", Idle);
    assert_eq!(b.log.iter().filter(|output| text(output).contains("1-5")).count(), 0);
    b.expect_at_phones(&[
        "show A: Available 1002 at 0.005s (1-1)",
        "alert A 1-1#1",
        "show D: Available 1002 at 0.005s (1-3)",
        "alert D 1-3#1",
        "show E: Available 1002 at 0.005s (1-4)",
        "alert E 1-4#1",
    ]);
}

#[test]
fn a_policy_that_names_nobody_notifies_nobody() {
    let mut b = four_wait(Nobody);
    b.line("B", Idle);
    b.wait_secs(60);
    b.expect_nothing();
}

#[test]
fn a_turn_that_is_taken_over_goes_on_whomever_the_policy_would_choose_now() {
    let mut b = Bench::new();
    b.line("B", InUse);
    b.waits("A", "1002", Busy);
    b.line("B", Idle);
    b.stop();
    b.running = true;
    b.engine = Engine::new(Group::default(), Epoch(2), Parameters::default()).with_policy(Box::new(Nobody));
    b.give(Input::Restored(b.stored.values().cloned().collect()));
    assert!(matches!(b.phase_of("A"), Some(Phase::Turn { .. })));
}
