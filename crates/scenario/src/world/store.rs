use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback_callback::{Phase, Record};
use ringback_db::{Position, RequestStore, StoreError, Write};
use ringback_model::{DeviceName, DirectoryNumber, Epoch, Group, RequestId, Timestamp};
use tokio::sync::watch;

/// A request store that can be stopped and watched: it passes everything on to the one behind it and remembers what
/// that holds of one group. Clones are the same one.
#[derive(Clone)]
pub struct WatchedStore {
    behind: Arc<dyn RequestStore>,
    group: Group,
    seen: Arc<Mutex<Seen>>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    stopped: bool,
    records: BTreeMap<RequestId, Record>,
}

impl WatchedStore {
    /// Watches what the store behind holds of this group.
    ///
    /// # Errors
    /// The store behind cannot be read.
    pub async fn new(behind: Arc<dyn RequestStore>, group: Group) -> Result<Self, StoreError> {
        let store = Self { behind, group, seen: Arc::default(), changed: watch::Sender::new(()) };
        store.read_again().await?;
        Ok(store)
    }

    /// Stops the store, or starts it again: meanwhile every call fails with `Unavailable`.
    pub fn set_running(&self, running: bool) {
        self.seen().stopped = !running;
        self.changed.send_replace(());
    }

    /// How many requests there are.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.seen().records.len()
    }

    /// The callers waiting for the number and not yet notified, in order.
    #[must_use]
    pub fn queue(&self, dn: &DirectoryNumber) -> Vec<DeviceName> {
        let seen = self.seen();
        let waiting =
            seen.records.values().filter(|record| record.phase == Phase::Waiting && record.called.dn == *dn);
        let mut waiting: Vec<&Record> = waiting.collect();
        waiting.sort_by_key(|record| (record.since, record.id));
        waiting.into_iter().map(|record| record.caller.device.clone()).collect()
    }

    /// Tells of every change.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    async fn read_again(&self) -> Result<(), StoreError> {
        let records = self.behind.load(&self.group).await?;
        self.seen().records = records.into_iter().map(|record| (record.id, record)).collect();
        self.changed.send_replace(());
        Ok(())
    }

    fn running(&self) -> Result<(), StoreError> {
        if self.seen().stopped { Err(StoreError::Unavailable("stopped".to_owned())) } else { Ok(()) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RequestStore for WatchedStore {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.running()?;
        self.behind.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.running()?;
        self.behind.claim(group, epoch).await
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        self.running()?;
        self.behind.load(group).await
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.running()?;
        let result = self.behind.apply(group, epoch, writes).await;
        if *group == self.group {
            match &result {
                Ok(_) => {
                    let mut seen = self.seen();
                    for write in writes {
                        match write {
                            Write::Put(record) => drop(seen.records.insert(record.id, record.clone())),
                            Write::Delete(request) => drop(seen.records.remove(request)),
                        }
                    }
                    drop(seen);
                    self.changed.send_replace(());
                }
                Err(StoreError::OutcomeUnknown(_)) => self.read_again().await?,
                Err(_) => {}
            }
        }
        result
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.running()?;
        self.behind.now().await
    }
}

#[cfg(test)]
mod tests {
    use ringback_callback::Kind;
    use ringback_db::MemoryStore;
    use ringback_model::{Appearance, LineId, Partition};

    use super::*;

    fn record(number: u64, caller: &str, since: u64, phase: Phase) -> Record {
        let line = |dn: &str| LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
        Record {
            id: RequestId { epoch: Epoch(1), number },
            caller: Appearance { device: DeviceName::new(caller).unwrap(), line: line("1001") },
            called: line("1002"),
            dialled: DirectoryNumber::new("1002").unwrap(),
            kind: Kind::Busy,
            since: Timestamp(since),
            expires: None,
            origin: None,
            phase,
            cycle: None,
            alerts: 0,
            notified: None,
        }
    }

    fn queue(store: &WatchedStore) -> Vec<String> {
        let queue = store.queue(&DirectoryNumber::new("1002").unwrap());
        queue.into_iter().map(|device| device.as_str().to_owned()).collect()
    }

    #[tokio::test]
    async fn it_knows_what_the_store_behind_holds_and_who_waits_in_which_order() {
        let group = Group::default();
        let behind = Arc::new(MemoryStore::new(Arc::new(|| Timestamp(0))));
        let put = |record| Write::Put(record);
        behind.apply(&group, Epoch(1), &[put(record(1, "A", 20, Phase::Waiting))]).await.unwrap();
        let store = WatchedStore::new(behind.clone(), group.clone()).await.unwrap();
        assert_eq!((store.pending(), queue(&store)), (1, vec!["A".to_owned()]));

        let writes = [put(record(2, "B", 10, Phase::Waiting)), put(record(3, "C", 5, Phase::Lapsed))];
        store.apply(&group, Epoch(1), &writes).await.unwrap();
        assert_eq!((store.pending(), queue(&store)), (3, vec!["B".to_owned(), "A".to_owned()]));
        assert_eq!(store.load(&group).await.unwrap().len(), 3);

        store
            .apply(&group, Epoch(1), &[Write::Delete(RequestId { epoch: Epoch(1), number: 2 })])
            .await
            .unwrap();
        assert_eq!((store.pending(), queue(&store)), (2, vec!["A".to_owned()]));
    }

    #[tokio::test]
    async fn a_stopped_or_fenced_write_changes_nothing() {
        let group = Group::default();
        let behind = Arc::new(MemoryStore::new(Arc::new(|| Timestamp(0))));
        let store = WatchedStore::new(behind, group.clone()).await.unwrap();
        let writes = [Write::Put(record(1, "A", 20, Phase::Waiting))];
        let mut changed = store.changed();
        store.set_running(false);
        assert!(changed.has_changed().unwrap());
        let error = store.apply(&group, Epoch(1), &writes).await.unwrap_err();
        assert_eq!(error, StoreError::Unavailable("stopped".to_owned()));
        assert!(store.load(&group).await.is_err() && store.now().await.is_err());
        store.set_running(true);
        store.claim(&group, Epoch(2)).await.unwrap();
        changed.borrow_and_update();
        assert!(matches!(store.apply(&group, Epoch(1), &writes).await, Err(StoreError::Fenced { .. })));
        assert_eq!((store.pending(), changed.has_changed().unwrap()), (0, false));
    }
}
