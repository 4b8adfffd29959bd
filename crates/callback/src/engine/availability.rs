//! What a called line does, and who is notified next (R8 to R14, R24, R28, R41).

use std::cell::RefCell;

use ringback_model::{DeviceName, LineId, Millis, Timestamp};

use super::line::Condition;
use super::request::Request;
use super::timers::Timer;
use super::{Engine, LineSlot, RequestSlot, Slots};
use crate::input::{DeviceState, Occupancy};
use crate::output::{Notice, Output, View};
use crate::record::{Cycle, Phase};

/// How long the line of a B who has been reached may still be reported idle. Should the far end not have been B after
/// all, the next caller waits for this long.
const REACHED_SETTLES: Millis = Millis::from_secs(1);

impl Engine {
    /// Opens the line if somebody needs it, closes it if nobody does, and forgets it when it has no requests.
    pub(super) fn tend_line(&mut self, line: LineSlot) {
        let Some(called) = self.lines.get_mut(line) else { return };
        match (called.is_needed(), called.open) {
            (true, false) => {
                called.open = true;
                match called.devices.clone() {
                    Some(devices) => {
                        self.open_appearances(line, &devices);
                        self.refresh_line(line);
                    }
                    None => self.out.push(Output::Locate(called.id.clone())),
                }
            }
            (false, true) => {
                called.open = false;
                called.last = None;
                called.present = None;
                let devices = called.devices.clone().unwrap_or_default();
                self.close_appearances(line, &devices);
            }
            _ => {}
        }
        if self.lines.get(line).is_some_and(|called| called.members == 0 && !called.open) {
            self.lines.remove(line);
        }
    }

    fn open_appearances(&mut self, line: LineSlot, devices: &[DeviceName]) {
        let Some(called) = self.lines.get(line) else { return };
        for device in devices {
            let phone = self.watch.enter(device);
            self.watch.open_called(phone, &called.id, line, &mut self.out);
        }
    }

    fn close_appearances(&mut self, line: LineSlot, devices: &[DeviceName]) {
        let Some(called) = self.lines.get(line) else { return };
        for device in devices {
            if let Some(phone) = self.watch.find(device) {
                self.watch.close_called(phone, &called.id, &mut self.out);
            }
        }
    }

    /// The directory has said on which phones the line appears.
    pub(super) fn located(&mut self, id: &LineId, devices: Vec<DeviceName>) {
        if let Some(line) = self.lines.find(id) {
            self.place_line(line, devices);
        }
    }

    pub(super) fn place_line(&mut self, line: LineSlot, mut devices: Vec<DeviceName>) {
        let Some(called) = self.lines.get_mut(line) else { return };
        devices.sort_unstable();
        devices.dedup();
        let before = called.devices.replace(devices.iter().cloned().collect()).unwrap_or_default();
        if called.open && *before != *devices {
            let (gone, new): (Vec<_>, Vec<_>) = (
                before.iter().filter(|device| !devices.contains(device)).cloned().collect(),
                devices.iter().filter(|device| !before.contains(device)).cloned().collect(),
            );
            self.close_appearances(line, &gone);
            self.open_appearances(line, &new);
        }
        self.refresh_line(line);
    }

    /// Puts a request into the queue of its line.
    pub(super) fn enqueue(&mut self, slot: RequestSlot) {
        let requests = &self.requests;
        let place = |other| requests.get(other).map(Request::place);
        if let Some(line) = requests.get(slot).and_then(|request| self.lines.get_mut(request.line)) {
            line.enqueue(slot, place);
        }
    }

    /// Puts a request into the queue of its line to start from what the next reading of the line shows.
    pub(super) fn join(&mut self, slot: RequestSlot) {
        self.enqueue(slot);
        let Some(request) = self.requests.get_mut(slot) else { return };
        request.seen = false;
        if let Some(line) = self.lines.get_mut(request.line) {
            line.joined = true;
        }
    }

