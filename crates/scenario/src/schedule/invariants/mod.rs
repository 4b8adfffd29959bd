//! What must hold at every moment of a schedule, one promise of the design a file. Each sees everything.

mod accepted;
mod alerts;
mod ended;
mod epochs;
mod idle;
mod lease;
mod turns;

use super::facts::{Event, Facts};

/// A promise that is checked with every event.
pub(super) trait Invariant: Send {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Looks at what has just happened. `facts` include it already.
    ///
    /// # Errors
    /// What breaks the promise.
    fn see(&mut self, facts: &Facts, event: &Event<'_>) -> Result<(), String>;
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(accepted::Accepted::default()),
        Box::new(ended::EndsOnce::default()),
        Box::new(alerts::AlertsOnce::default()),
        Box::new(epochs::NewestEpoch::default()),
        Box::new(lease::UnderLease),
        Box::new(turns::OneTurn),
        Box::new(idle::CallerIsIdle::default()),
    ]
}
