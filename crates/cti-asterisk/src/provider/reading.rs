//! The first questions after the login, and the directory's, which are asked again and again.

use std::collections::BTreeSet;

use ringback_cti::{LinkLoss, ProviderEvent};
use ringback_model::{DeviceName, Millis, Timestamp};

use super::access::{self, Heard};
use super::core::{Core, Purpose, Stage};
use crate::ami::{Action, Message};
use crate::directory::{self, Record};
use crate::session::{Failure, Ticket};

/// The user event that shows whether user events are delivered.
const PROBE_EVENT: &str = "RingbackProbe";
/// The device whose state is set to see whether device states are delivered.
const PROBE_DEVICE: &str = "Custom:ringback";

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What the manager user may do.
    Commands,
    /// Since when the server has been running.
    Start,
    /// The device states.
    States,
    /// The calls.
    Channels,
    /// A part of the directory.
    Directory(directory::Reading),
    /// To have a user event sent.
    ProbeEvent,
    /// To have a device state changed.
    ProbeState,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pending: BTreeSet<Ticket>,
    pub(super) deadline: Timestamp,
    /// For how long the server has been up, as it said after the login.
    uptime: Option<Millis>,
    /// When it was started, by its own clock.
    started: String,
    record: Record,
    /// Endpoints whose device state was told with them.
    endpoints: Vec<Message>,
    /// The classes of which an event was delivered, or could not be provoked.
    heard: Heard,
    problems: Vec<String>,
}

impl Core {
    /// The server has booted, and says for how long it has been up.
    pub(super) fn booted(&mut self, now: Timestamp, message: &Message) {
        let unannounced = |reading: &Reading| !reading.heard.system;
        if matches!(&self.stage, Stage::Booting { .. })
            || matches!(&self.stage, Stage::Reading(reading) if unannounced(reading))
        {
            let uptime =
                message.get("Uptime").and_then(|seconds| seconds.parse().ok()).map(Millis::from_secs);
            self.start_reading(now, Some(uptime.unwrap_or(Millis::ZERO)));
        }
    }

    /// Asks everything. `uptime` is what the server told when it said that it has booted, if it said so.
    pub(super) fn start_reading(&mut self, now: Timestamp, uptime: Option<Millis>) {
        let deadline = now + self.config.patience;
        let heard = Heard { system: uptime.is_some() || self.is_booted, ..Heard::default() };
        self.is_booted = heard.system;
        self.stage = Stage::Reading(Box::new(Reading { deadline, uptime, heard, ..Reading::default() }));
        for (part, name) in [(Part::Commands, "ListCommands"), (Part::Start, "CoreStatus")] {
            self.read(part, name, &[]);
        }
        // Who has which number is to be known before the calls.
        for reading in directory::Reading::ALL {
            self.read_directory(reading);
        }
        for (part, name) in [(Part::States, "DeviceStateList"), (Part::Channels, "CoreShowChannels")] {
            self.read(part, name, &[]);
        }
        self.read(Part::ProbeEvent, "UserEvent", &[("UserEvent", PROBE_EVENT)]);
        // One of the two is a change.
        let variable = format!("DEVICE_STATE({PROBE_DEVICE})");
        for state in ["INUSE", "NOT_INUSE"] {
            self.read(Part::ProbeState, "Setvar", &[("Variable", &variable), ("Value", state)]);
        }
    }

    fn read(&mut self, part: Part, name: &'static str, headers: &[(&str, &str)]) {
        let action = || {
            let action = Action::new(name)?;
            headers.iter().try_fold(action, |action, (key, value)| action.header(key, value))
        };
        // Constants: they are headers.
        if let Ok(action) = action() {
            let ticket = self.ask(Purpose::Read(part), name, action);
            match &mut self.stage {
                Stage::Reading(reading) => {
                    reading.pending.insert(ticket);
                }
                _ => {
                    if let Some((_, pending)) = &mut self.rereading {
                        pending.insert(ticket);
                    }
                }
            }
        }
    }

