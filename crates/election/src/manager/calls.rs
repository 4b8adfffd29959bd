//! Which call to the registry comes next, and what its answer means.

use ringback_model::{Epoch, Millis, Timestamp};

use super::io::{Alarm, CallNumber, Output, Reason};
use super::seen::{Seen, SeenLease};
use super::{Announced, Flight, Kind, Manager, State};
use crate::member::View;
use crate::parameters::Parameters;
use crate::planted::Fault;
use crate::registry::{Intent, RegistryError, Report, Request};

impl Manager {
    /// Sends the next call if there is one; one at a time.
    pub(super) fn call_if_needed(&mut self, out: &mut Vec<Output>) {
        if let Some(flight) = self.flight {
            let over = self.now >= flight.issued + self.parameters.call_timeout;
            if !over || self.planted.has(Fault::NoCallTimeout) {
                return;
            }
            self.flight = None;
            let error =
                RegistryError::OutcomeUnknown(format!("no answer in {}", self.parameters.call_timeout));
            self.lost(error, out);
            self.returned(flight.kind, out);
            // The waiting is over already: ask again at once.
            self.hold = self.now;
            self.due = self.now;
        }
        let Some(kind) = self.wanted() else { return };
        let number = CallNumber(self.next_number);
        self.next_number += 1;
        self.flight = Some(Flight { number, issued: self.now, kind });
        let request = match kind {
            Kind::Tick(intent) => {
                let ready = self.reports_ready();
                Request::Tick(Report { member: self.me, ready, length: self.parameters.lease, intent })
            }
            Kind::Expel(dead, evidence) => Request::Expel { by: self.me, dead, evidence },
        };
        if let Request::Tick(report) = request {
            self.reported_ready = report.ready;
        }
        out.push(Output::Call { number, request });
    }

    /// Ready is who says so *and* has heard the registry: one whose answers are lost must not be handed over to.
    fn reports_ready(&self) -> bool {
        self.ready && (self.link || self.planted.has(Fault::DeafIsReady))
    }

    fn wanted(&self) -> Option<Kind> {
        match self.state {
            State::Stopped => return None,
            State::Releasing { .. } if self.now < self.quiet => return None,
            State::Waiting | State::Releasing { .. } if self.stopping => {
                return self.may_leave().then_some(Kind::Tick(Intent::Leave));
            }
            State::Releasing { epoch } => return Some(Kind::Tick(Intent::Release { epoch })),
            State::Waiting | State::Acting { .. } | State::Draining { .. } => {}
        }
        if self.now < self.hold {
            return None;
        }
        if let Some((dead, evidence)) = self.dead.first_key_value() {
            return Some(Kind::Expel(*dead, *evidence));
        }
        let due = self.now >= self.due || (self.link && self.reports_ready() != self.reported_ready);
        if let Some(epoch) = self.epoch() {
            let early = self.planted.has(Fault::ReleaseFirst) && matches!(self.state, State::Draining { .. });
            let intent = if early { Intent::Release { epoch } } else { Intent::Renew { epoch } };
            return due.then_some(Kind::Tick(intent));
        }
        self.claim().or(due.then_some(Intent::Watch)).map(Kind::Tick)
    }

    fn may_leave(&self) -> bool {
        let under_way = |call: Flight| {
            self.now < call.issued + self.parameters.call_timeout && !self.planted.has(Fault::LeaveAtOnce)
        };
        self.now >= self.quiet && !self.astray.is_some_and(under_way)
    }

    /// What to do about the lease while not acting.
    fn claim(&self) -> Option<Intent> {
        let seen = self.seen.as_ref().filter(|_| !self.stale)?;
        let fresh = seen.received + self.parameters.interval + self.parameters.call_timeout;
        if self.now > fresh {
            return None;
        }
        let heir = seen.heir(self.now, self.order(), &self.me);
        let is_heir = heir.is_some_and(|heir| heir.is(&self.me)) || self.planted.has(Fault::AllClaimAtOnce);
        let is_mine = is_heir && self.now >= self.patience;
        let acquire = Intent::Acquire { seen: seen.epoch, above: self.highest };
        match seen.in_force(self.now) {
            None => is_mine.then_some(acquire),
            // On record as mine, but I do not act on it: a late answer, or a stand-down.
            Some(lease) if lease.holder.is(&self.me) => {
                let release = (self.now >= self.quiet).then_some(Intent::Release { epoch: lease.epoch });
                if is_mine { Some(acquire) } else { release }
            }
            Some(_) => None,
        }
    }

