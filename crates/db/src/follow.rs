use std::collections::BTreeMap;

use ringback_callback::Record;
use ringback_model::{Epoch, Group, RequestId};

use crate::store::{RequestStore, StoreError, Write};

/// Where in the history of a group's requests a copy of them stands. Only the store that gave it knows what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The highest epoch that had been claimed by then.
    pub epoch: Epoch,
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
    /// The position that was asked about is ahead of this store, or none of its past: it has been replaced by a copy that was
    /// behind, or by an old backup, and what was confirmed up to the position may be gone. `false` if it cannot tell.
    pub set_back: bool,
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
        let total = records.len();
        Self { position: None, total, difference: Difference::All(records), set_back: false }
    }
}

/// A copy of a group's requests. A backup keeps one, so that it reads little when it takes over; it counts only once it has
/// [caught up](Self::catch_up) after the claim, when nobody else can write any more. Who acts keeps one of what it
/// [wrote](Self::wrote), and knows by it when the store has lost something.
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

    /// Makes it what the store has now. It reads what has changed, and everything if the copy turns out to be wrong. If the
    /// store has been set back it gives the copy as it was.
    ///
    /// # Errors
    /// The store could not be read; the copy is a good one of an earlier moment, or empty.
    pub async fn catch_up(
        &mut self,
        store: &dyn RequestStore,
        group: &Group,
    ) -> Result<Option<Self>, StoreError> {
        let news = store.news(group, self.position).await?;
        let ahead = news.set_back.then(|| std::mem::take(self));
        if !self.take(news) {
            self.take(News::untracked(store.load(group).await?));
        }
        Ok(ahead)
    }

    /// Takes what has been written since, with the position that [`RequestStore::apply`] told. `false` if the store is behind
    /// the copy: then it keeps its own position. One that has none is of no use, and stays so.
    pub fn wrote(&mut self, writes: Vec<Write>, position: Position) -> bool {
        let Some(former) = self.position else { return true };
        for write in writes {
            match write {
                Write::Put(record) => drop(self.records.insert(record.id, record)),
                Write::Delete(id) => drop(self.records.remove(&id)),
            }
        }
        // Some are passed over when a write arrives whose outcome was unknown.
        let forward = position.revision > former.revision;
        if forward {
            self.position = Some(position);
        }
        forward
    }

    /// What makes another copy what this one is.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<Write> {
        let gone = other.records.keys().filter(|id| !self.records.contains_key(id));
        let new = self.records.iter().filter(|(id, record)| other.records.get(id) != Some(record));
        gone.map(|id| Write::Delete(*id)).chain(new.map(|(_, record)| Write::Put(record.clone()))).collect()
    }

    /// Its requests, ordered by their names. Those of a store that does not keep track are good for this moment only, and
    /// leave it empty.
    #[must_use]
    pub fn records(&mut self) -> Vec<Record> {
        match self.position {
            Some(_) => self.records.values().cloned().collect(),
            None => std::mem::take(&mut self.records).into_values().collect(),
        }
    }
}
