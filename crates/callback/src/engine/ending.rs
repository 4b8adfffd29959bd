//! How requests end (R7, R18, R23, R29, R40, R43). Each ends here, once.

use ringback_model::{DeviceName, RequestId};

use super::request::Gate;
use super::{Engine, PhoneSlot, RequestSlot};
use crate::output::{Ending, Notice, Output, SaveId};
use crate::record::Phase;

impl Engine {
    /// Ends a request: its slot, its place or turn, its record, its screen, and what was open for it.
    pub(super) fn end(&mut self, slot: RequestSlot, how: Ending) {
        let Some(request) = self.requests.remove(slot) else { return };
        let (id, phone, line) = (request.record.id, request.phone, request.line);
        if request.gate.is_some() {
            self.gates.remove(&request.written);
        }
        self.replacing.remove(&id);
        let others =
            request.gate == Some(Gate::Acceptance) || matches!(request.record.phase, Phase::Turn { .. });
        self.timers.add_stale(usize::from(request.record.expires.is_some()) + usize::from(others));
        if let Some(called) = self.lines.get_mut(line) {
            called.dequeue(slot);
            called.end_turn(slot);
            called.members = called.members.saturating_sub(1);
        }
        let removal = match (request.accepted, request.gate, how) {
            // The record goes in the transaction that stores its successor.
            (true, _, Ending::Replaced) => None,
            (true, ..) => {
                let save = self.next_save();
                self.out.push(Output::Remove { save, request: id });
                Some(save)
            }
            (false, Some(_), _) => {
                self.out.push(Output::Revoke { save: request.written, request: id });
                None
            }
            (false, None, _) => None,
        };
        if request.accepted {
            self.pending -= 1;
            self.notice(Notice::Ended { request: id, how });
        }
        self.watch.close_line(phone, &request.record.caller.line, &mut self.out);
        self.caller_lost_request(phone, slot, id, removal);
        self.tend_line(line);
        if matches!(how, Ending::Reached | Ending::Answered) {
            self.expect_use(line);
        }
        self.evaluate(line);
    }

    /// R29.
    pub(super) fn expire(&mut self, id: RequestId) {
        let Some(slot) = self.requests.find(&id) else { return };
        if self.requests.get(slot).is_some_and(|r| r.record.expires.is_some_and(|at| at <= self.now)) {
            self.end(slot, Ending::Expired);
        }
    }

    /// R43.
    pub(super) fn user_changed(&mut self, device: &DeviceName) {
        if let Some(phone) = self.watch.find(device) {
            self.end_all_of(phone, Ending::CallerUserChanged);
        }
    }

    /// Ends what a phone has: its request, and one that is being accepted.
    pub(super) fn end_all_of(&mut self, phone: PhoneSlot, how: Ending) {
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        caller.asking = None;
        let (saving, request) = (caller.saving, caller.request);
        if caller.proposal.take().is_some() {
            self.clear(phone);
        }
        for slot in [saving, request].into_iter().flatten() {
            self.end(slot, how);
        }
    }

    /// The removal a screen waited for has its outcome: now the screen may go. Had it gone before, a crash in between
    /// would bring back a request that its caller believes ended.
    pub(super) fn release_clear(&mut self, save: SaveId) {
        let Some(device) = self.clears.remove(&save) else { return };
        let Some(phone) = self.watch.find(&device) else { return };
        if let Some(caller) = self.watch.caller_mut(phone)
            && caller.clearing == Some(save)
        {
            caller.clearing = None;
            self.clear(phone);
        }
    }
}
