use std::net::IpAddr;

use async_trait::async_trait;

use super::Observations;
use crate::language::Action;
use crate::world::ActionFailure;

/// Why a step was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// It is impossible: the scenario fails.
    Impossible(ActionFailure),
    /// This back end cannot do it in this situation, for this reason: the scenario is skipped.
    NotHere(String),
}

impl From<ActionFailure> for Hindrance {
    fn from(failure: ActionFailure) -> Self {
        Self::Impossible(failure)
    }
}

/// What a scenario is played on: everything that it can do, and, as [`Observations`], everything that it can see.
#[async_trait(?Send)]
pub trait BackEnd: Observations {
    /// Starts these instances and waits until one is active and ready, and all agree on it.
    ///
    /// # Errors
    /// One cannot start, or none is ready in time.
    async fn start(&mut self, nodes: &[IpAddr]) -> Result<(), ActionFailure>;

    /// Does what an action says. Time passes only for `wait`; what the action causes comes later.
    ///
    /// # Errors
    /// It is impossible now, or not to be done here.
    async fn act(&mut self, action: &Action) -> Result<(), Hindrance>;

    /// Lets what an action has caused happen, as far as that needs no timer.
    async fn settle(&mut self);

    /// Waits for the next change of anything that can be observed. None that happens between two calls is missed.
    async fn changed(&mut self);
}
