//! SQLite keeps what the ports promise, in memory and on a file.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use ringback_db::conformance::{self, Violation};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_model::{Group, Timestamp, reveal_personal_data};
use tempfile::TempDir;

fn simulated() -> Options {
    Options::simulated(Arc::new(|| Timestamp(5)))
}

async fn in_memory() -> SqliteDatabase {
    SqliteDatabase::open_in_memory(simulated()).await.unwrap()
}

/// A new file each time; the folder outlives them.
struct Files(TempDir, std::cell::Cell<u32>);

impl Files {
    fn new() -> Self {
        reveal_personal_data(true);
        Self(tempfile::tempdir().unwrap(), std::cell::Cell::new(0))
    }

    async fn fresh(&self, options: Options) -> SqliteDatabase {
        self.1.set(self.1.get() + 1);
        SqliteDatabase::open(self.0.path().join(self.1.get().to_string()), options).await.unwrap()
    }
}

#[tokio::test]
async fn directory() -> Result<(), Violation> {
    let files = Files::new();
    conformance::directory(async || in_memory().await.directory()).await?;
    conformance::directory(async || files.fresh(simulated()).await.directory()).await
}

#[tokio::test]
async fn requests() -> Result<(), Violation> {
    let files = Files::new();
    conformance::store(async || in_memory().await.store()).await?;
    conformance::store(async || files.fresh(simulated()).await.store()).await
}

#[tokio::test]
async fn requests_after_reopening() -> Result<(), Violation> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.db");
    conformance::durable(async || SqliteDatabase::open(&path, simulated()).await.unwrap().store()).await
}

#[tokio::test]
async fn requests_of_two_processes() -> Result<(), Violation> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.db");
    conformance::shared(async || SqliteDatabase::open(&path, simulated()).await.unwrap().store()).await
}

#[tokio::test]
async fn feeds_of_two_processes() -> Result<(), Violation> {
    let files = Files::new();
    conformance::two_feeds(async |group| {
        let writer = files.fresh(simulated()).await;
        let path = files.0.path().join(files.1.get().to_string());
        let reader = SqliteDatabase::open(path, simulated()).await.unwrap();
        (writer.directory(), writer.feed(group), reader.feed(group))
    })
    .await
}

#[tokio::test]
async fn feed_of_the_writing_process() -> Result<(), Violation> {
    let files = Files::new();
    let both = |database: SqliteDatabase, group: &Group| (database.directory(), database.feed(group));
    conformance::feed(async |group| both(in_memory().await, group)).await?;
    conformance::feed(async |group| both(files.fresh(simulated()).await, group)).await
}

#[tokio::test]
async fn feed_of_another_process() -> Result<(), Violation> {
    let files = Files::new();
    conformance::feed(async |group| {
        let reader = files.fresh(Options::default()).await;
        let path = files.0.path().join(files.1.get().to_string());
        let writer = SqliteDatabase::open(path, Options::default()).await.unwrap();
        (writer.directory(), reader.feed(group))
    })
    .await
}

/// The simulator's clock stands still while a call is outstanding: the suite's time limits do not fire.
#[tokio::test(start_paused = true)]
async fn with_a_paused_clock() -> Result<(), Violation> {
    let start = tokio::time::Instant::now();
    let files = Files::new();
    conformance::store(async || files.fresh(simulated()).await.store()).await?;
    conformance::directory(async || files.fresh(simulated()).await.directory()).await?;
    assert_eq!(start.elapsed(), std::time::Duration::ZERO);
    conformance::feed(async |group| {
        let database = files.fresh(Options::default()).await;
        (database.directory(), database.feed(group))
    })
    .await
}