    fn read_directory(&mut self, reading: directory::Reading) {
        let part = Part::Directory(reading);
        match reading {
            directory::Reading::Endpoints => self.read(part, "PJSIPShowEndpoints", &[]),
            directory::Reading::Hints => self.read(part, "ExtensionStateList", &[]),
            directory::Reading::DoNotDisturb => self.read(part, "DBGetTree", &[("Family", "DND")]),
            directory::Reading::Forwards => self.read(part, "DBGetTree", &[("Family", "CFWD")]),
        }
    }

    /// A part of a list.
    pub(super) fn listed(&mut self, now: Timestamp, part: Part, ticket: Ticket, message: &Message) {
        match part {
            Part::States | Part::Channels => {
                let mut out = Vec::new();
                self.mapper.handle(now, message, &mut out);
                self.relay(out);
                if message.get("Application") == Some("Dial") {
                    self.recall_connected(now, message);
                }
            }
            Part::Directory(reading) => match &mut self.stage {
                Stage::Reading(first) => {
                    if reading == directory::Reading::Endpoints {
                        first.endpoints.push(message.clone());
                    }
                    reading.take(message, &mut first.record);
                }
                _ => {
                    if let Some((record, _)) = self.rereading.as_mut().filter(|(_, p)| p.contains(&ticket)) {
                        reading.take(message, record);
                    }
                }
            },
            Part::Commands | Part::Start | Part::ProbeEvent | Part::ProbeState => {}
        }
    }

    pub(super) fn part_read(
        &mut self,
        now: Timestamp,
        part: Part,
        ticket: Ticket,
        result: Result<Message, Failure>,
    ) {
        let Stage::Reading(reading) = &mut self.stage else {
            return self.directory_part_read(now, ticket, result.is_ok());
        };
        if !reading.pending.remove(&ticket) {
            return;
        }
        match (part, result) {
            (Part::Commands, Ok(commands)) => {
                let problems = access::not_permitted(&self.config.session.server.user, &commands);
                reading.problems.extend(problems);
            }
            (Part::Start, Ok(status)) => {
                let part = |key| status.get(key).unwrap_or_default();
                reading.started = format!("{} {}", part("CoreStartupDate"), part("CoreStartupTime"));
            }
            // What cannot be provoked cannot be heard.
            (Part::ProbeState, Err(_)) => reading.heard.call = true,
            (Part::ProbeEvent, Err(_)) => reading.heard.user = true,
            // The rights have been said already.
            (_, Err(Failure::NotPermitted(_))) => {}
            (Part::Start | Part::States | Part::Channels, Err(failure)) => {
                reading.problems.push(failure.to_string())
            }
            (Part::Directory(_), Ok(_)) => {
                reading.record.assign();
                self.mapper.set_numbers(reading.record.numbers.clone());
            }
            // An older server cannot list its database; no phones, no hints, and no keys are a fact.
            (Part::Directory(_), Err(failure)) => {
                tracing::debug!(%failure, "a part of the directory is not read")
            }
            _ => {}
        }
        self.finish_reading(now);
    }

    pub(super) fn user_probe_heard(&mut self, message: &Message) {
        if let Stage::Reading(reading) = &mut self.stage
            && message.get("UserEvent") == Some(PROBE_EVENT)
        {
            reading.heard.user = true;
        }
    }

    pub(super) fn heard_state(&mut self, message: &Message) {
        if let Stage::Reading(reading) = &mut self.stage
            && message.get("Device") == Some(PROBE_DEVICE)
        {
            reading.heard.call = true;
        }
    }

    /// Goes on when everything has been answered.
    pub(super) fn finish_reading(&mut self, now: Timestamp) {
        let Stage::Reading(reading) = &mut self.stage else { return };
        if !reading.pending.is_empty() || !reading.heard.all() {
            return;
        }
        if !reading.problems.is_empty() {
            let what = std::mem::take(&mut reading.problems).join("; ");
            return self.unfit(what);
        }
        let reading = std::mem::take(&mut **reading);
        if let Some(uptime) = reading.uptime {
            self.standing.server_is_up_for(now, uptime, reading.started, self.config.proof);
        }
        self.take_endpoints(now, &reading.endpoints);
        self.put_directory(now, reading.record);
        self.up(now);
        self.reread_if_wanted();
    }

