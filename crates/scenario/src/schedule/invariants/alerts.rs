use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::DataId;
use ringback_model::{DeviceName, RequestId, Timestamp};
use ringback_sim::SwitchEvent;

use super::Invariant;
use crate::schedule::facts::{CROSSING, Event, Facts, request_of};

/// "An alert is recorded with an id before it is sent; after a crash it is sent again under the same id, and the phone
/// plays it once"; and once the end of a request is on record and its screen is gone, nothing more is played for it. Where
/// no link is held up, the end on record is enough, unless the alert crosses it.
#[derive(Default)]
pub(super) struct AlertsOnce {
    played: BTreeSet<DataId>,
    /// Requests that have ended, and whose phones show nothing of them any more.
    told: BTreeSet<RequestId>,
    /// When the end of each came on record.
    ended_at: BTreeMap<RequestId, Timestamp>,
    /// Requests that have ended, by the phone that had them.
    ended: BTreeMap<DeviceName, Vec<RequestId>>,
}

impl Invariant for AlertsOnce {
    fn name(&self) -> &'static str {
        "an alert is played once, and not after the end"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Gone(record) => {
                self.ended_at.insert(record.id, facts.now);
                self.ended.entry(record.caller.device.clone()).or_default().push(record.id);
            }
            Event::Stored(record) => {
                // Its replacement was revoked (R38).
                self.told.remove(&record.id);
                self.ended_at.remove(&record.id);
                if let Some(ended) = self.ended.get_mut(&record.caller.device) {
                    ended.retain(|id| *id != record.id);
                }
            }
            Event::Switch(SwitchEvent::Screen { device, screen: None }) => {
                self.told.extend(self.ended.remove(device).into_iter().flatten());
            }
            Event::Alert { device, id, .. } => {
                let request = request_of(*id);
                if !self.played.insert(*id) {
                    return Err(format!("{} plays an alert of {request} twice", device.as_str()));
                }
                if self.told.contains(&request) {
                    return Err(format!("{} is alerted for {request}, which has ended", device.as_str()));
                }
                let ended = self.ended_at.get(&request).is_some_and(|at| *at + CROSSING <= facts.now);
                if ended && !facts.is_disturbed() {
                    return Err(format!(
                        "{} is alerted for {request}, whose end is on record",
                        device.as_str()
                    ));
                }
                if !facts.records.contains_key(&request) && !facts.gone.contains_key(&request) {
                    return Err(format!(
                        "{} is alerted for {request}, which is not on record",
                        device.as_str()
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
