//! What always holds, whatever happens: random histories of phones, users, lines, links, stores and crashes.

mod harness;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;
use ringback_callback::{
    AlertId, CallProgress, DeviceState, DialOutcome, Engine, Input, Notice, Occupancy, Output, Parameters,
    Phase, PressedDuring, QueuePolicyName, Record, Refusal, SaveId, SoftKey,
};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Millis, RequestId};

use crate::harness::{Bench, Directory, Store, answers, device, line, rings};

const PHONES: [&str; 6] = ["A", "B", "B2", "C", "D", "E"];
const NUMBERS: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];
const MAX_PER_LINE: u32 = 3;
const MAX_IN_ALL: u32 = 4;

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Step {
    Press(usize, usize, PressedDuring),
    PressIdle(usize),
    Key(usize, SoftKey),
    StaleKey(usize, SoftKey, u64),
    Busy(usize, bool),
    HangUp(usize),
    Line(usize, Occupancy),
    Cycle(usize),
    Dnd(usize, bool),
    Registered(usize, bool),
    UserChanged(usize),
    Dialled(usize),
    NotDialled(usize, DialOutcome),
    Progress(usize, u8),
    Wait(u64),
    Store(Store),
    StoreWritesOne(usize),
    StoreWritesOneSilently(usize),
    StoreWrites,
    StoreFails,
    Directory(Directory),
    DirectoryAnswers,
    Link(bool),
    Restart,
    AlertsAnswered(bool),
    ScreenLost(usize),
    Guard(u64),
}

fn step() -> impl Strategy<Value = Step> {
    use PressedDuring::{Busy, NoAnswer, Other, Ringback};
    let phone = || 0..PHONES.len();
    let key =
        || prop_oneof![Just(SoftKey::Dial), Just(SoftKey::Cancel), Just(SoftKey::Exit), Just(SoftKey::Ok)];
    let occupancy = prop_oneof![
        2 => Just(Occupancy::Idle),
        1 => Just(Occupancy::Ringing),
        2 => Just(Occupancy::InUse)
    ];
    let during = prop_oneof![4 => Just(Busy), 2 => Just(Ringback), 1 => Just(NoAnswer), 1 => Just(Other)];
    let store = prop_oneof![4 => Just(Store::Ready), 2 => Just(Store::Slow), 1 => Just(Store::Down)];
    let directory =
        prop_oneof![4 => Just(Directory::Ready), 1 => Just(Directory::Slow), 1 => Just(Directory::Down)];
    let refusal = prop_oneof![Just(DialOutcome::Failed), Just(DialOutcome::Busy)];
    prop_oneof![
        // Most callers want B, whose line is shared.
        8 => (phone(), prop_oneof![3 => Just(1), 1 => 0..NUMBERS.len()], during)
            .prop_map(|(p, n, d)| Step::Press(p, n, d)),
        1 => phone().prop_map(Step::PressIdle),
        4 => (phone(), key()).prop_map(|(p, k)| Step::Key(p, k)),
        1 => (phone(), key(), 0..9_u64).prop_map(|(p, k, n)| Step::StaleKey(p, k, n)),
        3 => (phone(), any::<bool>()).prop_map(|(p, on)| Step::Busy(p, on)),
        8 => phone().prop_map(Step::HangUp),
        8 => (phone(), occupancy).prop_map(|(p, o)| Step::Line(p, o)),
        6 => (0..3_usize).prop_map(Step::Cycle),
        2 => (phone(), any::<bool>()).prop_map(|(p, on)| Step::Dnd(p, on)),
        2 => (phone(), any::<bool>()).prop_map(|(p, on)| Step::Registered(p, on)),
        1 => phone().prop_map(Step::UserChanged),
        2 => phone().prop_map(Step::Dialled),
        2 => (phone(), refusal).prop_map(|(p, outcome)| Step::NotDialled(p, outcome)),
        4 => (phone(), 0..5_u8).prop_map(|(p, how)| Step::Progress(p, how)),
        4 => prop_oneof![Just(1_u64), Just(500), Just(2_000), Just(20_000), Just(60_000), Just(2_800_000)]
            .prop_map(Step::Wait),
        3 => store.prop_map(Step::Store),
        3 => (0..4_usize).prop_map(Step::StoreWritesOne),
        1 => (0..4_usize).prop_map(Step::StoreWritesOneSilently),
        2 => Just(Step::StoreWrites),
        1 => Just(Step::StoreFails),
        1 => directory.prop_map(Step::Directory),
        1 => Just(Step::DirectoryAnswers),
        2 => any::<bool>().prop_map(Step::Link),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(Step::AlertsAnswered),
        1 => phone().prop_map(Step::ScreenLost),
        1 => prop_oneof![Just(0_u64), Just(3_000)].prop_map(Step::Guard),
    ]
}

