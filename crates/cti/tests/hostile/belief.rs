//! What an application may believe to be open at the CTIManager of the present link, by what it asked and was told.

use std::collections::BTreeMap;

use ringback_cti::ProviderEvent;
use ringback_cti::message::{Answer, CtiError, DeviceStatus, Event, Request};
use ringback_model::{Appearance, DeviceName, Timestamp};

use crate::reference::RETRY_LIMIT;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum State {
    #[default]
    Closed,
    Opening(u32),
    Open,
    Closing(u32),
}

/// Why something that is wanted may be closed for now.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Excuse {
    OutOfService,
    RefusedAt(Timestamp),
}

#[derive(Debug, Default)]
struct Device {
    wanted: bool,
    state: State,
    status: Option<DeviceStatus>,
    excuse: Option<Excuse>,
    /// It registered while it was being opened: a refusal may be older than that.
    registered: bool,
    lines: BTreeMap<Appearance, Line>,
}

#[derive(Debug, Default)]
struct Line {
    wanted: bool,
    state: State,
    excuse: Option<Excuse>,
}

impl Device {
    fn is_heard(&self) -> bool {
        self.wanted && self.state == State::Open
    }

    /// It is not open any more, and no line of it.
    fn close(&mut self, state: State) {
        self.state = state;
        self.status = None;
        for line in self.lines.values_mut() {
            line.state = State::Closed;
            line.excuse = None;
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Belief {
    devices: BTreeMap<DeviceName, Device>,
    /// What must be reported now, in order.
    pub(crate) must: Vec<ProviderEvent>,
}

impl Belief {
    fn device(&mut self, name: &DeviceName) -> &mut Device {
        self.devices.entry(name.clone()).or_default()
    }

    fn line(&mut self, at: &Appearance) -> &mut Line {
        self.device(&at.device).lines.entry(at.clone()).or_default()
    }

    pub(crate) fn wants_device(&self, name: &DeviceName) -> bool {
        self.devices.get(name).is_some_and(|device| device.wanted)
    }

    pub(crate) fn wants_line(&self, at: &Appearance) -> bool {
        self.wants_device(&at.device)
            && self.devices.get(&at.device).and_then(|device| device.lines.get(at)).is_some_and(|l| l.wanted)
    }

    fn hears_line(&self, at: &Appearance) -> bool {
        let device = self.devices.get(&at.device).filter(|device| device.is_heard());
        device
            .and_then(|device| device.lines.get(at))
            .is_some_and(|line| line.wanted && line.state == State::Open)
    }

    pub(crate) fn wanted_devices(&self) -> Vec<DeviceName> {
        self.devices.iter().filter(|(_, device)| device.wanted).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn wanted_lines(&self) -> Vec<Appearance> {
        let lines = self.devices.values().filter(|device| device.wanted).flat_map(|device| &device.lines);
        lines.filter(|(_, line)| line.wanted).map(|(at, _)| at.clone()).collect()
    }

    pub(crate) fn want_device(&mut self, name: &DeviceName) {
        let device = self.device(name);
        device.wanted = true;
        if device.state == State::Open
            && let Some(status) = device.status
        {
            self.must.push(ProviderEvent::Device { device: name.clone(), status: Some(status) });
        }
    }

    pub(crate) fn drop_device(&mut self, name: &DeviceName) {
        let device = self.device(name);
        device.wanted = false;
        device.excuse = None;
        for line in device.lines.values_mut() {
            line.wanted = false;
        }
    }

    pub(crate) fn want_line(&mut self, at: &Appearance) {
        self.line(at).wanted = true;
    }

    pub(crate) fn drop_line(&mut self, at: &Appearance) {
        let line = self.line(at);
        line.wanted = false;
        line.excuse = None;
    }

    /// Nothing is wanted any more.
    pub(crate) fn stand_by(&mut self) {
        self.devices.clear();
    }

    pub(crate) fn link_lost(&mut self) {
        for device in self.devices.values_mut() {
            device.close(State::Closed);
            device.excuse = None;
        }
    }

    /// A request has been sent: it must be one that makes sense.
    pub(crate) fn sent(&mut self, sequence: u32, request: &Request) {
        match request {
            Request::DeviceOpen(name) => {
                let device = self.device(name);
                assert!(device.wanted, "{request:?}: nobody wants it");
                assert_eq!(device.state, State::Closed, "{request:?}");
                device.state = State::Opening(sequence);
                device.excuse = None;
                device.registered = false;
            }
            Request::DeviceClose(name) => {
                let device = self.device(name);
                assert!(matches!(device.state, State::Open | State::Closed), "{request:?}: {device:?}");
                device.close(State::Closing(sequence));
                device.excuse = None;
            }
            Request::LineOpen(at) => {
                assert!(self.device(&at.device).is_heard(), "{request:?}: its device is not open");
                let line = self.line(at);
                assert!(line.wanted, "{request:?}: nobody wants it");
                assert_eq!(line.state, State::Closed, "{request:?}");
                line.state = State::Opening(sequence);
                line.excuse = None;
            }
            Request::LineClose(at) => {
                assert!(self.device(&at.device).is_heard(), "{request:?}: its device is not open");
                let line = self.line(at);
                assert!(matches!(line.state, State::Open | State::Closed), "{request:?}: {line:?}");
                line.state = State::Closing(sequence);
                line.excuse = None;
            }
            _ => {}
        }
    }

    /// The answer in time to a request that was sent.
    pub(crate) fn answered(
        &mut self,
        now: Timestamp,
        sequence: u32,
        request: &Request,
        answer: Result<Answer, CtiError>,
    ) {
        let refused = Some(Excuse::RefusedAt(now));
        match (request, answer) {
            (Request::DeviceOpen(name), answer) => {
                let device = self.device(name);
                if device.state != State::Opening(sequence) {
                    return;
                }
                device.state = State::Closed;
                match answer {
                    Ok(Answer::DeviceOpened(status)) => {
                        device.state = State::Open;
                        device.status = Some(status);
                        if device.wanted {
                            let report = ProviderEvent::Device { device: name.clone(), status: Some(status) };
                            self.must.push(report);
                        }
                    }
                    Err(CtiError::DeviceOutOfService) if device.registered => {}
                    Err(CtiError::DeviceOutOfService) => device.excuse = Some(Excuse::OutOfService),
                    // Closed first, then opened.
                    Err(CtiError::DeviceAlreadyOpen) => {}
                    _ => device.excuse = refused,
                }
            }
            (Request::DeviceClose(name), answer) => {
                let device = self.device(name);
                if device.state == State::Closing(sequence) {
                    device.state = State::Closed;
                    device.excuse = refused.filter(|_| answer.is_err());
                }
            }
            (Request::LineOpen(at), answer) => {
                let line = self.line(at);
                if line.state != State::Opening(sequence) {
                    return;
                }
                line.state = State::Closed;
                match answer {
                    Ok(Answer::LineOpened(calls)) => {
                        line.state = State::Open;
                        if line.wanted {
                            self.must.push(ProviderEvent::LineOpened { at: at.clone(), calls });
                        }
                    }
                    Err(CtiError::LineAlreadyOpen) => {}
                    _ => line.excuse = refused,
                }
            }
            (Request::LineClose(at), answer) => {
                let line = self.line(at);
                if line.state == State::Closing(sequence) {
                    line.state = State::Closed;
                    line.excuse = refused.filter(|_| answer.is_err());
                }
            }
            _ => {}
        }
    }

    /// No answer came in time.
    pub(crate) fn unanswered(&mut self, sequence: u32, request: &Request) {
        let state = match request {
            Request::DeviceOpen(name) | Request::DeviceClose(name) => &mut self.device(name).state,
            Request::LineOpen(at) | Request::LineClose(at) => &mut self.line(at).state,
            _ => return,
        };
        if matches!(*state, State::Opening(asked) | State::Closing(asked) if asked == sequence) {
            *state = State::Closed;
        }
    }

    pub(crate) fn told(&mut self, event: Event) {
        match event {
            Event::DeviceInService(name) => {
                // What was known of it is old: it is closed and opened again.
                let device = self.device(&name);
                device.excuse = None;
                device.registered = true;
            }
            Event::DeviceOutOfService(name) => {
                let device = self.device(&name);
                device.registered = false;
                if matches!(device.state, State::Open | State::Closed) {
                    device.close(State::Closed);
                    device.excuse = Some(Excuse::OutOfService);
                }
            }
            Event::DeviceStatus { device: name, status } => {
                let device = self.device(&name);
                if device.is_heard() {
                    device.status = Some(status);
                    self.must.push(ProviderEvent::Device { device: name, status: Some(status) });
                }
            }
            Event::DeviceUserChanged(name) => {
                if self.device(&name).is_heard() {
                    self.must.push(ProviderEvent::DeviceUserChanged(name));
                }
            }
            Event::DeviceData { device: name, content } => {
                if self.device(&name).is_heard() {
                    self.must.push(ProviderEvent::DeviceData { device: name, content });
                }
            }
            Event::Call { at, info } => {
                if self.hears_line(&at) {
                    self.must.push(ProviderEvent::Call { at, info });
                }
            }
            Event::FeatureInvoked(pressed) => self.must.push(ProviderEvent::FeatureInvoked(pressed)),
            other => panic!("{other:?}"),
        }
    }

    /// A report that need not come, but may: it must not contradict what is believed.
    pub(crate) fn may(&self, event: &ProviderEvent) {
        match event {
            ProviderEvent::Device { device, status: None } => {
                let known = self.devices.get(device);
                assert!(
                    known.is_some_and(|known| known.wanted && known.state != State::Open),
                    "{event:?}: {known:?}"
                );
            }
            ProviderEvent::LineRefused { at, .. } => {
                assert!(self.wants_line(at) && !self.hears_line(at), "{event:?}");
            }
            other => panic!("{other:?} is unexpected"),
        }
    }

    /// On an open link of an instance that acts: everything that is wanted is open, on its way, or excused.
    pub(crate) fn check_progress(&self, now: Timestamp) {
        let is_late = |excuse: Option<Excuse>| match excuse {
            None => true,
            Some(Excuse::OutOfService) => false,
            Some(Excuse::RefusedAt(at)) => at + RETRY_LIMIT <= now,
        };
        for (name, device) in self.devices.iter().filter(|(_, device)| device.wanted) {
            assert!(
                device.state != State::Closed || !is_late(device.excuse),
                "{name:?} is wanted: {device:?}"
            );
            for (at, line) in device.lines.iter().filter(|(_, line)| line.wanted && device.is_heard()) {
                assert!(line.state != State::Closed || !is_late(line.excuse), "{at:?} is wanted: {line:?}");
            }
        }
        for (name, device) in self.devices.iter().filter(|(_, device)| !device.wanted) {
            assert_ne!(device.state, State::Open, "{name:?} is open, and nobody wants it");
        }
    }
}
