use std::error::Error;
use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// Marks a file as ours (`RGBK`), so that the database of another program is not taken for one.
const APPLICATION_ID: i32 = 0x5247_424B;

/// The steps that make the schema, oldest first; their numbers are their places, from 1. A step that was released is
/// never changed: the next one mends it.
const MIGRATIONS: [(&str, &str); 4] = [
    ("V1__directory_and_requests", include_str!("../migrations/V1__directory_and_requests.sql")),
    ("V2__registry", include_str!("../migrations/V2__registry.sql")),
    ("V3__settings", include_str!("../migrations/V3__settings.sql")),
    ("V4__identity", include_str!("../migrations/V4__identity.sql")),
];

const KNOWN: i32 = MIGRATIONS.len() as i32;

/// Two processes that open a new file at once make the same steps; the one that comes second looks again.
const ATTEMPTS: usize = 3;

/// Refuses what is not ours or too new, without changing it.
pub(crate) fn inspect(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::new(path, &error);
    // In this order: another process that makes the schema now marks the file first.
    let is_empty: bool = connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let id = application_id(connection).map_err(failed)?;
    match id {
        APPLICATION_ID => {}
        0 if is_empty => return Ok(()),
        _ => return Err(OpenError::Foreign(path.to_owned())),
    }
    let has_history: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'refinery_schema_history'",
            [],
            |row| row.get(0),
        )
        .map_err(failed)?;
    if !has_history {
        return Ok(());
    }
    let found: Option<i32> = connection
        .query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
        .map_err(failed)?;
    match found {
        Some(found) if found > KNOWN => {
            Err(OpenError::NewerSchema { path: path.to_owned(), found, known: KNOWN })
        }
        _ => Ok(()),
    }
}

/// Refuses what is not ours, or has another schema than this version's, without changing it.
pub(crate) fn is_current(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::new(path, &error);
    inspect(path, connection)?;
    let found: i32 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0))
        .map_err(failed)?;
    if found == KNOWN {
        return Ok(());
    }
    let reason = format!("it has schema {found}, this version needs {KNOWN}");
    Err(OpenError::Other { path: path.to_owned(), reason })
}

/// Brings the schema up to date. Several processes may do so at once.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error: refinery::Error| migration_error(path, &error);
    mark(connection).map_err(|error| OpenError::new(path, &error))?;
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    // In one transaction: otherwise a step and the note that it was made are two, and a crash between them leaves a file
    // that can be opened no more.
    let runner = Runner::new(&migrations).set_grouped(true);
    // Each step waits for its turn to write, instead of failing when another process was faster.
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let mut result = runner.run(connection);
    for _ in 1..ATTEMPTS {
        if result.is_ok() {
            break;
        }
        result = runner.run(connection);
    }
    result.map(drop).map_err(failed)
}

/// A full disk or a locked file has its own name here, too; an error in a script is told without the whole script.
fn migration_error(path: &Path, error: &refinery::Error) -> OpenError {
    let mut reason = error.to_string();
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(failure @ rusqlite::Error::SqliteFailure(..)) => return OpenError::new(path, failure),
            Some(rusqlite::Error::SqlInputError { msg, .. }) => reason.clone_from(msg),
            _ => {}
        }
        source = cause.source();
    }
    OpenError::Migration { path: path.to_owned(), reason }
}

fn application_id(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// Marks the file as ours.
fn mark(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if application_id(&transaction)? != APPLICATION_ID {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_during_a_step_is_named_and_the_step_is_undone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "max_page_count", 8).unwrap();
        let error = migrate(Path::new("a.db"), &mut connection).unwrap_err();
        assert!(matches!(&error, OpenError::DiskFull(path) if path == Path::new("a.db")), "{error:?}");
        connection.pragma_update(None, "max_page_count", 1000).unwrap();
        migrate(Path::new("a.db"), &mut connection).unwrap();
    }

    #[test]
    fn a_table_that_is_in_the_way_is_named() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE phone (name TEXT)").unwrap();
        let error = migrate(Path::new("a.db"), &mut connection).unwrap_err();
        let expected = "the schema of a.db could not be brought up to date (table phone already exists), it is as it \
             was: restore the file from a copy";
        assert_eq!(error.to_string(), expected);
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'refinery%'";
        assert_eq!(connection.query_row(tables, [], |row| row.get::<_, u32>(0)), Ok(1));
    }
}
