use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringback_db::Clock;
use ringback_model::{Group, Millis};

use crate::connection::Connections;
use crate::directory::SqliteDirectory;
use crate::error::OpenError;
use crate::feed::SqliteFeed;
use crate::registry::SqliteRegistry;
use crate::store::SqliteStore;
use crate::uptime::wall_clock;

/// How a database is used.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long a call waits for another process to give the file free before it fails. Default 1 s: less than the 2 s
    /// after which a save counts as failed.
    pub busy_timeout: Millis,
    /// How often a feed looks for writes of other processes. Default 20 ms; `None`: never, for a process that is alone
    /// with the file or runs on simulated time. Writes of this process are always seen at once.
    pub poll_interval: Option<Millis>,
    /// The clock of the store. Default: the wall clock.
    pub clock: Clock,
    /// The clock of the registry, if it is not to be the machine's own. Default `None`: what all processes of the machine
    /// measure alike and nobody can set (on Linux; elsewhere the wall clock, held at the latest moment seen).
    pub registry_clock: Option<Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Millis::from_secs(1),
            poll_interval: Some(Millis(20)),
            clock: Arc::new(wall_clock),
            registry_clock: None,
        }
    }
}

impl Options {
    /// For a simulation: its clock for everything, and no polling, which would keep its time busy.
    #[must_use]
    pub fn simulated(clock: Clock) -> Self {
        Self { poll_interval: None, registry_clock: Some(Arc::clone(&clock)), clock, ..Self::default() }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("busy_timeout", &self.busy_timeout)
            .field("poll_interval", &self.poll_interval)
            .finish_non_exhaustive()
    }
}

/// An open database: the directory, the requests, or both. A clone is the same one.
///
/// A file that is deleted, moved away or replaced while it is open is noticed at the next call: `Unavailable` while
/// nothing is there, `Invalid` while something else is. Once the former is back, or a copy of it with no other log beside
/// it, everything goes on with that, and the feeds tell `Resync`.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    connections: Connections,
    options: Options,
}

impl SqliteDatabase {
    /// Opens the file, creates it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// Every reason has its own variant, which says what to do.
    pub async fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let busy_timeout = options.busy_timeout.to_duration();
        let opened = path.clone();
        let connections = opening(path, move || Connections::open(&opened, busy_timeout)).await?;
        Ok(Self { connections, options })
    }

    /// A database in memory, for tests: it is gone with its last clone.
    ///
    /// # Errors
    /// Memory is short.
    pub async fn open_in_memory(options: Options) -> Result<Self, OpenError> {
        let connections = opening(PathBuf::from(":memory:"), Connections::open_in_memory).await?;
        Ok(Self { connections, options })
    }

    /// The directory in this database.
    #[must_use]
    pub fn directory(&self) -> SqliteDirectory {
        SqliteDirectory::new(self.connections.clone())
    }

    /// A feed of the changes in one group of the directory, by this and other processes.
    #[must_use]
    pub fn feed(&self, group: &Group) -> SqliteFeed {
        SqliteFeed::new(self.connections.clone(), group.clone(), self.options.poll_interval)
    }

    /// The registry of the election in this database, for the processes of one machine.
    #[must_use]
    pub fn registry(&self) -> SqliteRegistry {
        let clock = self.options.registry_clock.clone();
        SqliteRegistry::new(self.connections.clone(), clock, self.options.poll_interval)
    }

    /// The request store in this database.
    #[must_use]
    pub fn store(&self) -> SqliteStore {
        SqliteStore::new(self.connections.clone(), Arc::clone(&self.options.clock))
    }
}

async fn opening(
    path: PathBuf,
    open: impl FnOnce() -> Result<Connections, OpenError> + Send + 'static,
) -> Result<Connections, OpenError> {
    tokio::task::spawn_blocking(open)
        .await
        .unwrap_or_else(|failure| Err(OpenError::Other { path, reason: failure.to_string() }))
}
