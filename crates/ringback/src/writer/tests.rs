use ringback_callback::{Kind, Phase};
use ringback_db::{MemoryStore, Position};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, Partition, Timestamp};

use super::*;

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(|| Timestamp(0)))
}

fn writer(store: &MemoryStore, epoch: u64) -> Writer {
    Writer::new(Arc::new(store.clone()), Group::default(), Epoch(epoch))
}

fn id(number: u64) -> RequestId {
    RequestId { epoch: Epoch(1), number }
}

fn record(number: u64, alerts: u32) -> Record {
    let line = |dn: &str| LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
    Record {
        id: id(number),
        caller: Appearance {
            device: DeviceName::new(format!("phone {number}")).unwrap(),
            line: line("1001"),
        },
        called: line("1002"),
        dialled: DirectoryNumber::new("1002").unwrap(),
        kind: Kind::Busy,
        since: Timestamp(number),
        expires: None,
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts,
        notified: None,
    }
}

fn saves(of: &[(u64, u64)]) -> Vec<(SaveId, RequestId)> {
    of.iter().map(|(save, request)| (SaveId(*save), id(*request))).collect()
}

/// Does the next transaction.
async fn commit(writer: &mut Writer) -> Option<Written> {
    let transaction = writer.begin()?;
    let result = transaction.await;
    Some(writer.finished(result.map(drop)))
}

