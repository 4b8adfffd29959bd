//! Asterisk for ringback, the pure part: the manager protocol (AMI) and its mapping to the CTI model.
//!
//! This crate promises that a phone on an Asterisk looks like any other phone of the CTI model: its states come out
//! right although the manager interface tells them in several families of events whose order among each other means
//! nothing, leaves some out, and folds others together. It is pure: no socket, no clock. Bytes and the present time
//! go in, [`ringback_cti::ProviderEvent`]s and the next wake-up time come out.
//!
//! - [`ami`]: the protocol: an incremental parser with bounds, and a writer of actions that cannot be injected into.
//! - [`trace`]: recorded streams.
//! - [`map`]: from events to the CTI model.
#![forbid(unsafe_code)]

pub mod ami;
pub mod client;
pub mod directory;
pub mod map;
pub mod notify;
pub mod provider;
pub mod session;
pub mod trace;
