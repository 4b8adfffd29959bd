//! What the engine wants open, and how much of it has been read: an active instance is ready when all of it was.

use std::collections::HashMap;

use ringback_model::{Appearance, DeviceName, LineId};

#[derive(Debug, Default)]
struct Device {
    read: bool,
    /// It is out of service.
    away: bool,
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
            // Of a device that is away nothing can be read.
            device.lines.push((at.line.clone(), device.away));
            self.lines += 1;
            self.unread += usize::from(!device.away);
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
        let Some(device) = self.devices.get_mut(device) else { return };
        device.away = false;
        self.unread -= usize::from(!std::mem::replace(&mut device.read, true));
    }

    /// A device is out of service: there is nothing more to be read of it, nor of its lines.
    pub(crate) fn device_is_away(&mut self, device: &DeviceName) {
        let Some(device) = self.devices.get_mut(device) else { return };
        device.away = true;
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
            (device.read, device.away) = (false, false);
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

#[cfg(test)]
mod tests {
    use ringback_model::{DirectoryNumber, Partition};

    use super::*;

    #[test]
    fn a_line_that_is_opened_on_a_device_that_is_away_is_not_waited_for() {
        let device = DeviceName::new("A").unwrap();
        let at = |dn: &str| {
            let line = LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
            Appearance { device: device.clone(), line }
        };
        let mut opened = Opened::default();
        opened.open_device(&device);
        opened.open_line(&at("1001"));
        assert!(!opened.all_read());
        opened.device_is_away(&device);
        assert!(opened.all_read());
        opened.open_line(&at("1002"));
        assert!(opened.all_read());
        opened.link_lost();
        assert!(!opened.all_read());
        opened.device_read(&device);
        opened.line_read(&at("1001"));
        assert!(!opened.all_read());
        opened.line_read(&at("1002"));
        assert!(opened.all_read());
    }
}
