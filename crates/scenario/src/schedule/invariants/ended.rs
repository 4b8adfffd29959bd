use std::collections::BTreeMap;

use ringback_model::RequestId;

use super::Invariant;
use crate::schedule::facts::{Event, Facts};

/// "A request ends exactly once": what was removed from the store does not come back. One that a replacement removed may,
/// if the replacement itself was revoked (R38).
#[derive(Default)]
pub(super) struct EndsOnce {
    /// What has ended, and the request that took its place.
    ended: BTreeMap<RequestId, Option<RequestId>>,
}

impl Invariant for EndsOnce {
    fn name(&self) -> &'static str {
        "a request ends once"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Gone(record) => {
                let successor = facts.successor(record).map(|other| other.id);
                self.ended.insert(record.id, successor);
            }
            Event::Stored(record) => {
                if let Some(successor) = self.ended.remove(&record.id) {
                    let revoked = successor.is_some_and(|other| !facts.activated.contains(&other));
                    if !revoked {
                        return Err(format!("{} is on record again after its end", record.id));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
