use std::collections::BTreeMap;

use ringback_cti::message::Activity;
use ringback_model::{DeviceName, Timestamp};
use ringback_sim::SwitchEvent;

use super::Invariant;
use crate::schedule::facts::{CROSSING, Event, Facts};

/// R16: nobody is alerted whose phone is not idle and on hook. While links are held up, an instance sees late what a phone
/// does, and its alert may be as late: that is not judged; nor is an alert that crosses the phone's report.
#[derive(Default)]
pub(super) struct CallerIsIdle {
    busy_since: BTreeMap<DeviceName, Timestamp>,
}

impl Invariant for CallerIsIdle {
    fn name(&self) -> &'static str {
        "no alert to a caller who is busy"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Switch(SwitchEvent::Status { device, status }) => {
                if status.activity == Activity::Idle {
                    self.busy_since.remove(device);
                } else {
                    self.busy_since.entry(device.clone()).or_insert(facts.now);
                }
            }
            Event::Switch(SwitchEvent::OutOfService(device)) => {
                self.busy_since.remove(device);
            }
            Event::Alert { device, idle: false, .. } if !facts.is_disturbed() => {
                let since = self.busy_since.get(*device);
                if since.is_some_and(|since| *since + CROSSING <= facts.now) {
                    return Err(format!("{} is alerted and has not been idle", device.as_str()));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
