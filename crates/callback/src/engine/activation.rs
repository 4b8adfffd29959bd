//! The CallBack key, the directory's answer, refusals, *Replace?*, acceptance (R1 to R6, R30 to R38).

use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, Millis, RequestId};

use super::line::CalledLine;
use super::request::{Gate, Request};
use super::timers::Timer;
use super::{Engine, PhoneSlot, RequestSlot};
use crate::input::{PressedDuring, Resolution, Ticket, Unresolved};
use crate::output::{Ending, Notice, Output, Refusal, View};
use crate::record::{Cycle, Kind, Phase, Record};

/// A valid press of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pressed {
    from: Appearance,
    call: Option<CallId>,
    dn: DirectoryNumber,
    kind: Kind,
}

/// What OK would activate.
#[derive(Debug)]
pub(super) struct Proposal {
    pressed: Pressed,
    resolution: Resolution,
}

impl Proposal {
    pub(super) fn is_about(&self, call: CallId) -> bool {
        self.pressed.call == Some(call)
    }
}

impl Engine {
    pub(super) fn callback_key(
        &mut self,
        invocation: u64,
        from: Appearance,
        call: Option<CallId>,
        called: Option<DirectoryNumber>,
        during: PressedDuring,
    ) {
        let kind = match during {
            PressedDuring::Idle => {
                self.out.push(Output::Verdict { invocation, accepted: true });
                self.callback_key_while_idle(&from.device);
                return;
            }
            // R1
            PressedDuring::Busy => Some(Kind::Busy),
            PressedDuring::Ringback | PressedDuring::NoAnswer => Some(Kind::NoAnswer),
            PressedDuring::Other => None,
        };
        let (Some(kind), Some(dn)) = (kind, called) else {
            // R2
            self.out.push(Output::Verdict { invocation, accepted: false });
            return;
        };
        self.out.push(Output::Verdict { invocation, accepted: true });
        let phone = self.watch.enter(&from.device);
        let Some(caller) = self.watch.enter_caller(phone) else { return };
        caller.proposal = None;
        if let Some(slot) = caller.request
            && self
                .requests
                .get(slot)
                .is_some_and(|r| r.record.dialled == dn && r.record.caller.line == from.line)
        {
            // R5
            caller.asking = None;
            self.pressed_again(slot, call);
            return;
        }
        if caller.saving.is_some() {
            // It is being accepted: its screen comes by itself.
            return;
        }
        self.asked += 1;
        let ticket = Ticket(self.asked);
        let pressed = Pressed { from: from.clone(), call, dn: dn.clone(), kind };
        caller.asking = Some(Box::new((ticket, pressed)));
        self.tickets.insert(ticket, from.device.clone());
        self.out.push(Output::Resolve { ticket, from, dn });
    }

    /// R5: the screen comes again. R7 counts for the call of this press as well.
    fn pressed_again(&mut self, slot: RequestSlot, call: Option<CallId>) {
        if let Some(request) = self.requests.get_mut(slot) {
            request.record.origin = call.or(request.record.origin);
        }
        self.show_present(slot);
    }

    /// R3
    fn callback_key_while_idle(&mut self, device: &DeviceName) {
        let phone = self.watch.enter(device);
        match self.watch.caller(phone) {
            Some(caller) if caller.saving.is_some() => {}
            Some(caller) if caller.request.is_some() => {
                if let Some(slot) = caller.request {
                    self.show_present(slot);
                }
            }
            _ => self.show(phone, View::NotActive, None),
        }
    }

    pub(super) fn resolved(&mut self, ticket: Ticket, result: Result<Resolution, Unresolved>) {
        let Some(device) = self.tickets.remove(&ticket) else { return };
        let Some(phone) = self.watch.find(&device) else { return };
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        let pressed = match caller.asking.take_if(|asked| asked.0 == ticket) {
            Some(asked) => asked.1,
            // A later press has taken its place.
            None => return self.tend_caller(phone),
        };
        let resolution = match check(&pressed, result) {
            Ok(resolution) => resolution,
            Err(reason) => return self.refuse(phone, pressed.dn, reason),
        };
        let active = self.watch.caller(phone).and_then(|caller| caller.request);
        let active_record = active.and_then(|slot| self.requests.get(slot)).map(|request| &request.record);
        if let (Some(slot), Some(record)) = (active, active_record)
            && record.called == resolution.line
        {
            // R5: the same line under another spelling of its number, or from another line of the phone.
            return self.pressed_again(slot, pressed.call);
        }
        if let Err(reason) = self.check_limits(&resolution, active) {
            return self.refuse(phone, pressed.dn, reason);
        }
        match active_record {
            Some(record) => {
                // R6
                let view = View::Replace { active: record.dialled.clone(), wanted: pressed.dn.clone() };
                if let Some(caller) = self.watch.caller_mut(phone) {
                    caller.proposal = Some(Box::new(Proposal { pressed, resolution }));
                }
                // It outlives the active request: it is about one that is not there yet.
                self.show(phone, view, None);
            }
            None => self.accept(pressed, resolution, None),
        }
    }

