//! A scenario played in simulated time, with everything in this process.

use std::io;

use crate::language::Scenario;
use crate::nodes::{Nodes, Outfit};
use crate::report::{Failure, Outcome};
use crate::runner::{Pace, in_simulated_time, play};
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
    simulate_at(scenario, Pace::Simulated)
}

/// The same, with the patience of real time: what fails only so depends on time that real time does not let pass.
pub(crate) fn simulate_at(scenario: &Scenario, pace: Pace) -> io::Result<Played> {
    in_simulated_time(async {
        let names = scenario.names();
        match Site::in_memory(&scenario.setup, names.ctimanagers()).await {
            Ok((site, directory)) => {
                let nodes = Nodes::new(Outfit::in_memory(&site, &directory));
                let mut world = World::new(site, nodes);
                let outcome = play(scenario, &mut world, pace).await;
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
