//! A bench for the engine: phones, a directory and a store round it, that answer what the engine asks for. Every output
//! is noted as one line of text that holds all of it, so that a test reads like a specification.
#![allow(dead_code, reason = "each test program uses its own part of the bench")]
#![allow(clippy::unwrap_used, reason = "test code")]

mod phones;
mod text;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ringback_callback::{
    Cycle, DeviceState, Engine, Fault, Input, Occupancy, Output, Parameters, Phase, QueuePolicy, Record,
    Refusal, Resolution, SaveId, SoftKey, Unresolved,
};
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Millis, Partition, RequestId,
    Timestamp,
};

#[allow(unused_imports, reason = "each test program uses its own part of the bench")]
pub(crate) use self::phones::{Phone, answers, refused_for, rings};
pub(crate) use self::text::text;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp(1_767_621_600_000);

pub(crate) fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

pub(crate) fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).unwrap()
}

pub(crate) fn line(number: &str) -> LineId {
    LineId::new(Partition::default(), dn(number))
}

pub(crate) fn at(name: &str, number: &str) -> Appearance {
    Appearance { device: device(name), line: line(number) }
}

/// What the store does with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// It is durable at once.
    Ready,
    /// It is durable when the test says so.
    Slow,
    /// It fails; what is left is durable when the test says so.
    Down,
}

/// What the directory does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directory {
    Ready,
    Slow,
    Down,
}

#[derive(Debug, Clone)]
enum Write {
    Put { record: Box<Record>, replaces: Option<RequestId> },
    Delete(RequestId),
}

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) parameters: Parameters,
    pub(crate) phones: BTreeMap<String, Phone>,
    pub(crate) stored: BTreeMap<RequestId, Record>,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    /// What the directory says in place of what is so.
    pub(crate) odd: Box<dyn Fn(&mut Resolution)>,
    /// Digits that lead to another line than the one of that number.
    pub(crate) dial_plan: BTreeMap<String, LineId>,
    /// Whether alerts have an outcome, and which.
    pub(crate) alerts_answered: bool,
    pub(crate) alerts_delivered: bool,
    pub(crate) linked: bool,
    pub(crate) running: bool,
    pub(crate) open_devices: BTreeSet<DeviceName>,
    pub(crate) open_lines: BTreeSet<Appearance>,
    pub(crate) screens: BTreeMap<DeviceName, (ringback_callback::View, Option<RequestId>)>,
    /// Every output since the start or the last look.
    pub(crate) log: Vec<Output>,
    pub(crate) witness: Option<Witness>,
    /// Whether what is opened is read when the test says so, and not at once.
    pub(crate) reads_wait: bool,
    /// Phones that the directory does not list any more.
    pub(crate) unlisted: BTreeSet<String>,
    pub(crate) unread_devices: BTreeSet<DeviceName>,
    pub(crate) unread_lines: BTreeSet<Appearance>,
    planted: Option<Fault>,
    writes: VecDeque<(SaveId, Write)>,
    /// Writes that were carried out, but not confirmed yet.
    pub(crate) unconfirmed: Vec<Input>,
    questions: Vec<Output>,
    invocations: u64,
    calls: u64,
}

impl Write {
    fn requests(&self) -> Vec<RequestId> {
        match self {
            Self::Put { record, replaces } => replaces.iter().copied().chain([record.id]).collect(),
            Self::Delete(id) => vec![*id],
        }
    }
}

/// Sees every input, what the engine put out, and the engine afterwards.
pub(crate) type Witness = Box<dyn FnMut(&Input, &[Output], &Engine)>;

impl Bench {
    /// Phones A to E with the lines 1001 to 1005, all idle; nobody waits.
    pub(crate) fn new() -> Self {
        Self::with(Parameters::default())
    }

