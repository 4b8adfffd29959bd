//! Random schedules of faults: a short run of what `cargo run --release -p ringback-examples --example schedules` does at
//! length, and the proof that it would find out if a protection were missing.

use ringback_scenario::schedule::{Engine, Options, Plant, Strikes, play};

/// So many schedules are played each time.
const SEEDS: u64 = 250;
/// A protection that is switched off is found out within so many schedules.
const FOUND_WITHIN: u64 = 300;

#[test]
fn random_schedules_keep_every_promise() {
    let mut failed = Vec::new();
    let mut happened = Vec::new();
    for seed in 1..=SEEDS {
        let options = Options::default();
        let played = play(seed, options).unwrap();
        if let Some(violation) = played.violation {
            failed.push(format!("seed {seed}: {violation}\n    {}", options.command(seed)));
        }
        happened.push(played.counts);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let sum = happened.into_iter().reduce(|sum, counts| sum + counts).unwrap();
    assert!(
        sum.requests > 500 && sum.alerts > 200 && sum.in_doubt > 0 && sum.dials > 50 && sum.epochs > 500,
        "schedules in which little happens prove little: {sum:?}"
    );
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    let options = Options { log: true, ..Options::default() };
    for seed in [3, 33] {
        assert_eq!(play(seed, options).unwrap(), play(seed, options).unwrap(), "seed {seed}");
    }
}

#[test]
fn schedules_at_a_database_server_that_fails_keep_every_promise() {
    let options = Options { engine: Engine::Postgres, ..Options::default() };
    let (mut failed, mut strikes) = (Vec::new(), Strikes::default());
    for seed in 1..=SEEDS {
        let played = play(seed, options).unwrap();
        if let Some(violation) = played.violation {
            failed.push(format!("seed {seed}: {violation}\n    {}", options.command(seed)));
        }
        strikes.extend(played.strikes.iter());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let all = [
        "all sessions ended",
        "links reset",
        "restarts",
        "promotions of a standby",
        "statement time-outs",
        "notification lost",
        "steps of the clock",
        "answers that never came",
        "writes that the server never did",
        "writes that the server gave up",
        "writes done after their session was lost",
        "late writes that were refused",
    ];
    for what in all {
        assert!(strikes.of(what) > 0, "{what}: never");
    }
}

/// Switches a protection off and plays until a promise is broken; which one.
fn broken_without(plant: Plant) -> Option<&'static str> {
    let engine = if plant.needs_server() { Engine::Postgres } else { Engine::Memory };
    let options = Options { plant: Some(plant), log: false, engine };
    let mut seeds = 1..=FOUND_WITHIN;
    seeds.find_map(|seed| play(seed, options).ok()?.violation).map(|violation| violation.invariant)
}

#[test]
fn without_fencing_old_epochs_have_effects() {
    assert_eq!(broken_without(Plant::Fencing), Some("only the newest epoch has effects"));
}

#[test]
fn without_the_margin_an_instance_outlives_its_lease() {
    assert_eq!(broken_without(Plant::LeaseMargin), Some("an instance acts only under its lease"));
}

#[test]
fn without_standing_down_an_instance_outlives_its_lease() {
    assert_eq!(broken_without(Plant::StandDown), Some("an instance acts only under its lease"));
}

#[test]
fn without_the_alert_id_alerts_are_played_twice() {
    assert_eq!(broken_without(Plant::AlertId), Some("an alert is played once, and not after the end"));
}

#[test]
fn without_durability_activated_is_a_lie() {
    assert_eq!(
        broken_without(Plant::Durability),
        Some("an accepted request is on record until it ends for a reason")
    );
}

#[test]
fn without_the_fence_between_sessions_what_comes_late_undoes_what_came_after() {
    assert!(broken_without(Plant::SessionFence).is_some());
}

#[test]
fn without_a_synchronous_standby_what_was_confirmed_is_lost() {
    assert!(broken_without(Plant::SynchronousStandby).is_some());
}

#[test]
fn a_server_clock_that_is_stepped_ends_leases_unseen() {
    assert_eq!(broken_without(Plant::SlewedClock), Some("an instance acts only under its lease"));
}
