//! Many phones, many requests, many calls.

mod caller;
mod count;
mod talker;

use std::sync::Arc;
use std::time::Duration;

use ringback_pbx_lab::{Phone, Release};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::count::Count;
use crate::office::{Office, Rules};
use crate::pair::{By, Pair};
use crate::say;
use crate::stage::{Failure, site, start};

/// Who waits for somebody.
const PAIRS: u32 = 200;

/// Two by two they call each other.
const TALKERS: u32 = 50;

/// Calls of talkers in a second.
const CALLS: u64 = 20;

/// Callees that become free in a second. Each of them means four calls more.
const FREE: u64 = 2;

/// How often it is said how things are.
const REPORT: Duration = Duration::from_secs(30);

pub(crate) async fn run(minutes: u32) -> Result<bool, Failure> {
    let numbers = |first: u32, count: u32| (first..first + count).map(|number| number.to_string());
    let phones = 2 * PAIRS + 2 * TALKERS;
    let server = start(Release::V22, &site(numbers(1000, phones))).await?;
    let rules = Rules { ring: Duration::from_secs(20), proof: Duration::ZERO };
    let office = Arc::new(Office::open(&server, rules).await?);
    let count = Arc::new(Count::default());
    let mut callers = Vec::new();
    // Not all in one moment.
    let mut begin = interval(Duration::from_micros(1_000_000 / CALLS));
    for (a, b) in numbers(1000, PAIRS).zip(numbers(1000 + PAIRS, PAIRS)) {
        let pair = Pair::register(&server, By::Us, &a, &b).await?;
        begin.tick().await;
        let (release, released) = mpsc::channel(1);
        callers.push(release);
        tokio::spawn(caller::serve(pair, Arc::clone(&count), released));
    }
    let mut talkers = Vec::new();
    let first = 1000 + 2 * PAIRS;
    for (from, to) in numbers(first, TALKERS).zip(numbers(first + TALKERS, TALKERS)) {
        let (from, to) = (Phone::register(&server, &from).await?, Phone::register(&server, &to).await?);
        let (call, called) = mpsc::channel(1);
        talkers.push(call);
        tokio::spawn(talker::serve(from, to, Arc::clone(&count), called));
    }
    count.until_waiting(PAIRS).await?;
    let stored = office.requests().await?.len();
    say(format_args!("{phones} phones are registered, {stored} requests are stored"));

    let begun = Instant::now();
    let end = begun + Duration::from_secs(60 * u64::from(minutes));
    let mut ticks = [
        interval(Duration::from_micros(1_000_000 / CALLS)),
        interval(Duration::from_micros(1_000_000 / FREE)),
    ];
    for tick in &mut ticks {
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    }
    let [calls, frees] = &mut ticks;
    let mut report = interval(REPORT);
    let (mut next_talker, mut next_caller) = (0, 0);
    let mut sizes = Vec::new();
    while Instant::now() < end {
        tokio::select! {
            _ = calls.tick() => next_free(&talkers, &mut next_talker),
            _ = frees.tick() => next_free(&callers, &mut next_caller),
            _ = report.tick() => {
                let size = resident(office.pid())?;
                sizes.push(size);
                let stored = office.requests().await?.len();
                let after = begun.elapsed().as_secs();
                say(format_args!("{after:3} s: {count}, {stored} requests stored, RSS of ringback {size:.1} MiB"));
            }
        }
    }
    drop((callers, talkers));
    count.until_waiting(0).await?;
    say(format_args!("in all: {count}"));
    say(count.latencies());
    let size = resident(office.pid())?;
    let early = sizes.get(1).or(sizes.first()).copied().unwrap_or_default();
    say(format_args!(
        "RSS of ringback: {early:.1} MiB after the first half minute, {size:.1} MiB at the end"
    ));
    let seconds = begun.elapsed().as_secs_f64();
    say(format_args!("{:.1} calls a second, begun by phones", f64::from(count.calls()) / seconds));
    Ok(count.is_good())
}

/// Tells the next one that is not busy; with all of them busy, nobody.
fn next_free(all: &[mpsc::Sender<()>], next: &mut usize) {
    for _ in 0..all.len() {
        *next = (*next + 1) % all.len();
        if all.get(*next).is_some_and(|one| one.try_send(()).is_ok()) {
            return;
        }
    }
}

/// The memory of a process, in MiB.
fn resident(pid: Option<u32>) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.ok_or("the service does not run")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
