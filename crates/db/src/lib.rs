//! The ports to the databases: the call manager's [`Directory`], the service's own [`RequestStore`], and the
//! [`ChangeFeed`] that tells what changed in the directory; with in-memory implementations of all three.
//!
//! It promises that Call Back needs no more of a database than these ports: directory and store may live in one
//! database, or not. Whoever provisions the directory uses [`DirectoryAdmin`]; the service itself never writes it.
//! A site whose database cannot tell of changes has them told over TCP (feature `tcp`, module `tcp`).
//! An implementer of a port proves it with the suites of `conformance` (behind the feature of that name).
//!
//! ```
//! use std::sync::Arc;
//!
//! use ringback_db::{
//!     Change, ChangeFeed, Directory, DirectoryAdmin, MemoryDirectory, MemoryStore, PhoneConfig, RequestStore,
//!     StoreError, Table,
//! };
//! use ringback_model::{DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, Timestamp};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let group = Group::default();
//!
//! // The directory: somebody provisions a phone; the service reads it, and is told that it changed.
//! let directory = MemoryDirectory::new();
//! let mut feed = directory.feed(&group);
//! assert_eq!(feed.next().await?, Change::Resync, "after each connect: read everything");
//! let line = LineId::new(Partition::default(), DirectoryNumber::new("1002")?);
//! let phone = PhoneConfig::new(DeviceName::new("SEP001122334455")?, vec![line.clone()]);
//! directory.put_phone(&group, &phone).await?;
//! assert!(matches!(feed.next().await?, Change::Row { table: Table::Phone | Table::Line, .. }));
//! let found = directory.phone(&group, &phone.device).await?;
//! assert!(found.is_some());
//!
//! // The store: who has claimed a newer epoch shuts out whoever writes in an older one.
//! let store = MemoryStore::new(Arc::new(|| Timestamp(1_767_614_400_000)));
//! store.claim(&group, Epoch(2)).await?;
//! let late = store.apply(&group, Epoch(1), &[]).await;
//! assert_eq!(late, Err(StoreError::Fenced { ours: Epoch(1), current: Epoch(2) }));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod admin;
#[cfg(feature = "conformance")]
pub mod conformance;
mod directory;
mod feed;
mod follow;
mod memory;
mod merged;
mod parameters;
mod row;
mod store;
#[cfg(feature = "tcp")]
pub mod tcp;

pub use admin::{AdminError, DirectoryAdmin, PhoneConfig};
pub use directory::{Directory, DirectoryError, LineEntry, PhoneEntry};
pub use feed::{Change, ChangeFeed, FeedError, Table, line_key};
pub use follow::{Difference, News, Position, RequestCopy};
pub use memory::{MemoryDirectory, MemoryFeed, MemoryStore, StoreBackup};
pub use merged::MergedFeed;
pub use parameters::{ParameterProblem, ServiceParameters};
pub use row::{RequestRow, RowError};
pub use store::{Clock, RequestStore, StoreError, Write};
