//! The cluster election of ringback.
#![forbid(unsafe_code)]

mod ledger;
mod manager;
mod member;
mod memory;
mod parameters;
#[cfg(feature = "planted")]
#[doc(hidden)]
pub mod planted;
mod ranking;
mod registry;

pub use ledger::Ledger;
pub use manager::{Alarm, CallNumber, Input, Manager, Output, Rank, Reason, Role, Status};
pub use member::{Incarnation, Lease, Member, Presence, View};
pub use memory::MemoryRegistry;
pub use parameters::{ParameterError, Parameters};
pub use ranking::{Candidates, RankingError};
pub use registry::{Evidence, Intent, Registry, RegistryError, Report, Request};
