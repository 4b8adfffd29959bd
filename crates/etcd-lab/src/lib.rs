//! A real etcd, for tests.
//!
//! This crate promises that nothing is left running: every server ends with its value, also when a test panics or its
//! process is killed, and nothing outside a folder of its own and 127.0.0.0/8 is touched. It uses the etcd that is
//! installed (`tests/install-needs` installs it): where there is none tests are skipped with the reason, and one that is
//! there and does not start is a failure.
//!
//! ```no_run
//! # fn test() -> Result<(), ringback_etcd_lab::LabError> {
//! use ringback_etcd_lab::{Etcd, Server};
//! let Some(etcd) = Etcd::find_or_skip() else { return Ok(()) };
//! let server = Server::start(&etcd)?;
//! let address = format!("http://{}/ringback", server.address());
//! # let _ = address;
//! # Ok(())
//! # }
//! ```
#![cfg(unix)]
#![forbid(unsafe_code)]

mod etcd;
mod server;

pub use etcd::Etcd;
pub use ringback_server_lab::LabError;
pub use server::{Server, Signal};