    pub(super) fn answered(
        &mut self,
        number: CallNumber,
        result: Result<View, RegistryError>,
        out: &mut Vec<Output>,
    ) {
        self.astray = self.astray.filter(|astray| astray.number != number);
        let latest = |flight: &Flight| flight.number == number || self.planted.has(Fault::OldAnswerTaken);
        let Some(flight) = self.flight.filter(latest) else { return };
        self.flight = None;
        if let Kind::Expel(dead, _) = flight.kind
            && !matches!(result, Err(RegistryError::NotDone(_) | RegistryError::OutcomeUnknown(_)))
        {
            self.dead.remove(&dead);
        }
        match result {
            Ok(view) => self.viewed(flight, &view, out),
            Err(RegistryError::Fenced { ours, current }) => {
                self.reached(out);
                self.highest = self.highest.max(current);
                if self.epoch() == Some(ours) {
                    self.fenced(ours, current, out);
                }
                self.due = self.now;
                self.returned(flight.kind, out);
            }
            Err(error @ RegistryError::AddressInUse { other, frees_in, .. }) => {
                self.reached(out);
                self.conflicting(Alarm::AddressConflict { other, error }, frees_in, out);
                self.returned(flight.kind, out);
            }
            Err(error @ RegistryError::AddressChanged { .. }) => {
                self.reached(out);
                let alarm = Alarm::AddressConflict { other: self.me, error };
                self.conflicting(alarm, self.parameters.interval, out);
                self.returned(flight.kind, out);
            }
            Err(error) => {
                self.lost(error, out);
                self.returned(flight.kind, out);
            }
        }
    }

    fn viewed(&mut self, flight: Flight, view: &View, out: &mut Vec<Output>) {
        let was_away = self.registry_lost;
        self.reached(out);
        if self.conflict {
            self.conflict = false;
            out.push(Output::Alarm(Alarm::AddressConflictOver));
        }
        self.stale = false;
        let before = self.seen.replace(Seen::new(self.now, view, self.parameters.settle));
        if was_away && before.as_ref().is_some_and(|before| self.misses_a_lower(before, view, flight.kind)) {
            let settle =
                if self.planted.has(Fault::NoPatience) { Millis::ZERO } else { self.parameters.settle };
            self.patience = self.now + settle;
        }
        if before.as_ref().is_some_and(|before| view.epoch < before.epoch) {
            let alarm = Alarm::EpochWentBack { remembered: self.highest, found: view.epoch };
            out.push(Output::Alarm(alarm));
        }
        self.highest = self.highest.max(view.epoch);
        match flight.kind {
            Kind::Tick(Intent::Acquire { seen, .. }) => {
                let previous = before.and_then(|before| before.lease);
                self.claimed(flight, seen, previous, view, out);
            }
            Kind::Tick(Intent::Renew { epoch }) => self.renewed(flight, epoch, view, out),
            Kind::Tick(_) | Kind::Expel(..) => self.returned(flight.kind, out),
        }
        self.learn_of_others(view, out);
        self.schedule(flight.issued);
        // A proof can be given by one who is not a member, because the dead one had its address: now it can join.
        if matches!(flight.kind, Kind::Expel(..)) && !view.members.contains_key(&self.me.address) {
            self.due = self.now;
        }
    }

    /// A call came back in whichever way: what only needed to be tried has been tried.
    fn returned(&mut self, kind: Kind, out: &mut Vec<Output>) {
        match (kind, self.state) {
            (Kind::Tick(Intent::Leave), _) => {
                self.enter(State::Stopped);
                out.push(Output::Stopped);
            }
            (Kind::Tick(Intent::Release { .. }), State::Releasing { .. }) => self.enter(State::Waiting),
            _ => {}
        }
    }

    /// The lease counts from the asking, and for no longer than the registry said it would last.
    fn claimed(
        &mut self,
        flight: Flight,
        seen: Epoch,
        previous: Option<SeenLease>,
        view: &View,
        out: &mut Vec<Output>,
    ) {
        let seen = if self.planted.has(Fault::EpochNotRaised) { Epoch(0) } else { seen };
        let granted = view.in_force().filter(|lease| lease.holder.is(&self.me) && lease.epoch > seen);
        let Some(lease) = granted else {
            self.hold = self.now + self.parameters.hand_over_poll;
            return;
        };
        let deadline = self.deadline(flight.issued, view.remaining());
        if self.stopping || self.now >= deadline || self.state != State::Waiting {
            return;
        }
        self.enter(State::Acting { epoch: lease.epoch, deadline });
        self.lapsed = None;
        let unproven = previous.filter(|lease| !lease.released && !lease.holder.is(&self.me));
        self.ousted = unproven.map(|lease| lease.holder);
        self.announced = Some(Announced::Active);
        out.push(Output::Activate { epoch: lease.epoch });
        out.push(Output::Alarm(Alarm::BecameActive { epoch: lease.epoch }));
    }

