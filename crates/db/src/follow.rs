use std::collections::BTreeMap;

use ringback_callback::Record;
use ringback_model::{Group, RequestId};

use crate::store::{RequestStore, StoreError};

/// Where in the history of a group's requests a copy of them stands. Only the store that gave it knows what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Counts the transactions that wrote requests of the group.
    pub revision: u64,
    /// Drawn at random for each of them: a store that was set back, and has written otherwise since then, has another one
    /// at this revision.
    pub mark: u64,
}

/// What a copy of a group's requests lacks, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Where the copy stands with this; `None` if the store does not keep track: the copy is good for this moment only.
    pub position: Option<Position>,
    /// How many requests there are.
    pub total: usize,
    /// What is different.
    pub difference: Difference,
}

/// What is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The copy is of no use: these are all requests.
    All(Vec<Record>),
    /// Only these; what is in neither list is as it was.
    Since {
        /// New or changed.
        put: Vec<Record>,
        /// Gone; those that the copy never had may be among them.
        deleted: Vec<RequestId>,
    },
}

impl News {
    /// All requests, of a store that does not keep track.
    #[must_use]
    pub fn untracked(records: Vec<Record>) -> Self {
        Self { position: None, total: records.len(), difference: Difference::All(records) }
    }
}

/// A copy of a group's requests. A backup keeps one, so that it reads little when it takes over; it counts only once it has
/// [caught up](Self::catch_up) after the claim, when nobody else can write any more.
#[derive(Debug, Clone, Default)]
pub struct RequestCopy {
    records: BTreeMap<RequestId, Record>,
    position: Option<Position>,
}

impl RequestCopy {
    /// Where it stands; `None` if it has to begin anew.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// How many requests it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes what [`RequestStore::news`] told about its position. `false` if it has not become what the store has: then it
    /// is empty, and begins anew.
    pub fn take(&mut self, news: News) -> bool {
        match news.difference {
            Difference::All(records) => {
                self.records = records.into_iter().map(|record| (record.id, record)).collect();
            }
            Difference::Since { put, deleted } => {
                for id in deleted {
                    self.records.remove(&id);
                }
                self.records.extend(put.into_iter().map(|record| (record.id, record)));
            }
        }
        self.position = news.position;
        let complete = self.records.len() == news.total;
        if !complete {
            *self = Self::default();
        }
        complete
    }

    /// Makes it what the store has now. It reads what has changed, and everything if the copy turns out to be wrong.
    ///
    /// # Errors
    /// The store could not be read; the copy is a good one of an earlier moment, or empty.
    pub async fn catch_up(&mut self, store: &dyn RequestStore, group: &Group) -> Result<(), StoreError> {
        if !self.take(store.news(group, self.position).await?) {
            self.take(News::untracked(store.load(group).await?));
        }
        Ok(())
    }

    /// Its requests, ordered by their names.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records.into_values().collect()
    }
}
