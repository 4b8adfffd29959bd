//! The service between its ports: what it does with a provider, a directory, a store and a registry that work, are slow,
//! are away, and come back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod alarms;
mod desk;
mod directory;
mod following;
mod groups;
mod hand_over;
mod lease;
mod parameters;
mod planted;
mod ports;
mod requests;
mod settings;
mod status;
mod store;