    fn renewed(&mut self, flight: Flight, ours: Epoch, view: &View, out: &mut Vec<Output>) {
        if self.epoch() != Some(ours) {
            return;
        }
        let kept = view.in_force().is_some_and(|lease| lease.holder.is(&self.me) && lease.epoch == ours);
        if !kept {
            self.fenced(ours, view.epoch, out);
            return;
        }
        let confirmed = self.deadline(flight.issued, view.remaining());
        if let State::Acting { deadline, .. } | State::Draining { deadline, .. } = &mut self.state {
            *deadline = (*deadline).max(confirmed);
        }
    }

    fn learn_of_others(&mut self, view: &View, out: &mut Vec<Output>) {
        if let Some(epoch) = self.epoch() {
            let back = self.ousted.filter(|ousted| {
                view.members.get(&ousted.address).is_some_and(|known| known.member.is(ousted))
            });
            if let Some(other) = back {
                self.ousted = None;
                out.push(Output::Alarm(Alarm::SplitDetected { other: other.address, epoch }));
            }
            return;
        }
        let Some(lease) = view.in_force().filter(|lease| !lease.holder.is(&self.me)) else { return };
        if let Some(ours) = self.lapsed.take().filter(|ours| *ours < lease.epoch) {
            out.push(Output::Alarm(Alarm::FencedOff { ours, current: lease.epoch }));
        }
        if self.announced != Some(Announced::Backup) && !self.stopping {
            self.announced = Some(Announced::Backup);
            out.push(Output::Alarm(Alarm::BecameBackup { active: lease.holder.address }));
        }
    }

    fn schedule(&mut self, issued: Timestamp) {
        let expects = self.state == State::Waiting && self.parameters.preempt && self.is_next();
        self.expecting = if expects { self.expecting.or(Some(self.now)) } else { None };
        let Parameters { settle, drain, interval, .. } = *self.parameters;
        let soon =
            self.expecting.is_some_and(|since| self.now < since + settle + drain + interval + interval);
        let pause = if soon { self.parameters.hand_over_poll } else { self.parameters.interval };
        self.due = if self.again { self.now } else { (issued + pause).max(self.now) };
        self.again = false;
    }

    /// A higher address holds the lease, and I am the one it should hand over to.
    fn is_next(&self) -> bool {
        let Some(seen) = &self.seen else { return false };
        let order = self.order();
        let higher = seen
            .in_force(self.now)
            .is_some_and(|lease| order.compare(self.me.address, lease.holder.address).is_lt());
        higher && self.reports_ready() && seen.challenger(self.now, order, &self.me).is_none()
    }

    /// A lower one that was live before the registry went away, and is not known to be dead, has not come back yet.
    fn misses_a_lower(&self, before: &Seen, view: &View, kind: Kind) -> bool {
        let order = self.order();
        before.members.values().map(|known| known.member).any(|known| {
            let dead = matches!(kind, Kind::Expel(dead, _) if dead.is(&known));
            let lower = order.compare(known.address, self.me.address).is_lt();
            lower && !dead && !view.members.contains_key(&known.address)
        })
    }

    fn conflicting(&mut self, alarm: Alarm, retry: Millis, out: &mut Vec<Output>) {
        if let Some(epoch) = self.epoch() {
            self.stand_down(epoch, Reason::AddressConflict, out);
        }
        if !self.conflict {
            self.conflict = true;
            out.push(Output::Alarm(alarm));
        }
        self.seen = None;
        self.announced = None;
        self.hold = self.now + retry.clamp(Millis(1), self.parameters.interval);
        self.due = self.hold;
    }

    fn reached(&mut self, out: &mut Vec<Output>) {
        self.link = true;
        if self.registry_lost {
            self.registry_lost = false;
            out.push(Output::Alarm(Alarm::RegistryBack));
        }
    }

    fn lost(&mut self, error: RegistryError, out: &mut Vec<Output>) {
        self.link = false;
        if !self.registry_lost {
            self.registry_lost = true;
            out.push(Output::Alarm(Alarm::RegistryLost { error }));
        }
        self.hold = self.now + self.parameters.interval;
        self.due = self.hold;
    }
}
