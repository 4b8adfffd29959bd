//! A file that cannot be used is refused with a named error that says what to do, and is left as it was.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use ringback_db::{
    Change, ChangeFeed, Directory, DirectoryAdmin, DirectoryError, FeedError, RequestStore, StoreError, Table,
};
use ringback_db_sqlite::{OpenError, Options, SqliteDatabase};
use ringback_election::{Incarnation, Intent, Member, Registry, RegistryError, Report};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

fn quick() -> Options {
    let mut options = Options::default();
    options.busy_timeout = Millis::ZERO;
    options.poll_interval = Some(Millis(1));
    options
}

async fn refused(path: &Path) -> OpenError {
    SqliteDatabase::open(path, quick()).await.unwrap_err()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    (folder, path)
}

#[tokio::test]
async fn a_folder() {
    let (folder, path) = folder();
    let error = refused(folder.path()).await;
    assert!(matches!(&error, OpenError::Folder(at) if at == folder.path()), "{error:?}");
    let expected =
        format!("{} is a folder: name a file in it, for example {}", folder.path().display(), path.display());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn no_folder() {
    let (folder, _) = folder();
    let path = folder.path().join("missing").join("ringback.db");
    let error = refused(&path).await;
    let expected =
        format!("the folder of {} does not exist: create it, or name another file", path.display());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let (_folder, path) = folder();
    let text = "This is not a database, but it is long enough for its header. ".repeat(40);
    fs::write(&path, &text).unwrap();
    let error = refused(&path).await;
    let expected =
        format!("{} is not an SQLite database: move it away, or name another file", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn the_database_of_another_program() {
    let (_folder, path) = folder();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE stamps (country TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    let error = refused(&path).await;
    let expected = format!("{} is the database of another program: name another file", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_database() {
    let (_folder, path) = folder();
    drop(SqliteDatabase::open(&path, quick()).await.unwrap());
    let mut bytes = fs::read(&path).unwrap();
    // The first page's tree, just after the header of the file.
    bytes[100..140].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn a_newer_schema() {
    let (_folder, path) = folder();
    drop(SqliteDatabase::open(&path, quick()).await.unwrap());
    let newer = "INSERT INTO refinery_schema_history VALUES (70, 'later', '2027-01-01T00:00:00Z', '1')";
    Connection::open(&path).unwrap().execute_batch(newer).unwrap();
    let error = refused(&path).await;
    let expected = format!(
        "{} has schema 70, this version knows schemas up to {}: run the newer version, or name another file",
        path.display(),
        fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count()
    );
    assert_eq!(error.to_string(), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    drop(SqliteDatabase::open(&path, quick()).await.unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        // The administrator may write everything: nothing to see here for that user.
        return;
    }
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::NotWritable(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_that_another_process_holds() {
    let (_folder, path) = folder();
    drop(SqliteDatabase::open(&path, quick()).await.unwrap());
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = refused(&path).await;
    let expected =
        format!("{} is locked by another process: end that process, or let it finish", path.display());
    assert_eq!(error.to_string(), expected);
    other.execute_batch("ROLLBACK").unwrap();
    SqliteDatabase::open(&path, quick()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_open_a_new_file_at_once() {
    let (_folder, path) = folder();
    let opening: Vec<_> =
        (0..4).map(|_| tokio::spawn(SqliteDatabase::open(path.clone(), Options::default()))).collect();
    for (opened, epoch) in opening.into_iter().zip(1..) {
        opened.await.unwrap().unwrap().store().claim(&Group::default(), Epoch(epoch)).await.unwrap();
    }
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    assert_eq!(database.store().epoch(&Group::default()).await, Ok(Epoch(4)));
}

#[tokio::test]
async fn a_write_while_another_process_holds_the_file() {
    let (_folder, path) = folder();
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = database.store().claim(&Group::default(), Epoch(1)).await.unwrap_err();
    let expected = "request store unavailable: another process holds it locked (database is locked)";
    assert_eq!(error.to_string(), expected);
    // Reading goes on.
    assert_eq!(database.directory().probe().await, Ok(()));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(database.store().claim(&Group::default(), Epoch(1)).await, Ok(()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_moved_away_and_back() {
    let (folder, path) = folder();
    let group = Group::default();
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    let mut feed = database.feed(&group);
    assert_eq!(feed.next().await, Ok(Change::Resync));
    let elsewhere = folder.path().join("elsewhere.db");
    fs::rename(&path, &elsewhere).unwrap();

    let reason = format!(
        "{} was deleted or moved under the running service: put it back, or restart the service to begin anew",
        path.display()
    );
    let unavailable = StoreError::Unavailable(reason.clone());
    assert_eq!(database.store().claim(&group, Epoch(1)).await, Err(unavailable));
    let unavailable = DirectoryError::Unavailable(reason);
    assert_eq!(database.directory().probe().await, Err(unavailable.clone()));
    assert_eq!(feed.next().await, Err(FeedError::Lost(unavailable.to_string())));

    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(feed.next().await, Ok(Change::Resync));
    assert_eq!(database.store().claim(&group, Epoch(1)).await, Ok(()));
}

#[cfg(unix)]
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    name.into()
}

#[cfg(unix)]
fn identity(path: &Path) -> String {
    let query = "SELECT id FROM database_identity";
    Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_replaced_by_another_database() {
    let (folder, path) = folder();
    let group = Group::default();
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    database.store().claim(&group, Epoch(3)).await.unwrap();
    let (ours, other, former) = (identity(&path), folder.path().join("other.db"), folder.path().join("f.db"));
    drop(SqliteDatabase::open(&other, quick()).await.unwrap());
    let theirs = identity(&other);
    assert_ne!(ours, theirs);
    fs::rename(&path, &former).unwrap();
    fs::rename(&other, &path).unwrap();
    let reason = format!(
        "{0} was replaced by another database ({theirs}, not {ours}) under the running service: put the former back, or \
         stop the service, remove {0}-wal, and start it with the new one",
        path.display()
    );
    assert_eq!(database.store().load(&group).await, Err(StoreError::Invalid(reason.clone())));
    let written = database.store().claim(&group, Epoch(4)).await;
    assert_eq!(written, Err(StoreError::Invalid(reason.clone())));
    assert_eq!(database.directory().parameters(&group).await, Err(DirectoryError::Invalid(reason.clone())));
    let me = Member::new(std::net::Ipv4Addr::LOCALHOST.into(), Incarnation(1), Timestamp(0));
    let report = Report { member: me, ready: true, length: Millis(1000), intent: Intent::Watch };
    let tick = async || database.registry().tick(&group, &report).await.map(drop);
    assert_eq!(tick().await, Err(RegistryError::NotDone(reason)));

    fs::rename(&former, &path).unwrap();
    assert_eq!(tick().await, Ok(()));
    assert_eq!(database.store().epoch(&group).await, Ok(Epoch(3)));
    assert_eq!(database.store().claim(&group, Epoch(4)).await, Ok(()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_that_is_put_in_the_place_of_the_file() {
    let (folder, path) = folder();
    let group = Group::default();
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    let (store, directory, mut feed) = (database.store(), database.directory(), database.feed(&group));
    assert_eq!(feed.next().await, Ok(Change::Resync));
    store.claim(&group, Epoch(3)).await.unwrap();
    let copy = folder.path().join("copy.db");
    Connection::open(&path).unwrap().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    store.claim(&group, Epoch(4)).await.unwrap();

    // Over the former, whose log is still there: it would be taken for that of the copy.
    fs::rename(&copy, &path).unwrap();
    let reason = format!(
        "{0} was replaced by another file under the running service, and the log of the former is still beside it: put \
         the former back, or take the new file away, remove {0}-wal, and put it there again",
        path.display()
    );
    assert_eq!(store.epoch(&group).await, Err(StoreError::Invalid(reason)));
    fs::rename(&path, &copy).unwrap();
    fs::remove_file(beside(&path, "-wal")).unwrap();
    fs::remove_file(beside(&path, "-shm")).unwrap();
    assert!(matches!(store.epoch(&group).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(feed.next().await, Err(FeedError::Lost(_))));

    fs::rename(&copy, &path).unwrap();
    assert_eq!(store.epoch(&group).await, Ok(Epoch(3)));
    assert_eq!(store.claim(&group, Epoch(5)).await, Ok(()));
    assert_eq!(feed.next().await, Ok(Change::Resync));
    directory.put_template(&group, "t", true).await.unwrap();
    assert!(matches!(feed.next().await, Ok(Change::Row { table: Table::Template, .. })));
    // It is in use now, and what is written is in it.
    drop((store, directory, feed, database));
    let again = SqliteDatabase::open(&path, quick()).await.unwrap();
    assert_eq!(again.store().epoch(&group).await, Ok(Epoch(5)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_replaced_by_something_else() {
    let (folder, path) = folder();
    let group = Group::default();
    let database = SqliteDatabase::open(&path, quick()).await.unwrap();
    fs::rename(&path, folder.path().join("former.db")).unwrap();
    fs::remove_file(beside(&path, "-wal")).unwrap();
    fs::write(&path, "This is not a database, but it is long enough for its header. ".repeat(40)).unwrap();
    let reason = format!(
        "{0} was replaced under the running service by what cannot be used: put the former back ({0} is not an SQLite \
         database: move it away, or name another file)",
        path.display()
    );
    assert_eq!(database.store().load(&group).await, Err(StoreError::Invalid(reason)));
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE stamps (country TEXT)").unwrap();
    let Err(StoreError::Invalid(reason)) = database.store().load(&group).await else { panic!("it is used") };
    assert!(reason.contains("is the database of another program"), "{reason}");
}
