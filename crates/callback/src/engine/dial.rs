//! Dial and what becomes of it (R19 to R22).

use ringback_model::{Appearance, CallId, DirectoryNumber, RequestId};
use smallvec::SmallVec;

use super::line::Condition;
use super::request::{DialledCall, Gate, Request};
use super::{Engine, PhoneSlot, RequestSlot};
use crate::input::{CallProgress, DialOutcome};
use crate::output::{Ending, Notice, Output};
use crate::record::Phase;

impl Engine {
    /// The caller pressed Dial.
    pub(super) fn dial(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        let in_turn = match request.record.phase {
            // The key is on the screen only after the alert.
            Phase::Turn { .. } if request.gate.is_none() => true,
            Phase::Lapsed => false,
            _ => {
                self.notice(Notice::Ignored("Dial, but the request is not notified"));
                self.show_present(slot);
                return;
            }
        };
        self.timers.add_stale(usize::from(in_turn));
        request.record.phase = Phase::Dialing { in_turn };
        request.in_doubt = false;
        request.reshow = false;
        let idles = self.lines.get(request.line).map_or(0, |line| line.idles);
        request.dial = Some(Box::new(DialledCall { idles, ..DialledCall::default() }));
        self.save_gated(slot, Gate::Dial);
    }

    /// The press is on record: the call is made.
    pub(super) fn place_call(&mut self, slot: RequestSlot) {
        let link = self.watch.link();
        let Some(request) = self.requests.get_mut(slot) else { return };
        let Phase::Dialing { in_turn } = request.record.phase else { return };
        request.dial.get_or_insert_default().link = Some(link);
        self.out.push(Output::Dial {
            request: request.record.id,
            from: request.record.caller.clone(),
            dn: request.record.dialled.clone(),
            override_forwarding: in_turn,
        });
    }

    pub(super) fn dialled(&mut self, id: RequestId, outcome: DialOutcome) {
        let Some(slot) = self.requests.find(&id) else { return };
        let Some(request) = self.requests.get_mut(slot) else { return };
        if !is_dialling(request) {
            return;
        }
        match outcome {
            DialOutcome::Made(call) => request.dial.get_or_insert_default().call = Some(call),
            DialOutcome::Busy => self.retain(slot),
            DialOutcome::Failed => self.dial_failed(slot),
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
        let Some(phone) = self.watch.find(&at.device) else { return };
        self.drop_answered_proposal(phone, call, progress);
        for slot in self.requests_from(phone, at) {
            self.call_of(slot, call, called, progress);
        }
    }

    fn call_of(
        &mut self,
        slot: RequestSlot,
        call: CallId,
        called: Option<&DirectoryNumber>,
        progress: &CallProgress,
    ) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        let by_hand = request.record.origin == Some(call);
        if by_hand {
            match progress {
                CallProgress::Connected { peer } if is_called_party(request, peer.as_ref()) => {
                    // R7
                    if request.accepted {
                        self.end(slot, Ending::Answered);
                    } else {
                        self.give_up_acceptance(slot, Ending::Answered);
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
        let by_number = !by_hand && called == Some(&request.record.dialled);
        let dial = request.dial.get_or_insert_default();
        if dial.call.is_none() && by_number {
            dial.call = Some(call);
        }
        if dial.call != Some(call) {
            return;
        }
        match progress {
            CallProgress::Alerting { peer } | CallProgress::Connected { peer } => {
                if is_called_party(request, peer.as_ref()) {
                    self.end(slot, Ending::Reached);
                } else {
                    self.dial_failed(slot);
                }
            }
            CallProgress::Busy => self.retain(slot),
            CallProgress::Ended => self.dial_failed(slot),
        }
    }

    /// A whole reading of a caller's line: a call that is not there has ended while nobody looked.
    pub(super) fn caller_line_read(&mut self, phone: PhoneSlot, at: &Appearance, calls: &[CallId]) {
        let link = self.watch.link();
        for slot in self.requests_from(phone, at) {
            let Some(request) = self.requests.get_mut(slot) else { continue };
            if request.record.origin.is_some_and(|call| !calls.contains(&call)) {
                request.record.origin = None;
            }
            let dial = request.dial.as_deref().copied().unwrap_or_default();
            let asked_before = dial.link.is_none_or(|on| on < link);
            if is_dialling(request) && asked_before && dial.call.is_none_or(|call| !calls.contains(&call)) {
                self.dial_failed(slot);
            }
        }
    }

    /// R20: B is busy. The request is back in its old place and waits for busy to idle.
    fn retain(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        request.record.cycle = None;
        let (id, line) = (request.record.id, request.line);
        let idles_at_dial = request.dial.as_ref().map_or(0, |dial| dial.idles);
        let present = self.lines.get(line).and_then(|line| Some((line.present?, line.idles)));
        // Where B is seen idle, it must be busy first, unless it was since Dial.
        request.seen = true;
        request.due = present.is_some_and(|(now, idles)| now == Condition::Idle && idles != idles_at_dial);
        self.back_to_queue(slot);
        if present.is_none() {
            // Where it cannot be seen, the first reading decides.
            self.join(slot);
        }
        self.save(slot);
        self.notice(Notice::Retained { request: id });
        self.replace_available(slot);
        self.tend_line(line);
        self.evaluate(line);
    }

    /// R21: the request stays, without a turn; *Available* comes back when the caller is idle.
    pub(super) fn dial_failed(&mut self, slot: RequestSlot) {
        self.lapse(slot);
        let Some(request) = self.requests.get_mut(slot) else { return };
        request.reshow = true;
        let (id, phone, line) = (request.record.id, request.phone, request.line);
        self.notice(Notice::DialFailed { request: id });
        if self.watch.is_idle(phone) {
            self.show_available(slot);
        }
        self.tend_line(line);
        self.evaluate(line);
    }

    /// The requests of the phone that were activated on this line: its request, and the one that is to take its place.
    /// A call belongs to the one or the other by its id.
    fn requests_from(&self, phone: PhoneSlot, at: &Appearance) -> SmallVec<[RequestSlot; 2]> {
        let on_this_line =
            |slot: &RequestSlot| self.requests.get(*slot).is_some_and(|request| request.record.caller == *at);
        let both = self.watch.caller(phone).map(|caller| [caller.saving, caller.request]);
        both.into_iter().flatten().flatten().filter(on_this_line).collect()
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
