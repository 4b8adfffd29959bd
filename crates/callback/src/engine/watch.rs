//! What is open at the call manager, and what it said last. Devices and lines are counted: opened by the first who
//! needs them, closed by the last.

use ringback_model::{Appearance, DeviceName};

use super::Map;
use crate::input::{DeviceState, Occupancy};
use crate::output::Output;

/// A reading, and the link it came over: after a link was lost, what it said before is old.
#[derive(Debug, Clone, Copy)]
struct Reading<T> {
    link: u64,
    value: T,
}

#[derive(Debug)]
struct Watched<T> {
    users: u32,
    reading: Option<Reading<T>>,
}

/// Everything that is open.
#[derive(Debug, Default)]
pub(super) struct Watch {
    devices: Map<DeviceName, Watched<DeviceState>>,
    lines: Map<Appearance, Watched<Occupancy>>,
    /// Counts the links there have been.
    link: u64,
}

impl Watch {
    /// Opens a device for one more user.
    pub(super) fn open_device(&mut self, device: &DeviceName, out: &mut Vec<Output>) {
        let watched = self.devices.entry(device.clone()).or_insert(Watched { users: 0, reading: None });
        watched.users += 1;
        if watched.users == 1 {
            out.push(Output::OpenDevice(device.clone()));
        }
    }

    /// One user less.
    pub(super) fn close_device(&mut self, device: &DeviceName, out: &mut Vec<Output>) {
        let Some(watched) = self.devices.get_mut(device) else { return };
        watched.users = watched.users.saturating_sub(1);
        if watched.users == 0 {
            self.devices.remove(device);
            out.push(Output::CloseDevice(device.clone()));
        }
    }

    /// Opens a line, and its device, for one more user.
    pub(super) fn open_line(&mut self, at: &Appearance, out: &mut Vec<Output>) {
        self.open_device(&at.device, out);
        let watched = self.lines.entry(at.clone()).or_insert(Watched { users: 0, reading: None });
        watched.users += 1;
        if watched.users == 1 {
            out.push(Output::OpenLine(at.clone()));
        }
    }

    /// One user less.
    pub(super) fn close_line(&mut self, at: &Appearance, out: &mut Vec<Output>) {
        let Some(watched) = self.lines.get_mut(at) else { return };
        watched.users = watched.users.saturating_sub(1);
        if watched.users == 0 {
            self.lines.remove(at);
            out.push(Output::CloseLine(at.clone()));
        }
        self.close_device(&at.device, out);
    }

    /// Everything read so far is old.
    pub(super) fn link_lost(&mut self) {
        self.link += 1;
    }

    /// Counts the links: a reading belongs to the one it came over.
    pub(super) fn link(&self) -> u64 {
        self.link
    }

    /// Notes a device's state. Gives back the state before, if it was of the same link; `None` if nobody has the
    /// device open.
    pub(super) fn note_device(
        &mut self,
        device: &DeviceName,
        state: DeviceState,
    ) -> Option<Option<DeviceState>> {
        let link = self.link;
        let watched = self.devices.get_mut(device)?;
        let before = watched.reading.replace(Reading { link, value: state });
        Some(before.filter(|reading| reading.link == link).map(|reading| reading.value))
    }

    /// Notes the use of an appearance; `false` if nobody has it open.
    pub(super) fn note_line(&mut self, at: &Appearance, occupancy: Occupancy) -> bool {
        let link = self.link;
        match self.lines.get_mut(at) {
            Some(watched) => {
                watched.reading = Some(Reading { link, value: occupancy });
                true
            }
            None => false,
        }
    }

    /// The line must be read anew before it counts again: its phone was out of service.
    pub(super) fn forget_line(&mut self, at: &Appearance) {
        if let Some(watched) = self.lines.get_mut(at) {
            watched.reading = None;
        }
    }

    /// What a device said last, over the present link.
    pub(super) fn device(&self, device: &DeviceName) -> Option<DeviceState> {
        let reading = self.devices.get(device)?.reading?;
        (reading.link == self.link).then_some(reading.value)
    }

    /// What an appearance said last, over the present link.
    pub(super) fn line(&self, at: &Appearance) -> Option<Occupancy> {
        let reading = self.lines.get(at)?.reading?;
        (reading.link == self.link).then_some(reading.value)
    }

    /// Whether the phone is known to be idle and on hook (R16). A phone that cannot be seen is not.
    pub(super) fn is_idle(&self, device: &DeviceName) -> bool {
        matches!(self.device(device), Some(DeviceState::InService { busy: false, .. }))
    }

    /// Whether data can be sent to the phone.
    pub(super) fn is_in_service(&self, device: &DeviceName) -> bool {
        matches!(self.device(device), Some(DeviceState::InService { .. }))
    }
}
