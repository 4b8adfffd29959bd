use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_model::{Epoch, Group, RequestId, Timestamp};
use tokio::sync::watch;

use super::lock;
use crate::follow::{Difference, News, Position};
use crate::store::{Clock, RequestStore, StoreError, Write};

/// A request store in memory. A clone is the same store: it outlives the service that uses it, as a database would.
///
/// [`set_available`](Self::set_available) takes it away and brings it back: meanwhile every call fails with
/// `Unavailable`. [`set_back`](Self::set_back) makes it what it was, as an old backup does, or a standby that lagged.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// Wakes who waits for something newer.
    written: watch::Sender<()>,
}

/// So many transactions are remembered for copies that lag; one that lags further is given everything.
const LOG_LENGTH: usize = 1024;

/// What a [`MemoryStore`] held at one moment.
#[derive(Debug, Clone)]
pub struct StoreBackup(BTreeMap<Group, Requests>);

#[derive(Debug, Default)]
struct State {
    unavailable: bool,
    /// How often it was set back.
    past: u64,
    groups: BTreeMap<Group, Requests>,
}

#[derive(Debug, Clone, Default)]
struct Requests {
    epoch: Epoch,
    records: BTreeMap<RequestId, Record>,
    /// Counts the transactions that wrote.
    revision: u64,
    /// What the last of them wrote or deleted, and after how many times of being set back.
    log: BTreeMap<u64, (u64, Vec<RequestId>)>,
}

impl Requests {
    fn write(&mut self, past: u64, writes: &[Write]) {
        if writes.is_empty() {
            return;
        }
        let mut touched = Vec::with_capacity(writes.len());
        for write in writes {
            match write {
                Write::Put(record) => {
                    touched.push(record.id);
                    self.records.insert(record.id, record.clone());
                }
                Write::Delete(id) => {
                    touched.push(*id);
                    self.records.remove(id);
                }
            }
        }
        self.revision += 1;
        self.log.insert(self.revision, (past, touched));
        if self.log.len() > LOG_LENGTH {
            self.log.pop_first();
        }
    }

    fn position(&self) -> Position {
        let mark = self.log.get(&self.revision).map_or(0, |(past, _)| *past);
        Position { epoch: self.epoch, revision: self.revision, mark }
    }

    fn loaded(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.records.values().cloned().collect();
        records.sort_by_key(|record| (record.since, record.id));
        records
    }

    fn news(&self, since: Option<Position>) -> News {
        let known =
            |since: &Position| self.log.get(&since.revision).is_some_and(|(past, _)| *past == since.mark);
        let reaches = |since: &Position| {
            since.revision > self.revision
                || self.log.first_key_value().is_some_and(|(first, _)| *first <= since.revision)
        };
        let set_back = since.is_some_and(|since| !known(&since) && reaches(&since));
        let difference = match since.filter(known) {
            None => Difference::All(self.loaded()),
            Some(since) => {
                let touched: BTreeSet<RequestId> = self
                    .log
                    .range(since.revision + 1..)
                    .flat_map(|(_, (_, touched))| touched)
                    .copied()
                    .collect();
                let put = touched.iter().filter_map(|id| self.records.get(id)).cloned().collect();
                let deleted = touched.into_iter().filter(|id| !self.records.contains_key(id)).collect();
                Difference::Since { put, deleted }
            }
        };
        News { position: Some(self.position()), total: self.records.len(), difference, set_back }
    }

    /// Checks the epoch of a write, and makes it the one in force.
    fn fence(&mut self, ours: Epoch) -> Result<(), StoreError> {
        if ours < self.epoch {
            return Err(StoreError::Fenced { ours, current: self.epoch });
        }
        self.epoch = ours;
        Ok(())
    }
}

impl MemoryStore {
    /// An empty store with this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default(), written: watch::Sender::new(()) }
    }

    /// Takes the store away, or brings it back as it was.
    pub fn set_available(&self, available: bool) {
        lock(&self.state).unavailable = !available;
    }

    /// All that it holds now.
    #[must_use]
    pub fn backup(&self) -> StoreBackup {
        StoreBackup(lock(&self.state).groups.clone())
    }

    /// Makes it what it was: whatever has been confirmed since is lost.
    pub fn set_back(&self, backup: StoreBackup) {
        let mut state = lock(&self.state);
        state.groups = backup.0;
        state.past += 1;
        drop(state);
        self.written.send_replace(());
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = lock(&self.state);
        if state.unavailable {
            return Err(StoreError::Unavailable("switched off".to_owned()));
        }
        Ok(state)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("state", &lock(&self.state)).finish_non_exhaustive()
    }
}

#[async_trait]
impl RequestStore for MemoryStore {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        Ok(self.state()?.groups.get(group).map(|requests| requests.epoch).unwrap_or_default())
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.state()?.groups.entry(group.clone()).or_default().fence(epoch)
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        Ok(self.state()?.groups.get(group).map(Requests::loaded).unwrap_or_default())
    }

    async fn news(&self, group: &Group, since: Option<Position>) -> Result<News, StoreError> {
        Ok(self.state()?.groups.get(group).unwrap_or(&Requests::default()).news(since))
    }

    async fn newer(&self, group: &Group, since: Option<Position>) {
        let Some(since) = since else { return };
        let mut written = self.written.subscribe();
        loop {
            written.mark_unchanged();
            let now = lock(&self.state).groups.get(group).unwrap_or(&Requests::default()).position();
            if (now.revision, now.mark) != (since.revision, since.mark) {
                return;
            }
            // Never an error: the sender lives in the store.
            let _ = written.changed().await;
        }
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        let mut state = self.state()?;
        let past = state.past;
        let requests = state.groups.entry(group.clone()).or_default();
        requests.fence(epoch)?;
        requests.write(past, writes);
        let position = (!writes.is_empty()).then(|| requests.position());
        drop(state);
        self.written.send_replace(());
        Ok(position)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        drop(self.state()?);
        Ok((self.clock)())
    }
}
