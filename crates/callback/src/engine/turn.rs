//! The notification and how a turn ends (R15, R16, R25 to R28).

use ringback_model::{LineId, RequestId, Timestamp};

use super::Engine;
use super::line::Condition;
use super::request::Gate;
use super::timers::Timer;
use crate::output::{Notice, Output, View};
use crate::record::{AlertId, Phase};

/// An alert that stays in doubt is sent this often at most; then the turn counts as let pass.
const MAX_REPEATS: u8 = 3;

impl Engine {
    /// Gives the turn to a waiting request: on record first, then the alert.
    pub(super) fn start_turn(&mut self, id: RequestId) {
        let until = self.now + self.parameters.recall_timer;
        let Some(request) = self.requests.get_mut(&id) else { return };
        let record = &mut request.record;
        record.alerts += 1;
        record.notified = Some(self.now);
        let alert = AlertId { request: id, number: record.alerts };
        record.phase = Phase::Turn { alert, until, alerted: false };
        request.repeats = 0;
        request.in_doubt = false;
        let (place, line) = (request.place(), request.record.called.clone());
        if let Some(line) = self.lines.get_mut(&line) {
            line.dequeue(place);
            line.turns.push(id);
        }
        self.save_gated(id, Gate::Turn);
    }

    /// The turn is on record: now the phone may ring.
    pub(super) fn turn_is_durable(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        let line = request.record.called.clone();
        let device = &request.record.caller.device;
        let replaced = self.callers.get(device).is_some_and(|caller| caller.saving.is_some());
        let available =
            self.lines.get(&line).is_some_and(|line| line.present == Some(Condition::Idle) && !line.dnd);
        if available && !replaced && self.watch.is_idle(device) {
            self.alert(id);
        } else {
            // The caller has become busy in between (R16), or is about to wait for another (R6), or B rings (R12), cannot be seen (R44) or does not want to
            // be disturbed (R14); nothing was alerted.
            self.back_to_queue(id);
            self.save(id);
            self.evaluate(&line);
        }
    }

    /// Alerts and shows *Available*; the recall time counts from here.
    fn alert(&mut self, id: RequestId) {
        let until = self.now + self.parameters.recall_timer;
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else { return };
        let Phase::Turn { alert, until: end, .. } = &mut request.record.phase else { return };
        *end = until;
        let alert = *alert;
        request.record.notified = Some(now);
        request.in_doubt = false;
        let device = request.record.caller.device.clone();
        self.timers.set(until, Timer::Turn(id, alert.number));
        self.notice(Notice::TurnStarted { request: id, until });
        self.show_available(id);
        self.out.push(Output::Alert { device, alert });
    }

    pub(super) fn show_available(&mut self, id: RequestId) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.reshow = false;
        let record = &request.record;
        let view = View::Available { dn: record.dialled.clone(), at: record.notified.unwrap_or(now) };
        let device = record.caller.device.clone();
        self.show(&device, view, Some(id));
    }

    pub(super) fn alerted(&mut self, alert: AlertId, delivered: bool) {
        let id = alert.request;
        let Some(request) = self.requests.get_mut(&id) else { return };
        let Phase::Turn { alert: present, alerted, .. } = &mut request.record.phase else { return };
        if *present != alert || *alerted {
            return;
        }
        *alerted = true;
        request.in_doubt = false;
        if !delivered {
            self.notice(Notice::AlertFailed { request: id });
        }
        self.save(id);
    }

    /// R27: B is no more available. The caller is back in his old place.
    pub(super) fn withdraw_turn(&mut self, id: RequestId) {
        let told = self.requests.get(&id).is_some_and(|request| request.gate.is_none() && !request.in_doubt);
        self.back_to_queue(id);
        self.save(id);
        if told {
            self.notice(Notice::TurnWithdrawn { request: id });
        }
        self.replace_available(id);
    }

    /// Puts a request back to its place in the queue.
    pub(super) fn back_to_queue(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.record.phase = Phase::Waiting;
        request.in_doubt = false;
        request.told_suspended = false;
        let (place, line) = (request.place(), request.record.called.clone());
        if let Some(line) = self.lines.get_mut(&line) {
            line.end_turn(id);
            line.enqueue(place);
        }
    }

    /// R26: the caller let the turn pass. Request and screen stay.
    pub(super) fn turn_is_over(&mut self, id: RequestId, number: u32) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        let Phase::Turn { alert, alerted, until } = request.record.phase else { return };
        if alert.number != number || request.gate.is_some() || until > self.now {
            return;
        }
        let line = request.record.called.clone();
        if !alerted && request.repeats < MAX_REPEATS {
            request.in_doubt = true;
            self.settle_doubts(&line);
            self.evaluate(&line);
            return;
        }
        self.lapse(id);
        self.notice(Notice::TurnLapsed { request: id });
        self.tend_line(&line);
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Fault::NextNeverServed) {
            return;
        }
        self.evaluate(&line);
    }

    /// The request stays, without a turn.
    pub(super) fn lapse(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.record.phase = Phase::Lapsed;
        request.in_doubt = false;
        let line = request.record.called.clone();
        if let Some(line) = self.lines.get_mut(&line) {
            line.end_turn(id);
        }
        self.save(id);
    }

    /// Alerts in doubt on this line are repeated under their id, once both phones can be seen and nothing has changed;
    /// a caller who is busy by now waits on (R16).
    pub(super) fn settle_doubts(&mut self, id: &LineId) {
        let Some(line) = self.lines.get(id) else { return };
        if !matches!(line.present, Some(Condition::Idle | Condition::Ringing)) {
            return;
        }
        for turn in line.turns.clone() {
            let Some(request) = self.requests.get_mut(&turn) else { continue };
            if !request.in_doubt || !self.watch.is_in_service(&request.record.caller.device) {
                continue;
            }
            if self.watch.is_idle(&request.record.caller.device) {
                request.repeats += 1;
                self.alert(turn);
            } else {
                request.due = true;
                self.back_to_queue(turn);
                self.save(turn);
            }
        }
    }

    /// When a reading of the caller's phone is the first over a new link: an alert without an outcome is in doubt.
    pub(super) fn doubt_alert(&mut self, id: RequestId) -> Option<LineId> {
        #[cfg(feature = "planted")]
        let twice = self.has(crate::planted::Fault::CalledTwice);
        #[cfg(not(feature = "planted"))]
        let twice = false;
        let request = self.requests.get_mut(&id)?;
        let unknown = matches!(request.record.phase, Phase::Turn { alerted, .. } if twice || !alerted);
        if request.gate.is_none() && unknown {
            request.in_doubt = true;
            return Some(request.record.called.clone());
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