    /// Of a phone that has done nothing since the server's start only this tells.
    fn take_endpoints(&mut self, now: Timestamp, endpoints: &[Message]) {
        for endpoint in endpoints {
            let Some(device) = endpoint.get("ObjectName").and_then(|name| DeviceName::new(name).ok()) else {
                continue;
            };
            if self.mapper.has_device_state(&device) {
                continue;
            }
            let state = match endpoint.get("DeviceState") {
                Some("Not in use") => "NOT_INUSE",
                Some("In use") => "INUSE",
                Some("Busy") => "BUSY",
                Some("Ringing") => "RINGING",
                Some("Ring+Inuse" | "Ring, In use") => "RINGINUSE",
                Some("On Hold") => "ONHOLD",
                Some("Unavailable" | "Invalid") => "UNAVAILABLE",
                _ => continue,
            };
            let name = format!("{}{}", self.config.technology, device.as_str());
            let told =
                Message::from_headers([("Event", "DeviceStateChange"), ("Device", &name), ("State", state)]);
            let mut out = Vec::new();
            self.mapper.handle(now, &told, &mut out);
            self.relay(out);
        }
    }

    pub(super) fn reading_timeouts(&mut self, now: Timestamp) {
        match &mut self.stage {
            // It may be starting; or nobody is told that it has, and then not only that may be missing.
            Stage::Booting { until } if *until <= now => self.start_reading(now, None),
            Stage::Reading(reading) if reading.deadline <= now => {
                let mut problems = std::mem::take(&mut reading.problems);
                problems.extend(reading.heard.not_delivered(&self.config.session.server.user));
                if !reading.pending.is_empty() {
                    problems.push(
                        "the server has not answered the first questions in time: it is overloaded"
                            .to_owned(),
                    );
                }
                self.unfit(problems.join("; "));
            }
            _ => {}
        }
    }

    /// Logged in, but the provider cannot work.
    fn unfit(&mut self, what: String) {
        tracing::error!(what, "the manager interface is reached, but cannot be used");
        let reason = LinkLoss::Unfit(what.clone());
        self.stage = Stage::Down(reason.clone());
        let manager = self.config.session.server.name.clone();
        self.report(ProviderEvent::LinkFailed { manager, reason });
        self.give_up(what);
    }

    // --- the directory, later ---

    /// Reads the directory anew when it is time.
    pub(super) fn refresh(&mut self, now: Timestamp) {
        if self.is_up() && self.next_refresh <= now {
            self.next_refresh = now + self.config.refresh;
            self.reread();
        }
    }

    /// Something in the directory has changed, or may have: after it was read, perhaps, even if not all has been read yet.
    pub(super) fn reread(&mut self) {
        if !self.is_up() || self.rereading.is_some() {
            self.reread_again = true;
            return;
        }
        self.rereading = Some((Record::default(), BTreeSet::new()));
        for reading in directory::Reading::ALL {
            self.read_directory(reading);
        }
    }

    fn directory_part_read(&mut self, now: Timestamp, ticket: Ticket, successful: bool) {
        let Some((_, pending)) = &mut self.rereading else { return };
        if !pending.remove(&ticket) {
            return;
        }
        if !successful {
            tracing::debug!("a part of the directory is not read");
        }
        if pending.is_empty()
            && let Some((record, _)) = self.rereading.take()
        {
            self.put_directory(now, record);
            self.reread_if_wanted();
        }
    }

    fn reread_if_wanted(&mut self) {
        if std::mem::take(&mut self.reread_again) {
            self.reread();
        }
    }

    fn put_directory(&mut self, now: Timestamp, mut record: Record) {
        record.assign();
        let renumbered = self.mapper.set_numbers(record.numbers.clone());
        let mut out = Vec::new();
        for (device, dn) in record.phones() {
            self.mapper.set_do_not_disturb(device, record.does_not_want(device, dn), &mut out);
        }
        self.shared.put(record);
        self.relay(out);
        for device in renumbered {
            // Its line is another one, or has become one.
            if self.is_up() && self.standing.wants(&device) {
                self.open_device(now, device);
            }
        }
    }
}
