//! The way to the request store: everything that waits is written in one transaction, the next while that is under
//! way is collected, and what fails is tried again until it succeeds or is revoked. What the store calls invalid is
//! singled out, and waits behind the others.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ringback_callback::{Record, SaveId};
use ringback_db::{Position, RequestStore, StoreError, Write};
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
    /// It left once, and whether it was written is not known.
    in_doubt: bool,
}

impl Job {
    fn new(save: Option<SaveId>, request: RequestId, record: Option<Record>) -> Self {
        Self { save, request, record: record.map(Box::new), replaces: None, in_doubt: false }
    }

    /// What a write that it takes the place of was to remove is removed by it, unless that write is revoked.
    fn inherit(&mut self, earlier: &Self) {
        if self.save.is_some() {
            self.replaces = self.replaces.or(earlier.replaces);
        }
        self.in_doubt |= earlier.in_doubt;
    }

    fn writes(&self) -> impl Iterator<Item = Write> + '_ {
        let own = match &self.record {
            Some(record) => Write::Put((**record).clone()),
            None => Write::Delete(self.request),
        };
        std::iter::once(own).chain(self.replaces.map(Write::Delete))
    }
}

/// What a transaction wrote, and where the store stands with it, if it keeps track.
pub(crate) type Transaction = Option<(Position, Vec<Write>)>;

/// What came of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// These are durable.
    Done(Vec<(SaveId, RequestId)>),
    /// Not now; these are told so for the first time.
    NotNow(Vec<(SaveId, RequestId)>, StoreError),
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
    /// So many requests share the next transaction: fewer while the store calls something in it invalid, so that one
    /// write that it will never take holds nobody else up.
    batch: usize,
    delay: Duration,
    not_before: Option<Instant>,
    /// Nothing more leaves for the moment.
    held: bool,
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
            batch: MAX_BATCH,
            delay: FIRST_RETRY,
            not_before: None,
            held: false,
        }
    }

    /// Until it is released nothing leaves, and something is to be done.
    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(crate) fn put(&mut self, save: SaveId, record: Record, replaces: Option<RequestId>) {
        self.push(Job { replaces, ..Job::new(Some(save), record.id, Some(record)) });
    }

    pub(crate) fn remove(&mut self, save: SaveId, request: RequestId) {
        self.push(Job::new(Some(save), request, None));
    }

    /// Undoes a save: if it has certainly not left, it never will; if it may have, it is removed again.
    pub(crate) fn revoke(&mut self, save: SaveId, request: RequestId) {
        self.told.remove(&save);
        if self.jobs.get(&request).is_some_and(|job| job.save == Some(save) && !job.in_doubt) {
            self.jobs.remove(&request);
        } else {
            self.push(Job::new(None, request, None));
        }
    }

    fn push(&mut self, mut job: Job) {
        if let Some(earlier) = self.jobs.get_mut(&job.request) {
            if let Some(save) = earlier.save {
                self.told.remove(&save);
            }
            job.inherit(earlier);
            *earlier = job;
        } else {
            self.order.push_back(job.request);
            self.jobs.insert(job.request, job);
        }
    }

    /// Whether the last transaction failed and is still to be done.
    pub(crate) fn is_failing(&self) -> bool {
        self.delay != FIRST_RETRY && !self.is_idle()
    }

    /// Whether everything is durable.
    pub(crate) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.under_way.is_none() && !self.held
    }

    /// When a failed transaction is to be tried again.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        let waits = self.under_way.is_none() && !self.held && !self.jobs.is_empty();
        self.not_before.filter(|_| waits)
    }

    /// The next transaction, if there is one to begin now. Its result goes to [`finished`](Self::finished).
    pub(crate) fn begin(&mut self) -> Option<BoxFuture<'static, Result<Transaction, StoreError>>> {
        if self.under_way.is_some() || self.held || self.jobs.is_empty() {
            return None;
        }
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        self.not_before = None;
        let mut batch: Vec<Job> = Vec::new();
        let mut replaced = Vec::new();
        while batch.len() < self.batch
            && let Some(request) = self.order.front()
        {
            // What this transaction removes is not written behind it: it depends on the outcome whether it may be.
            if replaced.contains(request) {
                break;
            }
            if let Some(job) = self.jobs.remove(request) {
                replaced.extend(job.replaces);
                batch.push(job);
            }
            self.order.pop_front();
        }
        let writes: Vec<Write> = batch.iter().flat_map(Job::writes).collect();
        self.under_way = Some(batch);
        let (store, group, epoch) = (Arc::clone(&self.store), self.group.clone(), self.epoch);
        Some(Box::pin(async move {
            let position = store.apply(&group, epoch, &writes).await?;
            Ok(position.map(|position| (position, writes)))
        }))
    }

    pub(crate) fn finished(&mut self, result: Result<(), StoreError>) -> Written {
        let batch = self.under_way.take().unwrap_or_default();
        match result {
            Ok(()) => {
                self.delay = FIRST_RETRY;
                self.batch = (self.batch * 2).min(MAX_BATCH);
                for job in &batch {
                    let revoked = self.jobs.get(&job.request).is_some_and(|later| later.save.is_none());
                    // A write of what has been replaced for good must not bring it back.
                    if let Some(replaced) = job.replaces.filter(|_| !revoked)
                        && let Some(later) = self.jobs.get_mut(&replaced)
                    {
                        later.record = None;
                    }
                }
                let named = |job: &Job| job.save.map(|save| (save, job.request));
                let saves: Vec<(SaveId, RequestId)> = batch.iter().filter_map(named).collect();
                for (save, _) in &saves {
                    self.told.remove(save);
                }
                Written::Done(saves)
            }
            Err(StoreError::Fenced { current, .. }) => Written::Fenced { current },
            Err(error) => {
                let in_doubt = matches!(error, StoreError::OutcomeUnknown(_));
                let invalid = matches!(error, StoreError::Invalid(_));
                let size = batch.len();
                // Of several it is not known which one; they are tried again at once, fewer together.
                let singled_out = !invalid || size == 1;
                let mut failed = VecDeque::new();
                for mut job in batch.into_iter().rev() {
                    job.in_doubt |= in_doubt;
                    // One that came meanwhile for the same request is newer.
                    if let Some(later) = self.jobs.get_mut(&job.request) {
                        later.inherit(&job);
                    } else {
                        if let Some(save) = job.save.filter(|save| singled_out && self.told.insert(*save)) {
                            failed.push_front((save, job.request));
                        }
                        if invalid && singled_out {
                            self.order.push_back(job.request);
                        } else {
                            self.order.push_front(job.request);
                        }
                        self.jobs.insert(job.request, job);
                    }
                }
                if invalid {
                    self.batch = (self.batch.min(size) / 2).max(1);
                }
                if singled_out {
                    self.not_before = Some(Instant::now() + self.delay);
                    self.delay = (self.delay * 2).min(LAST_RETRY);
                }
                Written::NotNow(failed.into(), error)
            }
        }
    }
}
