//! What the service wants open, and what can be vouched for.

use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::ProviderEvent;
use ringback_cti::message::CtiError;
use ringback_model::{Appearance, DeviceName, Millis, Timestamp};

use super::core::Core;

/// How long a phone may take to register again at a restarted server, if nothing else is configured.
const MISSED: Millis = Millis::from_mins(2);

/// A server says when it was started, and how old it is, in whole seconds: two of them are enough to tell two starts apart.
const TWO_SECONDS: Millis = Millis::from_secs(2);

/// What is wanted. It outlives links.
#[derive(Debug, Default)]
pub(super) struct Standing {
    devices: BTreeMap<DeviceName, BTreeSet<Appearance>>,
    /// Lines that look free, and of which that cannot be vouched for yet.
    doubtful: BTreeSet<Appearance>,
    /// Phones that were in service when the link was lost, and are not seen now that the server has been restarted: it may
    /// have forgotten their registrations.
    missed: BTreeSet<DeviceName>,
    /// The phones in service when the link was lost.
    were_in_service: BTreeSet<DeviceName>,
    /// From when on a phone that is missed is believed to be gone.
    missed_until: Timestamp,
    /// When the server was started, by its own clock, which tells seconds.
    started: Option<String>,
    /// From when on a server that starts again says another second than this one.
    distinct_from: Timestamp,
    /// The link was gone before that: the same second may be another start.
    indistinct: bool,
    /// From when on what the server says is believed. `None`: never by time alone.
    believed_from: Option<Timestamp>,
    /// Phones that were seen in use since the server's start.
    seen: BTreeSet<DeviceName>,
}

impl Standing {
    pub(super) fn wants(&self, device: &DeviceName) -> bool {
        self.devices.contains_key(device)
    }

    pub(super) fn wants_line(&self, at: &Appearance) -> bool {
        self.devices.get(&at.device).is_some_and(|lines| lines.contains(at))
    }

    pub(super) fn link_down(&mut self, in_service: impl Fn(&DeviceName) -> bool) {
        self.doubtful.clear();
        let missed = std::mem::take(&mut self.missed);
        self.were_in_service = self
            .devices
            .keys()
            .filter(|device| missed.contains(*device) || in_service(device))
            .cloned()
            .collect();
    }

    pub(super) fn link_gone(&mut self, now: Timestamp) {
        self.indistinct |= now < self.distinct_from;
    }

    pub(super) fn next_proof(&self) -> Option<Timestamp> {
        let doubtful = self.believed_from.filter(|_| !self.doubtful.is_empty());
        let missed = Some(self.missed_until).filter(|_| !self.missed.is_empty());
        [doubtful, missed].into_iter().flatten().min()
    }

    /// The server says for how long it has been up, and when it was started by its own clock.
    pub(super) fn server_is_up_for(
        &mut self,
        now: Timestamp,
        uptime: Millis,
        started: String,
        proof: Option<Millis>,
    ) {
        // The time before this program began cannot be told by its clock; what is left of the waiting can.
        let left = proof.map(|proof| Millis(proof.0.saturating_sub(uptime.0)));
        let same = !std::mem::take(&mut self.indistinct) && self.started.as_ref() == Some(&started);
        self.distinct_from = Timestamp(now.0.saturating_sub(uptime.0)) + TWO_SECONDS;
        if same {
            self.were_in_service.clear();
        } else {
            self.seen.clear();
        }
        let longest = proof.unwrap_or(MISSED);
        self.missed_until = now + Millis(longest.0.saturating_sub(uptime.0));
        self.started = Some(started);
        self.believed_from = left.map(|left| now + left);
    }

    fn believes(&self, now: Timestamp, device: &DeviceName) -> bool {
        self.seen.contains(device) || self.believed_from.is_some_and(|from| from <= now)
    }
}

