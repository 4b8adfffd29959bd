//! Several managers and one registry in simulated time: messages are delayed and lost, processes are paused and
//! killed, clocks drift. Every millisecond the promises of the crate are checked.

mod schedule;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ringback_election::{
    CallNumber, Evidence, Incarnation, Input, Ledger, Manager, Member, Output, Parameters, RegistryError,
    Request, View,
};
use ringback_model::{Epoch, Timestamp};

pub(crate) use schedule::{Fault, Rng, Schedule};

/// The slowest and fastest clocks differ from real time by this much: one per cent.
const DRIFT_PER_MILLE: u64 = 10;
/// From the check to the effect, unless the process is paused in between.
const EFFECT_MS: u64 = 250;
/// How long after the last fault the lowest must be active: a lease, a lost call, a hand-over, and some ticks.
const RECOVERY_MS: u64 = 6000;
/// How long it is watched to stay so.
const STEADY_MS: u64 = 3000;

enum Event {
    Receive { from: usize, run: u64, number: CallNumber, request: Request },
    Deliver { to: usize, run: u64, input: Input },
    Effect { from: usize, run: u64, epoch: Epoch, pauses: u64 },
}

struct Process {
    manager: Manager,
    run: u64,
    paused: bool,
    pauses: u64,
    inbox: Vec<Input>,
    draining: bool,
    wakeup: Option<Timestamp>,
}

struct Host {
    address: IpAddr,
    /// Local milliseconds per 1000 real ones, and the zero of the clock.
    rate: u64,
    offset: u64,
    cut: bool,
    deaf: bool,
    process: Option<Process>,
}

/// What keeps the effects: refuses older epochs, as a request store does.
#[derive(Default)]
struct Sink {
    epoch: Epoch,
    owner: Option<(usize, u64)>,
}

pub(crate) struct World {
    now: u64,
    sequence: u64,
    runs: u64,
    rng: Rng,
    slow: bool,
    loss_per_mille: u64,
    ledger: Ledger,
    hosts: Vec<Host>,
    events: BTreeMap<(u64, u64), Event>,
    sink: Sink,
    /// An epoch was given twice: told at the end, to see what harm it does before.
    reused: bool,
    pub(crate) activations: usize,
}

impl World {
    pub(crate) fn new(seed: u64, hosts: usize) -> Self {
        let mut rng = Rng(seed);
        let hosts = (0..hosts)
            .map(|index| Host {
                // 10.0.0.8, .9, .10, ...: in text the third would be the first.
                address: Ipv4Addr::new(10, 0, 0, 8 + u8::try_from(index).unwrap()).into(),
                rate: 1000 - DRIFT_PER_MILLE + rng.below(2 * DRIFT_PER_MILLE + 1),
                offset: rng.below(1_000_000),
                cut: false,
                deaf: false,
                process: None,
            })
            .collect();
        Self {
            now: 10_000,
            sequence: 0,
            runs: 0,
            rng,
            slow: false,
            loss_per_mille: 0,
            ledger: Ledger::default(),
            hosts,
            events: BTreeMap::new(),
            sink: Sink::default(),
            reused: false,
            activations: 0,
        }
    }

    /// Plays a schedule; an error tells which promise was broken, and when.
    pub(crate) fn play(&mut self, schedule: &Schedule) -> Result<(), String> {
        for (gap, fault) in &schedule.steps {
            self.apply(*fault)?;
            self.pass(*gap)?;
        }
        self.end_faults()?;
        self.pass(RECOVERY_MS)?;
        for _ in 0..STEADY_MS {
            self.pass(1)?;
            let lowest = self.hosts.iter().position(|host| host.process.is_some());
            let acting = (0..self.hosts.len()).find(|index| self.may_act(*index));
            if lowest != acting {
                return Err(format!("at {}: lowest is {lowest:?}, active is {acting:?}", self.now));
            }
        }
        if self.reused { Err("an epoch was given twice".to_owned()) } else { Ok(()) }
    }

