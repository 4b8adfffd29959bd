//! Plays random schedules of faults: `schedules --seeds 1..10000`, `schedules --seed 17 --log`. With `--store postgres` the
//! database fails as a PostgreSQL does, too, and how often what struck is told.
//!
//! One line for each schedule that breaks a promise, with the command that repeats it; at the end `N passed, N failed`. The
//! exit status is 0 if none failed, 1 if one failed, 2 if none could be played.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use ringback_scenario::schedule::{Counts, Engine, Options, Plant, Played, Strikes, play};

/// Plays random schedules of faults in simulated time.
#[derive(Parser)]
struct Arguments {
    /// The seeds, first and last.
    #[arg(long, value_name = "FIRST..LAST", value_parser = seeds, default_value = "1..1000")]
    seeds: RangeInclusive<u64>,
    /// This one alone.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Tell the story.
    #[arg(long, requires = "seed")]
    log: bool,
    /// What fails beside instances and links: `memory`, a store that stops, is slow and loses answers; `postgres`, that and
    /// what a server does: sessions ended, links reset, restarts, a standby promoted, time-outs, notification lost, its clock
    /// stepped.
    #[arg(long, value_name = "STORE", value_parser = engine, default_value = "memory")]
    store: Engine,
    /// Switch a protection off: the schedules must find out.
    #[arg(long, value_name = "PROTECTION", value_parser = plant)]
    without: Option<Plant>,
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let expected = || "expected FIRST..LAST, for example 1..1000".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(expected)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| expected());
    Ok(number(first)?..=number(last)?)
}

fn engine(text: &str) -> Result<Engine, &'static str> {
    match text {
        "memory" => Ok(Engine::Memory),
        "postgres" => Ok(Engine::Postgres),
        _ => Err("expected memory or postgres"),
    }
}

fn plant(text: &str) -> Result<Plant, String> {
    let words: Vec<&str> = Plant::ALL.iter().map(|plant| plant.word()).collect();
    let found = Plant::ALL.into_iter().find(|plant| plant.word() == text);
    let found = found.ok_or_else(|| format!("expected one of {}", words.join(", ")))?;
    if found.needs_feature() && !cfg!(feature = "planted") {
        return Err("run with --features planted to switch this off".to_owned());
    }
    Ok(found)
}

/// What came of all of them.
#[derive(Default)]
struct Sum {
    passed: u64,
    failed: u64,
    counts: Counts,
    strikes: Strikes,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options = Options { plant: arguments.without, log: arguments.log, engine: arguments.store };
    if options.engine == Engine::Memory && options.plant.is_some_and(Plant::needs_server) {
        eprintln!("run with --store postgres to switch this off");
        return ExitCode::from(2);
    }
    let seeds = arguments.seed.map_or(arguments.seeds, |seed| seed..=seed);
    let next = AtomicU64::new(*seeds.start());
    let sum = Mutex::new(Sum::default());
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > *seeds.end() {
                        return;
                    }
                    match play(seed, options) {
                        Ok(played) => tell(seed, options, &played, &sum),
                        Err(error) => return eprintln!("seed {seed} cannot be played: {error}"),
                    }
                }
            });
        }
    });
    let Ok(sum) = sum.into_inner() else { return ExitCode::from(2) };
    let Counts { requests, alerts, in_doubt, dials, epochs } = sum.counts;
    println!("{requests} requests, {alerts} alerts, {in_doubt} in doubt, {dials} dials, {epochs} epochs");
    sum.strikes.iter().for_each(|(what, times)| println!("{what}: {times}"));
    println!("{} passed, {} failed", sum.passed, sum.failed);
    match (sum.passed, sum.failed) {
        (0, 0) => ExitCode::from(2),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn tell(seed: u64, options: Options, played: &Played, sum: &Mutex<Sum>) {
    let Ok(mut sum) = sum.lock() else { return };
    for line in &played.story {
        println!("{line}");
    }
    match &played.violation {
        None => sum.passed += 1,
        Some(violation) => {
            sum.failed += 1;
            println!("seed {seed}: {violation}");
            println!("    {}", options.command(seed));
        }
    }
    sum.counts = sum.counts + played.counts;
    sum.strikes.extend(played.strikes.iter());
}
