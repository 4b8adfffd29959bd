//! The ports to the databases: the call manager's [`Directory`], the service's own [`RequestStore`], and the
//! [`ChangeFeed`] that tells what changed in the directory; with in-memory implementations of all three.
//!
//! Directory and store are two ports: they may live in one database, or not.
#![forbid(unsafe_code)]

mod directory;
mod feed;
mod store;

pub use directory::{Directory, DirectoryError, LineEntry, PhoneEntry};
pub use feed::{Change, ChangeFeed, FeedError, Table};
pub use store::{RequestStore, StoreError, Write};
