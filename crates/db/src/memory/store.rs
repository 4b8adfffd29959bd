use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_model::{Epoch, Group, RequestId, Timestamp};

use super::lock;
use crate::store::{Clock, RequestStore, StoreError, Write};

/// A request store in memory. A clone is the same store: it outlives the service that uses it, as a database would.
///
/// [`set_available`](Self::set_available) takes it away and brings it back: meanwhile every call fails with
/// `Unavailable`.
#[derive(Clone)]
pub struct MemoryStore {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    unavailable: bool,
    groups: BTreeMap<Group, Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    epoch: Epoch,
    records: BTreeMap<RequestId, Record>,
}

impl Requests {
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
        Self { clock, state: Arc::default() }
    }

    /// Takes the store away, or brings it back as it was.
    pub fn set_available(&self, available: bool) {
        lock(&self.state).unavailable = !available;
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
        let state = self.state()?;
        let mut records: Vec<Record> =
            state.groups.get(group).map(|g| g.records.values().cloned().collect()).unwrap_or_default();
        records.sort_by_key(|record| (record.since, record.id));
        Ok(records)
    }

    async fn apply(&self, group: &Group, epoch: Epoch, writes: &[Write]) -> Result<(), StoreError> {
        let mut state = self.state()?;
        let requests = state.groups.entry(group.clone()).or_default();
        requests.fence(epoch)?;
        for write in writes {
            match write {
                Write::Put(record) => drop(requests.records.insert(record.id, record.clone())),
                Write::Delete(id) => drop(requests.records.remove(id)),
            }
        }
        Ok(())
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        drop(self.state()?);
        Ok((self.clock)())
    }
}
