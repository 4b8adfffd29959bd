use std::fmt;

use async_trait::async_trait;
use ringback_model::{LineId, Pii};
use thiserror::Error;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

impl Table {
    /// Every table.
    pub const ALL: [Self; 7] =
        [Self::Phone, Self::Line, Self::Template, Self::Pool, Self::Parameter, Self::Trace, Self::Alarm];

    /// What it is called in a change log and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Line => "line",
            Self::Template => "template",
            Self::Pool => "pool",
            Self::Parameter => "parameter",
            Self::Trace => "trace",
            Self::Alarm => "alarm",
        }
    }

    /// The table that is called so, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

/// The key of a line in a report: `PARTITION/DN`.
#[must_use]
pub fn line_key(line: &LineId) -> String {
    format!("{}/{}", line.partition.as_str(), line.dn.as_str())
}

/// One report of the feed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A row changed, was added or removed.
    Row {
        /// Grows with every change; gaps are possible.
        seq: u64,
        /// In which table.
        table: Table,
        /// The row's key as text: a device name, [`line_key`], the name of a template, pool, parameter or setting.
        key: String,
    },
    /// Changes may have been missed: read everything anew. Sent first after every (re)connect.
    Resync,
}

/// Redacts the key: it may be a number or a name.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { seq, table, key } => {
                f.debug_struct("Row").field("seq", seq).field("table", table).field("key", &Pii(key)).finish()
            }
            Self::Resync => f.write_str("Resync"),
        }
    }
}

/// What is wrong with the feed. It recovers by itself: call `next` again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The database cannot be reached now.
    #[error("change notification lost: {0}")]
    Lost(String),
    /// A changed parameter of the feed itself could not be put in force. The feed goes on as before; nothing is missed.
    #[error("{parameter:?} cannot be {value}: {reason}; {used} stays in force")]
    NotInForce {
        /// The service parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// What is in force.
        used: String,
        /// Why.
        reason: String,
    },
}

/// Tells what changed in the directory of one group, in every process that uses it: each feed tells everything, whatever
/// others have been told. Changes come in the order in which they were made. A change may be reported more than once, and
/// some time after it can be read. A feed that lags may pass over changes, and says [`Resync`](Change::Resync) in their
/// place.
///
/// An implementer proves it in a line each (feature `conformance`), by what a
/// [`DirectoryAdmin`](crate::DirectoryAdmin) writes:
///
/// ```
/// # #[cfg(feature = "conformance")] mod proof {
/// # use ringback_db::conformance::{self, Violation};
/// # use ringback_db::{ChangeFeed, DirectoryAdmin};
/// # use ringback_model::Group;
/// # async fn proof<D: DirectoryAdmin, F: ChangeFeed>(
/// #     directory_and_feed: impl AsyncFn(&Group) -> (D, F), again: impl AsyncFn(&Group) -> (D, F),
/// #     directory_and_two_feeds: impl AsyncFn(&Group) -> (D, F, F), set_available: impl AsyncFn(&D, bool),
/// # ) -> Result<(), Violation> {
/// conformance::feed(directory_and_feed).await?;
/// conformance::two_feeds(directory_and_two_feeds).await?;
/// conformance::feed_after_loss(again, set_available).await
/// # }
/// # }
/// ```
#[async_trait]
pub trait ChangeFeed: Send {
    /// Waits for the next change; cancel-safe. After [`Lost`](FeedError::Lost) comes a `Resync` before anything that may
    /// have been missed is passed over.
    async fn next(&mut self) -> Result<Change, FeedError>;
}