    /// OK was pressed below *Replace?*.
    pub(super) fn accept_proposal(&mut self, phone: PhoneSlot, proposal: Proposal) {
        let active = self.watch.caller(phone).and_then(|caller| caller.request);
        match self.check_limits(&proposal.resolution, active) {
            Ok(()) => self.accept(proposal.pressed, proposal.resolution, active),
            Err(reason) => self.refuse(phone, proposal.pressed.dn, reason),
        }
    }

    /// R35, R36. A request that is to be replaced gives its slot to the new one.
    fn check_limits(&self, resolution: &Resolution, replaces: Option<RequestSlot>) -> Result<(), Refusal> {
        let in_all = self.requests.len() - usize::from(replaces.is_some());
        #[cfg(feature = "planted")]
        let in_all = if self.has(crate::planted::Fault::LimitNotCounted) { 0 } else { in_all };
        // What is to be replaced is for another line (R5).
        let on_line = self.lines.named(&resolution.line).map_or(0, |line| line.members);
        if self.parameters.max_per_line > 0 && on_line >= self.parameters.max_per_line {
            return Err(Refusal::TooManyForLine);
        }
        if self.parameters.max_in_all > 0 && in_all >= self.parameters.max_in_all as usize {
            return Err(Refusal::TooManyInAll);
        }
        Ok(())
    }

    /// R38: nothing but the screen changes.
    fn refuse(&mut self, phone: PhoneSlot, dn: DirectoryNumber, reason: Refusal) {
        if let Some(device) = self.watch.name(phone).cloned() {
            self.notice(Notice::Refused { device, reason });
        }
        self.show(phone, View::Cannot { dn, reason }, None);
    }

    /// Takes a request: what it needs is opened, and its record goes to the store. *Activated* waits for that (R4).
    fn accept(&mut self, pressed: Pressed, resolution: Resolution, replaces: Option<RequestSlot>) {
        self.accepted += 1;
        let id = RequestId { epoch: self.epoch, number: self.accepted };
        let duration = match pressed.kind {
            Kind::Busy => self.parameters.busy_duration,
            Kind::NoAnswer => self.parameters.no_answer_duration,
        };
        #[cfg(feature = "planted")]
        let duration = if self.has(crate::planted::Fault::DurationInAnotherUnit) {
            Millis(duration.0 * 1000)
        } else {
            duration
        };
        let expires = (duration > Millis::ZERO).then(|| self.now + duration);
        let record = Record {
            id,
            caller: pressed.from,
            called: resolution.line,
            dialled: pressed.dn,
            kind: pressed.kind,
            since: self.now,
            expires,
            origin: pressed.call,
            phase: Phase::Waiting,
            cycle: (pressed.kind == Kind::NoAnswer).then_some(Cycle::Untouched),
            alerts: 0,
            notified: None,
        };
        let slot = self.enter_request(record);
        let Some(request) = self.requests.get(slot) else { return };
        let (phone, line) = (request.phone, request.line);
        if let Some(caller) = self.watch.enter_caller(phone) {
            caller.saving = Some(slot);
        }
        self.tend_caller(phone);
        self.open_caller_line(slot);
        self.join(slot);
        self.place_line(line, resolution.devices);
        self.tend_line(line);
        self.set_expiry(id, expires);
        let replaces = replaces.and_then(|slot| self.requests.get(slot)).map(|request| request.record.id);
        if let Some(old) = replaces {
            self.replacing.insert(id, old);
        }
        if let Some(request) = self.requests.get_mut(slot) {
            request.changed = false;
        }
        self.save_with(slot, Some(Gate::Acceptance), replaces);
        self.timers.set(self.now + self.parameters.save_timeout, Timer::Acceptance(id));
    }