    pub(crate) fn with(parameters: Parameters) -> Self {
        ringback_model::reveal_personal_data(true);
        let phones = [("A", "1001"), ("B", "1002"), ("C", "1003"), ("D", "1004"), ("E", "1005")];
        Self {
            engine: Engine::new(Group::default(), Epoch(1), parameters),
            now: START,
            parameters,
            phones: phones.iter().map(|(name, dn)| ((*name).to_owned(), Phone::new(dn))).collect(),
            stored: BTreeMap::new(),
            store: Store::Ready,
            directory: Directory::Ready,
            odd: Box::new(|_| ()),
            dial_plan: BTreeMap::new(),
            alerts_answered: true,
            alerts_delivered: true,
            linked: true,
            running: true,
            open_devices: BTreeSet::new(),
            open_lines: BTreeSet::new(),
            screens: BTreeMap::new(),
            log: Vec::new(),
            witness: None,
            reads_wait: false,
            unlisted: BTreeSet::new(),
            unread_devices: BTreeSet::new(),
            unread_lines: BTreeSet::new(),
            planted: None,
            writes: VecDeque::new(),
            unconfirmed: Vec::new(),
            questions: Vec::new(),
            invocations: 0,
            calls: 0,
        }
    }

    pub(crate) fn with_policy(policy: impl QueuePolicy + 'static) -> Self {
        let mut bench = Self::new();
        bench.engine =
            Engine::new(Group::default(), Epoch(1), Parameters::default()).with_policy(Box::new(policy));
        bench
    }

    /// Plants a mistake in this engine and those that follow it.
    pub(crate) fn plant(&mut self, fault: Fault) {
        self.planted = Some(fault);
        self.engine = self.new_engine(self.engine.epoch());
    }

    fn new_engine(&self, epoch: Epoch) -> Engine {
        let engine = Engine::new(Group::default(), epoch, self.parameters);
        match self.planted {
            Some(fault) => engine.with_fault(fault),
            None => engine,
        }
    }

