use std::collections::BTreeMap;

use ringback_model::Epoch;

use super::Invariant;
use crate::schedule::facts::{Event, Facts};

/// "Fencing: a store refuses a write of an older epoch; a CTIManager closes older ones": once an epoch has had an effect,
/// no older one has any; and nobody shares an epoch. What a held-up link brings late to a phone is compared with what came
/// to phones: no CTIManager can know what only the store has seen.
#[derive(Default)]
pub(super) struct NewestEpoch {
    /// The newest with an effect at the store.
    stored: Epoch,
    /// The newest with an effect at a phone.
    shown: Epoch,
    owners: BTreeMap<Epoch, String>,
}

impl Invariant for NewestEpoch {
    fn name(&self) -> &'static str {
        "only the newest epoch has effects"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        let (at_store, instance, epoch) = match event {
            Event::Wrote { instance, epoch, .. } => (true, *instance, *epoch),
            Event::Data { instance, epoch, .. } | Event::Dialled { instance, epoch, .. } => {
                (false, *instance, *epoch)
            }
            _ => return Ok(()),
        };
        let owner = self.owners.entry(epoch).or_insert_with(|| instance.to_owned());
        if owner != instance {
            return Err(format!("{instance} acts in epoch {epoch}, which is that of {owner}"));
        }
        let newest = match at_store {
            _ if !facts.is_disturbed() => self.stored.max(self.shown),
            true => self.stored,
            false => self.shown,
        };
        if epoch < newest {
            return Err(format!("{instance} acts in epoch {epoch} after epoch {newest} has acted"));
        }
        *(if at_store { &mut self.stored } else { &mut self.shown }) = epoch;
        Ok(())
    }
}
