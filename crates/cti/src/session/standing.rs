//! The standing set: which devices and lines are wanted, and how far each of them is.

use std::collections::{BTreeMap, VecDeque};

use ringback_model::{Appearance, DeviceName, LineId, Millis, Timestamp};

use crate::message::{CallInfo, CtiError, DeviceStatus, Request};
use crate::provider::ProviderEvent;

use super::requests::Purpose;

/// How far a device or line is. The numbers are those of the request under way: an answer to another one is late and
/// means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Closed,
    Opening(u32),
    Open,
    Closing {
        sequence: u32,
        /// Closed only to be opened and read again: a refusal then must not start that over at once.
        again: bool,
    },
    /// Open there, but what we know of it is old: close it, then open it again.
    Stale,
    /// Out of service: waits for `DeviceInService`.
    Out,
    /// Refused: waits for the next try.
    Refused,
}

/// In which queues something is: it is in each once, however often a server gives cause.
#[derive(Debug, Default)]
struct Queued {
    due: bool,
    refused: bool,
}

#[derive(Debug, Default)]
struct Device {
    wanted: bool,
    phase: Phase,
    queued: Queued,
    status: Option<DeviceStatus>,
    /// Whether "out of service" has been reported since it was last asked for.
    told_out: bool,
    /// It registered while it was being opened: a refusal may be older than that.
    registered_meanwhile: bool,
    lines: BTreeMap<LineId, Line>,
}

#[derive(Debug, Default)]
struct Line {
    wanted: bool,
    phase: Phase,
    queued: Queued,
}

impl Device {
    fn is_ready(&self) -> bool {
        self.wanted && self.phase == Phase::Open
    }

    /// The far side holds no line of it open any more.
    fn close_lines(&mut self) {
        self.lines.retain(|_, line| {
            line.phase = Phase::Closed;
            line.wanted
        });
    }

    fn report_out(&mut self, device: &DeviceName) -> Option<ProviderEvent> {
        self.status = None;
        let tell = self.wanted && !self.told_out;
        self.told_out = true;
        tell.then(|| ProviderEvent::Device { device: device.clone(), status: None })
    }
}

#[derive(Debug, Clone)]
enum Item {
    Device(DeviceName),
    Line(Appearance),
}

#[derive(Debug, Default)]
pub(super) struct Standing {
    devices: BTreeMap<DeviceName, Device>,
    /// What may need a request now.
    due: VecDeque<Item>,
    /// What was refused, and when.
    refused: VecDeque<(Timestamp, Item)>,
}

impl Standing {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn want_device(&mut self, name: DeviceName) -> Option<ProviderEvent> {
        let device = self.devices.entry(name.clone()).or_default();
        let again = std::mem::replace(&mut device.wanted, true);
        let known = match device.phase {
            // It has been read already; an open device reports every change, so this is how it is now.
            Phase::Open => device.status.map(Some),
            Phase::Out | Phase::Refused => Some(None),
            _ => None,
        };
        device.told_out = matches!(known, Some(None)) || (again && device.told_out);
        self.push_due(Item::Device(name.clone()));
        known.map(|status| ProviderEvent::Device { device: name, status })
    }

    pub(super) fn drop_device(&mut self, name: DeviceName) {
        if let Some(device) = self.devices.get_mut(&name) {
            device.wanted = false;
            for (line_id, line) in &mut device.lines {
                line.wanted = false;
                if !std::mem::replace(&mut line.queued.due, true) {
                    let at = Appearance { device: name.clone(), line: line_id.clone() };
                    self.due.push_back(Item::Line(at));
                }
            }
            device.queued.due = true;
            // After its lines: closing it closes them, too, but it may be wanted again before that.
            self.due.push_front(Item::Device(name));
        }
    }

    pub(super) fn want_line(&mut self, at: Appearance) {
        let line =
            self.devices.entry(at.device.clone()).or_default().lines.entry(at.line.clone()).or_default();
        line.wanted = true;
        if line.phase == Phase::Open {
            line.phase = Phase::Stale;
        }
        self.push_due(Item::Line(at));
    }

