//! What an event costs the engine while so many requests are pending: B's line is used and left, the caller gets the turn,
//! and B's next use withdraws it. Beside it, in the same run, the least that any engine would do for an event: one
//! look-up in a hash map of that size and one push to a heap.
#![expect(clippy::unwrap_used, reason = "a program that measures")]

use std::collections::{BinaryHeap, HashMap};
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use foldhash::fast::FixedState;
use ringback_callback::{
    Cycle, DeviceState, Engine, Input, Kind, Occupancy, Output, Parameters, Phase, Record,
};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, RequestId, Timestamp,
};

fn line(number: usize) -> LineId {
    LineId::new(Partition::default(), DirectoryNumber::new(number.to_string()).unwrap())
}

fn appearance(kind: &str, number: usize) -> Appearance {
    Appearance { device: DeviceName::new(format!("{kind}{number}")).unwrap(), line: line(number) }
}

/// An engine in which caller N waits for the line of phone N, and nobody is available.
fn engine(pending: usize) -> Engine {
    let records = (0..pending).map(|number| Record {
        id: RequestId { epoch: Epoch(1), number: number as u64 + 1 },
        caller: appearance("caller", number),
        called: line(10_000_000 + number),
        dialled: DirectoryNumber::new((10_000_000 + number).to_string()).unwrap(),
        kind: Kind::NoAnswer,
        since: Timestamp(number as u64),
        expires: Some(Timestamp(u64::MAX)),
        origin: None,
        phase: Phase::Waiting,
        cycle: Some(Cycle::Untouched),
        alerts: 0,
        notified: None,
    });
    let mut engine = Engine::new(Group::default(), Epoch(2), Parameters::default());
    let mut out = Vec::new();
    engine.handle(Timestamp(0), Input::Restored(records.collect()), &mut out);
    let idle = DeviceState::InService { busy: false, do_not_disturb: false };
    for number in 0..pending {
        out.clear();
        let called = appearance("phone", 10_000_000 + number);
        let located = Input::Located { line: called.line.clone(), devices: vec![called.device.clone()] };
        engine.handle(Timestamp(0), located, &mut out);
        for device in [called.device.clone(), appearance("caller", number).device] {
            engine.handle(Timestamp(0), Input::Device { device, state: idle }, &mut out);
        }
        let free = Input::Line { at: called, occupancy: Occupancy::Idle, calls: Some(Vec::new()) };
        engine.handle(Timestamp(0), free, &mut out);
    }
    engine
}

/// One use of a line: off hook, on hook; what is saved is confirmed.
fn used(engine: &mut Engine, number: usize, out: &mut Vec<Output>) {
    let at = appearance("phone", 10_000_000 + number);
    for occupancy in [Occupancy::InUse, Occupancy::Idle] {
        out.clear();
        let event = Input::Line { at: at.clone(), occupancy, calls: None };
        engine.handle(Timestamp(1), event, out);
        for save in saves(out) {
            out.clear();
            engine.handle(Timestamp(1), Input::Saved(save), out);
        }
    }
}

fn saves(out: &[Output]) -> Vec<ringback_callback::SaveId> {
    let saves = out.iter().filter_map(|output| match output {
        Output::Save { save, .. } => Some(*save),
        _ => None,
    });
    saves.collect()
}

fn bench(criterion: &mut Criterion) {
    for pending in [1, 1_000, 1_000_000] {
        let mut engine = engine(pending);
        let mut out = Vec::new();
        let mut group = criterion.benchmark_group("a use of a called line");
        let mut next = 0;
        group.bench_function(BenchmarkId::new("engine", pending), |bencher| {
            bencher.iter(|| {
                next = (next + 7919) % pending;
                used(&mut engine, next, &mut out);
                black_box(&out);
            });
        });

        let map: HashMap<LineId, usize, FixedState> =
            (0..pending).map(|number| (line(10_000_000 + number), number)).collect();
        let mut heap: BinaryHeap<(u64, u64)> = (0..pending as u64).map(|n| (u64::MAX - n, n)).collect();
        group.bench_function(BenchmarkId::new("look-up and push", pending), |bencher| {
            bencher.iter(|| {
                next = (next + 7919) % pending;
                let found = map.get(&line(10_000_000 + next)).copied().unwrap_or_default();
                heap.push((u64::MAX, found as u64));
                heap.pop();
            });
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