async fn held(store: &MemoryStore) -> Vec<(u64, u32)> {
    let records = store.load(&Group::default()).await.unwrap();
    records.into_iter().map(|record| (record.id.number, record.alerts)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_one_transaction_and_a_later_write_takes_the_place_of_an_earlier() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    writer.put(SaveId(2), record(2, 0), None);
    writer.put(SaveId(3), record(1, 1), None);
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(3, 1), (2, 2)]))));
    assert_eq!(held(&store).await, [(1, 1), (2, 0)]);
    assert!(writer.is_idle());
    assert_eq!(commit(&mut writer).await, None, "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_transaction_is_the_next() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    let transaction = writer.begin().expect("a transaction");
    writer.remove(SaveId(2), id(1));
    assert!(writer.begin().is_none(), "one at a time");
    let result = transaction.await;
    assert_eq!(writer.finished(result.map(drop)), Written::Done(saves(&[(1, 1)])));
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(2, 1)]))));
    assert_eq!(held(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_takes_the_old_record_with_it() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    commit(&mut writer).await;
    writer.put(SaveId(2), record(2, 0), Some(id(1)));
    // A later write of the new record keeps what the first was to remove.
    writer.put(SaveId(3), record(2, 1), None);
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(3, 2)]))));
    assert_eq!(held(&store).await, [(2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_transaction_is_told_once_and_tried_until_it_succeeds() {
    let store = store();
    let mut writer = writer(&store, 1);
    store.set_available(false);
    writer.put(SaveId(1), record(1, 0), None);
    let Some(Written::NotNow(told, StoreError::Unavailable(_))) = commit(&mut writer).await else {
        panic!("a failure")
    };
    assert_eq!(told, saves(&[(1, 1)]));
    assert_eq!(commit(&mut writer).await, None, "not before the delay");
    tokio::time::sleep_until(writer.retry_at().expect("a time for the next attempt")).await;
    let Some(Written::NotNow(told, _)) = commit(&mut writer).await else { panic!("a failure") };
    assert_eq!(told, [], "told already");
    store.set_available(true);
    tokio::time::sleep_until(writer.retry_at().expect("a time for the next attempt")).await;
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(1, 1)]))));
    assert_eq!(held(&store).await, [(1, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_came_meanwhile_wins_over_one_that_failed() {
    let store = store();
    let mut writer = writer(&store, 1);
    store.set_available(false);
    writer.put(SaveId(1), record(1, 0), None);
    let transaction = writer.begin().expect("a transaction");
    writer.put(SaveId(2), record(1, 5), None);
    let result = transaction.await;
    writer.finished(result.map(drop));
    store.set_available(true);
    tokio::time::sleep_until(writer.retry_at().expect("a time for the next attempt")).await;
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(2, 1)]))));
    assert_eq!(held(&store).await, [(1, 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_save_never_stays() {
    let store = store();
    let mut writer = writer(&store, 1);
    // It has not left: it never will.
    writer.put(SaveId(1), record(1, 0), None);
    writer.revoke(SaveId(1), id(1));
    assert_eq!(commit(&mut writer).await, None);
    assert_eq!(held(&store).await, []);
    // It is under way: it is removed again.
    writer.put(SaveId(2), record(2, 0), None);
    let transaction = writer.begin().expect("a transaction");
    writer.revoke(SaveId(2), id(2));
    let result = transaction.await;
    writer.finished(result.map(drop));
    assert_eq!(held(&store).await, [(2, 0)]);
    assert_eq!(commit(&mut writer).await, Some(Written::Done(vec![])));
    assert_eq!(held(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_later_epoch_ends_it() {
    let store = store();
    let mut writer = writer(&store, 1);
    store.claim(&Group::default(), Epoch(2)).await.unwrap();
    writer.put(SaveId(1), record(1, 0), None);
    assert_eq!(commit(&mut writer).await, Some(Written::Fenced { current: Epoch(2) }));
    assert_eq!(held(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn no_batch_stalls_a_caller_for_long() {
    let store = store();
    let mut writer = writer(&store, 1);
    for number in 0..=MAX_BATCH as u64 {
        writer.put(SaveId(number), record(number, 0), None);
    }
    let Some(Written::Done(done)) = commit(&mut writer).await else { panic!("a commit") };
    assert_eq!(done.len(), MAX_BATCH);
    let Some(Written::Done(done)) = commit(&mut writer).await else { panic!("a commit") };
    assert_eq!(done, saves(&[(MAX_BATCH as u64, MAX_BATCH as u64)]));
}

/// A transaction whose outcome never became known, whether it was done or not.
async fn in_doubt(writer: &mut Writer, done: bool) -> Written {
    let transaction = writer.begin().expect("a transaction");
    if done {
        transaction.await.unwrap();
    }
    writer.finished(Err(StoreError::OutcomeUnknown("cut".to_owned())))
}

async fn commit_later(writer: &mut Writer) -> Option<Written> {
    tokio::time::sleep_until(writer.retry_at().expect("a time for the next attempt")).await;
    commit(writer).await
}

#[tokio::test(start_paused = true)]
async fn a_revoked_save_that_may_have_been_written_is_removed_again() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    let Written::NotNow(told, _) = in_doubt(&mut writer, true).await else { panic!("a failure") };
    assert_eq!(told, saves(&[(1, 1)]));
    writer.revoke(SaveId(1), id(1));
    assert_eq!(commit_later(&mut writer).await, Some(Written::Done(vec![])));
    assert_eq!(held(&store).await, []);
    assert!(writer.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_revoked_replacement_leaves_the_old_record() {
    for (fate, done) in [("done", true), ("not done", false)] {
        let store = store();
        let mut writer = writer(&store, 1);
        writer.put(SaveId(1), record(1, 0), None);
        commit(&mut writer).await;
        writer.put(SaveId(2), record(2, 0), Some(id(1)));
        let transaction = writer.begin().expect("a transaction");
        // Something is written for the old one, then the acceptance of the new one is late: the engine revokes it,
        // and writes the old one anew.
        writer.put(SaveId(3), record(1, 1), None);
        writer.revoke(SaveId(2), id(2));
        writer.put(SaveId(4), record(1, 2), None);
        let result = if done { transaction.await } else { Err(StoreError::Unavailable("full".to_owned())) };
        writer.finished(result.map(drop));
        while !writer.is_idle() {
            if let Some(at) = writer.retry_at() {
                tokio::time::sleep_until(at).await;
            }
            commit(&mut writer).await;
        }
        assert_eq!(held(&store).await, [(1, 2)], "{fate}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_does_not_come_back() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    commit(&mut writer).await;
    writer.put(SaveId(2), record(2, 0), Some(id(1)));
    // The old request lives until the new one is durable: its turn begins now.
    writer.put(SaveId(3), record(1, 1), None);
    assert_eq!(commit(&mut writer).await, Some(Written::Done(saves(&[(2, 2)]))));
    commit(&mut writer).await;
    assert_eq!(held(&store).await, [(2, 0)]);
    assert!(writer.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_save_whose_place_was_taken_is_not_told_as_failed() {
    let store = store();
    let mut writer = writer(&store, 1);
    writer.put(SaveId(1), record(1, 0), None);
    let transaction = writer.begin().expect("a transaction");
    drop(transaction);
    writer.put(SaveId(2), record(1, 1), None);
    let error = StoreError::Unavailable("full".to_owned());
    assert_eq!(writer.finished(Err(error.clone())), Written::NotNow(vec![], error));
    assert!(writer.is_failing());
    assert_eq!(commit_later(&mut writer).await, Some(Written::Done(saves(&[(2, 1)]))));
    assert!(!writer.is_failing());
}

/// A store that will never take the record of one request.
struct Picky(MemoryStore, RequestId);

#[async_trait::async_trait]
impl RequestStore for Picky {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.0.epoch(group).await
    }
    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.0.claim(group, epoch).await
    }
    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        self.0.load(group).await
    }
    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        if writes.iter().any(|write| matches!(write, Write::Put(record) if record.id == self.1)) {
            return Err(StoreError::Invalid("it does not like it".to_owned()));
        }
        self.0.apply(group, epoch, writes).await
    }
    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.0.now().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_the_store_never_takes_holds_nobody_else_up() {
    let store = store();
    let mut writer = Writer::new(Arc::new(Picky(store.clone(), id(2))), Group::default(), Epoch(1));
    for number in 1..=5 {
        writer.put(SaveId(number), record(number, 0), None);
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        match commit(&mut writer).await {
            Some(Written::Done(saves)) => done.extend(saves),
            Some(Written::NotNow(saves, _)) => failed.extend(saves),
            _ => tokio::time::sleep_until(writer.retry_at().expect("it is tried again")).await,
        }
    }
    assert_eq!(done, saves(&[(1, 1), (3, 3), (4, 4), (5, 5)]));
    assert_eq!(failed, saves(&[(2, 2)]), "whoever waits for it is told, once, and nobody else");
    assert_eq!(held(&store).await, [(1, 0), (3, 0), (4, 0), (5, 0)]);

    // Nothing of it was written: revoked, it is gone at once, and the writer has nothing left to do.
    writer.revoke(SaveId(2), id(2));
    assert_eq!(commit(&mut writer).await, None);
    assert!(writer.is_idle());
    assert!(!writer.is_failing());
}