impl Core {
    /// The link is up, and this instance acts.
    pub(super) fn open_all(&mut self, now: Timestamp) {
        let wanted: Vec<_> = self.standing.devices.iter().map(|(d, l)| (d.clone(), l.clone())).collect();
        for (device, lines) in wanted {
            self.read_device(&device);
            for at in lines {
                self.read_line(now, &at);
            }
        }
    }

    /// Closed for good.
    pub(super) fn close_all(&mut self) {
        for device in std::mem::take(&mut self.standing.devices).into_keys() {
            self.mapper.close_device(&device);
        }
        self.standing.doubtful.clear();
        self.standing.missed.clear();
        self.seats.clear();
    }

    pub(super) fn open_device(&mut self, now: Timestamp, device: DeviceName) {
        let lines = self.standing.devices.entry(device.clone()).or_default().clone();
        if self.is_up() && self.acts() {
            self.read_device(&device);
            for at in lines {
                self.read_line(now, &at);
            }
        }
    }

    pub(super) fn close_device(&mut self, device: &DeviceName) {
        self.standing.devices.remove(device);
        self.standing.doubtful.retain(|at| at.device != *device);
        self.standing.missed.remove(device);
        self.mapper.close_device(device);
        self.seats.remove(device);
    }

    pub(super) fn open_line(&mut self, now: Timestamp, at: Appearance) {
        // Its device must have been asked for first.
        let Some(lines) = self.standing.devices.get_mut(&at.device) else { return };
        lines.insert(at.clone());
        if self.is_up() && self.acts() {
            self.read_line(now, &at);
        }
    }

    pub(super) fn close_line(&mut self, at: &Appearance) {
        if let Some(lines) = self.standing.devices.get_mut(&at.device) {
            lines.remove(at);
        }
        self.standing.doubtful.remove(at);
        self.mapper.close_line(at);
    }

    fn read_device(&mut self, device: &DeviceName) {
        if self.mapper.in_service(device) != Some(true) && self.standing.were_in_service.remove(device) {
            // Nothing is told of it until it comes back, or has been missed for too long.
            self.standing.missed.insert(device.clone());
            self.mapper.open_device(device, &mut Vec::new());
            return;
        }
        let known = self.shared.get().is_none_or(|record| record.endpoints.contains(device));
        if !known || self.mapper.in_service(device).is_none() {
            // A phone that does not exist, or of which the server does not know anything.
            self.report(ProviderEvent::Device { device: device.clone(), status: None });
        }
        let mut out = Vec::new();
        self.mapper.open_device(device, &mut out);
        self.relay(out);
    }

    fn read_line(&mut self, now: Timestamp, at: &Appearance) {
        if self.mapper.line_of(&at.device).as_ref() != Some(at) {
            let reason = CtiError::UndefinedLine;
            return self.report(ProviderEvent::LineRefused { at: at.clone(), reason });
        }
        if self.standing.believes(now, &at.device) {
            let mut out = Vec::new();
            self.mapper.open_line(at, &mut out);
            self.relay(out);
        } else {
            self.standing.doubtful.insert(at.clone());
            self.vouch(now);
        }
    }

    /// Opens the lines of which it can be told by now how they are.
    pub(super) fn vouch(&mut self, now: Timestamp) {
        if !self.is_up() {
            return;
        }
        for device in self.standing.missed.clone() {
            let back = self.mapper.in_service(&device) == Some(true);
            if back || self.standing.missed_until <= now {
                self.standing.missed.remove(&device);
            }
            if !back && self.standing.missed_until <= now {
                self.read_device(&device);
            }
        }
        for at in self.standing.doubtful.clone() {
            // A call that is known is certain; that there is none is not.
            if self.mapper.calls(&at.device).any(|call| call.state.is_off_hook()) {
                self.standing.seen.insert(at.device.clone());
            }
            if self.standing.believes(now, &at.device) {
                self.standing.doubtful.remove(&at);
                let mut out = Vec::new();
                self.mapper.open_line(&at, &mut out);
                self.relay(out);
            }
        }
    }
}
