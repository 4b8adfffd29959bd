//! Several machines: directory, change notification, request store and the registry of the election on PostgreSQL.
//!
//! It promises that what was accepted is on the server's disk, that a write of an older epoch is refused by the server in
//! the same statement, that whoever listens hears of every change or is told to read everything anew, and that an operator
//! can read everything with `psql`: the view `ringback_pending` shows the requests in queue order, `ringback_status` who is
//! live and who acts. The schema is described, table by table, in [`schema_guide`].
//!
//! ```no_run
//! use ringback_db::RequestStore;
//! use ringback_db_postgres::{Options, PostgresDatabase};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address = "postgres://ringback:secret@db1,db2/ringback?sslmode=verify-full";
//! let database = PostgresDatabase::open(address, Options::default()).await?;
//! let epoch = database.store().epoch(&Default::default()).await?;
//! assert_eq!(epoch.0, 0);
//! # Ok(())
//! # }
//! ```
//!
//! PostgreSQL 13 or newer, and a database of its own in UTF-8: `CREATE DATABASE ringback OWNER ringback ENCODING 'UTF8'`.
//! A connection pooler between must pool sessions, not transactions: notifications and the order of writes belong to a
//! session.
#![forbid(unsafe_code)]

mod address;
mod admin;
#[cfg(feature = "simulated-clock")]
mod clock;
mod connection;
mod database;
mod directory;
mod error;
mod feed;
mod ledger;
mod listener;
mod registry;
mod schema;
mod store;
mod tls;

#[doc = include_str!("../SCHEMA.md")]
pub mod schema_guide {}

#[cfg(feature = "simulated-clock")]
pub use clock::SimulatedClock;
pub use database::{Options, PostgresDatabase};
pub use directory::PostgresDirectory;
pub use error::OpenError;
pub use feed::PostgresFeed;
pub use registry::PostgresRegistry;
pub use store::PostgresStore;
