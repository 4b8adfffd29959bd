use std::net::{IpAddr, Ipv4Addr};

use fastrand::Rng;
use ringback_model::Millis;
use ringback_sim::Cut;

use super::plan::{Fault, Intent, Moment, Plan, Step, Target};

/// The number of the first phone's first line.
const FIRST_LINE: u32 = 1000;
/// The number of a line that several phones share.
const SHARED_LINE: u32 = 1900;
/// The addresses at which instances run, or may join.
const ADDRESSES: u8 = 9;

/// Makes the schedule of a seed: the same for the same seed, on every machine.
pub(super) fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let phones = phones(rng);
    let nodes = nodes(rng);
    let managers = rng.usize(1..=3);
    let mut parameters = Vec::new();
    if rng.u8(0..5) == 0 {
        parameters.push(("Call Back Queue Policy", "all".to_owned()));
    }
    if rng.u8(0..4) == 0 {
        parameters.push(("Call Back Idle Guard", format!("{}ms", rng.u32(100..2000))));
    }
    if rng.u8(0..3) == 0 {
        parameters.push(("Call Back Busy Duration", format!("{}s", rng.u32(5..40))));
    }
    if rng.u8(0..4) == 0 {
        parameters.push(("Maximum Call Backs per Called Line", rng.u32(1..3).to_string()));
    }
    let calls_per_line = rng.u32(1..=2);
    let drift = rng.i64(-150..=150);
    let store_delay = Millis([0, 2, 20, 100, 250][rng.usize(0..5)]);
    let steps = steps(rng, &phones, &nodes, managers);
    Plan { nodes, managers, phones, calls_per_line, parameters, drift, store_delay, steps }
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

fn nodes(rng: &mut Rng) -> Vec<IpAddr> {
    let mut all: Vec<u8> = (1..=ADDRESSES).collect();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(2..=4));
    all.into_iter().map(address).collect()
}

fn phones(rng: &mut Rng) -> Vec<Vec<u32>> {
    let shared = rng.u8(0..3) == 0;
    (0..rng.u32(4..=8))
        .map(|index| {
            let mut lines = vec![FIRST_LINE + index];
            if shared && index % 3 == 0 {
                lines.push(SHARED_LINE);
            }
            lines
        })
        .collect()
}

fn steps(rng: &mut Rng, phones: &[Vec<u32>], nodes: &[IpAddr], managers: usize) -> Vec<(Millis, Step)> {
    // Few popular numbers, so that callers queue for the same line.
    let mut numbers: Vec<u32> = phones.iter().flatten().copied().collect();
    rng.shuffle(&mut numbers);
    let popular = rng.usize(1..=3).min(numbers.len());
    let faults = rng.usize(5..30);
    let count = rng.usize(60..260);
    (0..count)
        .map(|_| {
            let gap = match rng.u8(0..10) {
                0..4 => rng.u64(0..60),
                4..8 => rng.u64(60..900),
                _ => rng.u64(900..4000),
            };
            let step = if rng.usize(0..100) < faults {
                let fault = fault(rng, nodes, managers);
                if rng.bool() { Step::Fault(fault) } else { Step::When(moment(rng), fault) }
            } else {
                let number = |rng: &mut Rng| {
                    let among = if rng.u8(0..4) == 0 { numbers.len() } else { popular };
                    numbers[rng.usize(0..among)]
                };
                Step::Phone(rng.usize(0..phones.len()), intent(rng, number))
            };
            (Millis(gap), step)
        })
        .collect()
}

fn intent(rng: &mut Rng, number: impl Fn(&mut Rng) -> u32) -> Intent {
    match rng.u8(0..100) {
        0..22 => Intent::Want(number(rng)),
        22..28 => Intent::Call(number(rng)),
        28..33 => Intent::Key(rng.usize(0..3)),
        33..42 => Intent::Press("Dial"),
        42..44 => Intent::Press("OK"),
        44..46 => Intent::Press("Cancel"),
        46..51 => Intent::CallBack,
        51..60 => Intent::Answer,
        60..84 => Intent::HangUp,
        84..89 => Intent::Lift,
        89..90 => Intent::Forward(Some(number(rng))),
        90..92 => Intent::Forward(None),
        92..93 => Intent::DoNotDisturb(true),
        93..95 => Intent::DoNotDisturb(false),
        95..96 => Intent::Reset,
        96..97 => Intent::Unregister,
        97..99 => Intent::Register,
        _ => Intent::LogIn,
    }
}

fn moment(rng: &mut Rng) -> Moment {
    [Moment::WriteIssued, Moment::Written, Moment::Alerted, Moment::Dialled, Moment::Shown][rng.usize(0..5)]
}

fn fault(rng: &mut Rng, nodes: &[IpAddr], managers: usize) -> Fault {
    let target =
        if rng.u8(0..3) == 0 { Target::At(nodes[rng.usize(0..nodes.len())]) } else { Target::Active };
    let ways = [Cut::Both, Cut::FromNode, Cut::ToNode][rng.usize(0..3)];
    // Shorter than a lease, about as long, and longer than silence can be before a link counts as lost.
    let time = Millis(match rng.u8(0..4) {
        0 => rng.u64(20..1000),
        1 => rng.u64(1000..2200),
        2 => rng.u64(2200..5000),
        _ => rng.u64(5000..12_000),
    });
    match rng.u8(0..100) {
        0..14 => Fault::Kill(target, time),
        14..20 => Fault::Stop(target, time),
        20..27 => Fault::Join(address(rng.u8(1..=ADDRESSES))),
        27..40 => Fault::Pause(target, time),
        40..52 => Fault::Cut(target, ways, time),
        52..58 => Fault::CutRegistry(target, time),
        58..62 => Fault::DeafRegistry(target, time),
        62..70 => Fault::CutManagers(target, ways, time),
        70..76 => Fault::StopManager(rng.usize(0..managers), time),
        76..81 => Fault::FreezeManager(rng.usize(0..managers), time),
        81..86 => Fault::StopStore(time),
        86..91 => Fault::LoseAnswers(time),
        91..96 => Fault::SlowStore(Millis(rng.u64(200..3000)), time),
        _ => Fault::StopDirectory(time),
    }
}
