//! Every transition with exactly what it puts out. Local time and the registry's are one clock here; the test
//! `tests/schedules.rs` lets them differ.

mod faults;
mod hand_over;
mod office;

use std::net::{IpAddr, Ipv4Addr};

use ringback_model::{Epoch, Millis, Timestamp};

use super::{Alarm, CallNumber, Input, Manager, Output, Rank};
use crate::ledger::Ledger;
use crate::member::{Incarnation, Member};
use crate::parameters::Parameters;
use crate::registry::{Intent, RegistryError, Report, Request};

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

fn member(last: u8) -> Member {
    Member::new(ip(last), Incarnation(u64::from(last)), Timestamp(0))
}

fn rank(position: usize, active: Option<u8>, backups: &[u8]) -> Output {
    let backups = backups.iter().map(|last| ip(*last)).collect();
    Output::Rank(Rank { position: Some(position), active: active.map(ip), backups })
}

fn claim(seen: u64) -> Intent {
    Intent::Acquire { seen: Epoch(seen), above: Epoch(seen) }
}

fn renew(epoch: u64) -> Intent {
    Intent::Renew { epoch: Epoch(epoch) }
}

fn became_active(epoch: u64) -> [Output; 2] {
    let epoch = Epoch(epoch);
    [Output::Activate { epoch }, Output::Alarm(Alarm::BecameActive { epoch })]
}

/// One manager, and the registry that it and its peers share.
struct Room {
    manager: Manager,
    ledger: Ledger,
}

impl Room {
    fn new(last: u8) -> Self {
        Self::with(last, Parameters::default())
    }

    fn with(last: u8, parameters: Parameters) -> Self {
        let manager = Manager::new(member(last), parameters).unwrap();
        Self { manager, ledger: Ledger::default() }
    }

    /// Active since 0 in epoch 1, everything settled; calls 1 and 2 were needed.
    fn active(last: u8) -> Self {
        Self::active_with(last, Parameters::default())
    }

    fn active_with(last: u8, parameters: Parameters) -> Self {
        let mut room = Self::with(last, parameters);
        room.run(0, Input::Tick);
        assert!(room.manager.may_act(Timestamp(0)));
        room
    }

    /// A backup since 0 of 10.0.0.`other`, which is active in epoch 1; calls 1 and 2 were needed.
    fn backup(last: u8, other: u8) -> Self {
        let mut room = Self::new(last);
        room.peer(0, other, true, claim(0)).unwrap();
        room.run(0, Input::Tick);
        assert!(!room.manager.may_act(Timestamp(0)));
        room
    }

    fn give(&mut self, now: u64, input: Input) -> Vec<Output> {
        let outputs = self.manager.handle(Timestamp(now), input);
        let wakeup = self.manager.next_wakeup();
        assert!(wakeup.is_none_or(|at| at > Timestamp(now)), "it wants to be woken in the past: {wakeup:?}");
        outputs
    }

    /// The call that is put out, as the manager must put it out.
    fn call(&self, number: u64, ready: bool, intent: Intent) -> Output {
        let member = *self.manager.member();
        let report = Report { member, ready, length: Millis(2000), intent };
        Output::Call { number: CallNumber(number), request: Request::Tick(report) }
    }

    /// The registry carries out the call that is out, and answers.
    fn answer(&mut self, now: u64, call: &Output) -> Vec<Output> {
        let input = self.done(now, call);
        self.give(now, input)
    }

    fn done(&mut self, now: u64, call: &Output) -> Input {
        let Output::Call { number, request } = call else { panic!("no call: {call:?}") };
        Input::Answered { number: *number, result: self.ledger.apply(Timestamp(now), request) }
    }

    fn fail(&mut self, now: u64, number: u64) -> Vec<Output> {
        self.give(now, Input::Answered { number: CallNumber(number), result: Err(away()) })
    }

    /// An input, and every call that follows from it answered at once; all but the calls is returned.
    fn run(&mut self, now: u64, input: Input) -> Vec<Output> {
        let mut told = Vec::new();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.give(now, input) {
                match output {
                    Output::Call { .. } => inputs.push(self.done(now, &output)),
                    other => told.push(other),
                }
            }
        }
        told
    }

    /// Another instance reports.
    fn peer(&mut self, now: u64, last: u8, ready: bool, intent: Intent) -> Result<(), RegistryError> {
        let report = Report { member: member(last), ready, length: Millis(2000), intent };
        self.ledger.tick(Timestamp(now), &report).map(drop)
    }

    /// Time passes with a tick at every wake-up, the registry answering at once; everything told is returned.
    fn pass(&mut self, until: u64) -> Vec<Output> {
        let mut told = Vec::new();
        while let Some(Timestamp(at)) = self.manager.next_wakeup().filter(|at| at.0 <= until) {
            told.extend(self.run(at, Input::Tick));
        }
        told
    }
}

fn away() -> RegistryError {
    RegistryError::NotDone("away".to_owned())
}