    /// What the line is doing, from the readings of all its appearances; `None` if that cannot be told.
    fn read_line(&self, line: LineSlot) -> Option<(Condition, bool)> {
        let called = self.lines.get(line)?;
        let devices = called.devices.as_ref()?;
        let mut condition = Condition::Away;
        let mut dnd = true;
        let mut unread = false;
        for device in devices {
            let phone = self.watch.find(device);
            match phone.and_then(|phone| self.watch.device(phone)) {
                None => unread = true,
                Some(DeviceState::OutOfService) => {}
                Some(DeviceState::InService { do_not_disturb, .. }) => {
                    dnd &= do_not_disturb;
                    let seen = match phone.and_then(|phone| self.watch.line(phone, &called.id)) {
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
                let reading = self.watch.find(device).and_then(|phone| self.watch.line(phone, &called.id));
                reading == Some(Occupancy::Idle)
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
    pub(super) fn refresh_line(&mut self, line: LineSlot) {
        let reading = self.read_line(line);
        let Some(called) = self.lines.get_mut(line) else { return };
        if !called.open {
            return;
        }
        let Some((condition, dnd)) = reading else {
            called.present = None;
            return;
        };
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Fault::LostWithTheLink)
            && called.present.is_none()
            && called.last.is_some()
        {
            called.last = Some(condition);
            called.dnd = dnd;
        }
        let before = called.last.replace(condition);
        let seen_anew = called.present.replace(condition).is_none();
        let dnd_before = std::mem::replace(&mut called.dnd, dnd);
        let joined = std::mem::take(&mut called.joined);
        if before != Some(condition) {
            called.reached_until = Timestamp::default();
            if condition == Condition::Idle {
                called.idle_since = self.now;
                called.idles += 1;
                self.set_guard(line);
            }
        }
        if joined || before != Some(condition) {
            match condition {
                Condition::InUse => self.line_is_in_use(line),
                Condition::Away => self.line_is_away(line),
                Condition::Ringing | Condition::Idle => self.line_is_on_hook(line, before),
            }
        }
        if seen_anew {
            // The guard may have changed while the line could not be seen.
            self.set_guard(line);
        }
        if dnd_before && !dnd && condition == Condition::Idle && before.is_some() {
            self.dnd_ended(line);
        }
        if matches!(condition, Condition::Idle | Condition::Ringing) {
            self.settle_doubts(line);
        }
        self.evaluate(line);
    }

    fn waiting(&self, line: LineSlot) -> Slots {
        self.lines.get(line).map(|called| called.queue().into()).unwrap_or_default()
    }

    fn turns(&self, line: LineSlot) -> Slots {
        self.lines.get(line).map(|called| called.turns.clone()).unwrap_or_default()
    }

    /// B is off hook: nobody is due any more, turns are withdrawn (R27), a cycle has begun (R11).
    fn line_is_in_use(&mut self, line: LineSlot) {
        for turn in self.turns(line) {
            if let Some(Phase::Turn { .. }) = self.phase(turn) {
                self.withdraw_turn(turn);
            }
        }
        for waiting in self.waiting(line) {
            let Some(request) = self.requests.get_mut(waiting) else { continue };
            request.seen = true;
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
    fn line_is_away(&mut self, line: LineSlot) {
        for turn in self.turns(line) {
            if let Some(Phase::Turn { .. }) = self.phase(turn) {
                self.withdraw_turn(turn);
            }
        }
        for waiting in self.waiting(line) {
            let Some(request) = self.requests.get_mut(waiting) else { continue };
            request.seen = true;
            request.due = false;
            request.told_dnd = false;
            request.told_suspended = false;
            if matches!(request.record.cycle, Some(Cycle::OffHook | Cycle::Complete)) {
                request.record.cycle = Some(Cycle::Untouched);
                self.save_if_accepted(waiting);
            }
        }
    }

    /// B is on hook. A request that waits for idle has what it waits for as soon as the line is idle, if it was not
    /// `before`; or if nobody has looked on its behalf before: B was busy a moment ago, and is not any more. A no-answer
    /// request has it if B was off hook before (R11), however long ago that was seen.
    fn line_is_on_hook(&mut self, line: LineSlot, before: Option<Condition>) {
        let Some(called) = self.lines.get(line) else { return };
        let (now, dnd) = (called.present, called.dnd);
        let freed = match before {
            Some(Condition::InUse) => true,
            Some(before) => now == Some(Condition::Idle) && before != Condition::Idle,
            None => false,
        };
        // R14: a first look at a line that only *refuses* calls is no availability.
        let at_first = now == Some(Condition::Idle) && !dnd;
        for waiting in self.waiting(line) {
            let Some(request) = self.requests.get_mut(waiting) else { continue };
            let freed = if std::mem::replace(&mut request.seen, true) { freed } else { at_first };
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
    fn dnd_ended(&mut self, line: LineSlot) {
        for waiting in self.waiting(line) {
            let Some(request) = self.requests.get_mut(waiting) else { continue };
            request.due = true;
            request.told_dnd = false;
            if matches!(request.record.cycle, Some(Cycle::Untouched | Cycle::OffHook)) {
                request.record.cycle = Some(Cycle::Complete);
                self.save_if_accepted(waiting);
            }
        }
    }

    /// A record that is being accepted is written again only when that is settled: its gate must not be lost.
    fn save_if_accepted(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        if request.accepted {
            self.save(slot);
        } else {
            request.changed = true;
        }
    }

    /// R13: looks again when the line has been idle for long enough.
    pub(super) fn set_guard(&mut self, line: LineSlot) {
        let guard = self.parameters.idle_guard;
        let Some(called) = self.lines.get(line) else { return };
        if guard > Millis::ZERO && called.present == Some(Condition::Idle) {
            self.timers.set(called.idle_since + guard, Timer::Guard(Box::new(called.id.clone())));
        }
    }

    /// B rings or has answered, which its line may tell a little later than the caller's: nobody is notified in between
    /// (R25).
    pub(super) fn expect_use(&mut self, line: LineSlot) {
        let until = self.now + REACHED_SETTLES;
        if let Some(called) = self.lines.get_mut(line)
            && called.present == Some(Condition::Idle)
        {
            called.reached_until = until;
            self.timers.set(until, Timer::Guard(Box::new(called.id.clone())));
        }
    }

    /// If the line is available, notifies whom the policy chooses.
    pub(super) fn evaluate(&mut self, line: LineSlot) {
        let Some(called) = self.lines.get(line) else { return };
        if called.present != Some(Condition::Idle)
            || self.now < called.idle_since + self.parameters.idle_guard
            || self.now < called.reached_until
        {
            return;
        }
        if called.dnd {
            self.show_dnd(line);
            return;
        }
        let suspended = RefCell::new(Slots::new());
        let mut candidates = called.queue().iter().filter_map(|slot| {
            let request = self.requests.get(*slot)?;
            if !self.may_be_notified(request) {
                return None;
            }
            if !self.watch.is_idle(request.phone) {
                // One that cannot be seen may be idle.
                if !request.told_suspended && self.watch.is_in_service(request.phone) {
                    suspended.borrow_mut().push(*slot);
                }
                return None;
            }
            Some(request.candidate())
        });
        let chosen = self.policy().choose(called.turns.len(), &mut candidates);
        drop(candidates);
        for slot in suspended.into_inner() {
            if let Some(request) = self.requests.get_mut(slot) {
                request.told_suspended = true;
                let id = request.record.id;
                self.notice(Notice::Suspended { request: id });
            }
        }
        for chosen in chosen {
            // A policy of somebody else's may name what it likes, also twice.
            let Some(slot) = self.requests.find(&chosen) else { continue };
            let may_be = |request: &Request| {
                request.line == line && self.may_be_notified(request) && self.watch.is_idle(request.phone)
            };
            if self.requests.get(slot).is_some_and(may_be) {
                self.start_turn(slot);
            }
        }
    }

    /// Whether B is available for this request, and nothing but the caller's own phone may stand against it.
    fn may_be_notified(&self, request: &Request) -> bool {
        request.accepted
            && request.due
            && request.gate.is_none()
            && request.record.phase == Phase::Waiting
            // While another request is about to take its place, nothing new begins.
            && self.watch.caller(request.phone).is_some_and(|caller| caller.saving.is_none())
    }

    /// R14: everybody who would be notified is told that B does not want to be disturbed; no alert, no turn.
    fn show_dnd(&mut self, line: LineSlot) {
        for slot in self.waiting(line) {
            let Some(request) = self.requests.get(slot) else { continue };
            if !self.may_be_notified(request) || request.told_dnd || !self.watch.is_idle(request.phone) {
                continue;
            }
            let view = View::DoNotDisturb { dn: request.record.dialled.clone() };
            let (phone, id) = (request.phone, request.record.id);
            if let Some(request) = self.requests.get_mut(slot) {
                request.told_dnd = true;
            }
            self.show(phone, view, Some(id));
        }
    }
}