    pub(crate) fn pass(&mut self, span: u64) -> Result<(), String> {
        for _ in 0..span {
            self.now += 1;
            while let Some(entry) = self.events.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let event = entry.remove();
                self.happen(event)?;
                self.check()?;
            }
            for index in 0..self.hosts.len() {
                let local = self.local(index);
                let due = self.hosts[index]
                    .process
                    .as_ref()
                    .is_some_and(|process| !process.paused && process.wakeup.is_some_and(|at| at <= local));
                if due {
                    self.input(index, Input::Tick)?;
                }
            }
            self.act();
            self.check()?;
        }
        Ok(())
    }

    pub(crate) fn apply(&mut self, fault: Fault) -> Result<(), String> {
        let count = self.hosts.len();
        match fault {
            Fault::Start(index) => return self.start(index % count),
            Fault::Kill(index, proof) => self.kill(index % count, proof),
            Fault::Stop(index) => {
                let index = index % count;
                if self.hosts[index].process.as_ref().is_some_and(|process| !process.paused) {
                    return self.input(index, Input::StopRequested);
                }
            }
            Fault::Pause(index) => {
                if let Some(process) = &mut self.hosts[index % count].process {
                    process.paused = true;
                    process.pauses += 1;
                }
            }
            Fault::Resume(index) => return self.resume(index % count),
            Fault::Cut(index) => self.hosts[index % count].cut = true,
            Fault::Deafen(index) => self.hosts[index % count].deaf = true,
            Fault::Heal(index) => {
                let host = &mut self.hosts[index % count];
                host.cut = false;
                host.deaf = false;
            }
            Fault::Slow(slow) => self.slow = slow,
            Fault::Loss(per_mille) => self.loss_per_mille = per_mille,
            Fault::Ready(index, ready) => {
                let index = index % count;
                if self.hosts[index].process.as_ref().is_some_and(|process| !process.paused) {
                    return self.input(index, Input::Ready(ready));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn may_act(&self, index: usize) -> bool {
        let process = self.hosts[index].process.as_ref();
        process.is_some_and(|process| process.manager.may_act(self.local(index)))
    }

    fn local(&self, index: usize) -> Timestamp {
        let host = &self.hosts[index];
        Timestamp(host.offset + self.now * host.rate / 1000)
    }

    fn end_faults(&mut self) -> Result<(), String> {
        self.slow = false;
        self.loss_per_mille = 0;
        for index in 0..self.hosts.len() {
            self.apply(Fault::Heal(index))?;
            self.resume(index)?;
            self.apply(Fault::Ready(index, true))?;
        }
        Ok(())
    }

    fn start(&mut self, index: usize) -> Result<(), String> {
        if self.hosts[index].process.is_some() {
            return Ok(());
        }
        self.runs += 1;
        let member = Member::new(self.hosts[index].address, Incarnation(self.runs), Timestamp(self.now));
        let manager = Manager::new(member, Parameters::default()).map_err(|error| error.to_string())?;
        self.hosts[index].process = Some(Process {
            manager,
            run: self.runs,
            paused: false,
            pauses: 0,
            inbox: Vec::new(),
            draining: false,
            wakeup: None,
        });
        self.input(index, Input::Tick)
    }

    fn kill(&mut self, index: usize, proof: bool) {
        let Some(process) = self.hosts[index].process.take() else { return };
        if !proof {
            return;
        }
        let dead = Input::PeerDied { member: *process.manager.member(), evidence: Evidence::LinkClosed };
        for to in 0..self.hosts.len() {
            if let Some(run) = self.hosts[to].process.as_ref().map(|process| process.run) {
                self.later(5, Event::Deliver { to, run, input: dead.clone() });
            }
        }
    }

    fn resume(&mut self, index: usize) -> Result<(), String> {
        let Some(process) = &mut self.hosts[index].process else { return Ok(()) };
        process.paused = false;
        for input in std::mem::take(&mut process.inbox) {
            if self.hosts[index].process.is_some() {
                self.input(index, input)?;
            }
        }
        Ok(())
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    /// A message under way: its delay, unless it is lost.
    fn travel(&mut self) -> Option<u64> {
        if self.rng.below(1000) < self.loss_per_mille {
            return None;
        }
        Some(if self.slow { self.rng.below(900) } else { self.rng.below(20) })
    }

    fn input(&mut self, index: usize, input: Input) -> Result<(), String> {
        let local = self.local(index);
        let Some(process) = &mut self.hosts[index].process else { return Ok(()) };
        let run = process.run;
        let outputs = process.manager.handle(local, input);
        process.wakeup = process.manager.next_wakeup();
        if process.wakeup.is_some_and(|at| at <= local) {
            return Err(format!("at {}: {index} wants to be woken in the past", self.now));
        }
        for output in outputs {
            self.output(index, run, output)?;
        }
        Ok(())
    }

    fn output(&mut self, index: usize, run: u64, output: Output) -> Result<(), String> {
        match output {
            Output::Call { number, request } => {
                if let Some(delay) = self.travel() {
                    self.later(delay, Event::Receive { from: index, run, number, request });
                }
            }
            Output::Activate { epoch } => {
                self.reused |= epoch <= self.sink.epoch;
                self.sink = Sink { epoch, owner: Some((index, run)) };
                self.activations += 1;
            }
            Output::Drain { .. } => {
                if let Some(process) = &mut self.hosts[index].process {
                    process.draining = true;
                }
                if self.rng.below(10) > 0 {
                    let delay = self.rng.below(300);
                    self.later(delay, Event::Deliver { to: index, run, input: Input::Drained });
                }
            }
            Output::Resume { .. } | Output::StandDown { .. } => {
                if let Some(process) = &mut self.hosts[index].process {
                    process.draining = false;
                }
            }
            Output::Stopped => self.hosts[index].process = None,
            _ => {}
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Receive { from, run, number, request } => {
                let result = if self.hosts[from].cut {
                    Err(RegistryError::NotDone("cut".to_owned()))
                } else {
                    self.ledger.apply(Timestamp(self.now), &request)
                };
                self.answer(from, run, number, result);
            }
            Event::Deliver { to, run, input } => {
                let known = self.hosts[to].process.as_mut().filter(|process| process.run == run);
                match known {
                    Some(process) if process.paused => process.inbox.push(input),
                    Some(_) => return self.input(to, input),
                    None => {}
                }
            }
            Event::Effect { from, run, epoch, pauses } => {
                let Some(process) = self.hosts[from].process.as_ref().filter(|known| known.run == run) else {
                    return Ok(());
                };
                if process.paused {
                    // It goes out when the process runs again, without another check.
                    self.later(1, Event::Effect { from, run, epoch, pauses });
                    return Ok(());
                }
                let undisturbed = process.pauses == pauses;
                return self.effect(from, run, epoch, undisturbed);
            }
        }
        Ok(())
    }

    fn answer(&mut self, to: usize, run: u64, number: CallNumber, result: Result<View, RegistryError>) {
        if self.hosts[to].deaf {
            return;
        }
        if let Some(delay) = self.travel() {
            self.later(delay, Event::Deliver { to, run, input: Input::Answered { number, result } });
        }
    }

    /// Whoever may act does so now and then: it checks, and a little later the effect is out.
    fn act(&mut self) {
        for index in 0..self.hosts.len() {
            if !self.may_act(index) || self.rng.below(20) > 0 {
                continue;
            }
            let delay = self.rng.below(EFFECT_MS);
            let Some(process) = self.hosts[index].process.as_ref().filter(|process| !process.paused) else {
                continue;
            };
            let (run, pauses) = (process.run, process.pauses);
            // A service that drains or hands over waits for what it has begun; this one begins nothing then.
            if let Some(epoch) = process.manager.epoch().filter(|_| !process.draining) {
                self.later(delay, Event::Effect { from: index, run, epoch, pauses });
            }
        }
    }

    fn effect(&mut self, from: usize, run: u64, epoch: Epoch, undisturbed: bool) -> Result<(), String> {
        let process = self.hosts[from].process.as_ref();
        let in_office = process.is_some_and(|process| process.manager.epoch() == Some(epoch));
        if epoch < self.sink.epoch {
            return Ok(());
        }
        if self.sink.owner != Some((from, run)) {
            return Err(format!("at {}: an effect of a replaced instance was taken", self.now));
        }
        if undisturbed && in_office && !self.holds(from, epoch) {
            return Err(format!("at {}: an effect outside the lease", self.now));
        }
        Ok(())
    }

    fn holds(&self, index: usize, epoch: Epoch) -> bool {
        self.ledger.lease.is_some_and(|lease| {
            lease.holder.address == self.hosts[index].address
                && lease.epoch == epoch
                && self.now < lease.expires.0
        })
    }

    fn check(&self) -> Result<(), String> {
        let mut acting = (0..self.hosts.len()).filter(|index| self.may_act(*index));
        let Some(index) = acting.next() else { return Ok(()) };
        if let Some(other) = acting.next() {
            return Err(format!("at {}: {index} and {other} may act at once", self.now));
        }
        let epoch = self.hosts[index].process.as_ref().and_then(|process| process.manager.epoch());
        if !epoch.is_some_and(|epoch| self.holds(index, epoch)) {
            return Err(format!("at {}: {index} may act outside its lease", self.now));
        }
        Ok(())
    }
}
