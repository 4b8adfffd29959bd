//! Several production managers and a production ledger as one value, and what can happen to it in one step.
//!
//! Time is relative: the registry's clock always shows [`NOW`], and what is past moves away from it. So states that
//! differ only in when they happen are one state, and the world is finite.

use std::net::{IpAddr, Ipv4Addr};

use ringback_election::{
    CallNumber, Evidence, Incarnation, Input, Intent, Ledger, Manager, Member, Output, RegistryError,
    Request, View,
};
use ringback_model::{Epoch, Timestamp};

use crate::setup::{Budget, Setup};

/// Further from zero than anything is remembered: settle + drain + two intervals, and a clock that is behind.
pub(crate) const NOW: Timestamp = Timestamp(8);

/// What one step can break; what a single state shows is judged in `properties`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// A term of office began in an epoch that was not above all earlier ones.
    EpochNotAbove,
    /// A lease became longer or came back other than by its holder's renewal while it was in force.
    LeaseRevived,
    /// A live run was replaced by another at its address.
    AddressShared,
    /// An instance that stopped in good order had a call under way that could make it a member again.
    LeftACall,
    /// A hand-over to one who has never heard the registry.
    HandedToTheDeaf,
    /// A hand-over to one who has not been there for as long as it takes to settle.
    HandedTooEarly,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Cargo {
    Request(Request),
    Answer(Result<View, RegistryError>),
}

/// A call under way, there or back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Call {
    pub(crate) number: CallNumber,
    /// It may take any time; if not, no time passes before it arrives.
    pub(crate) late: bool,
    pub(crate) cargo: Cargo,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) manager: Manager,
    pub(crate) calls: Vec<Call>,
    pub(crate) latest: CallNumber,
    pub(crate) paused: bool,
    /// Resumed, and has not looked at its clock yet.
    pub(crate) drowsy: bool,
    /// What it was told while it was paused.
    pub(crate) missed: Vec<Input>,
    pub(crate) draining: bool,
    pub(crate) ready: bool,
    pub(crate) stopping: bool,
    /// It has had an answer.
    pub(crate) heard: bool,
    /// An effect that was checked before time passed last, and is on its way out.
    pub(crate) effect: Option<Epoch>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Host {
    pub(crate) process: Option<Process>,
    /// How many ticks its clock has lost.
    pub(crate) behind: u64,
}

impl Host {
    pub(crate) fn local(&self) -> Timestamp {
        Timestamp(NOW.0 - self.behind)
    }

