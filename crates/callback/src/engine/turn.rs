//! The notification and how a turn ends (R15, R16, R25 to R28).

use ringback_model::{RequestId, Timestamp};

use super::line::Condition;
use super::request::Gate;
use super::timers::Timer;
use super::{Engine, LineSlot, RequestSlot};
use crate::output::{Notice, Output, View};
use crate::record::{AlertId, Phase};

/// An alert that stays in doubt is sent this often at most; then the turn counts as let pass.
const MAX_REPEATS: u8 = 3;

impl Engine {
    /// Gives the turn to a waiting request: on record first, then the alert.
    pub(super) fn start_turn(&mut self, slot: RequestSlot) {
        let until = self.now + self.parameters.recall_timer;
        let Some(request) = self.requests.get_mut(slot) else { return };
        let record = &mut request.record;
        record.alerts += 1;
        record.notified = Some(self.now);
        let alert = AlertId { request: record.id, number: record.alerts };
        record.phase = Phase::Turn { alert, until, alerted: false };
        request.repeats = 0;
        request.in_doubt = false;
        if let Some(line) = self.lines.get_mut(request.line) {
            line.dequeue(slot);
        }
        self.add_turn(slot);
        self.save_gated(slot, Gate::Turn);
    }

    /// Counts it among those of its line that have the turn.
    pub(super) fn add_turn(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        if let Some(line) = self.lines.get_mut(request.line) {
            line.turns.push(slot);
        }
    }

    /// The turn is on record: now the phone may ring.
    pub(super) fn turn_is_durable(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        let (phone, line) = (request.phone, request.line);
        let replaced = self.watch.caller(phone).is_some_and(|caller| caller.saving.is_some());
        let available =
            self.lines.get(line).is_some_and(|line| line.present == Some(Condition::Idle) && !line.dnd);
        if available && !replaced && self.watch.is_idle(phone) {
            self.alert(slot);
        } else {
            // The caller has become busy in between (R16), or is about to wait for another (R6), or B rings (R12),
            // cannot be seen (R44) or does not want to be disturbed (R14); nothing was alerted.
            self.back_to_queue(slot);
            self.save(slot);
            self.evaluate(line);
        }
    }

    /// Alerts and shows *Available*; the recall time counts from here.
    fn alert(&mut self, slot: RequestSlot) {
        let until = self.now + self.parameters.recall_timer;
        let now = self.now;
        let Some(request) = self.requests.get_mut(slot) else { return };
        let Phase::Turn { alert, until: end, .. } = &mut request.record.phase else { return };
        *end = until;
        let alert = *alert;
        request.record.notified = Some(now);
        request.in_doubt = false;
        let device = request.record.caller.device.clone();
        self.timers.set(until, Timer::Turn(alert.request, alert.number));
        self.notice(Notice::TurnStarted { request: alert.request, until });
        self.show_available(slot);
        self.out.push(Output::Alert { device, alert });
    }

