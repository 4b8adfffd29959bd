use super::Invariant;
use crate::schedule::facts::{Event, Facts};

/// "An active whose lease is not confirmed stops acting *before* the lease can have passed to another": whatever an
/// instance begins to write, and whatever it does at a phone over a link that is not held up, it does while the lease is
/// its own, by the registry's clock.
pub(super) struct UnderLease;

impl Invariant for UnderLease {
    fn name(&self) -> &'static str {
        "an instance acts only under its lease"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        let (instance, lease) = match event {
            Event::Issued { instance, lease, .. } => (*instance, *lease),
            Event::Data { instance, lease, .. } | Event::Dialled { instance, lease, .. }
                if !facts.is_disturbed() =>
            {
                (*instance, *lease)
            }
            _ => return Ok(()),
        };
        match lease {
            Ok(()) => Ok(()),
            Err(why) => Err(format!("{instance} acts, but {why}")),
        }
    }
}
