//! What a called line does, and who is notified next (R8 to R14, R24, R28, R41).

use std::cell::RefCell;

use ringback_model::{Appearance, DeviceName, LineId, Millis, RequestId, Timestamp};

use super::Engine;
use super::line::Condition;
use super::timers::Timer;
use crate::input::{DeviceState, Occupancy};
use crate::output::{Notice, Output, View};
use crate::record::{Cycle, Phase};

/// How long the line of a B who has been reached may still be reported idle. Should the far end not have been B after
/// all, the next caller waits for this long.
const REACHED_SETTLES: Millis = Millis::from_secs(1);

impl Engine {
    /// Opens the line if somebody needs it, closes it if nobody does, and forgets it when it has no requests.
    pub(super) fn tend_line(&mut self, id: &LineId) {
        let Some(line) = self.lines.get_mut(id) else { return };
        match (line.is_needed(), line.open) {
            (true, false) => {
                line.open = true;
                match line.devices.clone() {
                    Some(devices) => {
                        self.open_appearances(id, &devices);
                        self.refresh_line(id);
                    }
                    None => self.out.push(Output::Locate(id.clone())),
                }
            }
            (false, true) => {
                line.open = false;
                line.last = None;
                line.present = None;
                let devices = line.devices.clone().unwrap_or_default();
                self.close_appearances(id, &devices);
            }
            _ => {}
        }
        if self.lines.get(id).is_some_and(|line| line.members == 0 && !line.open) {
            self.lines.remove(id);
        }
    }

    fn open_appearances(&mut self, id: &LineId, devices: &[DeviceName]) {
        for device in devices {
            self.appearing.entry(device.clone()).or_default().push(id.clone());
            self.watch.open_line(&Appearance { device: device.clone(), line: id.clone() }, &mut self.out);
        }
    }

    fn close_appearances(&mut self, id: &LineId, devices: &[DeviceName]) {
        for device in devices {
            if let Some(lines) = self.appearing.get_mut(device) {
                lines.retain(|line| line != id);
                if lines.is_empty() {
                    self.appearing.remove(device);
                }
            }
            self.watch.close_line(&Appearance { device: device.clone(), line: id.clone() }, &mut self.out);
        }
    }

    /// The directory has said on which phones the line appears.
    pub(super) fn located(&mut self, id: &LineId, mut devices: Vec<DeviceName>) {
        let Some(line) = self.lines.get_mut(id) else { return };
        devices.sort_unstable();
        devices.dedup();
        let before = line.devices.replace(devices.clone()).unwrap_or_default();
        if line.open && before != devices {
            let (gone, new): (Vec<_>, Vec<_>) = (
                before.iter().filter(|device| !devices.contains(device)).cloned().collect(),
                devices.iter().filter(|device| !before.contains(device)).cloned().collect(),
            );
            self.close_appearances(id, &gone);
            self.open_appearances(id, &new);
        }
        self.refresh_line(id);
    }

