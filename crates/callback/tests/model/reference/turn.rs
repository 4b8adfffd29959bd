//! Notifications, turns and Dial: R15, R16, R19 to R28.

use ringback_callback::QueuePolicyName;

use super::*;

/// How often an alert whose outcome is unknown is repeated before the turn passes on.
const REPEATS: u32 = 3;

impl Reference {
    /// R24 to R28: whoever may be notified is.
    pub(super) fn serve(&mut self, l: LineNo) {
        if !self.is_watched(l) {
            return;
        }
        self.repeat_alerts_in_doubt(l);
        if !self.is_free(l) {
            return;
        }
        for id in self.waiting(l) {
            let Some(i) = self.index(id) else { continue };
            if !self.is_available_for(i) || self.requests[i].being_replaced {
                continue;
            }
            if self.lines[l].dnd {
                self.show_do_not_disturb(i);
            } else if self.idle(self.requests[i].p) {
                if self.parameters.queue_policy == QueuePolicyName::All || !self.somebody_has_the_turn(l) {
                    self.give_turn(i);
                }
            } else if self.can_see(self.requests[i].p) {
                self.suspend(i);
            }
        }
    }

    /// R24, R25: while a caller has the turn, or dials in it, nobody else gets it.
    fn somebody_has_the_turn(&self, l: LineNo) -> bool {
        self.requests.iter().any(|r| {
            r.l == l && matches!(r.record.phase, Phase::Turn { .. } | Phase::Dialing { in_turn: true })
        })
    }

    /// R16.
    fn suspend(&mut self, i: usize) {
        if !self.requests[i].suspended {
            self.moved("waiting", "suspended");
            self.requests[i].suspended = true;
            let request = self.requests[i].record.id;
            self.tell(self.requests[i].p, Notice::Suspended { request });
        }
    }

    /// R14: a screen, no alert, no turn; once.
    fn show_do_not_disturb(&mut self, i: usize) {
        let (p, id) = (self.requests[i].p, self.requests[i].record.id);
        if self.idle(p) && !self.requests[i].dnd_told {
            self.moved(phase_name(&self.requests[i]), "waiting");
            self.requests[i].dnd_told = true;
            let dn = self.requests[i].record.dialled.clone();
            self.show(p, View::DoNotDisturb { dn }, Some(id));
        }
    }

    /// The turn is put on record; what the caller sees and hears of it comes afterwards.
    fn give_turn(&mut self, i: usize) {
        self.moved(phase_name(&self.requests[i]), "turn being saved");
        let until = self.now + self.parameters.recall_timer;
        let r = &mut self.requests[i];
        r.suspended = false;
        r.record.alerts += 1;
        let alert = AlertId { request: r.record.id, number: r.record.alerts };
        r.record.phase = Phase::Turn { alert, until, alerted: false };
        r.record.notified = Some(self.now);
        r.repeats = 0;
        r.doubt = false;
        let write = self.write(i, None);
        self.requests[i].turn_write = Some(write);
    }

    /// R15, R16, R12, R14: alerted if A is idle and B is available still; else back into the queue.
    pub(super) fn turn_is_on_record(&mut self, i: usize) {
        let (p, l) = (self.requests[i].p, self.requests[i].l);
        // **Freedom**: a longer guard that was set in between does not take the turn back.
        let line = &self.lines[l];
        if self.requests[i].being_replaced || !self.idle(p) || line.latest != line::Use::Idle || line.dnd {
            self.moved("turn being saved", "waiting");
            self.back_to_queue(i);
            self.serve(l);
            return;
        }
        self.moved("turn being saved", "turn");
        self.alert(i);
    }

    /// Shows Available and plays the alert. The whole recall time is left.
    fn alert(&mut self, i: usize) {
        let (now, until) = (self.now, self.now + self.parameters.recall_timer);
        let r = &mut self.requests[i];
        let Phase::Turn { alert, alerted, .. } = r.record.phase else { return };
        r.record.phase = Phase::Turn { alert, until, alerted };
        r.record.notified = Some(now);
        r.doubt = false;
        let (p, id, dn) = (r.p, r.record.id, r.record.dialled.clone());
        self.tell(p, Notice::TurnStarted { request: id, until });
        self.show(p, View::Available { dn, at: now }, Some(id));
        self.said.push((p, Said::Alert(alert)));
        match self.alerts {
            crate::step::Alerts::Taken => self.inbox.push_back(Inner::Alerted(alert, true)),
            crate::step::Alerts::Refused => self.inbox.push_back(Inner::Alerted(alert, false)),
            crate::step::Alerts::InDoubt => {}
        }
    }

