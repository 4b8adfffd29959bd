//! The suites find what is wrong: each of these breaks one rule.

use std::sync::Arc;

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{
    Change, ChangeFeed, FeedError, MemoryDirectory, MemoryFeed, MemoryStore, RequestStore, StoreError, Write,
    conformance,
};
use ringback_model::{Epoch, Group, Timestamp};

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    NoFence,
    HalfATransaction,
    WrongOrder,
    ForgetsTheEpoch,
}

struct Faulty(MemoryStore, Fault);

#[async_trait]
impl RequestStore for Faulty {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.0.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        if self.1 == Fault::ForgetsTheEpoch {
            return Ok(());
        }
        self.0.claim(group, epoch).await
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        let mut records = self.0.load(group).await?;
        if self.1 == Fault::WrongOrder {
            records.sort_by_key(|record| record.id);
        }
        Ok(records)
    }

    async fn apply(&self, group: &Group, epoch: Epoch, writes: &[Write]) -> Result<(), StoreError> {
        match (self.1, self.0.apply(group, epoch, writes).await) {
            (Fault::NoFence, Err(StoreError::Fenced { current, .. })) => {
                self.0.apply(group, current, writes).await
            }
            (Fault::HalfATransaction, Err(StoreError::Fenced { ours, current })) => {
                self.0.apply(group, current, &writes[writes.len().min(1)..]).await?;
                Err(StoreError::Fenced { ours, current })
            }
            (_, result) => result,
        }
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.0.now().await
    }
}

#[tokio::test]
async fn faulty_stores() {
    let cases = [
        (Fault::NoFence, "a write or claim of an older epoch is refused and changes nothing"),
        (Fault::HalfATransaction, "a write or claim of an older epoch is refused and changes nothing"),
        (Fault::WrongOrder, "load gives every record whole, ordered by since, then id"),
        (Fault::ForgetsTheEpoch, "epoch tells the highest ever claimed"),
    ];
    for (fault, rule) in cases {
        let make = async || Faulty(MemoryStore::new(Arc::new(|| Timestamp(0))), fault);
        assert_eq!(conformance::store(make).await.map_err(|violation| violation.rule), Err(rule));
    }
}

/// Passes over every fifth change.
struct Gaps(MemoryFeed);

#[async_trait]
impl ChangeFeed for Gaps {
    async fn next(&mut self) -> Result<Change, FeedError> {
        match self.0.next().await {
            Ok(Change::Row { seq, .. }) if seq % 5 == 0 => self.0.next().await,
            other => other,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_feed_with_gaps() {
    let make = async |group: &Group| {
        let directory = MemoryDirectory::new();
        let feed = Gaps(directory.feed(group));
        (directory, feed)
    };
    let violation = conformance::feed(make).await.unwrap_err();
    assert_eq!(violation.rule, "every write is reported after it, with growing numbers");
}
