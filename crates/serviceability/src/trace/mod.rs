//! Traces: what happens inside, for whoever looks for a fault.
//!
//! A program installs them once ([`install`]); everything else uses the macros of `tracing` with a [`target`]. To make the
//! story of a request findable, an event about one has the field `request` with its id.

mod error;
mod field;
mod files;
mod level;
mod rotate;
mod setup;
pub mod target;

pub use error::{TraceError, TraceFault};
pub use field::{TraceField, TraceFieldError};
pub use files::TraceFiles;
pub use level::{TraceLevel, TraceLevelError, TraceLevels};
pub use rotate::Rotation;
pub use setup::{TraceClock, TraceHandle, TraceOutput, TraceSettings, install, prepare};
