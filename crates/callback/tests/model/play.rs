//! Plays histories on both sides, and shrinks those in which the sides differ.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use ringback_callback::Fault;

use crate::compare::difference;
use crate::coverage::Coverage;
use crate::driver::Driver;
use crate::history::{Histories, is_possible};
use crate::reference::Reference;
use crate::step::Step;

/// How many steps a history has.
pub(crate) const STEPS: usize = 200;

/// The engine against the reference.
pub(crate) struct Against;

impl StateMachineTest for Against {
    type SystemUnderTest = Driver;
    type Reference = Histories;

    fn init_test(_: &Reference) -> Driver {
        Driver::new(None)
    }

    fn apply(mut driver: Driver, after: &Reference, step: Step) -> Driver {
        driver.take(step, after);
        if let Some(difference) = difference(&driver, after) {
            panic!("after {step:?}: {difference}");
        }
        driver
    }
}

/// The histories of a seed, one after the other.
pub(crate) fn histories(seed: u64) -> TestRunner {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Plays the first `count` histories of a seed; shows a shrunk one if the sides differ.
pub(crate) fn run(seed: u64, count: u32) -> Coverage {
    let (mut runner, mut coverage) = (histories(seed), Coverage::default());
    let strategy = Histories::sequential_strategy(STEPS..=STEPS);
    for n in 0..count {
        let (_, steps, _) = strategy.new_tree(&mut runner).unwrap().current();
        if let Err((_, difference)) = play(&steps, None, &mut coverage) {
            let (steps, _) = shrink(steps, None);
            panic!("seed {seed}, history {n}: {difference}\nshrunk: {steps:?}");
        }
    }
    coverage
}

/// Plays the histories of a seed with a planted mistake until the sides differ; how many were needed, and the shrunk
/// one.
pub(crate) fn find(fault: Fault, seed: u64, at_most: u32) -> Option<(u32, Vec<Step>, String)> {
    let (mut runner, mut coverage) = (histories(seed), Coverage::default());
    let strategy = Histories::sequential_strategy(STEPS..=STEPS);
    for n in 1..=at_most {
        let (_, steps, _) = strategy.new_tree(&mut runner).unwrap().current();
        if play(&steps, Some(fault), &mut coverage).is_err() {
            let (steps, difference) = shrink(steps, Some(fault));
            return Some((n, steps, difference));
        }
    }
    None
}

/// Plays a history; after how many steps the sides differ, and in what.
fn play(steps: &[Step], fault: Option<Fault>, coverage: &mut Coverage) -> Result<(), (usize, String)> {
    let mut reference = Reference::new();
    let mut driver = Driver::new(fault);
    for (n, step) in steps.iter().enumerate() {
        if !is_possible(&reference, *step) {
            continue;
        }
        reference.take(*step);
        coverage.count(&reference.moves);
        // The bench complains by itself of what is opened twice, or shown on a phone that is not open.
        let found = catch_unwind(AssertUnwindSafe(|| {
            driver.take(*step, &reference);
            difference(&driver, &reference)
        }));
        let found = found.unwrap_or_else(|panic| {
            Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".to_owned()))
        });
        if let Some(difference) = found {
            return Err((n, format!("after {step:?}: {difference}")));
        }
    }
    Ok(())
}

/// A short history in which the sides differ: steps are left out as long as they still do.
fn shrink(mut steps: Vec<Step>, fault: Option<Fault>) -> (Vec<Step>, String) {
    let mut coverage = Coverage::default();
    let mut difference = String::new();
    loop {
        let before = steps.len();
        for i in (0..before).rev() {
            let mut fewer = steps.clone();
            if i < fewer.len() {
                fewer.remove(i);
            }
            if let Err((n, text)) = play(&fewer, fault, &mut coverage) {
                fewer.truncate(n + 1);
                steps = fewer;
                difference = text;
            }
        }
        if steps.len() == before {
            return (steps, difference);
        }
    }
}