fn carry_out(b: &mut Bench, step: Step) {
    let name = |p: usize| PHONES[p];
    let dials = |b: &Bench, p| matches!(b.phase_of(name(p)), Some(Phase::Dialing { .. }));
    match step {
        Step::Press(p, ..) | Step::PressIdle(p) | Step::Busy(p, _) | Step::Line(p, _)
            if !b.phones[name(p)].registered => {}
        Step::Press(p, n, during) => b.press(name(p), NUMBERS[n], during),
        Step::PressIdle(p) => b.press_idle(name(p)),
        Step::Key(p, key) => b.key(name(p), key),
        Step::StaleKey(p, key, number) => {
            let id = RequestId { epoch: b.engine.epoch(), number };
            // What is on the phone by now is another screen; Dial and Cancel are told with the old one.
            b.key_about(name(p), key, Some(id));
        }
        Step::Busy(p, on) => b.change(name(p), |phone| phone.busy = on),
        Step::HangUp(p) => b.hang_up(name(p)),
        Step::Line(p, occupancy) => b.line(name(p), occupancy),
        Step::Cycle(p) if b.phones[name(p)].registered => {
            b.line(name(p), Occupancy::InUse);
            b.line(name(p), Occupancy::Idle);
        }
        Step::Cycle(_) => {}
        Step::Dnd(p, on) => b.dnd(name(p), on),
        Step::Registered(p, false) => b.unregister(name(p)),
        Step::Registered(p, true) => b.register(name(p)),
        Step::UserChanged(p) => b.give(Input::UserChanged(device(name(p)))),
        Step::Dialled(p) if dials(b, p) => {
            b.dial_starts(name(p));
        }
        Step::NotDialled(p, outcome) if dials(b, p) => b.dialled(name(p), outcome),
        Step::Dialled(_) | Step::NotDialled(..) => {}
        Step::Progress(p, how) => {
            let Some(record) = b.engine.request_of(&device(name(p))) else { return };
            let number = record.dialled.as_str().to_owned();
            let progress = match how {
                0 => rings(&number),
                1 => answers(&number),
                2 => rings("1009"),
                3 => CallProgress::Busy,
                _ => CallProgress::Ended,
            };
            if let Some(call) = b.phones[name(p)].calls.first().copied() {
                b.call(name(p), call, Some(&number), progress);
            }
        }
        Step::Wait(ms) => b.wait(Millis(ms)),
        Step::Store(store) => b.store_is(store),
        Step::StoreWritesOne(n) => {
            b.store_writes_one(n);
        }
        Step::StoreWritesOneSilently(n) => b.store_writes_one_silently(n),
        Step::StoreWrites => b.store_writes(),
        Step::StoreFails => b.store_fails(),
        Step::Directory(directory) => b.directory = directory,
        Step::DirectoryAnswers => b.directory_answers(),
        Step::Link(false) if b.linked => b.lose_link(),
        Step::Link(true) if !b.linked => b.regain_link(),
        Step::Link(_) => {}
        Step::Restart => b.restart(),
        Step::AlertsAnswered(on) => b.alerts_answered = on,
        Step::ScreenLost(p) => b.give(Input::ScreenLost(device(name(p)))),
        Step::Guard(ms) => b.set(|p| p.idle_guard = Millis(ms)),
    }
}

/// Sees everything that goes in and comes out, and complains.
#[derive(Default)]
struct Judge {
    fifo: bool,
    states: BTreeMap<DeviceName, DeviceState>,
    lines: BTreeMap<Appearance, Occupancy>,
    saves: BTreeMap<SaveId, Record>,
    /// Alerts whose record is durable.
    on_record: BTreeSet<AlertId>,
    /// Alerts whose outcome is known.
    settled: BTreeSet<AlertId>,
    /// Requests that take a slot, and their line.
    slots: BTreeMap<RequestId, LineId>,
    accepted: BTreeSet<RequestId>,
    ended: BTreeSet<RequestId>,
}

impl Judge {
    fn see(&mut self, input: &Input, outputs: &[Output], engine: &Engine) {
        match input {
            Input::Restored(records) => self.restored(records),
            Input::LinkLost => {
                self.states.clear();
                self.lines.clear();
            }
            Input::Line { at, occupancy, .. } => {
                self.lines.insert(at.clone(), *occupancy);
            }
            Input::Device { device, state } => {
                self.states.insert(device.clone(), *state);
                if *state == DeviceState::OutOfService {
                    self.lines.retain(|at, _| at.device != *device);
                }
            }
            Input::Saved(save) => {
                if let Some(Phase::Turn { alert, .. }) = self.saves.get(save).map(|record| record.phase) {
                    self.on_record.insert(alert);
                }
            }
            Input::Alerted { alert, .. } => {
                self.settled.insert(*alert);
            }
            _ => {}
        }
        for output in outputs {
            self.judge(output, outputs);
        }
        self.compare(engine);
    }

