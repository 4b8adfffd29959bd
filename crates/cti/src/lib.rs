//! The CTI protocol model: what a call manager's CTIManager and an application say to each other.
//!
//! This crate promises to be pure: no sockets, no clock, no threads. Bytes and the present time go in, bytes, events
//! and the next wake-up time come out (OL-4660-01, chapter 4, "CTIManager interface").
#![forbid(unsafe_code)]

mod calls;
pub mod codec;
pub mod message;
mod provider;
pub mod server;
pub mod session;

pub use calls::{CallTable, Occupancy};
pub use provider::{
    Capabilities, Command, CtiProvider, DataId, Dedup, Fencing, LinkLoss, ProviderEvent, RequestFailure, Tag,
};
