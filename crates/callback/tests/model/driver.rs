//! The engine in the same world: each step of a history, carried out on the bench.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ringback_callback::{CallProgress, Fault, Input, Occupancy, Output, QueuePolicyName, SoftKey};
use ringback_model::{Appearance, CallId, Millis, RequestId};

use crate::cast::{self, Odd, PHONES, PhoneNo};
use crate::harness::{Bench, Directory, Store, dn, refused_for};
use crate::reference::{Reference, parameters};
use crate::step::{Alerts, Change, Progress, Step};

pub(crate) struct Driver {
    pub(crate) bench: Bench,
    /// Whose requests these are.
    pub(crate) owners: BTreeMap<RequestId, PhoneNo>,
    /// Who pressed CallBack in this step.
    pub(crate) pressed: Option<PhoneNo>,
    /// What the screens are about.
    abouts: Vec<Option<RequestId>>,
    odd: Rc<Cell<Odd>>,
    /// What the calls were dialled to.
    numbers: BTreeMap<CallId, usize>,
}

impl Driver {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        let mut bench = Bench::with(parameters());
        if let Some(fault) = fault {
            bench.plant(fault);
        }
        bench.reads_wait = true;
        bench.add_phone("B2", &["1002"]);
        bench.phone("E").lines.insert(cast::line(5), Occupancy::Idle);
        for (digits, leads_to) in cast::DIALLED {
            if let Some(l) = leads_to {
                bench.dial_plan.insert(digits.to_owned(), cast::line(l));
            }
        }
        let odd = Rc::new(Cell::new(Odd::Nothing));
        let here = Rc::clone(&odd);
        bench.odd = Box::new(move |resolution| {
            if let Some(reason) = here.get().reason() {
                refused_for(reason)(resolution);
            }
        });
        Self {
            bench,
            owners: BTreeMap::new(),
            pressed: None,
            abouts: vec![None; PHONES.len()],
            odd,
            numbers: BTreeMap::new(),
        }
    }

    /// One step, which the reference has taken already.
    pub(crate) fn take(&mut self, step: Step, after: &Reference) {
        self.bench.look_away();
        self.pressed = None;
        self.happen(step);
        self.read_what_is_new();
        self.pass(Millis::ZERO);
        for output in &self.bench.log {
            if let Output::Save { record, .. } = output {
                self.owners.insert(record.id, cast::phone_no(&record.caller.device));
            }
        }
        let about = |p: usize| after.known[p].screen.as_ref().and_then(|screen| screen.about);
        self.abouts = (0..PHONES.len()).map(about).collect();
    }

    fn happen(&mut self, step: Step) {
        let b = &mut self.bench;
        let name = cast::name;
        match step {
            Step::Press(p, n, during) => {
                self.pressed = Some(p);
                b.press(name(p), cast::DIALLED[n].0, during);
                self.numbers.insert(b.phones[name(p)].calls[0], n);
            }
            Step::PressIdle(p) => {
                self.pressed = Some(p);
                b.press_idle(name(p));
            }
            Step::Key(p, key) => b.key_about(name(p), key, self.abouts[p]),
            Step::StaleKey(p, key, n) => self.stale_key(p, key, n),
            Step::Busy(p, busy) => b.change(name(p), |phone| phone.busy = busy),
            Step::HangUp(p) => self.hang_up(p),
            Step::Line(p, l, occupancy) => {
                b.phone(name(p)).lines.insert(cast::line(l), occupancy);
                if let Some(Input::Line { at, occupancy, .. }) = b.read_line(&cast::at(p, l)) {
                    b.give(Input::Line { at, occupancy, calls: None });
                }
            }
            Step::Dnd(p, on) => b.dnd(name(p), on),
            Step::Unregister(p) => {
                b.phone(name(p)).calls.clear();
                b.unregister(name(p));
            }
            Step::Register(p) => {
                b.unread_lines.retain(|at| at.device.as_str() != name(p));
                b.register(name(p));
            }
            Step::UserChanged(p) => b.give(Input::UserChanged(cast::device(p))),
            Step::Dialled(p) => {
                let digits = b.engine.request_of(&cast::device(p)).map(|record| record.dialled.clone());
                let call = b.dial_starts(name(p));
                let is = |(dn, _): &(&str, _)| digits.as_ref().is_some_and(|digits| digits.as_str() == *dn);
                self.numbers.insert(call, cast::DIALLED.iter().position(is).unwrap_or_default());
            }
            Step::NotDialled(p, outcome) => b.dialled(name(p), outcome),
            Step::Progress(p, progress) => {
                if let Some(call) = b.phones[name(p)].calls.first().copied() {
                    self.progress(p, call, progress);
                }
            }
            Step::ScreenLost(p) => b.give(Input::ScreenLost(cast::device(p))),
            Step::Alerts(alerts) => {
                b.alerts_answered = alerts != Alerts::InDoubt;
                b.alerts_delivered = alerts == Alerts::Taken;
            }
            Step::Wait(ms) => self.pass(Millis(ms)),
            Step::Store(store) => {
                b.store_is(store);
                if store == Store::Ready {
                    b.store_writes();
                }
            }
            Step::Writes(p) => {
                let saved = self.write_of(p);
                saved.into_iter().for_each(|saved| self.bench.give(saved));
            }
            Step::WritesSilently(p) => {
                let saved = self.write_of(p);
                self.bench.unconfirmed.extend(saved);
            }
            Step::StoreFails => b.store_fails(),
            Step::Directory(Directory::Ready) => b.directory_answers(),
            Step::Directory(directory) => b.directory = directory,
            Step::Odd(odd) => self.odd.set(odd),
            Step::Listed(p, listed) => {
                if listed {
                    b.unlisted.remove(name(p));
                } else {
                    b.unlisted.insert(name(p).to_owned());
                }
                for l in PHONES[p].1 {
                    let line = cast::line(*l);
                    let devices = b.phones_with(&line);
                    b.give(Input::Located { line, devices });
                }
            }
            Step::Link(true) => {
                b.linked = true;
                b.unread_devices = b.open_devices.clone();
                b.unread_lines = b.open_lines.clone();
            }
            Step::Link(false) => b.lose_link(),
            Step::Crash => b.stop(),
            Step::Start => b.start(),
            Step::Parameter(change) => b.set(|p| match change {
                Change::Recall(ms) => p.recall_timer = Millis(ms),
                Change::Guard(ms) => p.idle_guard = Millis(ms),
                Change::BusyDuration(ms) => p.busy_duration = Millis(ms),
                Change::NoAnswerDuration(ms) => p.no_answer_duration = Millis(ms),
                Change::PolicyAll(true) => p.queue_policy = QueuePolicyName::All,
                Change::PolicyAll(false) => p.queue_policy = QueuePolicyName::Fifo,
                Change::PerLine(limit) => p.max_per_line = limit,
                Change::InAll(limit) => p.max_in_all = limit,
            }),
        }
    }

    fn stale_key(&mut self, p: PhoneNo, key: SoftKey, n: u64) {
        let epoch = self.bench.engine.epoch();
        let latest = self.owners.keys().filter(|id| id.epoch == epoch).map(|id| id.number).max();
        let number = (latest.unwrap_or(0) + 1).saturating_sub(n);
        self.bench.key_about(cast::name(p), key, Some(RequestId { epoch, number }));
    }

    fn hang_up(&mut self, p: PhoneNo) {
        for call in std::mem::take(&mut self.bench.phone(cast::name(p)).calls) {
            self.progress(p, call, Progress::Ended);
        }
        self.bench.idle(cast::name(p));
    }

    fn progress(&mut self, p: PhoneNo, call: CallId, progress: Progress) {
        let n = self.numbers.get(&call).copied().unwrap_or_default();
        let (digits, leads_to) = cast::DIALLED[n];
        let peer = leads_to.map(|l| dn(cast::LINES[l].1));
        let elsewhere = Some(dn("1009"));
        let progress = match progress {
            Progress::Rings => CallProgress::Alerting { peer },
            Progress::RingsSomebody => CallProgress::Alerting { peer: None },
            Progress::Answers => CallProgress::Connected { peer },
            Progress::RingsElsewhere => CallProgress::Alerting { peer: elsewhere },
            Progress::AnswersElsewhere => CallProgress::Connected { peer: elsewhere },
            Progress::Busy => CallProgress::Busy,
            Progress::Ended => CallProgress::Ended,
        };
        self.bench.call(cast::name(p), call, Some(digits), progress);
    }

    /// The store carries out the oldest write of a caller.
    fn write_of(&mut self, p: PhoneNo) -> Option<Input> {
        let ids: Vec<RequestId> =
            self.owners.iter().filter(|(_, owner)| **owner == p).map(|(id, _)| *id).collect();
        self.bench.commit_for(&ids)
    }

    /// What was opened is read: the phones in the order of their names, then the lines.
    fn read_what_is_new(&mut self) {
        while self.bench.linked && self.bench.running {
            let b = &mut self.bench;
            if let Some(device) = b.unread_devices.pop_first() {
                b.read_device(&device).into_iter().for_each(|input| b.give(input));
                continue;
            }
            let registered = |at: &&Appearance| b.phones[at.device.as_str()].registered;
            let Some(at) = b.unread_lines.iter().find(registered).cloned() else { return };
            b.unread_lines.remove(&at);
            b.read_line(&at).into_iter().for_each(|input| b.give(input));
        }
    }

    /// Time passes; the engine is given its ticks.
    fn pass(&mut self, span: Millis) {
        let end = self.bench.now + span;
        while let Some(due) = self.bench.engine.next_timeout().filter(|due| self.bench.running && *due <= end)
        {
            self.bench.now = self.bench.now.max(due);
            self.bench.give(Input::Tick);
            self.read_what_is_new();
            // Else whoever runs the engine would call it again and again.
            assert!(self.bench.engine.next_timeout() != Some(due), "a tick at {due} changed nothing");
        }
        self.bench.now = end;
    }
}
