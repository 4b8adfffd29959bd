//! The phones: what is open at the call manager, and what it said last. Devices and lines are counted: opened by the first
//! who needs them, closed by the last.

use ringback_model::{Appearance, DeviceName, LineId};
use smallvec::SmallVec;

use super::book::{Book, Named};
use super::caller::Caller;
use super::{LineSlot, PhoneSlot};
use crate::input::{DeviceState, Occupancy};
use crate::output::Output;

/// A phone of which something is open, or that has a screen or a request of ours. Everything about it is here, so that
/// an event has to look for it once.
#[derive(Debug)]
pub(super) struct Phone {
    pub(super) name: DeviceName,
    /// How many need the device open.
    users: u32,
    /// What the device said last over the present link.
    state: Option<DeviceState>,
    /// Its open lines. Those that are called come last, in the order in which they were opened for that.
    lines: SmallVec<[OpenLine; 1]>,
    caller: Option<Box<Caller>>,
}

#[derive(Debug)]
struct OpenLine {
    line: LineId,
    /// How many need it open.
    users: u32,
    /// What it said last over the present link.
    reading: Option<Occupancy>,
    /// Set if this is an appearance of a called line.
    called: Option<LineSlot>,
}

impl Named for Phone {
    type Name = DeviceName;
    fn name(&self) -> &DeviceName {
        &self.name
    }
}

impl Phone {
    fn line(&self, line: &LineId) -> Option<&OpenLine> {
        self.lines.iter().find(|open| open.line == *line)
    }

