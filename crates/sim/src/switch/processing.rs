use ringback_cti::message::{CallState, Cause};
use ringback_model::{CallId, DeviceName, DirectoryNumber, LineId, Timestamp};

use super::action::ActionError;
use super::call::{Call, Leg};
use super::event::SwitchEvent;
use super::routing::Route;
use super::{NO_ANSWER, Switch};

impl Switch {
    /// Takes a phone off hook: a call with dial tone.
    pub(super) fn off_hook(&mut self, device: &DeviceName, line: LineId) -> CallId {
        self.last_call += 1;
        let id = CallId(self.last_call);
        let caller = Leg::new(device.clone(), line, CallState::DialTone);
        let call = Call { id, caller, callees: Vec::new(), dialled: None, reached: None, no_answer_at: None };
        self.calls.insert(id, call);
        self.set(id, device, CallState::DialTone, Cause::NONE);
        id
    }

    /// Dials on a call that has dial tone.
    pub(super) fn dial(
        &mut self,
        now: Timestamp,
        id: CallId,
        to: &DirectoryNumber,
        override_forwarding: bool,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.dialled = Some(to.clone());
        let (caller, from) = (call.caller.device.clone(), call.caller.line.clone());
        self.set(id, &caller, CallState::Dialing, Cause::NONE);
        self.set(id, &caller, CallState::Proceeding, Cause::NONE);
        match self.route(&caller, &from, to, override_forwarding) {
            Route::Ring(line, phones) => self.ring(now, id, &line, &phones),
            Route::Busy(line) => {
                self.reached(id, Some(line.dn));
                self.set(id, &caller, CallState::Busy, Cause::USER_BUSY);
            }
            Route::Fail(cause, line) => {
                self.reached(id, line.map(|line| line.dn));
                self.set(id, &caller, CallState::Disconnected, cause);
            }
        }
    }

    fn ring(&mut self, now: Timestamp, id: CallId, line: &LineId, phones: &[DeviceName]) {
        self.reached(id, Some(line.dn.clone()));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.no_answer_at = Some(now + NO_ANSWER);
        call.callees =
            phones.iter().map(|device| Leg::new(device.clone(), line.clone(), CallState::Offering)).collect();
        let caller = call.caller.device.clone();
        for state in [CallState::Offering, CallState::Ringing] {
            for device in phones {
                self.set(id, device, state, Cause::NONE);
            }
        }
        self.set(id, &caller, CallState::Ringback, Cause::NONE);
    }

    fn reached(&mut self, id: CallId, dn: Option<DirectoryNumber>) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.reached = dn;
        }
    }

    /// Answers the call that has been ringing longest.
    pub(super) fn answer(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        let ringing = self.legs_of(device).find(|(_, leg)| leg.state == CallState::Ringing);
        let Some(id) = ringing.map(|(call, _)| call.id) else {
            return Err(ActionError::NothingRings);
        };
        self.put_aside(device);
        let Some(call) = self.calls.get_mut(&id) else { return Err(ActionError::NothingRings) };
        call.no_answer_at = None;
        let caller = call.caller.device.clone();
        let others: Vec<DeviceName> =
            call.callees.iter().map(|leg| leg.device.clone()).filter(|other| other != device).collect();
        // The line is in use before the other appearances fall silent: it is never seen idle in between.
        self.set(id, device, CallState::Connected, Cause::NONE);
        for other in &others {
            self.drop_callee(id, other, Cause::NORMAL);
        }
        self.set(id, &caller, CallState::Connected, Cause::NONE);
        Ok(())
    }

    /// Makes room for another call: a conversation is held, what cannot be held ends.
    pub(super) fn put_aside(&mut self, device: &DeviceName) {
        match self.active(device) {
            Some((id, CallState::Connected)) => self.set(id, device, CallState::OnHold, Cause::NONE),
            Some((id, _)) => self.end(id, device),
            None => {}
        }
    }

    /// This party leaves the call, which ends it.
    pub(super) fn end(&mut self, id: CallId, by: &DeviceName) {
        self.set(id, by, CallState::Idle, Cause::NORMAL);
        let Some(call) = self.calls.get(&id) else { return };
        let others: Vec<Leg> = call.legs().filter(|leg| leg.device != *by).cloned().collect();
        for other in others {
            if other.state != CallState::Ringing {
                self.set(id, &other.device, CallState::Disconnected, Cause::NORMAL);
            }
            self.set(id, &other.device, CallState::Idle, Cause::NORMAL);
        }
        self.calls.remove(&id);
    }

    /// Every call of a phone that has gone from the switch.
    pub(super) fn end_all(&mut self, device: &DeviceName) {
        let calls: Vec<(CallId, CallState)> =
            self.legs_of(device).map(|(call, leg)| (call.id, leg.state)).collect();
        for (id, state) in calls {
            if state == CallState::Ringing {
                self.drop_callee(id, device, Cause::OUT_OF_ORDER);
                self.fail_if_nobody_rings(id, Cause::OUT_OF_ORDER);
            } else {
                self.end(id, device);
            }
        }
    }

    /// One appearance stops ringing.
    fn drop_callee(&mut self, id: CallId, device: &DeviceName, cause: Cause) {
        self.set(id, device, CallState::Idle, cause);
        if let Some(call) = self.calls.get_mut(&id) {
            call.callees.retain(|leg| leg.device != *device);
        }
    }

    fn fail_if_nobody_rings(&mut self, id: CallId, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.callees.is_empty() {
            call.no_answer_at = None;
            let caller = call.caller.device.clone();
            self.set(id, &caller, CallState::Disconnected, cause);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.calls.values().filter_map(|call| call.no_answer_at).min()
    }

    /// Does what is due: calls that nobody answered turn to reorder.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let due: Vec<CallId> = self
            .calls
            .values()
            .filter(|call| call.no_answer_at.is_some_and(|at| at <= now))
            .map(|call| call.id)
            .collect();
        for id in due {
            let callees = self.calls.get(&id).map(|call| call.callees.clone()).unwrap_or_default();
            for leg in callees {
                self.drop_callee(id, &leg.device, Cause::NO_ANSWER);
            }
            self.fail_if_nobody_rings(id, Cause::NO_ANSWER);
        }
        self.tell_status();
    }

    /// Changes one end of a call and tells it.
    pub(super) fn set(&mut self, id: CallId, device: &DeviceName, state: CallState, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(leg) = call.leg_mut(device) else { return };
        leg.state = state;
        leg.cause = cause;
        let leg = leg.clone();
        let info = call.info(&leg);
        self.touched(device);
        self.events.push(SwitchEvent::Call { at: leg.at(), info });
    }
}
