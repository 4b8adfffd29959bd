use std::sync::Arc;

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_model::{Epoch, Group, RequestId, Timestamp};
use thiserror::Error;

use crate::follow::{News, Position};

/// Why the store did not do what it was asked. Unless a variant says otherwise nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached now, or cannot write (disk full, locked); later it may.
    #[error("request store unavailable: {0}")]
    Unavailable(String),
    /// The connection broke while the answer was awaited: the write may have happened or not. Writing the same
    /// again does no harm.
    #[error("request store: the outcome of the write is unknown: {0}")]
    OutcomeUnknown(String),
    /// The epoch is older than the one the store has seen: another instance has taken over.
    #[error("epoch {ours} is superseded by epoch {current}: another instance has taken over")]
    Fenced {
        /// The epoch of the refused write.
        ours: Epoch,
        /// The epoch in force.
        current: Epoch,
    },
    /// It is not a store of ours, or holds something that cannot be: a person must look.
    #[error("request store invalid: {0}")]
    Invalid(String),
}

/// Where a store reads the time. Production uses the wall clock of the database; a simulation gives its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One write. Each can be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "almost every write is a Put, and lives no longer than its commit"
)]
pub enum Write {
    /// Insert the record, or overwrite the one with its id.
    Put(Record),
    /// Delete a record; no error if there is none.
    Delete(RequestId),
}

/// Where accepted requests are kept. Everything belongs to a group, and every write to an epoch. Every text and number that a
/// [`Record`] can hold is kept as it is, timestamps and request numbers up to `i64::MAX`.
///
/// An implementer proves it in a line each (feature `conformance`): what a fresh store does, what is there when it is opened
/// again, what two instances see of each other:
///
/// ```
/// # #[cfg(feature = "conformance")] mod proof {
/// # use ringback_db::RequestStore;
/// # use ringback_db::conformance::{self, Violation};
/// # async fn proof<S: RequestStore>(
/// #     fresh: impl AsyncFn() -> S, open_one: impl AsyncFn() -> S, open_another: impl AsyncFn() -> S,
/// # ) -> Result<(), Violation> {
/// conformance::store(fresh).await?;
/// conformance::durable(open_one).await?;
/// conformance::shared(open_another).await
/// # }
/// # }
/// ```
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// The highest epoch that was ever claimed in a group, by [`claim`](Self::claim) or by a write; zero if none was. The
    /// registry gives epochs; this tells one that has forgotten.
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError>;

    /// Raises the group's epoch to this one and refuses older ones from now on; `Fenced` if it is older itself.
    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError>;

    /// All records of a group, ordered by `since`, then `id`.
    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError>;

    /// What a copy of a group's records lacks that was complete at this position, as of one moment: a state that was there
    /// between two transactions. All of them if there is no copy, or if this store does not know the position (any more).
    ///
    /// A store that may be set back, because another server takes its place or a backup is restored, says so.
    ///
    /// A store that does not keep track of its changes leaves this and [`newer`](Self::newer) as they are: a backup then
    /// reads everything when it takes over.
    async fn news(&self, group: &Group, _since: Option<Position>) -> Result<News, StoreError> {
        Ok(News::untracked(self.load(group).await?))
    }

    /// Returns when there may be [`news`](Self::news) since this position; at once if there is none. Only a hint, which may
    /// come seconds later, or needlessly. Never returns in a store that does not keep track. Cancel-safe.
    async fn newer(&self, _group: &Group, _since: Option<Position>) {
        std::future::pending().await
    }

    /// Carries out all of these durably in one transaction, in order, or none of them. The epoch is checked in the
    /// same transaction: an older one is `Fenced`, a newer one is claimed by it. Gives where the store stands then; `None` if
    /// it does not keep track, or nothing was to be written.
    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError>;

    /// The store's clock: the anchor of every timestamp.
    async fn now(&self) -> Result<Timestamp, StoreError>;
}
