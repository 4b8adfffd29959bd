//! What the laboratories share that test with a real server.
//!
//! This crate promises that a server it keeps does not outlive the test, however that ended ([`Keeper`]), and that two
//! processes do not begin with the same address ([`free_places`]).
//!
//! ```
//! # fn test() -> Result<(), ringback_server_lab::LabError> {
//! let [clients, peers] = ringback_server_lab::free_places(48, "etcd")?;
//! assert!(clients.ip() == peers.ip() && clients.port() != peers.port());
//! # Ok(())
//! # }
//! # test().unwrap();
//! ```
#![cfg(unix)]
#![forbid(unsafe_code)]

mod error;
mod keeper;
mod places;

pub use error::LabError;
pub use keeper::Keeper;
pub use places::free_places;
