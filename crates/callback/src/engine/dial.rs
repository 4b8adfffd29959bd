//! Dial and what becomes of it (R19 to R22).

use ringback_model::{Appearance, CallId, DirectoryNumber, RequestId};

use super::Engine;
use super::line::Condition;
use super::request::{Gate, Request};
use crate::input::CallProgress;
use crate::output::{Ending, Notice, Output};
use crate::record::Phase;

impl Engine {
    /// The caller pressed Dial.
    pub(super) fn dial(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        let in_turn = match request.record.phase {
            // The key is on the screen only after the alert.
            Phase::Turn { .. } if request.gate.is_none() => true,
            Phase::Lapsed => false,
            _ => {
                self.notice(Notice::Ignored("Dial, but the request is not notified"));
                self.show_present(id);
                return;
            }
        };
        request.record.phase = Phase::Dialing { in_turn };
        request.in_doubt = false;
        request.dial = None;
        request.dialled_on = None;
        request.reshow = false;
        request.idles_at_dial = self.lines.get(&request.record.called).map_or(0, |line| line.idles);
        self.save_gated(id, Gate::Dial);
    }

    /// The press is on record: the call is made.
    pub(super) fn place_call(&mut self, id: RequestId) {
        let link = self.watch.link();
        let Some(request) = self.requests.get_mut(&id) else { return };
        let Phase::Dialing { in_turn } = request.record.phase else { return };
        request.dialled_on = Some(link);
        self.out.push(Output::Dial {
            request: id,
            from: request.record.caller.clone(),
            dn: request.record.dialled.clone(),
            override_forwarding: in_turn,
        });
    }

    pub(super) fn dialled(&mut self, id: RequestId, call: Option<CallId>) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        if !is_dialling(request) {
            return;
        }
        match call {
            Some(call) => request.dial = Some(call),
            None => self.dial_failed(id),
        }
    }

    /// A call on a line that is open because it is a caller's.
    pub(super) fn call(
        &mut self,
        at: &Appearance,
        call: CallId,
        called: Option<&DirectoryNumber>,
        progress: &CallProgress,
    ) {
        self.drop_answered_proposal(at, call, progress);
        let Some(id) = self.caller_request(at) else { return };
        let Some(request) = self.requests.get_mut(&id) else { return };
        let by_hand = request.record.origin == Some(call);
        if by_hand {
            match progress {
                CallProgress::Connected { peer } if is_called_party(request, peer.as_ref()) => {
                    // R7
                    if request.accepted {
                        self.end(id, Ending::Answered);
                    } else {
                        self.give_up_acceptance(id, Ending::Answered);
                    }
                    return;
                }
                CallProgress::Ended => request.record.origin = None,
                _ => {}
            }
        }
        if !is_dialling(request) {
            return;
        }
        // A new active instance, or one whose answer was lost with the link, knows the call by its number.
        if request.dial.is_none() && !by_hand && called == Some(&request.record.dialled) {
            request.dial = Some(call);
        }
        if request.dial != Some(call) {
            return;
        }
        match progress {
            CallProgress::Alerting { peer } | CallProgress::Connected { peer } => {
                if is_called_party(request, peer.as_ref()) {
                    self.end(id, Ending::Reached);
                } else {
                    self.dial_failed(id);
                }
            }
            CallProgress::Busy => self.retain(id),
            CallProgress::Ended => self.dial_failed(id),
        }
    }

    /// A whole reading of a caller's line: a call that is not there has ended while nobody looked.
    pub(super) fn caller_line_read(&mut self, at: &Appearance, calls: &[CallId]) {
        let Some(id) = self.caller_request(at) else { return };
        let link = self.watch.link();
        let Some(request) = self.requests.get_mut(&id) else { return };
        if request.record.origin.is_some_and(|call| !calls.contains(&call)) {
            request.record.origin = None;
        }
        let asked_before = request.dialled_on.is_none_or(|on| on < link);
        if is_dialling(request) && asked_before && request.dial.is_none_or(|call| !calls.contains(&call)) {
            self.dial_failed(id);
        }
    }

    /// R20: B is busy. The request is back in its old place and waits for busy to idle.
    fn retain(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.record.cycle = None;
        let line = request.record.called.clone();
        // Where B is seen idle, it must be busy first, unless it was since Dial. Where it cannot be seen, the first
        // reading decides.
        request.due = self
            .lines
            .get(&line)
            .is_some_and(|line| line.present == Some(Condition::Idle) && line.idles != request.idles_at_dial);
        self.back_to_queue(id);
        self.save(id);
        self.notice(Notice::Retained { request: id });
        self.replace_available(id);
        self.tend_line(&line);
        self.evaluate(&line);
    }

    /// R21: the request stays, without a turn; *Available* comes back when the caller is idle.
    pub(super) fn dial_failed(&mut self, id: RequestId) {
        self.lapse(id);
        self.notice(Notice::DialFailed { request: id });
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.reshow = true;
        let line = request.record.called.clone();
        if self.watch.is_idle(&request.record.caller.device) {
            self.show_available(id);
        }
        self.tend_line(&line);
        self.evaluate(&line);
    }

    /// The request of the phone, if it was activated on this line.
    fn caller_request(&self, at: &Appearance) -> Option<RequestId> {
        let caller = self.callers.get(&at.device)?;
        let on_this_line =
            |id: &RequestId| self.requests.get(id).is_some_and(|request| request.record.caller == *at);
        // While a replacement is being accepted, calls belong to the one or the other by their id; only the new one
        // can still be answered (R7).
        caller.saving.filter(on_this_line).or(caller.request.filter(on_this_line))
    }
}

/// Whether its call was asked for: the press of Dial is on record.
fn is_dialling(request: &Request) -> bool {
    matches!(request.record.phase, Phase::Dialing { .. }) && request.gate.is_none()
}

/// Whether the far end is the party that was called, and not one it forwards to. A provider that does not know who is
/// at the far end is believed.
fn is_called_party(request: &Request, peer: Option<&DirectoryNumber>) -> bool {
    peer.is_none_or(|peer| *peer == request.record.called.dn || *peer == request.record.dialled)
}