    /// Takes a request into the books, with its phone and its line.
    pub(super) fn enter_request(&mut self, record: Record) -> RequestSlot {
        let phone = self.watch.enter(&record.caller.device);
        let line = self.lines.find(&record.called);
        let line = line.unwrap_or_else(|| self.lines.insert(CalledLine::new(record.called.clone())));
        if let Some(called) = self.lines.get_mut(line) {
            called.members += 1;
        }
        self.requests.insert(Request::new(record, phone, line))
    }

    pub(super) fn open_caller_line(&mut self, slot: RequestSlot) {
        if let Some(request) = self.requests.get(slot) {
            self.watch.open_line(request.phone, &request.record.caller.line, &mut self.out);
        }
    }

    /// R4: the record is durable.
    pub(super) fn acceptance_is_durable(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get_mut(slot) else { return };
        request.accepted = true;
        self.pending += 1;
        self.timers.add_stale(1);
        let changed = std::mem::take(&mut request.changed);
        let (id, written) = (request.record.id, request.written);
        let (phone, line) = (request.phone, request.line);
        if let Some(caller) = self.watch.caller_mut(phone) {
            caller.saving = None;
            caller.request = Some(slot);
        }
        if let Some(old_id) = self.replacing.remove(&id)
            && let Some(old) = self.requests.find(&old_id)
        {
            if self.requests.get(old).is_some_and(|old| old.written > written) {
                // It has been written again since the transaction that removed it.
                let save = self.next_save();
                self.out.push(Output::Remove { save, request: old_id });
            }
            self.end(old, Ending::Replaced);
        }
        self.notice(Notice::Accepted { request: id });
        if changed {
            self.save(slot);
        }
        self.show_present(slot);
        self.evaluate(line);
    }

    /// R37: the store cannot take the record.
    pub(super) fn acceptance_failed(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        let (phone, dn) = (request.phone, request.record.dialled.clone());
        self.refuse(phone, dn, Refusal::StoreUnavailable);
        self.give_up_acceptance(slot, Ending::Cancelled);
    }

    /// Ends a request as one that was never accepted: what was given to the store is revoked.
    pub(super) fn give_up_acceptance(&mut self, slot: RequestSlot, how: Ending) {
        let Some(request) = self.requests.get(slot) else { return };
        let phone = request.phone;
        let replaces = self.replacing.get(&request.record.id).copied();
        self.end(slot, how);
        if let Some(old) = replaces.and_then(|id| self.requests.find(&id)) {
            // The revoked transaction may have removed it (R38). What waits for its own write goes on waiting.
            match self.requests.get(old).and_then(|request| request.gate) {
                Some(gate) => self.save_gated(old, gate),
                None => self.save(old),
            }
        }
        let active = self.watch.caller(phone).and_then(|caller| caller.request);
        if let Some(line) = active.and_then(|slot| self.requests.get(slot)).map(|request| request.line) {
            self.settle_doubts(line);
            self.evaluate(line);
        }
    }

    /// The store has not confirmed in time.
    pub(super) fn acceptance_is_late(&mut self, id: RequestId) {
        let Some(slot) = self.requests.find(&id) else { return };
        if self.requests.get(slot).is_some_and(|request| request.gate == Some(Gate::Acceptance)) {
            self.acceptance_failed(slot);
        }
    }
}

/// R30 to R34, R37.
fn check(pressed: &Pressed, result: Result<Resolution, Unresolved>) -> Result<Resolution, Refusal> {
    // R32 in the form of OL-4660-01: digits and spaces; it needs no directory.
    if !pressed.dn.as_str().chars().all(|c| c.is_ascii_digit() || c == ' ') {
        return Err(Refusal::NotDiallable);
    }
    let resolution = result.map_err(|unresolved| match unresolved {
        Unresolved::NotFound => Refusal::NotInDirectory,
        Unresolved::Unavailable => Refusal::DirectoryUnavailable,
    })?;
    if resolution.names.iter().any(|name| name.contains(['#', '*'])) {
        return Err(Refusal::NotDiallable);
    }
    if resolution.line == pressed.from.line || resolution.caller_lines.contains(&resolution.line) {
        return Err(Refusal::OwnLine);
    }
    if resolution.forwards_all {
        return Err(Refusal::ForwardsAllCalls);
    }
    if !resolution.caller_has_key {
        return Err(Refusal::NoCallBackKey);
    }
    Ok(resolution)
}
