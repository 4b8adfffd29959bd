use ringback_callback::Phase;

use super::Invariant;
use crate::schedule::facts::{Event, Facts, request_of};

/// R24: under `fifo` one caller at a time has the turn on a line. A turn is on record before its alert is played, and the
/// end of the one before is on record before that.
pub(super) struct OneTurn;

impl Invariant for OneTurn {
    fn name(&self) -> &'static str {
        "one turn at a time on a line"
    }

    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String> {
        let Event::Alert { id, .. } = event else { return Ok(()) };
        if !facts.fifo {
            return Ok(());
        }
        let request = request_of(*id);
        let Some(alerted) = facts.records.get(&request) else { return Ok(()) };
        let other = facts.records.values().find(|other| {
            other.id != request
                && other.called == alerted.called
                && matches!(other.phase, Phase::Turn { until, .. } if until > facts.now)
        });
        match other {
            Some(other) => Err(format!("{request} is alerted during the turn of {}", other.id)),
            None => Ok(()),
        }
    }
}
