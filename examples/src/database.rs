//! Where directory, requests and registry are: a SQLite file, or a PostgreSQL.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ringback::db::{ChangeFeed, Directory, DirectoryAdmin, RequestStore};
use ringback::election::Registry;
use ringback::model::Group;
use ringback_db_postgres::PostgresDatabase;
use ringback_db_sqlite::SqliteDatabase;
use serde::Deserialize;
use thiserror::Error;

/// Why a database was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file.
    #[error(transparent)]
    Sqlite(#[from] ringback_db_sqlite::OpenError),
    /// A server.
    #[error(transparent)]
    Postgres(#[from] ringback_db_postgres::OpenError),
}

/// Where a database is.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Place {
    /// In this file.
    File(PathBuf),
    /// On a server: `postgres://...`. It may hold a password.
    Server(String),
}

impl From<&str> for Place {
    fn from(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Server(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }
}

impl From<String> for Place {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(_) => f.write_str("postgres://..."),
        }
    }
}

/// How the two kinds are used.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A file.
    pub sqlite: ringback_db_sqlite::Options,
    /// A server.
    pub postgres: ringback_db_postgres::Options,
}

/// An open database. A clone is the same one.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file.
    Sqlite(SqliteDatabase),
    /// A server.
    Postgres(PostgresDatabase),
}

impl Database {
    /// Opens it, and brings its schema up to date.
    ///
    /// # Errors
    /// Says what to do.
    pub async fn open(place: &Place, options: &Options) -> Result<Self, OpenError> {
        Ok(match place {
            Place::File(path) => Self::Sqlite(SqliteDatabase::open(path, options.sqlite.clone()).await?),
            Place::Server(address) => {
                Self::Postgres(PostgresDatabase::open(address, options.postgres.clone()).await?)
            }
        })
    }

    /// The directory, to be read.
    #[must_use]
    pub fn directory(&self) -> Arc<dyn Directory> {
        match self {
            Self::Sqlite(database) => Arc::new(database.directory()),
            Self::Postgres(database) => Arc::new(database.directory()),
        }
    }

    /// The directory, to be written.
    #[must_use]
    pub fn admin(&self) -> Arc<dyn DirectoryAdmin> {
        match self {
            Self::Sqlite(database) => Arc::new(database.directory()),
            Self::Postgres(database) => Arc::new(database.directory()),
        }
    }

    /// What changes in the directory of a group.
    #[must_use]
    pub fn feed(&self, group: &Group) -> Box<dyn ChangeFeed> {
        match self {
            Self::Sqlite(database) => Box::new(database.feed(group)),
            Self::Postgres(database) => Box::new(database.feed(group)),
        }
    }

    /// The requests.
    #[must_use]
    pub fn store(&self) -> Arc<dyn RequestStore> {
        match self {
            Self::Sqlite(database) => Arc::new(database.store()),
            Self::Postgres(database) => Arc::new(database.store()),
        }
    }

    /// Where the instances meet.
    #[must_use]
    pub fn registry(&self) -> Arc<dyn Registry> {
        match self {
            Self::Sqlite(database) => Arc::new(database.registry()),
            Self::Postgres(database) => Arc::new(database.registry()),
        }
    }
}
