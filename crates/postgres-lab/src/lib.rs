//! A real PostgreSQL, for tests.
//!
//! This crate promises that nothing is left running: every server ends with its value, also when a test panics or its
//! process is killed, and nothing outside a folder of its own and 127.0.0.0/8 is touched. One empty data folder is kept
//! among temporary files and copied for each server. It uses the PostgreSQL that is installed (`tests/install-needs`
//! installs it): where there is none tests are skipped with the reason, and one that is there and does not start is a
//! failure.
//!
//! ```no_run
//! # fn test() -> Result<(), ringback_postgres_lab::LabError> {
//! use ringback_postgres_lab::{Postgres, Server};
//! let Some(postgres) = Postgres::find_or_skip() else { return Ok(()) };
//! let server = Server::start(&postgres)?;
//! let address = server.fresh_database()?;
//! server.sql(&address, "SELECT version()")?;
//! # Ok(())
//! # }
//! ```
#![cfg(unix)]
#![forbid(unsafe_code)]

mod postgres;
mod server;
mod standby;

pub use postgres::Postgres;
pub use ringback_server_lab::LabError;
pub use server::{Durability, Server, Signal};