    /// A new engine. What had not reached the store has not happened.
    fn restored(&mut self, records: &[Record]) {
        self.states.clear();
        self.lines.clear();
        self.saves.clear();
        self.ended.clear();
        self.accepted = records.iter().map(|record| record.id).collect();
        self.slots = records.iter().map(|record| (record.id, record.called.clone())).collect();
        for record in records {
            if let Phase::Turn { alert, alerted, .. } = record.phase {
                self.on_record.insert(alert);
                if !alerted {
                    self.settled.remove(&alert);
                }
            }
        }
    }

    fn judge(&mut self, output: &Output, all: &[Output]) {
        match output {
            Output::Save { save, record, replaces } => {
                self.alive(record.id);
                self.saves.insert(*save, record.clone());
                if self.slots.insert(record.id, record.called.clone()).is_none() {
                    let others = self.slots.iter().filter(|(id, _)| Some(**id) != *replaces);
                    let in_all = others.clone().count();
                    let on_line = others.filter(|(_, line)| **line == record.called).count();
                    assert!(on_line <= MAX_PER_LINE as usize, "too many for a line: {on_line}");
                    assert!(in_all <= MAX_IN_ALL as usize, "too many in all: {in_all}");
                }
            }
            Output::Revoke { request, .. } => {
                self.slots.remove(request);
                self.ended.insert(*request);
            }
            Output::Alert { device, alert } => {
                self.alive(alert.request);
                assert!(self.on_record.contains(alert), "an alert that is not on record");
                assert!(!self.settled.contains(alert), "an alert sent again though its outcome is known");
                assert!(
                    matches!(self.states.get(device), Some(DeviceState::InService { busy: false, .. })),
                    "an alert to a caller who is busy or cannot be seen"
                );
                let called = &self.slots[&alert.request];
                let mut seen = self.lines.iter().filter(|(at, _)| at.line == *called).peekable();
                assert!(seen.peek().is_some(), "an alert though B cannot be seen");
                assert!(
                    seen.all(|(_, occupancy)| *occupancy != Occupancy::InUse),
                    "an alert though B is busy"
                );
            }
            Output::Show { about: Some(id), .. } => self.alive(*id),
            Output::Dial { request, .. } => self.alive(*request),
            Output::CloseDevice(device) => {
                self.states.remove(device);
            }
            Output::CloseLine(at) => {
                self.lines.remove(at);
            }
            Output::Notice(notice) => self.told(notice, all),
            _ => {}
        }
    }

    fn told(&mut self, notice: &Notice, all: &[Output]) {
        match notice {
            Notice::Accepted { request } => assert!(self.accepted.insert(*request), "accepted twice"),
            Notice::Ended { request, .. } => {
                assert!(self.accepted.remove(request), "ended twice, or without being accepted");
                self.ended.insert(*request);
                self.slots.remove(request);
            }
            Notice::Refused { reason: Refusal::TooManyInAll, .. } => {
                assert!(
                    self.slots.len() >= MAX_IN_ALL as usize,
                    "refused with {} slots taken",
                    self.slots.len()
                );
            }
            Notice::Refused { reason: Refusal::TooManyForLine, .. } => {
                let number = all.iter().find_map(|output| match output {
                    Output::Show { view: ringback_callback::View::Cannot { dn, .. }, .. } => Some(dn),
                    _ => None,
                });
                let taken = |dn: &DirectoryNumber| self.slots.values().filter(|line| line.dn == *dn).count();
                assert!(number.is_none_or(|dn| taken(dn) >= MAX_PER_LINE as usize), "a slot was free");
            }
            Notice::TurnStarted { request, .. }
            | Notice::TurnWithdrawn { request }
            | Notice::TurnLapsed { request }
            | Notice::Suspended { request }
            | Notice::Retained { request }
            | Notice::DialFailed { request }
            | Notice::AlertFailed { request } => self.alive(*request),
            _ => {}
        }
    }

    #[track_caller]
    fn alive(&self, id: RequestId) {
        assert!(!self.ended.contains(&id), "{id} has ended");
    }

