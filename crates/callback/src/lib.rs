//! The Call Back state machine: one [`Engine`] that holds all requests of one group.
//!
//! It promises to be pure and deterministic: the present time and one [`Input`] go in, a list of [`Output`]s comes
//! out as plain data; no clock, no I/O, no wire format, no XML. The rules R1 to R51 that the comments name are those
//! of the project's requirement, which restates OL-4660-01, chapter 4.
#![forbid(unsafe_code)]

mod engine;
mod input;
mod output;
mod parameters;
mod policy;
mod record;

pub use engine::Engine;
pub use input::{CallProgress, DeviceState, Input, Occupancy, PressedDuring, Resolution, Ticket, Unresolved};
pub use output::{Ending, Notice, Output, Refusal, SaveId, SoftKey, View};
pub use parameters::{ParameterError, Parameters, QueuePolicyName};
pub use policy::{All, Candidate, Fifo, QueuePolicy};
pub use record::{AlertId, Cycle, Kind, Phase, Record};