    /// What the line is doing, from the readings of all its appearances; `None` if that cannot be told.
    fn read_line(&self, id: &LineId) -> Option<(Condition, bool)> {
        let devices = self.lines.get(id)?.devices.as_ref()?;
        let mut condition = Condition::Away;
        let mut dnd = true;
        let mut unread = false;
        for device in devices {
            match self.watch.device(device) {
                None => unread = true,
                Some(DeviceState::OutOfService) => {}
                Some(DeviceState::InService { do_not_disturb, .. }) => {
                    dnd &= do_not_disturb;
                    let at = Appearance { device: device.clone(), line: id.clone() };
                    let seen = match self.watch.line(&at) {
                        None => {
                            unread = true;
                            continue;
                        }
                        Some(Occupancy::Idle) => Condition::Idle,
                        Some(Occupancy::Ringing) => Condition::Ringing,
                        Some(Occupancy::InUse) => Condition::InUse,
                    };
                    condition = match (condition, seen) {
                        (Condition::InUse, _) | (_, Condition::InUse) => Condition::InUse,
                        (Condition::Ringing, _) | (_, Condition::Ringing) => Condition::Ringing,
                        (_, seen) => seen,
                    };
                }
            }
        }
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Fault::SecondCallIgnored) && condition == Condition::InUse && !unread {
            let freed = |device: &DeviceName| {
                let at = Appearance { device: device.clone(), line: id.clone() };
                self.watch.line(&at) == Some(Occupancy::Idle)
            };
            if devices.iter().any(freed) {
                return Some((Condition::Idle, dnd));
            }
        }
        match condition {
            // One appearance off hook is enough to know.
            Condition::InUse => Some((condition, dnd)),
            _ if unread => None,
            Condition::Away => Some((condition, false)),
            _ => Some((condition, dnd)),
        }
    }

    /// Compares what the line does now with what it did before, and draws the consequences.
    pub(super) fn refresh_line(&mut self, id: &LineId) {
        let reading = self.read_line(id);
        let Some(line) = self.lines.get_mut(id) else { return };
        if !line.open {
            return;
        }
        let Some((condition, dnd)) = reading else {
            line.present = None;
            return;
        };
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Fault::LostWithTheLink)
            && line.present.is_none()
            && line.last.is_some()
        {
            line.last = Some(condition);
            line.dnd = dnd;
        }
        let before = line.last.replace(condition);
        let seen_anew = line.present.replace(condition).is_none();
        let dnd_before = std::mem::replace(&mut line.dnd, dnd);
        if before != Some(condition) {
            line.reached_until = Timestamp::default();
            if condition == Condition::Idle {
                line.idle_since = self.now;
                line.idles += 1;
                self.set_guard(id);
            }
            match condition {
                Condition::InUse => self.line_is_in_use(id),
                Condition::Away => self.line_is_away(id),
                Condition::Ringing => self.line_is_on_hook(id, before == Some(Condition::InUse)),
                // R14: a first look at a line that only *refuses* calls is no availability.
                Condition::Idle => self.line_is_on_hook(id, before.is_some() || !dnd),
            }
        }
        if seen_anew {
            // The guard may have changed while the line could not be seen.
            self.set_guard(id);
        }
        if dnd_before && !dnd && condition == Condition::Idle && before.is_some() {
            self.dnd_ended(id);
        }
        if matches!(condition, Condition::Idle | Condition::Ringing) {
            self.settle_doubts(id);
        }
        self.evaluate(id);
    }

    fn waiting(&self, id: &LineId) -> Vec<RequestId> {
        self.lines.get(id).map(|line| line.queue().collect()).unwrap_or_default()
    }

    fn turns(&self, id: &LineId) -> Vec<RequestId> {
        self.lines.get(id).map(|line| line.turns.clone()).unwrap_or_default()
    }

    /// B is off hook: nobody is due any more, turns are withdrawn (R27), a cycle has begun (R11).
    fn line_is_in_use(&mut self, id: &LineId) {
        for turn in self.turns(id) {
            if let Some(Phase::Turn { .. }) = self.phase(turn) {
                self.withdraw_turn(turn);
            }
        }
        for waiting in self.waiting(id) {
            let Some(request) = self.requests.get_mut(&waiting) else { continue };
            request.due = false;
            request.told_dnd = false;
            request.told_suspended = false;
            if request.record.cycle == Some(Cycle::Untouched) {
                request.record.cycle = Some(Cycle::OffHook);
                self.save_if_accepted(waiting);
            }
        }
    }

    /// B's phones are gone: a no-answer request waits for a whole cycle after they are back (R41).
    fn line_is_away(&mut self, id: &LineId) {
        for turn in self.turns(id) {
            if let Some(Phase::Turn { .. }) = self.phase(turn) {
                self.withdraw_turn(turn);
            }
        }
        for waiting in self.waiting(id) {
            let Some(request) = self.requests.get_mut(&waiting) else { continue };
            request.due = false;
            request.told_dnd = false;
            request.told_suspended = false;
            if matches!(request.record.cycle, Some(Cycle::OffHook | Cycle::Complete)) {
                request.record.cycle = Some(Cycle::Untouched);
                self.save_if_accepted(waiting);
            }
        }
    }

    /// B is on hook; if `freed`, a request that waits for idle has what it waits for as soon as the line is idle. A
    /// no-answer request has it if B was off hook before (R11), however long ago that was seen.
    fn line_is_on_hook(&mut self, id: &LineId, freed: bool) {
        for waiting in self.waiting(id) {
            let Some(request) = self.requests.get_mut(&waiting) else { continue };
            match request.record.cycle {
                None => request.due |= freed,
                Some(Cycle::Untouched) => {}
                Some(Cycle::Complete) => request.due = true,
                Some(Cycle::OffHook) => {
                    request.due = true;
                    request.record.cycle = Some(Cycle::Complete);
                    self.save_if_accepted(waiting);
                }
            }
        }
    }

    /// R14: B's user wants to be disturbed again, and is idle: that counts as availability, like a use of the line; a
    /// new active instance must know it too.
    fn dnd_ended(&mut self, id: &LineId) {
        for waiting in self.waiting(id) {
            let Some(request) = self.requests.get_mut(&waiting) else { continue };
            request.due = true;
            request.told_dnd = false;
            if matches!(request.record.cycle, Some(Cycle::Untouched | Cycle::OffHook)) {
                request.record.cycle = Some(Cycle::Complete);
                self.save_if_accepted(waiting);
            }
        }
    }

    /// A record that is being accepted is written again only when that is settled: its gate must not be lost.
    fn save_if_accepted(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        if request.accepted {
            self.save(id);
        } else {
            request.changed = true;
        }
    }

    /// R13: looks again when the line has been idle for long enough.
    pub(super) fn set_guard(&mut self, id: &LineId) {
        let guard = self.parameters.idle_guard;
        let Some(line) = self.lines.get(id) else { return };
        if guard > Millis::ZERO && line.present == Some(Condition::Idle) {
            self.timers.set(line.idle_since + guard, Timer::Guard(id.clone()));
        }
    }

    /// B rings or has answered, which its line may tell a little later than the caller's: nobody is notified in between
    /// (R25).
    pub(super) fn expect_use(&mut self, id: &LineId) {
        let until = self.now + REACHED_SETTLES;
        if let Some(line) = self.lines.get_mut(id)
            && line.present == Some(Condition::Idle)
        {
            line.reached_until = until;
            self.timers.set(until, Timer::Guard(id.clone()));
        }
    }

    /// If the line is available, notifies whom the policy chooses.
    pub(super) fn evaluate(&mut self, id: &LineId) {
        let Some(line) = self.lines.get(id) else { return };
        if line.present != Some(Condition::Idle)
            || self.now < line.idle_since + self.parameters.idle_guard
            || self.now < line.reached_until
        {
            return;
        }
        if line.dnd {
            self.show_dnd(id);
            return;
        }
        let suspended = RefCell::new(Vec::new());
        let mut candidates = line.queue().filter_map(|id| {
            let request = self.requests.get(&id)?;
            if !self.may_be_notified(id) {
                return None;
            }
            let caller = &request.record.caller.device;
            if !self.watch.is_idle(caller) {
                // One that cannot be seen may be idle.
                if !request.told_suspended && self.watch.is_in_service(caller) {
                    suspended.borrow_mut().push(id);
                }
                return None;
            }
            Some(request.candidate())
        });
        let chosen = self.policy().choose(line.turns.len(), &mut candidates);
        drop(candidates);
        for id in suspended.into_inner() {
            if let Some(request) = self.requests.get_mut(&id) {
                request.told_suspended = true;
                self.notice(Notice::Suspended { request: id });
            }
        }
        for chosen in chosen {
            // A policy of somebody else's may name what it likes, also twice.
            if self.may_be_notified(chosen)
                && self.requests.get(&chosen).is_some_and(|request| {
                    request.record.called == *id && self.watch.is_idle(&request.record.caller.device)
                })
            {
                self.start_turn(chosen);
            }
        }
    }

    /// Whether B is available for this request, and nothing but the caller's own phone may stand against it.
    fn may_be_notified(&self, id: RequestId) -> bool {
        self.requests.get(&id).is_some_and(|request| {
            request.accepted
                && request.due
                && request.gate.is_none()
                && request.record.phase == Phase::Waiting
                // While another request is about to take its place, nothing new begins.
                && self.callers.get(&request.record.caller.device).is_some_and(|c| c.saving.is_none())
        })
    }

    /// R14: everybody who would be notified is told that B does not want to be disturbed; no alert, no turn.
    fn show_dnd(&mut self, id: &LineId) {
        for waiting in self.waiting(id) {
            if !self.may_be_notified(waiting) {
                continue;
            }
            let Some(request) = self.requests.get_mut(&waiting) else { continue };
            let device = request.record.caller.device.clone();
            if !request.told_dnd && self.watch.is_idle(&device) {
                request.told_dnd = true;
                let view = View::DoNotDisturb { dn: request.record.dialled.clone() };
                self.show(&device, view, Some(waiting));
            }
        }
    }
}