    /// What the engine says of itself.
    fn compare(&self, engine: &Engine) {
        let live: BTreeSet<RequestId> = engine.records().map(|record| record.id).collect();
        assert_eq!(live, self.accepted);
        assert_eq!(engine.pending(), live.len());
        let phones: BTreeSet<&DeviceName> = engine.records().map(|record| &record.caller.device).collect();
        assert_eq!(phones.len(), live.len(), "two requests of one phone");
        let mut turns: BTreeMap<&LineId, u32> = BTreeMap::new();
        for record in engine.records().filter(|record| matches!(record.phase, Phase::Turn { .. })) {
            *turns.entry(&record.called).or_default() += 1;
        }
        assert!(!self.fifo || turns.values().all(|turns| *turns == 1), "two turns at once: {turns:?}");
    }
}

fn bench(policy: QueuePolicyName) -> Bench {
    let parameters = Parameters {
        queue_policy: policy,
        max_per_line: MAX_PER_LINE,
        max_in_all: MAX_IN_ALL,
        ..Default::default()
    };
    let mut b = Bench::with(parameters);
    b.add_phone("B2", &["1002"]);
    let judge = Rc::new(RefCell::new(Judge { fifo: policy == QueuePolicyName::Fifo, ..Default::default() }));
    b.witness = Some(Box::new(move |input, out, engine| judge.borrow_mut().see(input, out, engine)));
    b
}

fn live(steps: &[Step], policy: QueuePolicyName) -> Bench {
    let mut b = bench(policy);
    for step in steps {
        carry_out(&mut b, *step);
    }
    b
}

/// Faults stop: everything answers, everybody is registered and idle, nobody minds to be disturbed.
fn heal(b: &mut Bench) {
    b.store_is(Store::Ready);
    b.alerts_answered = true;
    b.store_writes();
    b.directory_answers();
    if !b.linked {
        b.regain_link();
    }
    b.set(|p| p.idle_guard = Millis::ZERO);
    for name in PHONES {
        b.hang_up(name);
        if !b.phones[name].registered {
            b.register(name);
        }
        b.dnd(name, false);
        b.line(name, Occupancy::Idle);
        if matches!(b.phase_of(name), Some(Phase::Dialing { .. })) {
            b.dialled(name, DialOutcome::Failed);
            b.call(name, CallId(1), Some("1002"), CallProgress::Ended);
        }
        if let Some(Phase::Dialing { .. }) = b.phase_of(name) {
            panic!("{name} dials for ever");
        }
    }
    b.store_writes();
}

fn policies() -> impl Strategy<Value = QueuePolicyName> {
    prop_oneof![2 => Just(QueuePolicyName::Fifo), 1 => Just(QueuePolicyName::All)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// The judge has no complaint, and when everything has ended, nothing is left open or stored.
    #[test]
    fn nothing_is_doubled_and_nothing_is_left(steps in prop::collection::vec(step(), 1..80), policy in policies()) {
        let mut b = live(&steps, policy);
        heal(&mut b);
        for name in PHONES {
            if b.engine.request_of(&device(name)).is_some() {
                let about = Some(b.id_of(name));
                b.key_about(name, SoftKey::Cancel, about);
            }
            b.key(name, SoftKey::Exit);
        }
        b.expect_all_closed();
        prop_assert_eq!(b.engine.called_lines().count(), 0);
        // Timers of what has ended are stale.
        b.look_away();
        b.wait_secs(4 * 3600);
        prop_assert_eq!(b.out(), [""; 0]);
        prop_assert_eq!(b.engine.next_timeout(), None);
    }

    /// Once faults stop, every caller who waits for B is alerted: one use of B's line for each of them at most.
    #[test]
    fn nobody_waits_for_ever(steps in prop::collection::vec(step(), 1..80), policy in policies()) {
        let mut b = live(&steps, policy);
        heal(&mut b);
        for _ in 0..=MAX_IN_ALL {
            b.wait_secs(100);
            let first = b.queue("1002").first().cloned();
            b.look_away();
            b.line("B", Occupancy::InUse);
            b.line("B", Occupancy::Idle);
            let alert = first.map(|name| format!("alert {name} "));
            let out = b.out();
            if let Some(alert) = alert {
                prop_assert!(out.iter().any(|line| line.starts_with(&alert)), "{alert} expected, saw {out:#?}");
            }
        }
        b.wait_secs(100);
        prop_assert_eq!(b.engine.queue(&line("1002")).count(), 0);
    }

    /// The same inputs give the same outputs.
    #[test]
    fn it_is_deterministic(steps in prop::collection::vec(step(), 1..80), policy in policies()) {
        prop_assert_eq!(live(&steps, policy).out(), live(&steps, policy).out());
    }
}
