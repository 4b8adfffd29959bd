//! The promises of the crate under random delays, losses, pauses, cuts, crashes, joins and drifting clocks; and the
//! proof that each protection is needed: without it the same stories end badly.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use proptest::prelude::*;
use ringback_election::Parameters;
use ringback_election::planted::{Fault as Off, Planted};
use world::{Fault, Schedule, World};

fn play(schedule: &Schedule, parameters: Parameters, planted: &Planted) -> Result<(), String> {
    World::new(schedule.seed, schedule.hosts, parameters, planted).play(schedule)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn never_two_and_in_the_end_the_lowest(schedule in Schedule::any()) {
        let told = play(&schedule, Parameters::default(), &Planted::default());
        prop_assert_eq!(told, Ok(()));
    }
}

#[test]
fn random_stories_by_seed() {
    for seed in 0..60 {
        let told = play(&Schedule::random(seed), Parameters::default(), &Planted::default());
        assert_eq!(told, Ok(()), "seed {seed}: play(&Schedule::random({seed}), ..) repeats it");
    }
}

/// Run it with `cargo test --release -p ringback-election --test schedules -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_stories_by_seed() {
    let mut activations = 0;
    for seed in 1000..11_000 {
        let schedule = Schedule::random(seed);
        let mut world = World::new(seed, schedule.hosts, Parameters::default(), &Planted::default());
        assert_eq!(
            world.play(&schedule),
            Ok(()),
            "seed {seed}: play(&Schedule::random({seed}), ..) repeats it"
        );
        activations += world.activations;
    }
    println!("10000 stories, {activations} activations");
}

/// Plays stories without one protection until one ends in this harm.
fn is_needed(off: Off, harm: &str) {
    let planted = Planted::only(off);
    let harmed = (0..400).any(|seed| {
        let told = play(&Schedule::random(seed), Parameters::default(), &planted);
        told.is_err_and(|told| told.contains(harm))
    });
    assert!(harmed, "without it nothing happens: {off:?}");
}

#[test]
fn without_the_margin_an_effect_is_late() {
    is_needed(Off::NoMargin, "outside");
}

#[test]
fn without_standing_down_it_acts_when_another_may() {
    is_needed(Off::NoStandDown, "outside");
}

#[test]
fn without_raising_the_epoch_an_old_effect_is_taken() {
    is_needed(Off::EpochNotRaised, "of a replaced instance was taken");
}

#[test]
fn a_lease_counted_from_the_answer_is_too_long() {
    is_needed(Off::CountFromAnswer, "outside");
}

#[test]
fn a_registry_that_ignores_leases_is_noticed() {
    is_needed(Off::LeaseIgnored, "outside");
}

#[test]
fn a_whole_cluster_starts_with_one_hand_over_at_most() {
    for seed in 0..100 {
        let mut world = World::new(seed, 4, Parameters::default(), &Planted::default());
        for index in [3, 1, 0, 2] {
            world.apply(Fault::Start(index)).unwrap();
            world.pass(seed % 30).unwrap();
        }
        world.pass(3000).unwrap();
        assert!(world.may_act(0), "seed {seed}");
        assert!(world.activations <= 2, "seed {seed}: {} activations", world.activations);
        world.pass(10_000).unwrap();
        assert!(world.may_act(0) && world.activations <= 2, "seed {seed}: it flaps");
    }
}

/// Three instances of which the first acts; then this happens. How long nobody acts, and who does then.
fn interruption(seed: u64, fault: Fault) -> (u64, usize) {
    let mut world = World::new(seed, 3, Parameters::default(), &Planted::default());
    let first = if matches!(fault, Fault::Start(0)) { 1 } else { 0 };
    for index in first..3 {
        world.apply(Fault::Start(index)).unwrap();
    }
    world.pass(4000 + seed).unwrap();
    assert!(world.may_act(first), "seed {seed}");
    world.apply(fault).unwrap();
    let (mut nobody, mut by) = (0, first);
    for _ in 0..5000 {
        match (0..3).find(|index| world.may_act(*index)) {
            Some(index) => by = index,
            None => nobody += 1,
        }
        world.pass(1).unwrap();
    }
    (nobody, by)
}

#[test]
fn how_long_nobody_acts() {
    // Some services here never say that they have drained: after such a one, nobody acts for the margin.
    let cases = [
        ("killed, not proven", Fault::Kill(0, false), 1, 2100),
        ("cut off", Fault::Cut(0), 1, 800),
        ("paused", Fault::Pause(0), 1, 800),
        ("killed, proven", Fault::Kill(0, true), 1, 100),
        ("stopped", Fault::Stop(0), 1, 800),
        ("a lower one joins", Fault::Start(0), 0, 800),
    ];
    for (name, fault, next, limit) in cases {
        let mut longest = 0;
        for seed in 0..30 {
            let (nobody, by) = interruption(seed, fault);
            assert_eq!(by, next, "{name}, seed {seed}");
            longest = longest.max(nobody);
        }
        println!("{name}: nobody for {longest} ms at most");
        assert!(longest <= limit, "{name}: {longest} ms");
    }
}
