//! Scenarios with directory, requests, change notification and lease on a real PostgreSQL, in simulated time.
//!
//! A call to the server takes real time and no simulated time: the thread that simulates waits for the answer, and until
//! then nothing else happens. So everything comes in the same order as with everything in memory, and the events must be the
//! same ones. The server's clock is replaced by that of the simulation, or leases would not run out. All scenarios play in
//! one database, each in a group of its own. What a scenario stops or cuts off is cut in front of the server, which itself
//! runs on: `stop database` leaves the requests alone, which are in the same database.

mod clock;
mod directory;
mod feed;
mod real;
mod registry;
mod store;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringback::db::MemoryDirectory;
use ringback_db::StoreError;
use ringback_db_postgres::{OpenError, Options, PostgresDatabase, SimulatedClock};
use ringback_model::Group;
use ringback_sim::{CallManager, CallManagerConfig};
use thiserror::Error;

use self::clock::Clocks;
use self::directory::SimulatedDirectory;
use self::feed::Hub;
use self::real::{Real, RealTime};
use self::registry::SimulatedRegistry;
use self::store::SimulatedStore;
use crate::language::{Action, Scenario, StepStatement};
use crate::nodes::{Nodes, Outfit};
use crate::runner::Pace;
use crate::simulation::{Played, simulate_in};
use crate::world::{Site, SiteError};

/// Why a database cannot be used for scenarios.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is no runtime to be had.
    #[error("there are no resources for a runtime: {0}")]
    Runtime(#[from] io::Error),
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its clock cannot be replaced.
    #[error("the clock of the database cannot be replaced: {0}")]
    Clock(#[from] StoreError),
}

/// A database that scenarios are played on, one after the other. Its clock is not of use for anything else any more.
pub struct Database {
    // Before the runtime that it lives on.
    database: PostgresDatabase,
    clock: SimulatedClock,
    name: String,
    played: AtomicU64,
    real: RealTime,
}

impl Database {
    /// Opens the database at `postgres://...`, and replaces its clock.
    ///
    /// # Errors
    /// Says what to do.
    pub fn open(address: &str) -> Result<Self, DatabaseError> {
        let real = RealTime::new()?;
        let mut options = Options::default();
        options.application_name = "ringback-scenario".to_owned();
        let database = real.way().wait(PostgresDatabase::open(address, options))?;
        let clock = real.way().wait(database.simulate_clock())?;
        let name = format!("scenario-{:016x}", fastrand::u64(..));
        Ok(Self { database, clock, name, played: AtomicU64::new(0), real })
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        self.database.place()
    }

    /// Plays a scenario as [`simulate`](crate::simulate) does.
    ///
    /// # Errors
    /// There are no resources for a runtime.
    pub fn simulate(&self, scenario: &Scenario) -> io::Result<Played> {
        let real = self.real.way();
        let number = self.played.fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::expect_used, reason = "invariant: letters, digits and hyphens")]
        let group = Group::new(format!("{}-{number}", self.name)).expect("a name");
        simulate_in(scenario, Pace::Simulated, |_, _| {}, async || self.site(scenario, real, group).await)
    }

    async fn site(&self, scenario: &Scenario, real: Real, group: Group) -> Result<(Site, Nodes), SiteError> {
        let call_manager = CallManager::new(CallManagerConfig::default());
        let hub = real.wait(Hub::open(self.database.feed(&group)));
        let directory = SimulatedDirectory::new(real.clone(), self.database.directory(), group.clone(), hub);
        let clocks = Clocks { server: self.clock.clone(), simulation: call_manager.clone() };
        let store = SimulatedStore {
            real: real.clone(),
            behind: self.database.store(),
            clocks: clocks.clone(),
            group: group.clone(),
        };
        let registry = SimulatedRegistry::new(real, self.database.registry(), clocks, group);
        let names = scenario.names();
        let database = Arc::new(directory.clone());
        let site = Site::new(call_manager, names.ctimanagers(), database, Arc::new(store)).await?;
        site.set_up(&scenario.setup).await?;
        let outfit = Outfit {
            directory: directory.reader(),
            feed: Box::new(move || directory.feed()),
            ..Outfit::in_memory(&site, &MemoryDirectory::new())
        };
        let nodes = Nodes::new(outfit);
        // One instance alone keeps its lease on its own machine.
        Ok((site, if is_alone(scenario) { nodes } else { nodes.meeting_at(Arc::new(registry)) }))
    }
}

/// Whether there is never more than one instance.
fn is_alone(scenario: &Scenario) -> bool {
    let mut nodes: BTreeSet<IpAddr> = scenario.names().nodes().iter().copied().collect();
    nodes.extend(scenario.steps.iter().filter_map(|step| match &step.what {
        StepStatement::Action(Action::Node { address, .. }) => Some(*address),
        _ => None,
    }));
    nodes.len() < 2
}
