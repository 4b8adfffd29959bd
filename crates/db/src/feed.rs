use async_trait::async_trait;
use thiserror::Error;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// Phones: added, removed, or their settings (locale, template, pool).
    Phone,
    /// Lines: appearances, names, forwarding.
    Line,
    /// Softkey templates.
    Template,
    /// Device pools.
    Pool,
    /// Service parameters.
    Parameter,
    /// Trace settings.
    Trace,
    /// Alarm settings.
    Alarm,
}

/// One report of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A row changed, was added or removed.
    Row {
        /// Grows with every change; gaps are possible.
        seq: u64,
        /// In which table.
        table: Table,
        /// The row's key as text: a device name, `PARTITION/DN`, a parameter's name.
        key: String,
    },
    /// Changes may have been missed: read everything anew. Sent first after every (re)connect.
    Resync,
}

/// Why the feed ended. It recovers by itself: call `next` again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The database cannot be reached now.
    #[error("change notification lost: {0}")]
    Lost(String),
}

/// Tells what changed in the directory, in every process that uses it.
#[async_trait]
pub trait ChangeFeed: Send {
    /// Waits for the next change; cancel-safe. After an error the next `Ok` is a `Resync`.
    async fn next(&mut self) -> Result<Change, FeedError>;
}
