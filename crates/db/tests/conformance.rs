//! The in-memory implementations keep what the ports promise.

use std::sync::Arc;

use ringback_db::{MemoryDirectory, MemoryStore, conformance};
use ringback_model::{Timestamp, reveal_personal_data};

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(|| Timestamp(5)))
}

#[tokio::test]
async fn directory() -> Result<(), conformance::Violation> {
    reveal_personal_data(true);
    conformance::directory(async || MemoryDirectory::new()).await
}

#[tokio::test(start_paused = true)]
async fn feed() -> Result<(), conformance::Violation> {
    conformance::feed(async |group| {
        let directory = MemoryDirectory::new();
        let feed = directory.feed(group);
        (directory, feed)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn two_feeds() -> Result<(), conformance::Violation> {
    conformance::two_feeds(async |group| {
        let directory = MemoryDirectory::new();
        let feeds = (directory.feed(group), directory.feed(group));
        (directory, feeds.0, feeds.1)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn feed_after_loss() -> Result<(), conformance::Violation> {
    let make = async |group: &_| {
        let directory = MemoryDirectory::new();
        let feed = directory.feed(group);
        (directory, feed)
    };
    conformance::feed_after_loss(make, async |directory, available| directory.set_available(available)).await
}

#[tokio::test]
async fn requests() -> Result<(), conformance::Violation> {
    conformance::store(async || store()).await?;
    let same = store();
    conformance::durable(async || same.clone()).await?;
    let same = store();
    conformance::shared(async || same.clone()).await
}
