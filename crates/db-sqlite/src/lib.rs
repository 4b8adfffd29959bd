//! The embedded default: directory, change notification, request store and the registry of the election on SQLite,
//! without a server.
//!
//! It promises that what was accepted is on the disk, that several processes can share the file and see each other's
//! changes, and that an operator can read everything with `sqlite3`: the schema, with its comments, is in the folder
//! `migrations`; the view `request_readable` shows the requests in queue order, `lease_readable` who acts.
//!
//! ```
//! use ringback_db::RequestStore;
//! use ringback_db_sqlite::{Options, SqliteDatabase};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let database = SqliteDatabase::open(folder.path().join("ringback.db"), Options::default()).await?;
//! let epoch = database.store().epoch(&Default::default()).await?;
//! assert_eq!(epoch.0, 0);
//! # Ok(())
//! # }
//! ```
//!
//! One file may hold directory and requests; or two files are opened, one for each. Every call runs on tokio's blocking
//! threads, so that a paused clock stands still while it is outstanding.
#![forbid(unsafe_code)]

mod admin;
mod connection;
mod database;
mod directory;
mod error;
mod feed;
mod file;
mod ledger;
mod link;
mod lookout;
mod presence;
mod record;
mod registry;
mod schema;
mod store;
mod uptime;

pub use database::{Options, SqliteDatabase};
pub use directory::SqliteDirectory;
pub use error::OpenError;
pub use feed::SqliteFeed;
pub use presence::{Presence, PresenceError};
pub use registry::SqliteRegistry;
pub use store::SqliteStore;