    /// The outputs since the last look, one line each.
    pub(crate) fn out(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log).iter().map(text).collect()
    }

    /// The outputs since the last look are exactly these.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        let out = self.out();
        assert!(out == lines, "expected {lines:#?}, saw {out:#?}");
    }

    /// The outputs since the last look, without notices, saves, and what is opened and closed, are exactly these.
    #[track_caller]
    pub(crate) fn expect_at_phones(&mut self, lines: &[&str]) {
        let mut out = self.out();
        out.retain(|line| ["show", "clear", "alert", "dial"].iter().any(|verb| line.starts_with(verb)));
        assert!(out == lines, "expected {lines:#?}, saw {out:#?}");
    }

    /// Nothing was put out since the last look.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.expect(&[]);
    }

    /// Forgets the outputs so far.
    pub(crate) fn look_away(&mut self) {
        self.log.clear();
    }

    /// Nobody waits, no screen is up, and nothing is open.
    #[track_caller]
    pub(crate) fn expect_all_closed(&self) {
        assert_eq!(self.engine.pending(), 0, "pending");
        assert!(self.open_devices.is_empty(), "open: {:?}", self.open_devices);
        assert!(self.open_lines.is_empty(), "open: {:?}", self.open_lines);
        assert!(self.stored.is_empty(), "stored: {:?}", self.stored);
    }

    pub(crate) fn queue(&self, number: &str) -> Vec<String> {
        self.engine.queue(&line(number)).map(|record| record.caller.device.as_str().to_owned()).collect()
    }

    pub(crate) fn phase_of(&self, name: &str) -> Option<Phase> {
        self.engine.request_of(&device(name)).map(|record| record.phase)
    }

    pub(crate) fn id_of(&self, name: &str) -> RequestId {
        self.engine.request_of(&device(name)).unwrap().id
    }

    pub(crate) fn cycle_of(&self, name: &str) -> Option<Cycle> {
        self.engine.request_of(&device(name)).unwrap().cycle
    }

    /// Gives the engine one input, and what its outputs bring back.
    pub(crate) fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut out = Vec::new();
            self.engine.handle(self.now, input.clone(), &mut out);
            if let Some(witness) = &mut self.witness {
                witness(&input, &out, &self.engine);
            }
            for output in &out {
                self.carry_out(output, &mut inputs);
            }
            self.log.extend(out);
        }
    }

    fn carry_out(&mut self, output: &Output, inputs: &mut VecDeque<Input>) {
        match output {
            // A line is located as soon as the directory can be asked.
            Output::Locate(_) if self.directory != Directory::Ready => self.questions.push(output.clone()),
            Output::Resolve { .. } if self.directory == Directory::Slow => {
                self.questions.push(output.clone())
            }
            Output::Resolve { .. } | Output::Locate(_) => inputs.extend(self.answer(output)),
            Output::Save { save, record, replaces } => {
                let write = Write::Put { record: Box::new(record.clone()), replaces: *replaces };
                self.write(*save, write, inputs);
            }
            Output::Remove { save, request } => self.write(*save, Write::Delete(*request), inputs),
            Output::Revoke { save, request } => {
                self.writes.retain(|(other, _)| other != save);
                self.stored.remove(request);
            }
            Output::OpenDevice(device) => {
                assert!(self.open_devices.insert(device.clone()), "{device:?} is open already");
                if self.reads_wait {
                    self.unread_devices.insert(device.clone());
                } else {
                    inputs.extend(self.read_device(device));
                }
            }
            Output::CloseDevice(device) => {
                assert!(self.open_devices.remove(device), "{device:?} is not open");
                self.unread_devices.remove(device);
            }
            Output::OpenLine(at) => {
                assert!(self.open_devices.contains(&at.device), "{at:?} is on a device that is not open");
                assert!(self.open_lines.insert(at.clone()), "{at:?} is open already");
                if self.reads_wait {
                    self.unread_lines.insert(at.clone());
                } else {
                    inputs.extend(self.read_line(at));
                }
            }
            Output::CloseLine(at) => {
                assert!(self.open_lines.remove(at), "{at:?} is not open");
                self.unread_lines.remove(at);
            }
            Output::Show { device, view, about } => {
                assert!(self.open_devices.contains(device), "{device:?} is not open");
                self.screens.insert(device.clone(), (view.clone(), *about));
            }
            Output::Clear(device) => {
                assert!(self.open_devices.contains(device), "{device:?} is not open");
                self.screens.remove(device);
            }
            Output::Alert { alert, .. } if self.alerts_answered => {
                let delivered = self.alerts_delivered;
                inputs.push_back(Input::Alerted { alert: *alert, delivered });
            }
            _ => {}
        }
    }

    fn answer(&self, question: &Output) -> Option<Input> {
        match question {
            Output::Resolve { ticket, from, dn } => {
                let result = self.resolve(from, dn);
                Some(Input::Resolved { ticket: *ticket, result })
            }
            Output::Locate(line) => {
                Some(Input::Located { line: line.clone(), devices: self.phones_with(line) })
            }
            _ => None,
        }
    }

    fn resolve(&self, from: &Appearance, dn: &DirectoryNumber) -> Result<Resolution, Unresolved> {
        if self.directory == Directory::Down {
            return Err(Unresolved::Unavailable);
        }
        let direct = || LineId::new(Partition::default(), dn.clone());
        let line = self.dial_plan.get(dn.as_str()).cloned().unwrap_or_else(direct);
        let devices = self.phones_with(&line);
        let caller = &self.phones[from.device.as_str()];
        let mut resolution = Resolution {
            line,
            names: Vec::new(),
            forwards_all: false,
            caller_has_key: true,
            caller_lines: caller.lines.keys().cloned().collect(),
            devices,
        };
        (self.odd)(&mut resolution);
        if resolution.devices.is_empty() { Err(Unresolved::NotFound) } else { Ok(resolution) }
    }

    /// The directory answers what it was asked while it was slow.
    pub(crate) fn directory_answers(&mut self) {
        self.directory = Directory::Ready;
        for question in std::mem::take(&mut self.questions) {
            if let Some(answer) = self.answer(&question) {
                self.give(answer);
            }
        }
    }

    fn write(&mut self, save: SaveId, write: Write, inputs: &mut VecDeque<Input>) {
        self.writes.push_back((save, write));
        match self.store {
            Store::Ready => {
                while let Some(saved) = self.commit(0) {
                    inputs.push_back(saved);
                }
            }
            Store::Slow => {}
            Store::Down => inputs.push_back(Input::SaveFailed(save)),
        }
    }

    /// Carries out the oldest write for any of these requests.
    pub(crate) fn commit_for(&mut self, ids: &[RequestId]) -> Option<Input> {
        let at =
            self.writes.iter().position(|(_, write)| write.requests().iter().any(|id| ids.contains(id)))?;
        self.commit_at(at)
    }

    /// Carries out the n-th of the writes that may come next: those before which none for the same request is left.
    fn commit(&mut self, n: usize) -> Option<Input> {
        let may_be_next = |i: &usize| {
            let ids = self.writes[*i].1.requests();
            self.writes.range(..*i).all(|(_, earlier)| earlier.requests().iter().all(|id| !ids.contains(id)))
        };
        let next: Vec<usize> = (0..self.writes.len()).filter(may_be_next).collect();
        self.commit_at(*next.get(n % next.len().max(1))?)
    }

    fn commit_at(&mut self, at: usize) -> Option<Input> {
        let (save, write) = self.writes.remove(at)?;
        match write {
            Write::Put { record, replaces } => {
                if let Some(old) = replaces {
                    self.stored.remove(&old);
                }
                self.stored.insert(record.id, *record);
            }
            Write::Delete(id) => {
                self.stored.remove(&id);
            }
        }
        Some(Input::Saved(save))
    }

    /// The store carries out one write that is left; `false` if there is none.
    pub(crate) fn store_writes_one(&mut self, n: usize) -> bool {
        let Some(saved) = self.commit(n) else { return false };
        self.give(saved);
        true
    }

    /// The store carries out one write that is left, but its confirmation takes its time.
    pub(crate) fn store_writes_one_silently(&mut self, n: usize) {
        let saved = self.commit(n);
        self.unconfirmed.extend(saved);
    }

    /// The store carries out everything that is left.
    pub(crate) fn store_writes(&mut self) {
        for saved in std::mem::take(&mut self.unconfirmed) {
            self.give(saved);
        }
        while self.store_writes_one(0) {}
    }

    /// The store says of everything that is left that it cannot be written now.
    pub(crate) fn store_fails(&mut self) {
        let saves: Vec<SaveId> = self.writes.iter().map(|(save, _)| *save).collect();
        for save in saves {
            self.give(Input::SaveFailed(save));
        }
    }

    pub(crate) fn store_is(&mut self, store: Store) {
        self.store = store;
    }

    /// Time passes; the engine is given its ticks.
    pub(crate) fn wait(&mut self, span: Millis) {
        let end = self.now + span;
        while let Some(due) = self.engine.next_timeout().filter(|due| self.running && *due <= end) {
            self.now = self.now.max(due);
            self.give(Input::Tick);
            // Else whoever runs the engine would call it again and again.
            assert!(self.engine.next_timeout() != Some(due), "a tick at {due} changed nothing");
        }
        self.now = end;
    }

    pub(crate) fn wait_secs(&mut self, secs: u64) {
        self.wait(Millis::from_secs(secs));
    }

    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Parameters)) {
        change(&mut self.parameters);
        self.give(Input::Parameters(self.parameters));
    }

    /// The service dies; another instance goes on with what the store holds.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// The service dies: what is not in the store is gone, its connection closes everything.
    pub(crate) fn stop(&mut self) {
        self.running = false;
        self.open_devices.clear();
        self.open_lines.clear();
        self.unread_devices.clear();
        self.unread_lines.clear();
        self.writes.clear();
        self.unconfirmed.clear();
        self.questions.clear();
    }

    /// An instance goes on with what the store holds.
    pub(crate) fn start(&mut self) {
        self.engine = self.new_engine(self.engine.epoch().next());
        self.linked = true;
        self.running = true;
        let records = self.stored.values().cloned().collect();
        self.give(Input::Restored(records));
    }
}
