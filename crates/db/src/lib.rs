//! The ports to the databases: the call manager's [`Directory`], the service's own [`RequestStore`], and the
//! [`ChangeFeed`] that tells what changed in the directory; with in-memory implementations of all three.
//!
//! It promises that Call Back needs no more of a database than these ports: directory and store may live in one
//! database, or not. Whoever provisions the directory uses [`DirectoryAdmin`]; the service itself never writes it.
//! A site whose database cannot tell of changes has them told over TCP (feature `tcp`, module `tcp`).
//! An implementer of a port proves it with the suites of `conformance` (behind the feature of that name).
#![forbid(unsafe_code)]

mod admin;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod feed;
mod memory;
mod merged;
mod parameters;
mod store;
#[cfg(feature = "tcp")]
pub mod tcp;

pub use admin::{AdminError, DirectoryAdmin, PhoneConfig};
pub use directory::{Directory, DirectoryError, LineEntry, PhoneEntry};
pub use feed::{Change, ChangeFeed, FeedError, Table, line_key};
pub use memory::{MemoryDirectory, MemoryFeed, MemoryStore};
pub use merged::MergedFeed;
pub use parameters::{ParameterProblem, ServiceParameters};
pub use store::{Clock, RequestStore, StoreError, Write};
