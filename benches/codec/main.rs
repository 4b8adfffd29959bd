//! The wire codec beside `prost`, for the same messages with the same texts: what encoding into a reused buffer and
//! decoding from one cost, and what is asked of the allocator. Both give owned messages, dropped within the time; both
//! check UTF-8, ours also lengths, control characters and flags.
#![expect(clippy::disallowed_methods, reason = "it measures")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures")]

mod prost_messages;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use ringback_benches::{Counting, count};
use ringback_cti::DataId;
use ringback_cti::codec::{self, Frame, Message};
use ringback_cti::message::{Answer, CallInfo, CallState, Cause, Event, Request, Version};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Millis, Partition};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// So many frames are in the buffer at a time, as after a busy moment of the link.
const FRAMES: usize = 64;

const SCREEN: &str = "<CiscoIPPhoneText><Title>CallBack</Title><Prompt>Make your choice...</Prompt>\
    <Text>2001 has become available\nTime 14:02 11/23/2026\nPress Dial to call\nPress Cancel to deactivate\n\
    Press Exit to quit this screen</Text>\
    <SoftKeyItem><Name>Dial</Name><URL>UserDataSoftKey:Dial:0:7-12</URL><Position>1</Position></SoftKeyItem>\
    <SoftKeyItem><Name>Cancel</Name><URL>UserDataSoftKey:Cancel:0:7-12</URL><Position>2</Position></SoftKeyItem>\
    <SoftKeyItem><Name>Exit</Name><URL>UserDataSoftKey:Exit:0:7-12</URL><Position>3</Position></SoftKeyItem>\
    </CiscoIPPhoneText>";

fn number(text: &str) -> DirectoryNumber {
    DirectoryNumber::new(text).unwrap()
}

fn messages() -> Vec<(&'static str, Message)> {
    let device = DeviceName::new("SEP00270D3F9A31").unwrap();
    let line = LineId::new(Partition::new("Internal").unwrap(), number("2001"));
    let at = Appearance { device: device.clone(), line };
    let info = CallInfo {
        call: CallId(16_777_931),
        state: CallState::Connected,
        cause: Cause::NORMAL,
        called: Some(number("2001")),
        peer: Some(number("+4930123456")),
    };
    let data = Request::DeviceData {
        device: device.clone(),
        id: Some(DataId(7 << 80 | 12)),
        content: SCREEN.into(),
    };
    vec![
        ("line event", Message::Event(Event::Call { at: at.clone(), info: info.clone() })),
        ("device in service", Message::Event(Event::DeviceInService(device))),
        ("line open", Message::Request(Request::LineOpen(at))),
        ("line opened, one call", Message::Answer(Ok(Answer::LineOpened(vec![info])))),
        ("screen to a phone", Message::Request(data)),
        ("done", Message::Answer(Ok(Answer::Done))),
        ("heartbeat", Message::Heartbeat(Millis::from_secs(30))),
    ]
}

/// One side of a comparison: what a message costs.
#[derive(Default)]
struct Side {
    nanoseconds: f64,
    allocations: f64,
}

/// Measures `work`, which handles [`FRAMES`] messages.
fn measure(group: &mut BenchmarkGroup<'_, WallTime>, who: &str, mut work: impl FnMut()) -> Side {
    let mut samples = Vec::new();
    group.bench_function(who, |bencher| {
        bencher.iter_custom(|rounds| {
            let begun = Instant::now();
            for _ in 0..rounds {
                work();
            }
            let took = begun.elapsed();
            samples.push(took.as_nanos() as f64 / rounds as f64 / FRAMES as f64);
            took
        });
    });
    // The least: whatever else the machine does only adds to it.
    let nanoseconds = samples.into_iter().fold(f64::INFINITY, f64::min);
    let allocations = count(&mut work).calls as f64 / FRAMES as f64;
    Side { nanoseconds, allocations }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut table = Vec::new();
    for (name, message) in messages() {
        let frame = Frame { version: Version(1), sequence: 4711, message };
        let same = prost_messages::same(&frame).unwrap();
        let (mut ours, mut theirs) = (BytesMut::new(), BytesMut::new());
        for _ in 0..FRAMES {
            codec::encode(frame.version, frame.sequence, &frame.message, &mut ours).unwrap();
            prost_messages::encode(&same, &mut theirs).unwrap();
        }
        let (ours, theirs) = (ours.freeze(), theirs.freeze());
        let sizes = [ours.len() / FRAMES, theirs.len() / FRAMES];

        let mut buffer = BytesMut::with_capacity(64 * 1024);
        let mut group = criterion.benchmark_group(format!("encode {name}"));
        group.throughput(Throughput::Elements(FRAMES as u64));
        let encode = [
            measure(&mut group, "ringback", || {
                buffer.clear();
                for _ in 0..FRAMES {
                    let frame = black_box(&frame);
                    codec::encode(frame.version, frame.sequence, &frame.message, &mut buffer).unwrap();
                }
                black_box(&buffer);
            }),
            measure(&mut group, "prost", || {
                buffer.clear();
                for _ in 0..FRAMES {
                    prost_messages::encode(black_box(&same), &mut buffer).unwrap();
                }
                black_box(&buffer);
            }),
        ];
        group.finish();

        let mut group = criterion.benchmark_group(format!("decode {name}"));
        group.throughput(Throughput::Elements(FRAMES as u64));
        let decode = [
            measure(&mut group, "ringback", || {
                buffer.clear();
                buffer.extend_from_slice(black_box(&ours));
                while let Ok(Some(frame)) = codec::decode(&mut buffer) {
                    black_box(&frame);
                }
            }),
            measure(&mut group, "prost", || {
                buffer.clear();
                buffer.extend_from_slice(black_box(&theirs));
                while let Some(frame) = prost_messages::decode(&mut buffer) {
                    black_box(&frame);
                }
            }),
        ];
        group.finish();
        table.push((name, sizes, encode, decode));
    }

    println!(
        "\nper message            bytes       encode ns             decode ns             allocations (decode)"
    );
    println!("                   ours  prost   ours  prost  ratio    ours  prost  ratio    ours  prost");
    for (name, [size, their_size], [e, pe], [d, pd]) in table {
        println!(
            "{name:21}{size:>5} {their_size:>5}  {:>5.1} {:>6.1} {:>5.2}x  {:>6.1} {:>6.1} {:>5.2}x   {:>5.2} {:>6.2}",
            e.nanoseconds,
            pe.nanoseconds,
            pe.nanoseconds / e.nanoseconds,
            d.nanoseconds,
            pd.nanoseconds,
            pd.nanoseconds / d.nanoseconds,
            d.allocations,
            pd.allocations,
        );
        assert_eq!(e.allocations, 0.0, "encoding into a buffer that is large enough allocates nothing");
    }
}