    pub(super) fn alerted(&mut self, alert: AlertId, delivered: bool) {
        let Some(i) = self.index(alert.request) else { return };
        let r = &mut self.requests[i];
        if let Phase::Turn { alert: latest, until, alerted: false } = r.record.phase
            && latest == alert
            && r.turn_write.is_none()
        {
            r.record.phase = Phase::Turn { alert, until, alerted: true };
            r.doubt = false;
            let p = r.p;
            if !delivered {
                self.tell(p, Notice::AlertFailed { request: alert.request });
            }
            self.moved("turn", "turn");
            self.write(i, None);
        }
    }

    /// An alert that may not have reached the phone is repeated under its id. **Freedom**: like the turn, it outlives
    /// B's ringing (R12) and B's DND.
    fn repeat_alerts_in_doubt(&mut self, l: LineNo) {
        if !matches!(self.lines[l].latest, line::Use::Idle | line::Use::Ringing) {
            return;
        }
        for i in 0..self.requests.len() {
            let (p, doubt) = (self.requests[i].p, self.requests[i].doubt);
            if self.requests[i].l != l || !doubt || self.requests[i].being_replaced {
                continue;
            }
            if !self.can_see(p) {
                continue;
            }
            if !self.idle(p) {
                self.moved("turn", "waiting");
                self.back_to_queue(i);
            } else {
                self.requests[i].repeats += 1;
                self.moved("turn", "turn");
                if let Phase::Turn { alert, .. } = self.requests[i].record.phase {
                    self.tell(p, Notice::AlertRepeated { alert });
                }
                self.alert(i);
            }
        }
    }

    /// The first reading of a caller's phone over a new link: nobody will tell what became of its alert.
    pub(super) fn doubt_alert_of(&mut self, p: PhoneNo) {
        if let Some(i) = self.of(p) {
            let r = &mut self.requests[i];
            let unknown = matches!(r.record.phase, Phase::Turn { alerted: false, .. });
            r.doubt |= unknown && r.turn_write.is_none();
        }
    }

    fn back_to_queue(&mut self, i: usize) {
        let r = &mut self.requests[i];
        r.record.phase = Phase::Waiting;
        r.turn_write = None;
        r.dial_write = None;
        r.doubt = false;
        r.suspended = false;
        self.write(i, None);
    }

    /// R27, R41: B is off hook or away.
    pub(super) fn withdraw_turns(&mut self, l: LineNo) {
        for i in 0..self.requests.len() {
            let r = &self.requests[i];
            if r.l != l || !matches!(r.record.phase, Phase::Turn { .. }) {
                continue;
            }
            // One whose alert is in doubt may not have been told.
            let (p, id, told) = (r.p, r.record.id, r.turn_write.is_none() && !r.doubt);
            self.moved(phase_name(&self.requests[i]), "waiting");
            self.back_to_queue(i);
            if told {
                self.tell(p, Notice::TurnWithdrawn { request: id });
            }
            self.activated_replaces_available(p, id);
        }
    }

    /// R27: if Available is up. An earlier instance may have put it there.
    fn activated_replaces_available(&mut self, p: PhoneNo, id: RequestId) {
        let notified = self.index(id).is_some_and(|i| self.requests[i].record.notified.is_some());
        let is_available = |screen: &Screen| match &screen.view {
            Some(view) => matches!(view, View::Available { .. }) && screen.about == Some(id),
            None => notified,
        };
        if self.known[p].screen.as_ref().is_some_and(is_available) {
            self.show_request(p);
        }
    }

    /// R26.
    pub(super) fn turn_is_over(&mut self, i: usize) {
        let r = &mut self.requests[i];
        let Phase::Turn { alerted, .. } = r.record.phase else { return };
        let (p, l, id) = (r.p, r.l, r.record.id);
        if !alerted && r.repeats < REPEATS {
            r.doubt = true;
            self.serve(l);
            return;
        }
        r.record.phase = Phase::Lapsed;
        self.moved("turn", "lapsed");
        self.write(i, None);
        self.tell(p, Notice::TurnLapsed { request: id });
        self.forget_what_is_closed();
        self.serve(l);
    }