    pub(super) fn show_available(&mut self, slot: RequestSlot) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(slot) else { return };
        request.reshow = false;
        let record = &request.record;
        let view = View::Available { dn: record.dialled.clone(), at: record.notified.unwrap_or(now) };
        let (phone, id) = (request.phone, record.id);
        self.show(phone, view, Some(id));
    }

    pub(super) fn alerted(&mut self, alert: AlertId, delivered: bool) {
        let Some(slot) = self.requests.find(&alert.request) else { return };
        let Some(request) = self.requests.get_mut(slot) else { return };
        let Phase::Turn { alert: present, alerted, .. } = &mut request.record.phase else { return };
        if *present != alert || *alerted {
            return;
        }
        *alerted = true;
        request.in_doubt = false;
        if !delivered {
            self.notice(Notice::AlertFailed { request: alert.request });
        }
        self.save(slot);
    }

    /// R27: B is no more available. The caller is back in his old place.
    pub(super) fn withdraw_turn(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        let (id, told) = (request.record.id, request.gate.is_none() && !request.in_doubt);
        self.back_to_queue(slot);
        self.save(slot);
        if told {
            self.notice(Notice::TurnWithdrawn { request: id });
        }
        self.replace_available(slot);
    }

    /// Puts a request back to its place in the queue.
    pub(super) fn back_to_queue(&mut self, slot: RequestSlot) {
        self.leave_turn(slot, Phase::Waiting);
        if let Some(request) = self.requests.get_mut(slot) {
            request.told_suspended = false;
            self.enqueue(slot);
        }
    }

    /// R26: the caller let the turn pass. Request and screen stay.
    pub(super) fn turn_is_over(&mut self, id: RequestId, number: u32) {
        let Some(slot) = self.requests.find(&id) else { return };
        let Some(request) = self.requests.get_mut(slot) else { return };
        let Phase::Turn { alert, alerted, until } = request.record.phase else { return };
        if alert.number != number {
            return;
        }
        if request.gate.is_some() || until > self.now {
            return;
        }
        let line = request.line;
        if !alerted && request.repeats < MAX_REPEATS {
            request.in_doubt = true;
            self.settle_doubts(line);
            self.evaluate(line);
            return;
        }
        self.lapse(slot);
        self.notice(Notice::TurnLapsed { request: id });
        self.tend_line(line);
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Fault::NextNeverServed) {
            return;
        }
        self.evaluate(line);
    }

    /// The request stays, without a turn.
    pub(super) fn lapse(&mut self, slot: RequestSlot) {
        self.leave_turn(slot, Phase::Lapsed);
        self.save(slot);
    }

    fn leave_turn(&mut self, slot: RequestSlot, next: Phase) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        self.timers.add_stale(usize::from(matches!(request.record.phase, Phase::Turn { .. })));
        request.record.phase = next;
        request.in_doubt = false;
        if let Some(line) = self.lines.get_mut(request.line) {
            line.end_turn(slot);
        }
    }

    /// Alerts in doubt on this line are repeated under their id, once both phones can be seen and nothing has changed;
    /// a caller who is busy by now waits on (R16).
    pub(super) fn settle_doubts(&mut self, line: LineSlot) {
        let Some(called) = self.lines.get(line) else { return };
        if !matches!(called.present, Some(Condition::Idle | Condition::Ringing)) {
            return;
        }
        for turn in called.turns.clone() {
            let Some(request) = self.requests.get_mut(turn) else { continue };
            // While another request is about to take its place, nothing new begins.
            let replaced = self.watch.caller(request.phone).is_some_and(|caller| caller.saving.is_some());
            if !request.in_doubt || replaced || !self.watch.is_in_service(request.phone) {
                continue;
            }
            if self.watch.is_idle(request.phone) {
                request.repeats += 1;
                let alert = AlertId { request: request.record.id, number: request.record.alerts };
                self.notice(Notice::AlertRepeated { alert });
                self.alert(turn);
            } else {
                request.due = true;
                self.back_to_queue(turn);
                self.save(turn);
            }
        }
    }

    /// When a reading of the caller's phone is the first over a new link: an alert without an outcome is in doubt.
    pub(super) fn doubt_alert(&mut self, slot: RequestSlot) -> Option<LineSlot> {
        #[cfg(feature = "planted")]
        let twice = self.has(crate::planted::Fault::CalledTwice);
        #[cfg(not(feature = "planted"))]
        let twice = false;
        let request = self.requests.get_mut(slot)?;
        let unknown = matches!(request.record.phase, Phase::Turn { alerted, .. } if twice || !alerted);
        if request.gate.is_none() && unknown {
            request.in_doubt = true;
            return Some(request.line);
        }
        None
    }

    /// The end of a request's service duration, if it has one.
    pub(super) fn set_expiry(&mut self, id: RequestId, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.timers.set(at, Timer::Expiry(id));
        }
    }
}
