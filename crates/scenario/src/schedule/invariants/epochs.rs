use std::collections::BTreeMap;

use ringback_model::Epoch;

use super::Invariant;
use crate::schedule::observer::{Event, Facts};

/// "Fencing: a store refuses a write of an older epoch; a CTIManager closes older ones": once an epoch has had an effect,
/// no older one has any; and nobody shares an epoch.
#[derive(Default)]
pub(super) struct NewestEpoch {
    /// The newest with an effect, at the store and at the CTIManagers.
    newest: [Epoch; 2],
    owners: BTreeMap<Epoch, String>,
}

impl Invariant for NewestEpoch {
    fn name(&self) -> &'static str {
        "only the newest epoch has effects"
    }

    fn see(&mut self, _facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        let (place, instance, epoch) = match event {
            Event::Wrote { instance, epoch, .. } => (0, *instance, *epoch),
            Event::Data { instance, epoch, .. } | Event::Dialled { instance, epoch, .. } => {
                (1, *instance, *epoch)
            }
            _ => return Ok(()),
        };
        let owner = self.owners.entry(epoch).or_insert_with(|| instance.to_owned());
        if owner != instance {
            return Err(format!("{instance} acts in epoch {epoch}, which is that of {owner}"));
        }
        let newest = &mut self.newest[place];
        if epoch < *newest {
            return Err(format!("{instance} acts in epoch {epoch} after epoch {newest} has acted"));
        }
        *newest = epoch;
        Ok(())
    }
}
