//! What the in-memory implementations do beyond their ports: outages, clones, lagging feeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringback_db::{
    AdminError, Change, ChangeFeed, Directory, DirectoryAdmin, DirectoryError, FeedError, LineEntry,
    MemoryDirectory, MemoryFeed, MemoryStore, RequestStore, StoreError, Table, line_key,
};
use ringback_model::{DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, Timestamp};

fn lost() -> Result<Change, FeedError> {
    Err(FeedError::Lost("the directory was switched off".to_owned()))
}

fn template(seq: u64, key: &str) -> Result<Change, FeedError> {
    Ok(Change::Row { seq, table: Table::Template, key: key.to_owned() })
}

/// Whether nothing is to be told now.
async fn is_silent(feed: &mut MemoryFeed) -> bool {
    tokio::time::timeout(std::time::Duration::from_secs(1), feed.next()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn an_outage_fails_every_call_and_is_told_by_every_feed() {
    let group = Group::default();
    let directory = MemoryDirectory::new();
    directory.put_template(&group, "t", true).await.unwrap();
    let mut feed = directory.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert!(is_silent(&mut feed).await);

    directory.set_available(false);
    directory.set_available(false);
    let off = "switched off".to_owned();
    assert_eq!(directory.probe().await, Err(DirectoryError::Unavailable(off.clone())));
    assert_eq!(directory.parameters(&group).await, Err(DirectoryError::Unavailable(off.clone())));
    let refused = directory.put_template(&group, "u", true).await;
    assert_eq!(refused, Err(AdminError::Unavailable(off.clone())));
    assert_eq!(directory.phones(&group).await, Err(AdminError::Unavailable(off)));
    assert_eq!(feed.next().await, lost());
    assert!(is_silent(&mut feed).await);
    let mut late = directory.feed(&group);
    assert!(is_silent(&mut late).await);

    directory.set_available(true);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert_eq!(late.next().await, Ok(Change::Resync));
    directory.put_template(&group, "v", true).await.unwrap();
    assert_eq!(feed.next().await, template(2, "v"));
    assert!(is_silent(&mut feed).await);
}

#[tokio::test(start_paused = true)]
async fn an_outage_between_two_reports_is_told_too() {
    let directory = MemoryDirectory::new();
    let mut feed = directory.feed(&Group::default());
    assert_eq!(feed.next().await, Ok(Change::Resync));
    directory.set_available(false);
    directory.set_available(true);
    assert_eq!(feed.next().await, lost());
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert!(is_silent(&mut feed).await);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_lags_too_far_is_told_to_read_anew() {
    let group = Group::default();
    let directory = MemoryDirectory::new();
    let mut feed = directory.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    for _ in 0..2000 {
        directory.put_template(&group, "t", true).await.unwrap();
    }
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert!(is_silent(&mut feed).await);
    directory.put_template(&group, "u", true).await.unwrap();
    assert_eq!(feed.next().await, template(2001, "u"));
}

#[tokio::test]
async fn a_write_wakes_a_waiting_feed() {
    let group = Group::default();
    let directory = MemoryDirectory::new();
    let mut feed = directory.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let (change, written) = tokio::join!(feed.next(), directory.put_template(&group, "t", true));
    assert_eq!(change, template(1, "t"));
    assert_eq!(written, Ok(()));
}

#[tokio::test]
async fn a_clone_of_a_store_is_the_same_store_with_the_same_clock() {
    let time = Arc::new(AtomicU64::new(7));
    let clock = Arc::clone(&time);
    let store = MemoryStore::new(Arc::new(move || Timestamp(clock.load(Ordering::Relaxed))));
    let clone = store.clone();
    let group = Group::default();
    assert_eq!(clone.claim(&group, Epoch(2)).await, Ok(()));
    assert_eq!(store.epoch(&group).await, Ok(Epoch(2)));
    assert_eq!(store.now().await, Ok(Timestamp(7)));
    time.store(8, Ordering::Relaxed);
    assert_eq!(clone.now().await, Ok(Timestamp(8)));

    clone.set_available(false);
    let off = StoreError::Unavailable("switched off".to_owned());
    assert_eq!(store.now().await, Err(off.clone()));
    assert_eq!(store.load(&group).await, Err(off.clone()));
    assert_eq!(store.apply(&group, Epoch(2), &[]).await, Err(off.clone()));
    assert_eq!(store.claim(&group, Epoch(2)).await, Err(off.clone()));
    assert_eq!(store.epoch(&group).await, Err(off));
    store.set_available(true);
    assert_eq!(clone.epoch(&group).await, Ok(Epoch(2)));
}

#[test]
fn numbers_and_names_are_not_printed() {
    let line = LineId::new(Partition::default(), DirectoryNumber::new("1001").unwrap());
    let change = Change::Row { seq: 1, table: Table::Line, key: line_key(&line) };
    assert_eq!(format!("{change:?}"), "Row { seq: 1, table: Line, key: <redacted> }");
    let entry = LineEntry {
        line,
        devices: vec![DeviceName::new("ADA").unwrap()],
        display_name: Some("Ada".to_owned()),
        forwards_all_to: None,
    };
    let printed = format!("{entry:?}");
    assert!(!printed.contains("1001") && !printed.to_lowercase().contains("ada"), "{printed}");
}