    fn line_mut(&mut self, line: &LineId) -> Option<&mut OpenLine> {
        self.lines.iter_mut().find(|open| open.line == *line)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Watch {
    phones: Book<Phone>,
    /// Counts the links there have been.
    link: u64,
}

impl Watch {
    /// How many phones are known.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.phones.len()
    }

    pub(super) fn find(&self, device: &DeviceName) -> Option<PhoneSlot> {
        self.phones.find(device)
    }

    /// The phone; from now on it is known. [`Watch::forget_if_unused`] is to follow when what it was needed for is gone.
    pub(super) fn enter(&mut self, device: &DeviceName) -> PhoneSlot {
        self.phones.find(device).unwrap_or_else(|| {
            self.phones.insert(Phone {
                name: device.clone(),
                users: 0,
                state: None,
                lines: SmallVec::new(),
                caller: None,
            })
        })
    }

    pub(super) fn forget_if_unused(&mut self, phone: PhoneSlot) {
        if self.phones.get(phone).is_some_and(|phone| phone.users == 0 && phone.caller.is_none()) {
            self.phones.remove(phone);
        }
    }

    pub(super) fn name(&self, phone: PhoneSlot) -> Option<&DeviceName> {
        self.phones.get(phone).map(|phone| &phone.name)
    }

    pub(super) fn caller(&self, phone: PhoneSlot) -> Option<&Caller> {
        self.phones.get(phone)?.caller.as_deref()
    }

    pub(super) fn caller_mut(&mut self, phone: PhoneSlot) -> Option<&mut Caller> {
        self.phones.get_mut(phone)?.caller.as_deref_mut()
    }

    /// The same, made if there is none.
    pub(super) fn enter_caller(&mut self, phone: PhoneSlot) -> Option<&mut Caller> {
        Some(self.phones.get_mut(phone)?.caller.get_or_insert_default())
    }

    pub(super) fn forget_caller(&mut self, phone: PhoneSlot) {
        if let Some(known) = self.phones.get_mut(phone) {
            known.caller = None;
        }
        self.forget_if_unused(phone);
    }

    /// Opens a device for one more user.
    pub(super) fn open_device(&mut self, phone: PhoneSlot, out: &mut Vec<Output>) {
        let Some(phone) = self.phones.get_mut(phone) else { return };
        phone.users += 1;
        if phone.users == 1 {
            out.push(Output::OpenDevice(phone.name.clone()));
        }
    }

    /// One user less.
    pub(super) fn close_device(&mut self, slot: PhoneSlot, out: &mut Vec<Output>) {
        let Some(phone) = self.phones.get_mut(slot) else { return };
        if phone.users == 1 {
            phone.state = None;
            out.push(Output::CloseDevice(phone.name.clone()));
        }
        phone.users = phone.users.saturating_sub(1);
        self.forget_if_unused(slot);
    }

    /// Opens a line, and its device, for one more user.
    pub(super) fn open_line(&mut self, slot: PhoneSlot, line: &LineId, out: &mut Vec<Output>) {
        self.open_device(slot, out);
        let Some(phone) = self.phones.get_mut(slot) else { return };
        if let Some(open) = phone.line_mut(line) {
            open.users += 1;
            return;
        }
        // Before those that are called.
        phone.lines.insert(0, OpenLine { line: line.clone(), users: 1, reading: None, called: None });
        out.push(Output::OpenLine(Appearance { device: phone.name.clone(), line: line.clone() }));
    }

    /// One user less.
    pub(super) fn close_line(&mut self, slot: PhoneSlot, line: &LineId, out: &mut Vec<Output>) {
        let Some(phone) = self.phones.get_mut(slot) else { return };
        let Some(index) = phone.lines.iter().position(|open| open.line == *line) else { return };
        let users = phone.lines.get_mut(index).map_or(0, |open| {
            open.users = open.users.saturating_sub(1);
            open.users
        });
        if users == 0 {
            phone.lines.remove(index);
            out.push(Output::CloseLine(Appearance { device: phone.name.clone(), line: line.clone() }));
        }
        self.close_device(slot, out);
    }

    /// Opens an appearance of a called line.
    pub(super) fn open_called(
        &mut self,
        phone: PhoneSlot,
        line: &LineId,
        called: LineSlot,
        out: &mut Vec<Output>,
    ) {
        self.open_line(phone, line, out);
        let Some(phone) = self.phones.get_mut(phone) else { return };
        if let Some(index) = phone.lines.iter().position(|open| open.line == *line) {
            let mut open = phone.lines.remove(index);
            open.called = Some(called);
            phone.lines.push(open);
        }
    }

    /// The appearance is not needed any more because its line is called.
    pub(super) fn close_called(&mut self, phone: PhoneSlot, line: &LineId, out: &mut Vec<Output>) {
        if let Some(open) = self.phones.get_mut(phone).and_then(|phone| phone.line_mut(line)) {
            open.called = None;
        }
        self.close_line(phone, line, out);
    }

    /// The called line of which this is an appearance.
    pub(super) fn called(&self, phone: PhoneSlot, line: &LineId) -> Option<LineSlot> {
        self.phones.get(phone)?.line(line)?.called
    }

    /// The called lines on a phone.
    pub(super) fn all_called(&self, phone: PhoneSlot) -> SmallVec<[LineSlot; 4]> {
        let lines = self.phones.get(phone).map(|phone| phone.lines.iter());
        lines.into_iter().flatten().filter_map(|open| open.called).collect()
    }

    /// Everything read so far is old.
    pub(super) fn link_lost(&mut self) {
        self.link += 1;
        for phone in self.phones.iter_mut() {
            phone.state = None;
            for open in &mut phone.lines {
                open.reading = None;
            }
        }
    }

    /// Counts the links.
    pub(super) fn link(&self) -> u64 {
        self.link
    }

    /// Notes a device's state. Gives back the state before, if it was of the same link; `None` if nobody has the
    /// device open.
    pub(super) fn note_device(
        &mut self,
        phone: PhoneSlot,
        state: DeviceState,
    ) -> Option<Option<DeviceState>> {
        let phone = self.phones.get_mut(phone).filter(|phone| phone.users > 0)?;
        Some(phone.state.replace(state))
    }

    /// Notes the use of an appearance; `false` if nobody has it open.
    pub(super) fn note_line(&mut self, phone: PhoneSlot, line: &LineId, occupancy: Occupancy) -> bool {
        let open = self.phones.get_mut(phone).and_then(|phone| phone.line_mut(line));
        open.map(|open| open.reading = Some(occupancy)).is_some()
    }

    /// The called lines must be read anew before they count again: their phone was out of service.
    pub(super) fn forget_called(&mut self, phone: PhoneSlot) {
        let lines = self.phones.get_mut(phone).map(|phone| phone.lines.iter_mut());
        for open in lines.into_iter().flatten().filter(|open| open.called.is_some()) {
            open.reading = None;
        }
    }

    /// What a device said last, over the present link.
    pub(super) fn device(&self, phone: PhoneSlot) -> Option<DeviceState> {
        self.phones.get(phone)?.state
    }

    /// What an appearance said last, over the present link.
    pub(super) fn line(&self, phone: PhoneSlot, line: &LineId) -> Option<Occupancy> {
        self.phones.get(phone)?.line(line)?.reading
    }

    /// Whether the phone is known to be idle and on hook (R16). A phone that cannot be seen is not.
    pub(super) fn is_idle(&self, phone: PhoneSlot) -> bool {
        matches!(self.device(phone), Some(DeviceState::InService { busy: false, .. }))
    }

    /// Whether data can be sent to the phone.
    pub(super) fn is_in_service(&self, phone: PhoneSlot) -> bool {
        matches!(self.device(phone), Some(DeviceState::InService { .. }))
    }
}