    /// The store may hold a turn that had passed on before the next one was given, because writes of different requests
    /// reach it in any order. Under `fifo` only the latest one goes on.
    pub(super) fn keep_the_latest_turn(&mut self, l: LineNo) {
        let turn = |r: &Request| match r.record.phase {
            Phase::Turn { until, .. } if r.l == l => Some((until, r.record.id)),
            _ => None,
        };
        let latest = self.requests.iter().filter_map(turn).max();
        for i in 0..self.requests.len() {
            let earlier = turn(&self.requests[i]).is_some_and(|turn| Some(turn) != latest);
            if earlier && self.parameters.queue_policy == QueuePolicyName::Fifo {
                self.moved("turn", "lapsed");
                self.requests[i].record.phase = Phase::Lapsed;
                self.requests[i].doubt = false;
                self.write(i, None);
            }
        }
    }

    pub(super) fn can_dial(&self, i: usize) -> bool {
        let r = &self.requests[i];
        match r.record.phase {
            Phase::Turn { .. } => r.turn_write.is_none(),
            Phase::Lapsed => true,
            _ => false,
        }
    }

    /// R19: on record first, so that nobody is called twice.
    pub(super) fn dial(&mut self, i: usize) {
        self.moved(phase_name(&self.requests[i]), "dialing");
        let not_idle = !matches!(self.lines[self.requests[i].l].latest, line::Use::Idle);
        let r = &mut self.requests[i];
        let in_turn = matches!(r.record.phase, Phase::Turn { .. });
        r.record.phase = Phase::Dialing { in_turn };
        r.used_since_dial = not_idle;
        r.call = None;
        r.asked_on = None;
        r.owed = false;
        r.doubt = false;
        let write = self.write(i, None);
        self.requests[i].dial_write = Some(write);
    }

    pub(super) fn place_call(&mut self, i: usize) {
        let r = &mut self.requests[i];
        r.dial_write = None;
        let Phase::Dialing { in_turn } = r.record.phase else { return };
        r.asked_on = Some(self.links);
        let said =
            Said::Dial { request: r.record.id, dn: r.record.dialled.clone(), override_forwarding: in_turn };
        self.said.push((self.requests[i].p, said));
    }

    /// R19: B's phone rings.
    pub(super) fn reached(&mut self, i: usize) {
        let l = self.requests[i].l;
        self.will_be_in_use(l);
        self.end(i, Ending::Reached);
    }

    /// R20: back in the old place, and B must be seen busy before its being idle counts.
    pub(super) fn retained(&mut self, i: usize) {
        self.moved("dialing", "waiting");
        let r = &mut self.requests[i];
        let (p, l, id) = (r.p, r.l, r.record.id);
        r.record.cycle = None;
        r.looked_at = self.lines[l].latest != line::Use::Unknown;
        r.busy_first = !r.used_since_dial && self.lines[l].latest == line::Use::Idle;
        self.back_to_queue(i);
        self.tell(p, Notice::Retained { request: id });
        self.activated_replaces_available(p, id);
        self.ask_where(l);
        // **Freedom**: where B could not be seen, the first look decides.
        self.look_at(l);
    }

    /// R21: the request stays, without a turn; Available comes back when A is idle.
    pub(super) fn dial_failed(&mut self, i: usize) {
        self.moved("dialing", "lapsed");
        let r = &mut self.requests[i];
        let (p, l, id) = (r.p, r.l, r.record.id);
        r.record.phase = Phase::Lapsed;
        r.call = None;
        r.dial_write = None;
        r.owed = true;
        self.write(i, None);
        self.tell(p, Notice::DialFailed { request: id });
        self.show_what_is_owed(p);
        self.forget_what_is_closed();
        self.serve(l);
    }

    pub(super) fn show_what_is_owed(&mut self, p: PhoneNo) {
        if let Some(i) = self.of(p).filter(|i| self.requests[*i].owed)
            && self.idle(p)
        {
            self.requests[i].owed = false;
            self.show_request(p);
        }
    }
}
