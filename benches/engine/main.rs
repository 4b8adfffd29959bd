//! What an event costs the engine while so many requests are pending, and what a pending request costs in memory.
//!
//! **One event** is one call of `Engine::handle` with one input that was made beforehand; what it puts out is looked at and
//! dropped. The figure is the mean over the six events of one use of a called line (`scripts::Uses::run`): B on hook,
//! saved, alert played, saved, B off hook, saved. Four of the six put something out. Lines follow one another at
//! random: between two things that B does there are those of up to 100 000 other lines, so that no line is found in a
//! cache of the processor; what follows from an event comes after that of 32 other lines, as from a store that makes
//! so many durable at once.
//!
//! What is measured is the time of the processor, not that of the clock.
//!
//! Beside it, in the same run, the **yardstick**: the least that any engine would do for an event, which is one look-up
//! in a hash map of that size (same key, same hasher, a line at random) and one push to a heap of that size.
//!
//! The figures by kind of event that follow are medians of a few rounds, each kind for up to 100 000 lines one after the
//! other: every single one of those events finds its line out of the caches.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

mod scripts;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use foldhash::fast::FixedState;
use ringback_benches::{Counting, count};
use ringback_model::LineId;

use crate::scripts::{Laps, Uses, others, time};
use crate::world::{World, called};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 3] = [1, 1_000, 1_000_000];
const ENGINE: &str = "engine";
const YARDSTICK: &str = "look-up and push";
/// Events between two looks at the clock, at least.
const ROUND: usize = 1_000;
/// Lines between two events of the same line, at most.
const LINES: usize = 100_000;

/// All lines, in an order without a pattern that a processor could foresee.
struct Shuffled {
    pending: usize,
    next: usize,
}

impl Shuffled {
    fn some(&mut self) -> Vec<usize> {
        let count = self.pending.min(LINES);
        (0..count)
            .map(|_| {
                self.next = (self.next + 618_033) % self.pending;
                self.next
            })
            .collect()
    }
}

/// Nanoseconds an event, one for each round.
type Samples = RefCell<BTreeMap<(&'static str, usize), Vec<f64>>>;

/// Lets criterion ask for any number of events, and measures whole rounds.
fn rounds(
    samples: &Samples,
    key: (&'static str, usize),
    iterations: u64,
    mut round: impl FnMut() -> (Duration, usize),
) -> Duration {
    let (mut took, mut events) = (Duration::ZERO, 0);
    while events < iterations as usize {
        let (round_took, round_events) = round();
        samples.borrow_mut().entry(key).or_default().push(round_took.as_nanos() as f64 / round_events as f64);
        took += round_took;
        events += round_events;
    }
    took.mul_f64(iterations as f64 / events as f64)
}

fn measure(criterion: &mut Criterion, pending: usize, samples: &Samples, kinds: &mut BTreeMap<usize, Laps>) {
    let mut world = World::new(pending);
    let held = count(|| world.fill()).held();
    samples.borrow_mut().insert(("bytes", pending), vec![held as f64 / pending as f64]);

    let mut shuffled = Shuffled { pending, next: 0 };
    let mut group = criterion.benchmark_group("an event");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    group.bench_function(BenchmarkId::new(ENGINE, pending), |bencher| {
        bencher.iter_custom(|iterations| {
            rounds(samples, (ENGINE, pending), iterations, || {
                let uses = || Uses::new(&shuffled.some());
                let round: Vec<Uses> = std::iter::repeat_with(uses).take(ROUND.div_ceil(pending)).collect();
                let mut events = 0;
                let took = time(|| events = round.into_iter().map(|uses| uses.run(&mut world)).sum());
                (took, events)
            })
        });
    });

    let map: HashMap<LineId, usize, FixedState> =
        (0..pending).map(|number| (called(number).line, number)).collect();
    // Moments without order, as the map's are lines without order.
    let moment = |number: usize| (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
    let full: Vec<(u64, usize)> = (0..pending).map(|number| (moment(number), number)).collect();
    group.bench_function(BenchmarkId::new(YARDSTICK, pending), |bencher| {
        bencher.iter_custom(|iterations| {
            rounds(samples, (YARDSTICK, pending), iterations, || {
                let mut lines = Vec::new();
                while lines.len() < ROUND {
                    lines.extend(shuffled.some().into_iter().map(|number| called(number).line));
                }
                let events = lines.len();
                let mut heap = BinaryHeap::from(full.clone());
                let took = time(|| {
                    for line in lines {
                        let found = map.get(&line).copied().unwrap_or_default();
                        heap.push((moment(found.wrapping_add(pending)), found));
                    }
                });
                black_box(heap);
                (took, events)
            })
        });
    });
    group.finish();

    if pending >= ROUND {
        let laps = kinds.entry(pending).or_default();
        for _ in 0..5 {
            Uses::new(&shuffled.some()).run_timed(&mut world, laps);
            others(&mut world, &shuffled.some(), laps);
        }
    }
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn report(samples: &Samples, kinds: &BTreeMap<usize, Laps>) {
    let samples = samples.borrow();
    let figure = |what, pending| samples.get(&(what, pending)).map_or(f64::NAN, |all| median(all));
    let [one, thousand, million] = SIZES;
    println!("\n{:54} {:>10} {:>10} {:>10}", "pending requests", one, thousand, million);
    for (what, name) in [(ENGINE, "engine, ns an event"), (YARDSTICK, "one look-up and one push, ns")] {
        let [a, b, c] = SIZES.map(|pending| figure(what, pending));
        println!("{name:54} {a:>10.0} {b:>10.0} {c:>10.0}");
    }
    let [a, b, c] = SIZES.map(|pending| figure(ENGINE, pending) / figure(YARDSTICK, pending));
    println!("{:54} {a:>10.1} {b:>10.1} {c:>10.1}   at most 5", "engine : yardstick");
    let growth = figure(ENGINE, million) / figure(ENGINE, thousand);
    println!("{:54} {growth:>32.1}   at most 3", "engine : engine at 1 000");
    let bytes = figure("bytes", million);
    println!("{:54} {bytes:>32.0}   at most 400", "bytes a pending request");
    println!("\n{:54} {:>10} {:>10} {:>10}", "ns an event, by kind", "", thousand, million);
    let none = Laps::default();
    let [few, many] = [thousand, million].map(|pending| kinds.get(&pending).unwrap_or(&none));
    for (kind, all) in &few.0 {
        let million = many.0.get(kind).map_or(f64::NAN, |all| median(all));
        println!("{kind:54} {:>10} {:>10.0} {million:>10.0}", "", median(all));
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (samples, mut kinds) = (Samples::default(), BTreeMap::new());
    for pending in SIZES {
        measure(&mut criterion, pending, &samples, &mut kinds);
    }
    report(&samples, &kinds);
    criterion.final_summary();
}
