//! The promises of the crate in long random stories with the default parameters, by the millisecond: delays, losses,
//! pauses, cuts, crashes, joins, clocks that run at different speeds. What `tests/model` proves in ticks and for a few
//! faults, this tries for many.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use proptest::prelude::*;
use world::{Fault, Schedule, World};

fn play(schedule: &Schedule) -> Result<(), String> {
    World::new(schedule.seed, schedule.hosts).play(schedule)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn never_two_and_in_the_end_the_lowest(schedule in Schedule::any()) {
        let told = play(&schedule);
        prop_assert_eq!(told, Ok(()));
    }
}

/// Run it with `cargo test --release -p ringback-election --test schedules -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_stories_by_seed() {
    let mut activations = 0;
    for seed in 1000..11_000 {
        let schedule = Schedule::random(seed);
        let mut world = World::new(seed, schedule.hosts);
        assert_eq!(world.play(&schedule), Ok(()), "seed {seed}: play(&Schedule::random({seed})) repeats it");
        activations += world.activations;
    }
    println!("10000 stories, {activations} activations");
}

#[test]
fn a_whole_cluster_starts_with_one_hand_over_at_most() {
    for seed in 0..100 {
        let mut world = World::new(seed, 4);
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
    let mut world = World::new(seed, 3);
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
