//! Several processes on one file, and the end of one of them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::process::Command;

use ringback_callback::{Kind, Phase, Record};
use ringback_db::{
    Change, ChangeFeed, Directory, DirectoryAdmin, DirectoryError, RequestStore, StoreError, Table, Write,
};
use ringback_db_sqlite::{Options, SqliteDatabase, SqliteFeed};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, RequestId, Timestamp,
};
use rusqlite::Connection;

fn record(number: u64) -> Record {
    let line = |dn: &str| LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
    Record {
        id: RequestId { epoch: Epoch(1), number },
        caller: Appearance { device: DeviceName::new("A").unwrap(), line: line("1001") },
        called: line("1002"),
        dialled: DirectoryNumber::new("1002").unwrap(),
        kind: Kind::Busy,
        since: Timestamp(1_767_621_600_000 + number),
        expires: Some(Timestamp(1_767_624_300_000)),
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    }
}

async fn row(feed: &mut SqliteFeed) -> (Table, String) {
    match feed.next().await {
        Ok(Change::Row { table, key, .. }) => (table, key),
        other => panic!("{other:?}"),
    }
}

/// Not a test: the process that is ended abruptly in the next one.
#[tokio::test]
async fn child_that_writes_and_aborts() {
    let Some(path) = std::env::var_os("RINGBACK_TEST_FILE").map(PathBuf::from) else { return };
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    let group = Group::default();
    let store = database.store();
    store.claim(&group, Epoch(1)).await.unwrap();
    for number in [3, 1, 2] {
        store.apply(&group, Epoch(1), &[Write::Put(record(number))]).await.unwrap();
    }
    database.directory().set_parameter(&group, "Call Back Recall Timer", Some("30")).await.unwrap();
    std::process::abort();
}

#[tokio::test]
async fn what_a_killed_process_wrote_is_there_and_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    let group = Group::default();
    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));

    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_and_aborts"])
        .env("RINGBACK_TEST_FILE", &path)
        .output()
        .unwrap();
    assert!(!run.status.success());

    assert_eq!(row(&mut feed).await, (Table::Parameter, "Call Back Recall Timer".to_owned()));
    let expected: Vec<Record> = [1, 2, 3].into_iter().map(record).collect();
    assert_eq!(database.store().load(&group).await, Ok(expected.clone()));
    drop((database, feed));
    let again = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    assert_eq!(again.store().load(&group).await, Ok(expected));
    assert_eq!(again.store().epoch(&group).await, Ok(Epoch(1)));
}

#[tokio::test]
async fn the_older_of_two_writers_is_fenced_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let old = SqliteDatabase::open(&path, Options::default()).await.unwrap().store();
    let new = SqliteDatabase::open(&path, Options::default()).await.unwrap().store();
    let group = Group::default();
    let (ours, current) = (Epoch(1), Epoch(2));
    old.apply(&group, ours, &[Write::Put(record(1))]).await.unwrap();
    new.claim(&group, current).await.unwrap();
    let refused = old.apply(&group, ours, &[Write::Delete(record(1).id), Write::Put(record(2))]).await;
    assert_eq!(refused, Err(StoreError::Fenced { ours, current }));
    assert_eq!(new.load(&group).await, Ok(vec![record(1)]));
}

#[tokio::test]
async fn what_an_operator_writes_by_hand_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    let mut feed = database.feed(&Group::default());
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let operator = Connection::open(&path).unwrap();
    operator.pragma_update(None, "foreign_keys", false).unwrap();
    let steps = [
        ("INSERT INTO phone (group_name, device) VALUES ('default', 'A')", vec![(Table::Phone, "A")]),
        ("INSERT INTO appearance VALUES ('default', 'A', 'p', '1001', 1)", vec![(Table::Line, "p/1001")]),
        ("UPDATE appearance SET dn = '1002'", vec![(Table::Line, "p/1001"), (Table::Line, "p/1002")]),
        (
            "INSERT INTO line_setting VALUES ('default', 'p', '1002', 'Ada', NULL)",
            vec![(Table::Line, "p/1002")],
        ),
        ("UPDATE phone SET device = 'A', locale = 'de_DE'", vec![(Table::Phone, "A")]),
    ];
    for (sql, expected) in steps {
        operator.execute_batch(sql).unwrap();
        for (table, key) in expected {
            assert_eq!(row(&mut feed).await, (table, key.to_owned()), "{sql}");
        }
    }
    operator.execute_batch("DELETE FROM phone").unwrap();
    let mut told = vec![row(&mut feed).await, row(&mut feed).await, row(&mut feed).await];
    told.sort_by_key(|(table, _)| *table == Table::Line);
    let line = (Table::Line, "p/1002".to_owned());
    assert_eq!(told, [(Table::Phone, "A".to_owned()), line.clone(), line]);
    let left: u32 = operator
        .query_row(
            "SELECT (SELECT count(*) FROM appearance) + (SELECT count(*) FROM line_setting)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    let operator = Connection::open(&path).unwrap();
    operator.pragma_update(None, "foreign_keys", false).unwrap();
    operator
        .execute_batch(
            "INSERT INTO phone (group_name, device, softkey_template) VALUES ('default', 'A', 'none');
             INSERT INTO phone (group_name, device, locale) VALUES ('default', 'B', '?!')",
        )
        .unwrap();
    let phone =
        async |name| database.directory().phone(&Group::default(), &DeviceName::new(name).unwrap()).await;
    let invalid = |reason: &str| Err(DirectoryError::Invalid(reason.to_owned()));
    assert_eq!(
        phone("A").await,
        invalid("table phone, column softkey_template: it names what does not exist")
    );
    assert_eq!(
        phone("B").await,
        invalid("table phone, column locale: a locale holds '?', which is not allowed there")
    );

    database.store().apply(&Group::default(), Epoch(1), &[Write::Put(record(1))]).await.unwrap();
    operator.execute_batch("UPDATE request SET called_dn = ''").unwrap();
    let reason = "table request, column called_dn: a directory number is empty: give 1 to 50 characters";
    assert_eq!(database.store().load(&Group::default()).await, Err(StoreError::Invalid(reason.to_owned())));
}

#[tokio::test]
async fn a_feed_that_lags_behind_the_log_is_told_to_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    let mut feed = database.feed(&Group::default());
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let operator = Connection::open(&path).unwrap();
    operator
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
             INSERT INTO service_parameter SELECT 'default', 'P' || i, '1' FROM n",
        )
        .unwrap();
    let kept: u32 = operator.query_row("SELECT count(*) FROM change_log", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 10_000);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    // More than one batch, none lost, none twice.
    operator.execute_batch("UPDATE service_parameter SET value = '2' WHERE rowid <= 600").unwrap();
    for i in 1..=600 {
        assert_eq!(row(&mut feed).await, (Table::Parameter, format!("P{i}")));
    }
}

#[tokio::test]
async fn an_operator_can_read_the_requests() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    let database = SqliteDatabase::open(&path, Options::default()).await.unwrap();
    database.store().apply(&Group::default(), Epoch(1), &[Write::Put(record(1))]).await.unwrap();
    let columns =
        "id || ' ' || caller || ' ' || from_line || ' ' || waits_for || ' ' || phase || ' ' || since";
    let seen: String = Connection::open(&path)
        .unwrap()
        .query_row(&format!("SELECT {columns} FROM request_readable"), [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, "1-1 A /1001 /1002 waiting 2026-01-05 14:00:00");
}
