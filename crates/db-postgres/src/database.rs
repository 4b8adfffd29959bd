use std::fmt;

use ringback_model::{Group, Millis};
use secrecy::{ExposeSecret, SecretString};

use crate::address::Address;
use crate::connection::{Connections, Role, role_config};
use crate::directory::PostgresDirectory;
use crate::error::OpenError;
use crate::feed::PostgresFeed;
use crate::registry::PostgresRegistry;
use crate::schema;
use crate::store::PostgresStore;
use crate::tls;

/// How a database is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// What the connections are called in `pg_stat_activity`, followed by what each is for: `ringback/writer`. Default
    /// `ringback`.
    pub application_name: String,
    /// The password, if it is not in the address. Default `None`.
    pub password: Option<SecretString>,
    /// How many connections read, and write the directory; besides them there are four at most: one that writes requests,
    /// two of the registry, one that listens. Default 4.
    pub connections: usize,
    /// How long a connection may take to come about, for each host. Default 1 s.
    pub connect_timeout: Millis,
    /// How long the server may work on a write of requests, or a call to the registry, before it gives up. Default 1 s: less
    /// than the 2 s after which a save counts as failed. This side waits half a second longer.
    pub write_timeout: Millis,
    /// The same for whatever reads, and for writes of the directory. Default 5 s: all requests of a big site are loaded in
    /// one go.
    pub read_timeout: Millis,
    /// The same for bringing the schema up to date. Default 60 s.
    pub setup_timeout: Millis,
    /// How often the connection that hears of changes is tried out. Default 2 s: a link that is dead without a word is
    /// found after this and [`write_timeout`](Self::write_timeout).
    pub probe_interval: Millis,
    /// Whether to make the schema, and bring it up to date. Default `true`. If not, a database whose schema is older is
    /// refused: for sites where another user owns the tables.
    pub migrate: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            application_name: "ringback".to_owned(),
            password: None,
            connections: 4,
            connect_timeout: Millis::from_secs(1),
            write_timeout: Millis::from_secs(1),
            read_timeout: Millis::from_secs(5),
            setup_timeout: Millis::from_secs(60),
            probe_interval: Millis::from_secs(2),
            migrate: true,
        }
    }
}

/// An open database: directory, requests, registry, or any of them. A clone is the same one.
///
/// A connection that is lost is made anew at the next call, and the listening one at once; nothing is to be done when the
/// server restarts, or another one takes its place.
#[derive(Clone)]
pub struct PostgresDatabase {
    connections: Connections,
    place: String,
}

impl PostgresDatabase {
    /// Connects, makes the schema or brings it up to date, and begins to listen for changes. Needs a tokio runtime with time
    /// and I/O, now and later.
    ///
    /// The address is `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts are separated by commas, and the one
    /// that can be written counts. After a `?`:
    ///
    /// - `sslmode`: `disable` never encrypts; `prefer` (the default) encrypts if the server can; `require` always encrypts,
    ///   but takes whoever answers for the server; `verify-full` demands a certificate for the name of the host. Beyond
    ///   networks that are trusted, only the last one protects the password and the requests.
    /// - `sslrootcert`: the PEM file of the authority that made the server's certificate; without it those count that the
    ///   system trusts.
    /// - what else tokio-postgres knows: `options`, `channel_binding`, and so on.
    ///
    /// # Errors
    /// Every reason has its own variant, which says what to do.
    pub async fn open(address: &str, options: Options) -> Result<Self, OpenError> {
        let Address { mut config, protection, place } = Address::parse(address)?;
        if let Some(password) = &options.password {
            config.password(password.expose_secret());
        }
        let tls = tls::connector(&protection)?;
        schema::prepare(&role_config(&config, Role::Setup, &options), &tls, &place, &options).await?;
        let process = process().map_err(|reason| OpenError::Other { place: place.clone(), reason })?;
        let connections = Connections::new(&config, &tls, &options, &process)?;
        Ok(Self { connections, place })
    }

    /// Where it is, for people: without the password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The directory in this database.
    #[must_use]
    pub fn directory(&self) -> PostgresDirectory {
        PostgresDirectory::new(self.connections.clone())
    }

    /// A feed of the changes in one group of the directory, whoever makes them.
    #[must_use]
    pub fn feed(&self, group: &Group) -> PostgresFeed {
        PostgresFeed::new(self.connections.clone(), group.clone())
    }

    /// Replaces the clock of this database, for good, by one that shows what it is told: for simulations alone.
    ///
    /// # Errors
    /// Those of the store; nothing was changed.
    #[cfg(feature = "simulated-clock")]
    pub async fn simulate_clock(&self) -> Result<crate::SimulatedClock, ringback_db::StoreError> {
        crate::SimulatedClock::install(self.connections.clone()).await
    }

    /// The registry of the election in this database.
    #[must_use]
    pub fn registry(&self) -> PostgresRegistry {
        PostgresRegistry::new(self.connections.clone())
    }

    /// The request store in this database.
    #[must_use]
    pub fn store(&self) -> PostgresStore {
        PostgresStore::new(self.connections.clone())
    }
}

impl fmt::Debug for PostgresDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDatabase").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Tells the writers of one process from those of others.
fn process() -> Result<String, String> {
    let number = getrandom::u64().map_err(|error| format!("the system has no random numbers ({error})"))?;
    Ok(format!("{number:016x}"))
}
