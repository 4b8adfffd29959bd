use std::collections::{BTreeMap, BTreeSet};

use ringback_callback::{Record, SoftKey};
use ringback_cti::message::CallState;
use ringback_model::{CallId, DeviceName, DirectoryNumber, RequestId, Timestamp};
use ringback_screen::phone::SoftKeyPress;
use ringback_sim::SwitchEvent;

use super::Invariant;
use crate::schedule::facts::{Event, Facts};

/// "An accepted request is durable before the phone says 'activated'", and from then on it is on record until there is one
/// of the reasons for which requests end (R7, R18, R19, R6, R29, R40, R43). The reasons are not taken from the service:
/// they are what was seen at switch and phones.
#[derive(Default)]
pub(super) struct Accepted {
    cancelled: BTreeSet<RequestId>,
    /// When each phone was out of service, or changed its user, last.
    reset: BTreeMap<DeviceName, Timestamp>,
    /// The numbers that each phone has rung or talked with, and when last.
    reached: BTreeMap<(DeviceName, DirectoryNumber), Timestamp>,
    /// The calls that were answered.
    answered: BTreeSet<CallId>,
}

impl Accepted {
    fn note(&mut self, facts: &Facts, event: &SwitchEvent) {
        match event {
            SwitchEvent::Data { content, .. } => {
                if let Ok(SoftKeyPress { key: SoftKey::Cancel, about: Some(id), .. }) =
                    SoftKeyPress::parse(content)
                {
                    self.cancelled.insert(id);
                }
            }
            SwitchEvent::OutOfService(device) | SwitchEvent::UserChanged(device) => {
                self.reset.insert(device.clone(), facts.now);
            }
            SwitchEvent::Call { at, info }
                if matches!(info.state, CallState::Ringback | CallState::Connected) =>
            {
                if info.state == CallState::Connected {
                    self.answered.insert(info.call);
                }
                for number in info.called.iter().chain(&info.peer) {
                    self.reached.insert((at.device.clone(), number.clone()), facts.now);
                }
            }
            _ => {}
        }
    }

    fn reason(&self, facts: &Facts, record: &Record) -> Option<&'static str> {
        let device = &record.caller.device;
        let after = |at: Option<&Timestamp>| at.is_some_and(|at| *at >= record.since);
        let reached =
            [&record.dialled, &record.called.dn].map(|dn| self.reached.get(&(device.clone(), dn.clone())));
        if self.cancelled.contains(&record.id) {
            Some("cancelled")
        } else if after(self.reset.get(device)) {
            Some("the phone was reset or changed its user")
        } else if record.expires.is_some_and(|at| at <= facts.now) {
            Some("expired")
        } else if facts.successor(record).is_some() {
            Some("replaced")
        } else if reached.into_iter().any(after) {
            Some("reached")
        } else if record.origin.is_some_and(|call| self.answered.contains(&call)) {
            Some("answered")
        } else {
            None
        }
    }
}

impl Invariant for Accepted {
    fn name(&self) -> &'static str {
        "an accepted request is on record until it ends for a reason"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Switch(event) => self.note(facts, event),
            Event::Data { device, activated: Some(id), .. }
                if !facts.records.contains_key(id) && !facts.gone.contains_key(id) =>
            {
                let phone = device.as_str();
                return Err(format!("{phone} shows that {id} is activated, which is not on record"));
            }
            Event::Gone(record)
                if facts.activated.contains(&record.id) && self.reason(facts, record).is_none() =>
            {
                return Err(format!("{} is removed for no reason that can be seen", record.id));
            }
            _ => {}
        }
        Ok(())
    }
}
