//! What the engine wants open, and how much of it has been read: an active instance is ready when all of it was.

use std::collections::HashMap;

use ringback_model::{Appearance, DeviceName, LineId};

#[derive(Debug, Default)]
struct Device {
    read: bool,
    lines: Vec<(LineId, bool)>,
}

/// Devices and lines that are asked for. A line's device is asked for before it.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    devices: HashMap<DeviceName, Device>,
    lines: usize,
    unread: usize,
}

impl Opened {
    pub(crate) fn open_device(&mut self, device: &DeviceName) {
        if !self.devices.contains_key(device) {
            self.devices.insert(device.clone(), Device::default());
            self.unread += 1;
        }
    }

    pub(crate) fn close_device(&mut self, device: &DeviceName) {
        if let Some(device) = self.devices.remove(device) {
            self.unread -= usize::from(!device.read);
            self.unread -= device.lines.iter().filter(|(_, read)| !read).count();
            self.lines -= device.lines.len();
        }
    }

    pub(crate) fn open_line(&mut self, at: &Appearance) {
        let device = self.devices.entry(at.device.clone()).or_default();
        if device.lines.iter().all(|(line, _)| *line != at.line) {
            device.lines.push((at.line.clone(), false));
            self.lines += 1;
            self.unread += 1;
        }
    }

    pub(crate) fn close_line(&mut self, at: &Appearance) {
        let Some(device) = self.devices.get_mut(&at.device) else { return };
        if let Some(place) = device.lines.iter().position(|(line, _)| *line == at.line) {
            let (_, read) = device.lines.swap_remove(place);
            self.lines -= 1;
            self.unread -= usize::from(!read);
        }
    }

    /// A device has been read.
    pub(crate) fn device_read(&mut self, device: &DeviceName) {
        if let Some(Device { read: read @ false, .. }) = self.devices.get_mut(device) {
            *read = true;
            self.unread -= 1;
        }
    }

    /// A device is out of service: there is nothing more to be read of it, nor of its lines.
    pub(crate) fn device_is_away(&mut self, device: &DeviceName) {
        let Some(device) = self.devices.get_mut(device) else { return };
        let lines = device.lines.iter_mut().map(|(_, read)| read);
        for read in lines.chain([&mut device.read]) {
            self.unread -= usize::from(!std::mem::replace(read, true));
        }
    }

    /// A line has been read.
    pub(crate) fn line_read(&mut self, at: &Appearance) {
        let Some(device) = self.devices.get_mut(&at.device) else { return };
        if let Some((_, read @ false)) = device.lines.iter_mut().find(|(line, _)| *line == at.line) {
            *read = true;
            self.unread -= 1;
        }
    }

    /// Everything has to be read anew.
    pub(crate) fn link_lost(&mut self) {
        for device in self.devices.values_mut() {
            device.read = false;
            device.lines.iter_mut().for_each(|(_, read)| *read = false);
        }
        self.unread = self.devices.len() + self.lines;
    }

    pub(crate) fn all_read(&self) -> bool {
        self.unread == 0
    }

    pub(crate) fn devices(&self) -> usize {
        self.devices.len()
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }
}