    pub(super) fn drop_line(&mut self, at: Appearance) {
        if let Some(line) = self.line(&at) {
            line.wanted = false;
            self.push_due(Item::Line(at));
        }
    }

    /// How many things to do are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.due.len() + self.refused.len()
    }

    /// Nothing can be sent now.
    pub(super) fn forget_due(&mut self) {
        while self.next_due().is_some() {}
    }

    /// A link is up, and this instance acts: everything is to be opened.
    pub(super) fn open_all(&mut self) {
        self.forget_due();
        for (name, device) in &mut self.devices {
            device.queued.due = true;
            self.due.push_back(Item::Device(name.clone()));
        }
    }

    fn queued(&mut self, item: &Item) -> Option<&mut Queued> {
        match item {
            Item::Device(name) => self.devices.get_mut(name).map(|device| &mut device.queued),
            Item::Line(at) => self.line(at).map(|line| &mut line.queued),
        }
    }

    fn push_due(&mut self, item: Item) {
        if self.queued(&item).is_some_and(|queued| !std::mem::replace(&mut queued.due, true)) {
            self.due.push_back(item);
        }
    }

    fn next_due(&mut self) -> Option<Item> {
        let item = self.due.pop_front()?;
        if let Some(queued) = self.queued(&item) {
            queued.due = false;
        }
        Some(item)
    }

    fn push_refused(&mut self, now: Timestamp, item: Item) {
        if self.queued(&item).is_some_and(|queued| !std::mem::replace(&mut queued.refused, true)) {
            self.refused.push_back((now, item));
        }
    }

    /// Nothing is open any more.
    pub(super) fn link_down(&mut self) {
        self.forget_due();
        self.refused.clear();
        self.devices.retain(|_, device| {
            device.phase = Phase::Closed;
            device.queued.refused = false;
            device.status = None;
            device.told_out = false;
            device.registered_meanwhile = false;
            device.close_lines();
            for line in device.lines.values_mut() {
                line.queued.refused = false;
            }
            device.wanted || !device.lines.is_empty()
        });
    }

    /// The next request that brings what is nearer to what is wanted; it will be sent under this number.
    pub(super) fn next_request(&mut self, sequence: u32) -> Option<(Request, Purpose)> {
        while let Some(item) = self.next_due() {
            let request = match item {
                Item::Device(name) => self.device_request(name, sequence),
                Item::Line(at) => self.line_request(at, sequence),
            };
            if request.is_some() {
                return request;
            }
        }
        None
    }

    fn device_request(&mut self, name: DeviceName, sequence: u32) -> Option<(Request, Purpose)> {
        let device = self.devices.get_mut(&name)?;
        match (device.wanted, device.phase) {
            (true, Phase::Closed) => {
                device.phase = Phase::Opening(sequence);
                device.registered_meanwhile = false;
                Some((Request::DeviceOpen(name.clone()), Purpose::OpenDevice(name)))
            }
            (again, Phase::Stale) | (again @ false, Phase::Open) => {
                device.phase = Phase::Closing { sequence, again };
                device.status = None;
                device.close_lines();
                Some((Request::DeviceClose(name.clone()), Purpose::CloseDevice(name)))
            }
            (false, Phase::Closed | Phase::Out | Phase::Refused) => {
                device.phase = Phase::Closed;
                device.close_lines();
                if device.lines.is_empty() {
                    self.devices.remove(&name);
                }
                None
            }
            _ => None,
        }
    }

    fn line_request(&mut self, at: Appearance, sequence: u32) -> Option<(Request, Purpose)> {
        let device = self.devices.get_mut(&at.device)?;
        let ready = device.is_ready();
        let line = device.lines.get_mut(&at.line)?;
        match (line.wanted, line.phase) {
            (true, Phase::Closed) if ready => {
                line.phase = Phase::Opening(sequence);
                Some((Request::LineOpen(at.clone()), Purpose::OpenLine(at)))
            }
            (again, Phase::Stale) | (again @ false, Phase::Open) if ready => {
                line.phase = Phase::Closing { sequence, again };
                Some((Request::LineClose(at.clone()), Purpose::CloseLine(at)))
            }
            (false, Phase::Closed | Phase::Refused) => {
                device.lines.remove(&at.line);
                if !device.wanted && device.phase == Phase::Closed && device.lines.is_empty() {
                    self.devices.remove(&at.device);
                }
                None
            }
            _ => None,
        }
    }

    pub(super) fn device_opened(
        &mut self,
        name: DeviceName,
        sequence: u32,
        result: Result<DeviceStatus, CtiError>,
        now: Timestamp,
    ) -> Option<ProviderEvent> {
        let device = self.devices.get_mut(&name).filter(|device| device.phase == Phase::Opening(sequence))?;
        let status = match result {
            Ok(status) => status,
            Err(CtiError::DeviceAlreadyOpen) => {
                device.phase = Phase::Stale;
                self.push_due(Item::Device(name));
                return None;
            }
            Err(CtiError::DeviceOutOfService) if device.registered_meanwhile => {
                device.phase = Phase::Closed;
                self.push_due(Item::Device(name));
                return None;
            }
            Err(error) => {
                let event = device.report_out(&name);
                let item = Item::Device(name);
                if device.wanted && error != CtiError::DeviceOutOfService {
                    device.phase = Phase::Refused;
                    self.push_refused(now, item);
                } else {
                    device.phase = Phase::Out;
                    self.push_due(item);
                }
                return event;
            }
        };
        device.phase = Phase::Open;
        device.status = Some(status);
        device.told_out = false;
        if !device.wanted {
            self.push_due(Item::Device(name));
            return None;
        }
        for (line_id, line) in &mut device.lines {
            if !std::mem::replace(&mut line.queued.due, true) {
                self.due.push_back(Item::Line(Appearance { device: name.clone(), line: line_id.clone() }));
            }
        }
        Some(ProviderEvent::Device { device: name, status: Some(status) })
    }

    pub(super) fn device_closed(
        &mut self,
        name: DeviceName,
        sequence: u32,
        result: Result<(), CtiError>,
        now: Timestamp,
    ) -> Option<ProviderEvent> {
        let device = self.devices.get_mut(&name)?;
        match device.phase {
            Phase::Closing { sequence: asked, again } if asked == sequence => {
                if result.is_err() && again && device.wanted {
                    device.phase = Phase::Refused;
                    let event = device.report_out(&name);
                    self.push_refused(now, Item::Device(name));
                    return event;
                }
                device.phase = Phase::Closed;
                self.push_due(Item::Device(name));
            }
            _ => {}
        }
        None
    }

    pub(super) fn line_opened(
        &mut self,
        at: Appearance,
        sequence: u32,
        result: Result<Vec<CallInfo>, CtiError>,
        now: Timestamp,
    ) -> Option<ProviderEvent> {
        let line = self.line(&at).filter(|line| line.phase == Phase::Opening(sequence))?;
        match result {
            Ok(calls) => {
                line.phase = Phase::Open;
                if line.wanted {
                    return Some(ProviderEvent::LineOpened { at, calls });
                }
                self.push_due(Item::Line(at));
                None
            }
            Err(CtiError::LineAlreadyOpen) => {
                line.phase = Phase::Stale;
                self.push_due(Item::Line(at));
                None
            }
            Err(reason) => self.line_refused(at, reason, now),
        }
    }

    pub(super) fn line_closed(
        &mut self,
        at: Appearance,
        sequence: u32,
        result: Result<(), CtiError>,
        now: Timestamp,
    ) -> Option<ProviderEvent> {
        let line = self.line(&at)?;
        match (line.phase, result) {
            (Phase::Closing { sequence: asked, again: true }, Err(reason)) if asked == sequence => {
                self.line_refused(at, reason, now)
            }
            (Phase::Closing { sequence: asked, .. }, _) if asked == sequence => {
                line.phase = Phase::Closed;
                self.push_due(Item::Line(at));
                None
            }
            _ => None,
        }
    }

    fn line_refused(&mut self, at: Appearance, reason: CtiError, now: Timestamp) -> Option<ProviderEvent> {
        let line = self.line(&at)?;
        line.phase = Phase::Refused;
        if !line.wanted {
            self.push_due(Item::Line(at));
            return None;
        }
        self.push_refused(now, Item::Line(at.clone()));
        // If the device left, that is told of the device.
        (reason != CtiError::DeviceOutOfService).then_some(ProviderEvent::LineRefused { at, reason })
    }

    /// No answer came: it may be open or closed there. Opening is tried again, and a refusal tells which it was.
    pub(super) fn unanswered(&mut self, purpose: &Purpose, sequence: u32) {
        let (phase, item) = match purpose {
            Purpose::OpenDevice(name) | Purpose::CloseDevice(name) => {
                let Some(device) = self.devices.get_mut(name) else { return };
                (&mut device.phase, Item::Device(name.clone()))
            }
            Purpose::OpenLine(at) | Purpose::CloseLine(at) => {
                let device = self.devices.get_mut(&at.device);
                let Some(line) = device.and_then(|device| device.lines.get_mut(&at.line)) else { return };
                (&mut line.phase, Item::Line(at.clone()))
            }
            _ => return,
        };
        *phase = match *phase {
            Phase::Opening(asked) if asked == sequence => Phase::Closed,
            Phase::Closing { sequence: asked, .. } if asked == sequence => Phase::Stale,
            _ => return,
        };
        self.push_due(item);
    }

    pub(super) fn in_service(&mut self, name: DeviceName) {
        let Some(device) = self.devices.get_mut(&name) else { return };
        match device.phase {
            Phase::Opening(_) => device.registered_meanwhile = true,
            Phase::Closing { .. } => {}
            Phase::Open | Phase::Stale => {
                device.phase = Phase::Stale;
                self.push_due(Item::Device(name));
            }
            Phase::Out | Phase::Refused | Phase::Closed => {
                device.phase = Phase::Closed;
                self.push_due(Item::Device(name));
            }
        }
    }

    pub(super) fn out_of_service(&mut self, name: &DeviceName) -> Option<ProviderEvent> {
        let device = self.devices.get_mut(name)?;
        match device.phase {
            Phase::Opening(_) => {
                device.registered_meanwhile = false;
                None
            }
            Phase::Open | Phase::Stale | Phase::Refused => {
                device.phase = Phase::Out;
                device.close_lines();
                let event = device.report_out(name);
                if !device.wanted {
                    self.push_due(Item::Device(name.clone()));
                }
                event
            }
            Phase::Closed | Phase::Closing { .. } | Phase::Out => None,
        }
    }

    pub(super) fn status(&mut self, name: DeviceName, status: DeviceStatus) -> Option<ProviderEvent> {
        let device = self.devices.get_mut(&name).filter(|device| device.is_ready())?;
        device.status = Some(status);
        Some(ProviderEvent::Device { device: name, status: Some(status) })
    }

    /// Whether what this device reports is wanted.
    pub(super) fn hears_device(&self, name: &DeviceName) -> bool {
        self.devices.get(name).is_some_and(Device::is_ready)
    }

    /// Whether what this line reports is wanted.
    pub(super) fn hears_line(&self, at: &Appearance) -> bool {
        let device = self.devices.get(&at.device).filter(|device| device.is_ready());
        device
            .and_then(|device| device.lines.get(&at.line))
            .is_some_and(|l| l.wanted && l.phase == Phase::Open)
    }

    pub(super) fn next_retry(&self, delay: Millis) -> Option<Timestamp> {
        self.refused.front().map(|(since, _)| *since + delay)
    }

    /// What was refused long enough ago is tried again.
    pub(super) fn retry(&mut self, now: Timestamp, delay: Millis) {
        while self.next_retry(delay).is_some_and(|at| at <= now) {
            let Some((_, item)) = self.refused.pop_front() else { return };
            if let Some(queued) = self.queued(&item) {
                queued.refused = false;
            }
            let phase = match &item {
                Item::Device(name) => self.devices.get_mut(name).map(|device| &mut device.phase),
                Item::Line(at) => self.line(at).map(|line| &mut line.phase),
            };
            if let Some(phase) = phase.filter(|phase| **phase == Phase::Refused) {
                *phase = Phase::Closed;
                self.push_due(item);
            }
        }
    }

    fn line(&mut self, at: &Appearance) -> Option<&mut Line> {
        self.devices.get_mut(&at.device)?.lines.get_mut(&at.line)
    }
}
