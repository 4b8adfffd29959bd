//! A scenario played in simulated time, with everything in this process.

use std::io;

use ringback_model::Millis;

use crate::language::{Scenario, Step};
use crate::nodes::{Nodes, Outfit};
use crate::report::{Failure, Outcome};
use crate::runner::{Pace, in_simulated_time, play_timed};
use crate::world::{Site, SiteError, World};

/// How a scenario went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Its verdict.
    pub outcome: Outcome,
    /// Everything that happened at the switch and the phones, a line an event: the same for the same scenario.
    pub log: Vec<String>,
}

/// Plays a scenario in simulated time: simulated phones, switch, CTIManagers and network, directory and store in
/// memory, and the real service from the wire up.
///
/// # Errors
/// There are no resources for a runtime.
pub fn simulate(scenario: &Scenario) -> io::Result<Played> {
    simulate_at(scenario, Pace::Simulated, |_, _| {})
}

/// The same at another pace; `took` is told how long each step took that did not fail.
pub(crate) fn simulate_at(
    scenario: &Scenario,
    pace: Pace,
    took: impl FnMut(&Step, Millis),
) -> io::Result<Played> {
    simulate_in(scenario, pace, took, async || {
        let (site, directory) = Site::in_memory(&scenario.setup, scenario.names().ctimanagers()).await?;
        let nodes = Nodes::new(Outfit::in_memory(&site, &directory));
        Ok((site, nodes))
    })
}

/// The same at another site; no instance runs there yet.
pub(crate) fn simulate_in(
    scenario: &Scenario,
    pace: Pace,
    took: impl FnMut(&Step, Millis),
    site: impl AsyncFnOnce() -> Result<(Site, Nodes), SiteError>,
) -> io::Result<Played> {
    in_simulated_time(async {
        match site().await {
            Ok((site, nodes)) => {
                let mut world = World::new(site, nodes);
                let outcome = play_timed(scenario, &mut world, pace, took).await;
                Played { outcome, log: world.site().call_manager.log() }
            }
            Err(error) => Played { outcome: impossible(&error), log: Vec::new() },
        }
    })
}

fn impossible(error: &SiteError) -> Outcome {
    Outcome::Failed(Failure {
        line: 1,
        statement: "the set-up".to_owned(),
        expected: "a set-up that is possible".to_owned(),
        saw: error.to_string(),
    })
}
