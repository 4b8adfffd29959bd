//! The way to the request store: everything that waits is written in one transaction, the next while that is under
//! way is collected, and what fails is tried again until it succeeds or is revoked.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ringback_callback::{Record, SaveId};
use ringback_db::{RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, RequestId};
use tokio::time::{Duration, Instant};

/// So many requests at most share one transaction, so that one commit never stalls callers for long.
const MAX_BATCH: usize = 256;

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Job {
    /// Told when it is done; a revocation is told to nobody.
    save: Option<SaveId>,
    request: RequestId,
    /// The record, or its removal.
    record: Option<Box<Record>>,
    /// Removed in the same transaction.
    replaces: Option<RequestId>,
}

impl Job {
    fn writes(&self) -> impl Iterator<Item = Write> + '_ {
        let own = match &self.record {
            Some(record) => Write::Put((**record).clone()),
            None => Write::Delete(self.request),
        };
        std::iter::once(own).chain(self.replaces.map(Write::Delete))
    }
}

/// What came of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// These are durable.
    Done(Vec<SaveId>),
    /// Not now; these are told so for the first time.
    NotNow(Vec<SaveId>, StoreError),
    /// Another instance has taken over.
    Fenced {
        /// Its epoch.
        current: Epoch,
    },
}

/// The writes of one term of office.
pub(crate) struct Writer {
    store: Arc<dyn RequestStore>,
    group: Group,
    epoch: Epoch,
    /// What waits, one job for each request: a later write takes the place of one that has not left.
    jobs: HashMap<RequestId, Job>,
    /// In this order. A request whose job was revoked is passed over.
    order: VecDeque<RequestId>,
    under_way: Option<Vec<Job>>,
    told: HashSet<SaveId>,
    delay: Duration,
    not_before: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(store: Arc<dyn RequestStore>, group: Group, epoch: Epoch) -> Self {
        Self {
            store,
            group,
            epoch,
            jobs: HashMap::new(),
            order: VecDeque::new(),
            under_way: None,
            told: HashSet::new(),
            delay: FIRST_RETRY,
            not_before: None,
        }
    }

    pub(crate) fn put(&mut self, save: SaveId, record: Record, replaces: Option<RequestId>) {
        self.push(Job { save: Some(save), request: record.id, record: Some(Box::new(record)), replaces });
    }

    pub(crate) fn remove(&mut self, save: SaveId, request: RequestId) {
        self.push(Job { save: Some(save), request, record: None, replaces: None });
    }

    /// Undoes a save: if it has not left, it never will; if it has, it is removed again.
    pub(crate) fn revoke(&mut self, save: SaveId, request: RequestId) {
        self.told.remove(&save);
        if self.jobs.get(&request).is_some_and(|job| job.save == Some(save)) {
            self.jobs.remove(&request);
        } else {
            self.push(Job { save: None, request, record: None, replaces: None });
        }
    }

    /// What the earlier write for the same request was to remove is kept.
    fn push(&mut self, mut job: Job) {
        if let Some(earlier) = self.jobs.get_mut(&job.request) {
            if let Some(save) = earlier.save {
                self.told.remove(&save);
            }
            job.replaces = job.replaces.or(earlier.replaces);
            *earlier = job;
        } else {
            self.order.push_back(job.request);
            self.jobs.insert(job.request, job);
        }
    }

    /// Whether everything is durable.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.under_way.is_none()
    }

    /// When a failed transaction is to be tried again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        if self.under_way.is_none() && !self.jobs.is_empty() { self.not_before } else { None }
    }

    /// The next transaction, if there is one to begin now. Its result goes to [`finished`](Self::finished).
    pub(crate) fn begin(&mut self) -> Option<BoxFuture<'static, Result<(), StoreError>>> {
        if self.under_way.is_some() || self.jobs.is_empty() {
            return None;
        }
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        self.not_before = None;
        let mut batch = Vec::new();
        while batch.len() < MAX_BATCH
            && let Some(request) = self.order.pop_front()
        {
            batch.extend(self.jobs.remove(&request));
        }
        let writes: Vec<Write> = batch.iter().flat_map(Job::writes).collect();
        self.under_way = Some(batch);
        let (store, group, epoch) = (Arc::clone(&self.store), self.group.clone(), self.epoch);
        Some(Box::pin(async move { store.apply(&group, epoch, &writes).await }))
    }

    pub(crate) fn finished(&mut self, result: Result<(), StoreError>) -> Written {
        let batch = self.under_way.take().unwrap_or_default();
        match result {
            Ok(()) => {
                self.delay = FIRST_RETRY;
                let saves: Vec<SaveId> = batch.iter().filter_map(|job| job.save).collect();
                for save in &saves {
                    self.told.remove(save);
                }
                Written::Done(saves)
            }
            Err(StoreError::Fenced { current, .. }) => Written::Fenced { current },
            Err(error) => {
                let failed: Vec<SaveId> = batch.iter().filter_map(|job| job.save).collect();
                for job in batch.into_iter().rev() {
                    // One that came meanwhile for the same request is newer.
                    if let Some(later) = self.jobs.get_mut(&job.request) {
                        later.replaces = later.replaces.or(job.replaces);
                    } else {
                        self.order.push_front(job.request);
                        self.jobs.insert(job.request, job);
                    }
                }
                self.not_before = Some(Instant::now() + self.delay);
                self.delay = (self.delay * 2).min(LAST_RETRY);
                let new = failed.into_iter().filter(|save| self.told.insert(*save)).collect();
                Written::NotNow(new, error)
            }
        }
    }
}
