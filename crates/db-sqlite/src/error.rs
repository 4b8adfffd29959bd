use std::path::PathBuf;

use ringback_db::{AdminError, DirectoryError, StoreError};
use ringback_election::RegistryError;
use rusqlite::{Error, ErrorCode};
use thiserror::Error as ThisError;

/// Why a database was not opened. Unless a variant says otherwise the file was not changed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum OpenError {
    /// The path leads to a folder.
    #[error("{} is a folder: name a file in it, for example {}", .0.display(), .0.join("ringback.db").display())]
    Folder(PathBuf),
    /// The folder that is to hold the file does not exist.
    #[error("the folder of {} does not exist: create it, or name another file", .0.display())]
    NoFolder(PathBuf),
    /// The file holds something else.
    #[error("{} is not an SQLite database: move it away, or name another file", .0.display())]
    NotADatabase(PathBuf),
    /// The database belongs to another program.
    #[error("{} is the database of another program: name another file", .0.display())]
    Foreign(PathBuf),
    /// The database is damaged.
    #[error("{} is damaged ({reason}): restore it from a copy, or move it away to begin anew", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A newer version of ringback has written the file.
    #[error(
        "{} has schema {found}, this version knows schemas up to {known}: run the newer version, or name another file",
        .path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i32,
        /// The newest schema of this version.
        known: i32,
    },
    /// The file or its folder cannot be written.
    #[error(
        "{} cannot be written: give this user the right to write the file and its folder",
        .0.display()
    )]
    NotWritable(PathBuf),
    /// The disk is full.
    #[error("the disk that holds {} is full: free some space; the file may have been created", .0.display())]
    DiskFull(PathBuf),
    /// Another process holds the file locked.
    #[error("{} is locked by another process: end that process, or let it finish", .0.display())]
    Locked(PathBuf),
    /// The schema could not be brought up to date; it is as it was.
    #[error(
        "the schema of {} could not be brought up to date ({reason}), it is as it was: restore the file from a copy",
        .path.display()
    )]
    Migration {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Anything else.
    #[error("{} could not be opened: {reason}", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn new(path: impl Into<PathBuf>, error: &Error) -> Self {
        let path = path.into();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, reason: error.to_string() },
            Some(ErrorCode::DiskFull) => Self::DiskFull(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(path),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotWritable(path)
            }
            _ => Self::Other { path, reason: error.to_string() },
        }
    }
}

/// Why a call did not do what it was asked, before it has the words of its port. `E` is what the port itself refuses.
#[derive(Debug, ThisError)]
pub(crate) enum Fault<E> {
    /// Nothing was changed; later it may work.
    #[error("{0}")]
    Unavailable(String),
    /// The write may have happened or not.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// Another file is where ours was; nothing was changed.
    #[error("{0}")]
    Replaced(String),
    /// A person must look; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// Refused; nothing was changed.
    #[error("refused")]
    Refused(E),
}

impl<E> Fault<E> {
    /// A value that cannot be; told without the value, which may be personal.
    pub(crate) fn invalid(table: &str, column: &str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("table {table}, column {column}: {reason}"))
    }
}

impl<E> From<Error> for Fault<E> {
    fn from(error: Error) -> Self {
        let advice = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process holds it locked",
            Some(ErrorCode::DiskFull) => "the disk is full: free some space",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                "it cannot be written: check the rights"
            }
            Some(ErrorCode::CannotOpen | ErrorCode::OutOfMemory | ErrorCode::FileLockingProtocolFailed) => {
                "it cannot be used now"
            }
            Some(ErrorCode::SystemIoFailure) => "reading or writing the disk failed",
            _ => return Self::Invalid(error.to_string()),
        };
        Self::Unavailable(format!("{advice} ({error})"))
    }
}

impl From<Fault<StoreError>> for StoreError {
    fn from(fault: Fault<StoreError>) -> Self {
        match fault {
            Fault::Unavailable(reason) => Self::Unavailable(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) | Fault::Replaced(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<AdminError>> for AdminError {
    fn from(fault: Fault<AdminError>) -> Self {
        match fault {
            Fault::Unavailable(reason) => Self::Unavailable(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) | Fault::Replaced(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<DirectoryError>> for DirectoryError {
    fn from(fault: Fault<DirectoryError>) -> Self {
        match fault {
            Fault::Unavailable(reason) | Fault::OutcomeUnknown(reason) => Self::Unavailable(reason),
            Fault::Invalid(reason) | Fault::Replaced(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

impl From<Fault<RegistryError>> for RegistryError {
    fn from(fault: Fault<RegistryError>) -> Self {
        match fault {
            Fault::Unavailable(reason) | Fault::Replaced(reason) => Self::NotDone(reason),
            Fault::OutcomeUnknown(reason) => Self::OutcomeUnknown(reason),
            Fault::Invalid(reason) => Self::Invalid(reason),
            Fault::Refused(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_sqlite_says_at_opening_has_a_name_and_an_advice() {
        let rights = "a.db cannot be written: give this user the right to write the file and its folder";
        let cases = [
            (
                ffi::SQLITE_FULL,
                "the disk that holds a.db is full: free some space; the file may have been created",
            ),
            (ffi::SQLITE_CANTOPEN, rights),
            (ffi::SQLITE_READONLY, rights),
            (ffi::SQLITE_BUSY, "a.db is locked by another process: end that process, or let it finish"),
            (ffi::SQLITE_NOTADB, "a.db is not an SQLite database: move it away, or name another file"),
            (
                ffi::SQLITE_CORRUPT,
                "a.db is damaged (it is malformed): restore it from a copy, or move it away to begin anew",
            ),
        ];
        for (code, expected) in cases {
            let error = Error::SqliteFailure(ffi::Error::new(code), Some("it is malformed".to_owned()));
            assert_eq!(OpenError::new("a.db", &error).to_string(), expected);
        }
    }
}