    /// The epoch in which it may act now.
    pub(crate) fn acts(&self) -> Option<Epoch> {
        let manager = &self.process.as_ref()?.manager;
        manager.epoch().filter(|_| manager.may_act(self.local()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cluster {
    pub(crate) ledger: Ledger,
    pub(crate) hosts: Vec<Host>,
    /// Calls of instances that are no more.
    pub(crate) ghosts: Vec<Request>,
    pub(crate) left: Budget,
    /// The registry cannot be reached.
    pub(crate) off: bool,
    pub(crate) runs: u64,
    /// The epoch of the latest term of office.
    pub(crate) term: Epoch,
    pub(crate) broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    Together,
    Slow(usize),
    Fast(usize),
}

/// The first number is the instance, the second one of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Time(Clocks),
    /// The call is carried out and answered, or its answer arrives.
    Arrives(usize, usize),
    CallLost(usize, usize),
    AnswerLost(usize, usize),
    Refused(usize, usize),
    CallDelayed(usize, usize),
    AnswerDelayed(usize, usize),
    GhostArrives(usize),
    Start(usize),
    Crash(usize, Option<Evidence>),
    Pause(usize),
    Resume(usize),
    Wake(usize),
    Stop(usize),
    Drained(usize),
    Unready(usize),
    Off,
    On,
    Forget,
}

impl Cluster {
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut ledger = Ledger::default();
        ledger.plant(setup.planted.clone());
        let mut cluster = Self {
            ledger,
            hosts: vec![Host::default(); setup.addresses.len()],
            ghosts: Vec::new(),
            left: setup.budget,
            off: false,
            runs: 0,
            term: Epoch(0),
            broken: None,
        };
        for host in setup.started {
            cluster.start(setup, *host);
        }
        if setup.steady {
            crate::recovery::steady(setup, &mut cluster);
            cluster.left = setup.budget;
        }
        cluster
    }

    /// Everything that can happen next.
    pub(crate) fn steps(&self, steps: &mut Vec<Step>) {
        if self.broken.is_some() {
            return;
        }
        let left = &self.left;
        let mut push = |allowed: bool, step: Step| {
            if allowed {
                steps.push(step);
            }
        };
        for (at, host) in self.hosts.iter().enumerate() {
            let Some(process) = &host.process else {
                push(left.starts > 0, Step::Start(at));
                continue;
            };
            for (index, call) in process.calls.iter().enumerate() {
                let asked = matches!(call.cargo, Cargo::Request(_));
                let prompt = asked && !call.late;
                if asked && self.off {
                    push(prompt, Step::Refused(at, index));
                    continue;
                }
                push(asked || !process.paused, Step::Arrives(at, index));
                push(prompt && left.losses > 0, Step::CallLost(at, index));
                push(prompt && left.losses > 0, Step::AnswerLost(at, index));
                push(prompt && left.refusals > 0, Step::Refused(at, index));
                push(prompt && left.delays > 0, Step::CallDelayed(at, index));
                push(prompt && left.delays > 0, Step::AnswerDelayed(at, index));
            }
            push(left.crashes > 0, Step::Crash(at, None));
            push(left.crashes > 0 && left.proofs > 0, Step::Crash(at, Some(Evidence::LinkClosed)));
            push(process.paused, Step::Resume(at));
            push(process.drowsy, Step::Wake(at));
            let running = !process.paused;
            push(running && left.pauses > 0, Step::Pause(at));
            push(running && left.stops > 0 && !process.stopping, Step::Stop(at));
            push(running && left.moods > 0 && process.ready, Step::Unready(at));
            push(running && process.draining, Step::Drained(at));
        }
        for index in 0..self.ghosts.len() {
            push(!self.off, Step::GhostArrives(index));
        }
        // What comes and goes more quickly is a call that is lost or refused.
        let quiet = !self.hosts.iter().any(Host::is_urgent);
        push(left.outages > 0 && !self.off && quiet, Step::Off);
        push(self.off && quiet && self.ledger.members.is_empty(), Step::On);
        push(left.forgets > 0 && self.all_know_the_epoch(), Step::Forget);
        if quiet {
            push(true, Step::Time(Clocks::Together));
            for (at, host) in self.hosts.iter().enumerate() {
                let drifts = left.drifts > 0 && host.process.is_some();
                push(drifts && host.behind == 0, Step::Time(Clocks::Slow(at)));
                push(drifts && host.behind > 0, Step::Time(Clocks::Fast(at)));
            }
        }
    }

    pub(crate) fn take(&mut self, setup: &Setup, step: Step) {
        match step {
            Step::Time(clocks) => {
                self.left.drifts -= u8::from(clocks != Clocks::Together);
                self.pass(setup, clocks);
            }
            Step::Arrives(at, index) => self.arrives(setup, at, index),
            Step::CallLost(at, index) => {
                self.left.losses -= 1;
                self.calls(at).remove(index);
            }
            Step::AnswerLost(at, index) => {
                self.left.losses -= 1;
                let call = self.calls(at).remove(index);
                let _ = self.apply(setup, &call.request());
            }
            Step::Refused(at, index) => {
                self.left.refusals -= u8::from(!self.off);
                self.calls(at)[index].cargo = Cargo::Answer(Err(RegistryError::NotDone(String::new())));
                if !self.process(at).paused {
                    self.arrives(setup, at, index);
                }
            }
            Step::CallDelayed(at, index) => {
                self.left.delays -= 1;
                self.calls(at)[index].late = true;
            }
            Step::AnswerDelayed(at, index) => {
                self.left.delays -= 1;
                let request = self.calls(at)[index].request();
                let answer = self.apply(setup, &request);
                let number = self.calls(at)[index].number;
                self.calls(at)[index] = Call { number, late: true, cargo: Cargo::Answer(answer) };
            }
            Step::GhostArrives(index) => {
                let request = self.ghosts.remove(index);
                let _ = self.apply(setup, &request);
            }
            Step::Start(at) => {
                self.left.starts -= 1;
                self.start(setup, at);
            }
            Step::Crash(at, evidence) => self.crash(at, evidence),
            Step::Pause(at) => {
                self.left.pauses -= 1;
                self.process(at).paused = true;
            }
            Step::Resume(at) => self.resume(at),
            Step::Wake(at) => {
                self.process(at).drowsy = false;
                self.input(at, Input::Tick);
            }
            Step::Stop(at) => {
                self.left.stops -= 1;
                self.process(at).stopping = true;
                self.input(at, Input::StopRequested);
            }
            Step::Drained(at) => {
                let process = self.process(at);
                process.draining = false;
                process.effect = None;
                self.input(at, Input::Drained);
            }
            Step::Unready(at) => {
                self.left.moods -= 1;
                self.process(at).ready = false;
                self.input(at, Input::Ready(false));
            }
            Step::Off => {
                self.left.outages -= 1;
                self.off = true;
            }
            Step::On => self.off = false,
            Step::Forget => {
                self.left.forgets -= 1;
                self.ledger = Ledger::default();
                self.ledger.plant(setup.planted.clone());
            }
        }
    }

    /// One tick. Who is woken by it does not see what the others do then: that is what calls are for.
    pub(crate) fn pass(&mut self, setup: &Setup, clocks: Clocks) {
        for host in &mut self.hosts {
            let acts = host.acts();
            if let Some(process) = &mut host.process {
                process.effect = acts.filter(|_| !process.paused);
            }
        }
        let tick = Timestamp(1);
        self.ledger = self.ledger.rebased(tick);
        self.ledger.read(NOW);
        self.tidy(setup);
        for (at, host) in self.hosts.iter_mut().enumerate() {
            match clocks {
                Clocks::Slow(slow) if slow == at => host.behind += 1,
                Clocks::Fast(fast) if fast == at => host.behind -= 1,
                _ => {}
            }
            if let Some(process) = &mut host.process {
                process.renumber(tick);
            }
        }
        for at in 0..self.hosts.len() {
            let local = self.hosts[at].local();
            let due = self.hosts[at].process.as_ref().is_some_and(|process| {
                !process.paused && process.manager.next_wakeup().is_some_and(|wakeup| wakeup <= local)
            });
            if due {
                self.input(at, Input::Tick);
            }
        }
    }

    pub(crate) fn input(&mut self, at: usize, input: Input) {
        let local = self.hosts[at].local();
        if self.hosts[at].process.is_none() {
            return;
        }
        for output in self.process(at).manager.handle(local, input) {
            match output {
                Output::Call { number, request } => {
                    let process = self.process(at);
                    process.latest = number;
                    process.calls.push(Call { number, late: false, cargo: Cargo::Request(request) });
                }
                Output::Activate { epoch } => {
                    if epoch <= self.term {
                        self.broken = self.broken.or(Some(Broken::EpochNotAbove));
                    }
                    self.term = self.term.max(epoch);
                }
                Output::Drain { to } => {
                    self.process(at).draining = true;
                    let known = to.and_then(|to| self.ledger.members.get(&to));
                    if known.is_some_and(|known| known.joined > Timestamp(0)) {
                        self.broken = self.broken.or(Some(Broken::HandedTooEarly));
                    }
                    if known.is_some_and(|known| self.is_deaf(&known.member)) {
                        self.broken = self.broken.or(Some(Broken::HandedToTheDeaf));
                    }
                }
                Output::Resume { .. } | Output::StandDown { .. } => self.process(at).draining = false,
                Output::Stopped => {
                    let left = |call: &Call| !call.late && matches!(call.cargo, Cargo::Request(_));
                    if self.process(at).calls.iter().any(left) {
                        self.broken = self.broken.or(Some(Broken::LeftACall));
                    }
                    self.bury(at);
                    return;
                }
                _ => {}
            }
        }
    }

    /// This run has never had an answer.
    fn is_deaf(&self, member: &Member) -> bool {
        let mut running = self.hosts.iter().filter_map(|host| host.process.as_ref());
        running.any(|process| process.manager.member().is(member) && !process.heard)
    }

    pub(crate) fn resume(&mut self, at: usize) {
        let process = self.process(at);
        process.paused = false;
        process.drowsy = true;
        for input in std::mem::take(&mut process.missed) {
            self.input(at, input);
        }
    }

    pub(crate) fn arrives(&mut self, setup: &Setup, at: usize, index: usize) {
        let Call { number, late, cargo } = self.calls(at).remove(index);
        let result = match cargo {
            Cargo::Answer(result) => result,
            Cargo::Request(request) => self.apply(setup, &request),
        };
        let process = self.process(at);
        if process.paused {
            process.calls.insert(index, Call { number, late, cargo: Cargo::Answer(result) });
        } else {
            process.heard = true;
            self.input(at, Input::Answered { number, result });
        }
    }

    /// The registry carries out a call.
    pub(crate) fn apply(&mut self, setup: &Setup, request: &Request) -> Result<View, RegistryError> {
        let before = self.ledger.clone();
        let mut answer = self.ledger.apply(NOW, request);
        self.broken = self.broken.or(breach(&before, request, &self.ledger));
        let told = self.ledger.revision != before.revision;
        self.tidy(setup);
        if let Ok(view) = &mut answer {
            view.revision = 0;
            view.lease = self.ledger.lease;
            view.members.clone_from(&self.ledger.members);
        }
        if setup.hints && told {
            for at in 0..self.hosts.len() {
                if self.hosts[at].process.as_ref().is_some_and(|process| !process.paused) {
                    self.input(at, Input::Nudge);
                }
            }
        }
        answer
    }

    /// What decides nothing any more is made equal.
    fn tidy(&mut self, setup: &Setup) {
        let ledger = &mut self.ledger;
        ledger.revision = 0;
        if let Some(lease) = &mut ledger.lease {
            lease.granted = Timestamp(0);
            if lease.expires <= NOW {
                lease.expires = Timestamp(0);
            }
        }
        for presence in ledger.members.values_mut() {
            if presence.joined + setup.parameters.settle <= NOW {
                presence.joined = Timestamp(0);
            }
        }
    }

    fn start(&mut self, setup: &Setup, at: usize) {
        self.runs += 1;
        let member = Member::new(address(setup, at), Incarnation(self.runs), Timestamp(0));
        let mut manager = Manager::new(member, setup.parameters.clone()).unwrap();
        manager.plant(setup.planted.clone());
        self.hosts[at].process = Some(Process {
            manager,
            calls: Vec::new(),
            latest: CallNumber(0),
            paused: false,
            drowsy: false,
            missed: Vec::new(),
            draining: false,
            ready: true,
            stopping: false,
            heard: false,
            effect: None,
        });
        // Beside a registry that forgets there must be a store that does not.
        if setup.budget.forgets > 0 {
            self.input(at, Input::EpochSeen(self.term));
        } else {
            self.input(at, Input::Tick);
        }
    }

    fn crash(&mut self, at: usize, evidence: Option<Evidence>) {
        self.left.crashes -= 1;
        let dead = *self.process(at).manager.member();
        self.bury(at);
        let Some(evidence) = evidence else { return };
        self.left.proofs -= 1;
        for other in 0..self.hosts.len() {
            let input = Input::PeerDied { member: dead, evidence };
            match &mut self.hosts[other].process {
                Some(process) if process.paused => process.missed.push(input),
                Some(_) => self.input(other, input),
                None => {}
            }
        }
    }

    fn bury(&mut self, at: usize) {
        let Some(process) = self.hosts[at].process.take() else { return };
        self.hosts[at].behind = 0;
        self.ghosts.extend(process.calls.into_iter().filter_map(|call| match call.cargo {
            Cargo::Request(request) => Some(request),
            Cargo::Answer(_) => None,
        }));
    }

    /// The registry may only forget what others remember.
    fn all_know_the_epoch(&self) -> bool {
        let mut running = self.hosts.iter().filter_map(|host| host.process.as_ref());
        running.all(|process| process.manager.status().epoch >= self.ledger.epoch)
    }

    pub(crate) fn process(&mut self, at: usize) -> &mut Process {
        self.hosts[at].process.as_mut().unwrap()
    }

    fn calls(&mut self, at: usize) -> &mut Vec<Call> {
        &mut self.process(at).calls
    }
}

impl Host {
    /// Something must happen here before time passes.
    fn is_urgent(&self) -> bool {
        self.process.as_ref().is_some_and(|process| {
            let prompt =
                |call: &Call| !call.late && (!process.paused || matches!(call.cargo, Cargo::Request(_)));
            process.drowsy || process.calls.iter().any(prompt)
        })
    }
}

impl Process {
    /// Time has passed. Calls are counted from the one before the latest: all before are given up alike.
    fn renumber(&mut self, tick: Timestamp) {
        let first = CallNumber(self.latest.0.saturating_sub(1));
        self.manager = self.manager.rebased(tick, first);
        self.latest.0 -= first.0;
        for call in &mut self.calls {
            call.number.0 = call.number.0.saturating_sub(first.0);
        }
    }
}

impl Call {
    fn request(&self) -> Request {
        match &self.cargo {
            Cargo::Request(request) => *request,
            Cargo::Answer(_) => panic!("it was carried out already: {self:?}"),
        }
    }
}

fn address(setup: &Setup, at: usize) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, setup.addresses[at]).into()
}

/// Whether a call did to the ledger what no call may do.
fn breach(before: &Ledger, request: &Request, after: &Ledger) -> Option<Broken> {
    if let (Some(old), Some(new)) = (before.lease, after.lease)
        && old.epoch == new.epoch
        && (new.granted, new.expires > old.expires) == (old.granted, true)
    {
        let renewed = matches!(request, Request::Tick(report)
            if report.member.is(&old.holder) && report.intent == Intent::Renew { epoch: old.epoch });
        if !renewed || old.expires <= NOW {
            return Some(Broken::LeaseRevived);
        }
    }
    let replaced = before.members.iter().any(|(address, known)| {
        NOW < known.until && after.members.get(address).is_some_and(|now| !now.member.is(&known.member))
    });
    replaced.then_some(Broken::AddressShared)
}
