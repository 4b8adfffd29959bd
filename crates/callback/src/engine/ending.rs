//! How requests end (R7, R18, R23, R29, R40, R43). Each ends here, once.

use ringback_model::{DeviceName, RequestId};

use super::Engine;
use crate::output::{Ending, Notice, Output, SaveId};

impl Engine {
    /// Ends a request: its slot, its place or turn, its record, its screen, and what was open for it.
    pub(super) fn end(&mut self, id: RequestId, how: Ending) {
        let Some(request) = self.requests.remove(&id) else { return };
        let (device, line) = (request.record.caller.device.clone(), request.record.called.clone());
        if let Some((save, _)) = request.gate {
            self.gates.remove(&save);
        }
        if let Some(called) = self.lines.get_mut(&line) {
            called.dequeue(request.place());
            called.end_turn(id);
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
            (false, Some((save, _)), _) => {
                self.out.push(Output::Revoke { save, request: id });
                None
            }
            (false, None, _) => None,
        };
        if request.accepted {
            self.pending -= 1;
            self.notice(Notice::Ended { request: id, how });
        }
        self.watch.close_line(&request.record.caller, &mut self.out);
        self.caller_lost_request(&device, id, removal);
        self.tend_line(&line);
        if matches!(how, Ending::Reached | Ending::Answered) {
            self.expect_use(&line);
        }
        self.evaluate(&line);
    }

    /// R29.
    pub(super) fn expire(&mut self, id: RequestId) {
        if self.requests.get(&id).is_some_and(|r| r.record.expires.is_some_and(|at| at <= self.now)) {
            self.end(id, Ending::Expired);
        }
    }

    /// R43.
    pub(super) fn user_changed(&mut self, device: &DeviceName) {
        self.end_all_of(device, Ending::CallerUserChanged);
    }

    /// Ends what a phone has: its request, and one that is being accepted.
    pub(super) fn end_all_of(&mut self, device: &DeviceName, how: Ending) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        caller.asking = None;
        let (saving, request) = (caller.saving, caller.request);
        if caller.proposal.take().is_some() {
            self.clear(device);
        }
        for id in [saving, request].into_iter().flatten() {
            self.end(id, how);
        }
    }

    /// The removal a screen waited for has its outcome: now the screen may go. Had it gone before, a crash in between
    /// would bring back a request that its caller believes ended.
    pub(super) fn release_clear(&mut self, save: SaveId) {
        let Some(device) = self.clears.remove(&save) else { return };
        if let Some(caller) = self.callers.get_mut(&device)
            && caller.clearing == Some(save)
        {
            caller.clearing = None;
            self.clear(&device);
        }
    }
}
