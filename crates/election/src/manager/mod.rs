//! The redundancy manager: see [`Manager`].

mod calls;
mod io;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use ringback_model::{Epoch, Millis, Timestamp};

pub use self::io::{Alarm, CallNumber, Input, Output, Rank, Reason, Role, Status};
use self::seen::Seen;
use crate::member::Member;
use crate::parameters::{ParameterError, Parameters};
use crate::planted::{Fault, Planted};
use crate::ranking::Order;
use crate::registry::{Evidence, Intent};

/// The redundancy manager of one instance in one group: joins, ranks, claims, renews, stands down and hands over.
/// A state machine without clock or I/O; the crate's first page shows how to drive it.
///
/// Time is the local monotonic clock; the manager compares it with nothing but itself, so its zero may be anywhere.
/// The state is a plain value: a model checker can copy, compare and hash it, and make states that differ only in
/// when they happen equal with [`rebased`](Self::rebased).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manager {
    me: Member,
    parameters: Arc<Parameters>,
    now: Timestamp,
    since: Timestamp,
    state: State,
    seen: Option<Seen>,
    /// What was seen is known to be over: look before claiming.
    stale: bool,
    /// The highest epoch known, from wherever.
    highest: Epoch,
    flight: Option<Flight>,
    /// A renewal that is not waited for any more, though it may be under way: leaving waits for it.
    astray: Option<Flight>,
    next_number: u64,
    /// When the next report is due.
    due: Timestamp,
    /// After a failure: nothing is sent before.
    hold: Timestamp,
    /// A nudge came while a call was out.
    again: bool,
    /// The last call was answered.
    link: bool,
    ready: bool,
    /// What the registry was last told about that.
    reported_ready: bool,
    stopping: bool,
    dead: BTreeMap<Member, Evidence>,
    /// A lower address that is live and ready, and since when.
    challenger: Option<(Member, Timestamp)>,
    /// Since when this instance expects to be handed over to.
    expecting: Option<Timestamp>,
    /// After the registry was away: lower ones get this long to come back first.
    patience: Timestamp,
    /// Until then an effect that was checked before it stood down may be on its way out: the lease is not given back.
    quiet: Timestamp,
    /// The epoch in which this one stood down for want of confirmation, until it knows what came of it.
    lapsed: Option<Epoch>,
    /// The holder this one took over from without proof of its death.
    ousted: Option<Member>,
    conflict: bool,
    registry_lost: bool,
    announced: Option<Announced>,
    rank: Rank,
    planted: Planted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Waiting,
    Acting { epoch: Epoch, deadline: Timestamp },
    Draining { epoch: Epoch, deadline: Timestamp, limit: Timestamp },
    Releasing { epoch: Epoch },
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Flight {
    number: CallNumber,
    issued: Timestamp,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Tick(Intent),
    Expel(Member, Evidence),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Announced {
    Active,
    Backup,
}

impl Manager {
    /// A manager for this run of an instance, which has done nothing yet: give it [`Input::Tick`] to begin.
    ///
    /// # Errors
    /// The parameters contradict each other, or the member's address may not take part.
    pub fn new(me: Member, parameters: Parameters) -> Result<Self, ParameterError> {
        parameters.check(me.address)?;
        Ok(Self {
            me,
            parameters: Arc::new(parameters),
            now: Timestamp(0),
            since: Timestamp(0),
            state: State::Waiting,
            seen: None,
            stale: false,
            highest: Epoch(0),
            flight: None,
            astray: None,
            next_number: 1,
            due: Timestamp(0),
            hold: Timestamp(0),
            again: false,
            link: false,
            ready: true,
            reported_ready: false,
            stopping: false,
            dead: BTreeMap::new(),
            challenger: None,
            expecting: None,
            patience: Timestamp(0),
            quiet: Timestamp(0),
            lapsed: None,
            ousted: None,
            conflict: false,
            registry_lost: false,
            announced: None,
            rank: Rank::default(),
            planted: Planted::default(),
        })
    }

    /// Tells it what happened, and what time it is; it tells what is to be done, in order. A clock that steps back is
    /// held at the latest time seen. However late it is called, it stands down before anything else if its lease may
    /// have passed on meanwhile.
    #[must_use]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.now = self.now.max(now);
        if self.state == State::Stopped {
            return out;
        }
        self.lapse(&mut out);
        match input {
            Input::Tick => {}
            Input::Nudge | Input::PeerSuspected(_) => self.look(),
            Input::Beat => {
                if self.due <= self.now + Millis(self.parameters.interval.0 / 4) {
                    self.due = self.due.min(self.now);
                }
            }
            Input::Answered { number, result } => self.answered(number, result, &mut out),
            Input::Ready(ready) => self.ready = ready,
            Input::StopRequested => self.stop(&mut out),
            Input::Drained => {
                let is_draining = matches!(self.state, State::Draining { .. });
                self.drained(&mut out);
                if is_draining {
                    self.quiet = self.now;
                }
            }
            Input::PeerDied { member, evidence } => {
                if !member.is(&self.me) {
                    self.dead.insert(member, evidence);
                    // The registry answers: a refusal that this proof may overcome need not be waited out.
                    if self.link {
                        self.hold = self.now;
                    }
                }
            }
            Input::EpochSeen(epoch) => self.epoch_seen(epoch, &mut out),
        }
        self.consider_hand_over(&mut out);
        self.call_if_needed(&mut out);
        self.tell_rank(&mut out);
        out
    }

    /// Whether an effect may go out now. Ask immediately before each one: between two calls of
    /// [`handle`](Self::handle) the lease may have run out. The effect must be out within the margin.
    #[must_use]
    pub fn may_act(&self, now: Timestamp) -> bool {
        match self.state {
            State::Acting { deadline, .. } | State::Draining { deadline, .. } => {
                !self.is_over(deadline, now.max(self.now))
            }
            State::Waiting | State::Releasing { .. } | State::Stopped => false,
        }
    }

    /// When it wants [`Input::Tick`] at the latest: always later than the last `now`. Nothing after it has stopped.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let parameters = &self.parameters;
        let call = match &self.flight {
            Some(flight) => flight.issued + parameters.call_timeout,
            None => self.due.max(self.hold),
        };
        let mut wakeups = vec![call];
        match self.state {
            State::Stopped => return None,
            State::Acting { deadline, .. } => {
                wakeups.push(deadline);
                if let Some((_, since)) = self.challenger.filter(|_| parameters.preempt) {
                    wakeups.push(since + parameters.settle);
                }
            }
            State::Draining { deadline, limit, .. } => wakeups.extend([deadline, limit]),
            State::Waiting if self.flight.is_none() => {
                let changes = self.seen.as_ref().map(|seen| seen.changes(self.now)).unwrap_or_default();
                wakeups.extend(changes.into_iter().chain([self.patience]).map(|at| at.max(self.hold)));
            }
            State::Waiting | State::Releasing { .. } => {}
        }
        if self.flight.is_none() {
            wakeups.push(self.quiet.max(self.hold));
        }
        wakeups.extend(self.astray.map(|astray| astray.issued + parameters.call_timeout));
        let soonest = Timestamp(self.now.0.saturating_add(1));
        wakeups.into_iter().filter(|wakeup| *wakeup > self.now).min().or(Some(soonest))
    }

    /// This run of the instance.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.me
    }

    /// The epoch in which it acts, while it does.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match self.state {
            State::Acting { epoch, .. } | State::Draining { epoch, .. } => Some(epoch),
            State::Waiting | State::Releasing { .. } | State::Stopped => None,
        }
    }

    /// The revision of the group it knows, for [`Registry::changed`](crate::Registry::changed). When that returns, say
    /// [`Input::Nudge`] once, and wait for it again only after the next answer: until then this stays what it is.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.seen.as_ref().map_or(0, |seen| seen.revision)
    }

    /// The runs of other instances that were live when the registry was looked at last.
    #[must_use]
    pub fn others(&self) -> Vec<Member> {
        let members = self.seen.iter().flat_map(|seen| seen.members.values());
        members.map(|seen| seen.member).filter(|member| !member.is(&self.me)).collect()
    }

    /// All of it at a glance.
    #[must_use]
    pub fn status(&self) -> Status {
        let role = match self.state {
            State::Waiting if self.stopping => Role::Leaving,
            State::Waiting if self.seen.is_none() => Role::Joining,
            State::Waiting => Role::Backup,
            State::Acting { .. } => Role::Active,
            State::Draining { .. } => Role::Draining,
            State::Releasing { .. } => Role::Leaving,
            State::Stopped => Role::Stopped,
        };
        Status {
            role,
            since: self.since,
            epoch: self.epoch().unwrap_or(self.highest),
            rank: self.rank.clone(),
            registry_reachable: self.link,
        }
    }

    /// The same state with every moment moved so that `origin` becomes zero (what lies before becomes zero, too), and
    /// call numbers counted from `first_call`: for a model checker, whose world stays finite if it does the same to
    /// the messages under way and to [`Ledger::rebased`](crate::Ledger::rebased). A moment of which only matters that
    /// it is over becomes zero, and so does the one since when it is what it is, which decides nothing. An `origin`
    /// further back than anything is waited for changes nothing that the manager will do.
    #[must_use]
    pub fn rebased(&self, origin: Timestamp, first_call: CallNumber) -> Self {
        let now = self.now;
        let begun = |moment: &mut Timestamp| moment.0 = moment.0.saturating_sub(origin.0);
        let ends = |moment: &mut Timestamp| {
            moment.0 = if *moment <= now { 0 } else { moment.0.saturating_sub(origin.0) };
        };
        let mut moved = self.clone();
        moved.since = Timestamp(0);
        begun(&mut moved.now);
        [&mut moved.due, &mut moved.hold, &mut moved.patience, &mut moved.quiet].into_iter().for_each(ends);
        match &mut moved.state {
            State::Acting { deadline, .. } => ends(deadline),
            State::Draining { deadline, limit, .. } => [deadline, limit].into_iter().for_each(ends),
            State::Waiting | State::Releasing { .. } | State::Stopped => {}
        }
        moved.challenger.iter_mut().for_each(|(_, since)| begun(since));
        moved.expecting.iter_mut().for_each(begun);
        if let Some(seen) = &mut moved.seen {
            begun(&mut seen.received);
            seen.lease.iter_mut().for_each(|lease| ends(&mut lease.until));
            for member in seen.members.values_mut() {
                ends(&mut member.until);
                ends(&mut member.young_until);
            }
        }
        moved.next_number = moved.next_number.saturating_sub(first_call.0);
        moved.astray = moved.astray.filter(|call| now < call.issued + self.parameters.call_timeout);
        for flight in moved.flight.iter_mut().chain(&mut moved.astray) {
            begun(&mut flight.issued);
            flight.number.0 = flight.number.0.saturating_sub(first_call.0);
        }
        moved
    }

    /// Switches protections off.
    #[cfg(feature = "planted")]
    #[doc(hidden)]
    pub fn plant(&mut self, planted: Planted) {
        self.planted = planted;
    }

    fn is_over(&self, deadline: Timestamp, now: Timestamp) -> bool {
        now >= deadline && !self.planted.has(Fault::NoStandDown)
    }

    /// Until when one may act on a lease that was in force for `remaining` at some moment after `issued`.
    fn deadline(&self, issued: Timestamp, remaining: Millis) -> Timestamp {
        let margin = if self.planted.has(Fault::NoMargin) { Millis::ZERO } else { self.parameters.margin };
        let issued = if self.planted.has(Fault::CountFromAnswer) { self.now } else { issued };
        issued + Millis(remaining.0.saturating_sub(margin.0))
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.since = self.now;
    }

    /// First of all, always: no acting beyond the confirmed lease.
    fn lapse(&mut self, out: &mut Vec<Output>) {
        if let State::Acting { epoch, deadline } | State::Draining { epoch, deadline, .. } = self.state
            && self.is_over(deadline, self.now)
        {
            self.lapsed = Some(epoch);
            self.stand_down(epoch, Reason::Unconfirmed, out);
        }
    }

    fn stand_down(&mut self, epoch: Epoch, reason: Reason, out: &mut Vec<Output>) {
        out.push(Output::StandDown { epoch, reason });
        self.enter(State::Waiting);
        self.announced = None;
        self.ousted = None;
        self.challenger = None;
        self.due = self.now;
        if !self.planted.has(Fault::ReleaseAtOnce) {
            self.quiet = self.now + self.parameters.margin;
        }
    }

    fn look(&mut self) {
        self.due = self.due.min(self.now);
        self.again = self.flight.is_some();
    }

    fn stop(&mut self, out: &mut Vec<Output>) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        if let State::Acting { epoch, deadline } = self.state {
            let limit = self.now + self.parameters.drain;
            self.enter(State::Draining { epoch, deadline, limit });
            out.push(Output::Drain { to: None });
        }
    }

    /// Stand down, then give back when everything is out; or go on if there is nobody to give to any more.
    fn drained(&mut self, out: &mut Vec<Output>) {
        let State::Draining { epoch, deadline, .. } = self.state else { return };
        let reason = match self.find_challenger() {
            _ if self.stopping => Reason::Stopping,
            Some(to) => Reason::HandOver { to: to.address },
            None => {
                // Should it come back, it has to settle again.
                self.challenger = None;
                self.enter(State::Acting { epoch, deadline });
                out.push(Output::Resume { epoch });
                return;
            }
        };
        self.stand_down(epoch, reason, out);
        self.enter(State::Releasing { epoch });
        // A renewal under way is of no interest any more, and does no harm if it comes later than the release. Leaving
        // must wait for it: a heartbeat that comes after it would join again.
        if !self.stopping || self.planted.has(Fault::LeaveAtOnce) {
            self.astray = self.flight.take();
        }
    }

    fn epoch_seen(&mut self, epoch: Epoch, out: &mut Vec<Output>) {
        self.highest = self.highest.max(epoch);
        if let Some(ours) = self.epoch().filter(|ours| *ours < epoch) {
            self.fenced(ours, epoch, out);
        }
    }

    fn fenced(&mut self, ours: Epoch, current: Epoch, out: &mut Vec<Output>) {
        self.stand_down(ours, Reason::Fenced { current }, out);
        self.lapsed = None;
        self.stale = true;
        out.push(Output::Alarm(Alarm::FencedOff { ours, current }));
    }

    fn order(&self) -> Order<'_> {
        Order { candidates: &self.parameters.candidates, planted: &self.planted }
    }

    fn find_challenger(&self) -> Option<Member> {
        let seen = self.seen.as_ref()?;
        seen.challenger(self.now, self.order(), &self.me)
    }

    fn consider_hand_over(&mut self, out: &mut Vec<Output>) {
        let challenger = self.find_challenger();
        match self.state {
            State::Acting { epoch, deadline } => {
                let same = |known: &(Member, Timestamp)| challenger.is_some_and(|now| now.is(&known.0));
                self.challenger =
                    self.challenger.filter(same).or(challenger.map(|member| (member, self.now)));
                let Some((member, since)) = self.challenger.filter(|_| self.parameters.preempt) else {
                    return;
                };
                let settle =
                    if self.planted.has(Fault::NoSettle) { Millis::ZERO } else { self.parameters.settle };
                if self.now >= since + settle {
                    let limit = self.now + self.parameters.drain;
                    self.enter(State::Draining { epoch, deadline, limit });
                    out.push(Output::Drain { to: Some(member.address) });
                }
            }
            State::Draining { limit, .. } => {
                let off = !self.stopping && challenger.is_none();
                if off || (self.now >= limit && !self.planted.has(Fault::DrainForever)) {
                    self.drained(out);
                }
            }
            State::Waiting | State::Releasing { .. } | State::Stopped => self.challenger = None,
        }
    }

    fn tell_rank(&mut self, out: &mut Vec<Output>) {
        let i_am_active = self.epoch().is_some();
        let rank = self
            .seen
            .as_ref()
            .map_or_else(Rank::default, |seen| seen.rank(self.now, self.order(), &self.me, i_am_active));
        if rank != self.rank {
            self.rank = rank.clone();
            out.push(Output::Rank(rank));
        }
    }
}
