use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::{Connection, OptionalExtension};

use crate::error::OpenError;

/// Marks a file as ours (`RGBK`), so that the database of another program is not taken for one.
const APPLICATION_ID: i32 = 0x5247_424B;

/// The steps that make the schema, oldest first; their numbers are their places, from 1. A step that was released is
/// never changed: the next one mends it.
const MIGRATIONS: [(&str, &str); 1] =
    [("V1__directory_and_requests", include_str!("../migrations/V1__directory_and_requests.sql"))];

const KNOWN: i32 = MIGRATIONS.len() as i32;

/// Two processes that open a new file at once make the same steps; the one that comes second looks again.
const ATTEMPTS: usize = 3;

/// Refuses what is not ours or too new, without changing it.
pub(crate) fn inspect(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| OpenError::new(path, &error);
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let is_empty: bool = connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
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
        .optional()
        .map_err(failed)?
        .flatten();
    match found {
        Some(found) if found > KNOWN => {
            Err(OpenError::NewerSchema { path: path.to_owned(), found, known: KNOWN })
        }
        _ => Ok(()),
    }
}

/// Brings the schema up to date.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Migration { path: path.to_owned(), reason };
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(|e| OpenError::new(path, &e))?;
    let migrations: Vec<Migration> = MIGRATIONS
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let runner = Runner::new(&migrations);
    let mut result = runner.run(connection);
    for _ in 1..ATTEMPTS {
        if result.is_ok() {
            break;
        }
        result = runner.run(connection);
    }
    result.map(drop).map_err(|error| failed(error.to_string()))
}
