//! Random schedules of faults against the promises of the design.
//!
//! A seed makes a [`Plan`]: a site of several instances, CTIManagers and phones, what its users do, and what fails when.
//! [`play`] plays it with the real service in simulated time, while an observer who sees everything checks the invariants;
//! at the end everything is mended, and what should then happen must happen. The same seed gives the same story.
//!
//! ```text
//!   seed ──► generator ──► Plan ──► driver ──► users, faults ──► switch, network, store, registry, instances
//!                                                                  │ everything that happens
//!                                      quiet ──► liveness          ▼
//!                                                    observer ──► invariants/*
//! ```

mod driver;
mod facts;
mod faults;
mod generator;
mod invariants;
mod observer;
mod plan;
mod quiet;
mod server;
mod sessions;
mod site;
mod store;
mod users;

use std::fmt;
use std::ops::Add;

use ringback_model::Timestamp;

pub use driver::play;
pub use plan::{Fault, Intent, Moment, Plan, Step, Target};
pub use server::{ServerFault, Strikes};

/// A protection that is switched off, so that it can be seen to be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plant {
    /// Store and CTIManagers take what an older epoch sends.
    Fencing,
    /// An instance uses its lease to the very end.
    LeaseMargin,
    /// An instance goes on though its lease is not confirmed.
    StandDown,
    /// Phones act again on an alert that they have played.
    AlertId,
    /// The store confirms before it writes.
    Durability,
    /// The server does what comes late over a session that its sender has replaced.
    SessionFence,
    /// A write is confirmed before the standby has it.
    SynchronousStandby,
    /// The clock of the server is stepped by more than the margin of a lease.
    SlewedClock,
}

/// What holds directory, requests and lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Engine {
    /// Something that only stops, is slow, and loses answers.
    #[default]
    Memory,
    /// Something that fails as a PostgreSQL does: see [`ServerFault`].
    Postgres,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Fencing,
        Self::LeaseMargin,
        Self::StandDown,
        Self::AlertId,
        Self::Durability,
        Self::SessionFence,
        Self::SynchronousStandby,
        Self::SlewedClock,
    ];

    /// Whether it is a protection of a database server.
    #[must_use]
    pub fn needs_server(self) -> bool {
        matches!(self, Self::SessionFence | Self::SynchronousStandby | Self::SlewedClock)
    }

    /// Whether it can only be switched off with the feature `planted`.
    #[must_use]
    pub fn needs_feature(self) -> bool {
        matches!(self, Self::LeaseMargin | Self::StandDown)
    }

    /// Its name on a command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fencing => "fencing",
            Self::LeaseMargin => "lease-margin",
            Self::StandDown => "stand-down",
            Self::AlertId => "alert-id",
            Self::Durability => "durability",
            Self::SessionFence => "session-fence",
            Self::SynchronousStandby => "synchronous-standby",
            Self::SlewedClock => "slewed-clock",
        }
    }
}

/// How a schedule is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The protection that is switched off.
    pub plant: Option<Plant>,
    /// Tell the story.
    pub log: bool,
    /// What fails beside instances and links.
    pub engine: Engine,
}

impl Options {
    /// The command that plays this seed again and tells its story.
    #[must_use]
    pub fn command(self, seed: u64) -> String {
        let (feature, without) = match self.plant {
            Some(plant) if plant.needs_feature() => {
                (" --features planted", format!(" --without {}", plant.word()))
            }
            Some(plant) => ("", format!(" --without {}", plant.word())),
            None => ("", String::new()),
        };
        let store = if self.engine == Engine::Postgres { " --store postgres" } else { "" };
        format!(
            "cargo run --release -p ringback-examples{feature} --example schedules -- --seed {seed} --log{store}{without}"
        )
    }
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: &'static str,
    /// What broke it.
    pub what: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} at {}", self.invariant, self.what, self.at)
    }
}

/// How much happened: a schedule in which nothing does proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests on record.
    pub requests: u32,
    /// Alerts played.
    pub alerts: u32,
    /// Alerts sent again because it was not known whether they were played.
    pub in_doubt: u32,
    /// Calls made by the service.
    pub dials: u32,
    /// Terms of office.
    pub epochs: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            alerts: self.alerts + other.alerts,
            in_doubt: self.in_doubt + other.in_doubt,
            dials: self.dials + other.dials,
            epochs: self.epochs + other.epochs,
        }
    }
}

/// How a schedule went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The first promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// How much happened.
    pub counts: Counts,
    /// How often what failed at the database server.
    pub strikes: Strikes,
    /// What happened, a line each, if it was asked for.
    pub story: Vec<String>,
}
