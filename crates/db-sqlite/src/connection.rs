use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::{Mutex, watch};

use crate::error::{Fault, OpenError};
use crate::file;
use crate::link::{self, Home, Link, Role, safe, use_write_ahead_log};
use crate::schema;

/// The connections to one database, shared by all its ports: one that writes, one that reads beside it, and one for the
/// registry, which must not queue behind the writes (in memory one for all). The mutexes are fair, so that calls act in
/// the order in which they were made; a call that was begun is finished even if nobody waits for it any more.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    writer: Arc<Mutex<Link>>,
    reader: Arc<Mutex<Link>>,
    registry: Arc<Mutex<Link>>,
    /// Held for each transaction that writes, whichever connection it is on: SQLite lets one write at a time, and gives
    /// the file to whoever happens to ask next. This is fair: the registry waits for one write at most.
    turn: Arc<Mutex<()>>,
    /// How long the registry waits for another process.
    patience: Duration,
    /// None in memory.
    home: Option<Arc<Home>>,
    /// Wakes the feeds of this process after a write to the directory.
    pub(crate) directory_changed: Arc<watch::Sender<()>>,
    /// Wakes who waits for changes of the registry in this process.
    pub(crate) registry_changed: Arc<watch::Sender<()>>,
}

impl Connections {
    /// Opens or creates the file. Blocks.
    pub(crate) fn open(path: &Path, busy_timeout: Duration) -> Result<Self, OpenError> {
        let path = &file::check_path(path)?;
        let failed = |error: rusqlite::Error| OpenError::new(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut writer =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_CREATE).map_err(failed)?;
        writer.busy_timeout(busy_timeout).map_err(failed)?;
        if writer.is_readonly("main").map_err(failed)? {
            // What is no database is told first: rights would not help it.
            schema::inspect(path, &writer)?;
            return Err(OpenError::NotWritable(path.to_owned()));
        }
        schema::inspect(path, &writer)?;
        use_write_ahead_log(path, &writer, busy_timeout)?;
        prepare(path, &mut writer)?;
        let id = link::id(&writer).map_err(failed)?;
        let open = |role| Link::open(path, role, busy_timeout).map(|link| Arc::new(Mutex::new(link)));
        Ok(Self {
            reader: open(Role::Read)?,
            registry: open(Role::Registry)?,
            writer: Arc::new(Mutex::new(Link::remember(path, writer, Role::Write)?)),
            turn: Arc::default(),
            patience: busy_timeout,
            home: Some(Arc::new(Home { path: path.clone(), busy_timeout, id })),
            directory_changed: Arc::default(),
            registry_changed: Arc::default(),
        })
    }

    /// A database that lives as long as this. Blocks.
    pub(crate) fn open_in_memory() -> Result<Self, OpenError> {
        let path = Path::new(":memory:");
        let mut connection = Connection::open_in_memory().map_err(|error| OpenError::new(path, &error))?;
        prepare(path, &mut connection)?;
        let writer = Arc::new(Mutex::new(Link::new(connection, Role::Write)));
        Ok(Self {
            reader: Arc::clone(&writer),
            registry: Arc::clone(&writer),
            writer,
            turn: Arc::default(),
            patience: Duration::ZERO,
            home: None,
            directory_changed: Arc::default(),
            registry_changed: Arc::default(),
        })
    }

    /// Reads, seeing one state of the database throughout.
    pub(crate) async fn read<T, E>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, Fault<E>> + Send + 'static,
    ) -> Result<T, Fault<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.read_over(move |_, connection| read(connection)).await
    }

    /// As [`read`](Self::read), told which connection it is over: another after the file was another meanwhile.
    pub(crate) async fn read_over<T, E>(
        &self,
        read: impl FnOnce(u64, &Transaction<'_>) -> Result<T, Fault<E>> + Send + 'static,
    ) -> Result<T, Fault<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let home = self.home.clone();
        let mut link = Arc::clone(&self.reader).lock_owned().await;
        blocking(move || {
            home.map_or(Ok(()), |home| link.follow(&home))?;
            let transaction = Transaction::new_unchecked(&link.connection, TransactionBehavior::Deferred)?;
            read(link.generation, &transaction)
        })
        .await
    }

    /// Writes, all or nothing; durable when it returns.
    pub(crate) async fn write<T, E>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault<E>> + Send + 'static,
    ) -> Result<T, Fault<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let home = self.home.clone();
        let mut link = Arc::clone(&self.writer).lock_owned().await;
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            home.map_or(Ok(()), |home| link.follow(&home))?;
            let done = transact(&link.connection, Duration::ZERO, write);
            drop(turn);
            done
        })
        .await
    }

    /// Writes as the registry does: all or nothing, and seen by every process when it returns. Only if it is `durable`
    /// it waits for the disk: a heartbeat that is lost with the power is lost with those who sent it.
    pub(crate) async fn write_registry<T, E>(
        &self,
        durable: bool,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault<E>> + Send + 'static,
    ) -> Result<T, Fault<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (home, patience) = (self.home.clone(), self.patience);
        let mut link = Arc::clone(&self.registry).lock_owned().await;
        let turn = Arc::clone(&self.turn).lock_owned().await;
        blocking(move || {
            if let Some(home) = home {
                link.follow(&home)?;
                let mode = if durable { "FULL" } else { "NORMAL" };
                link.connection.pragma_update(None, "synchronous", mode)?;
            }
            let done = transact(&link.connection, patience, write);
            drop(turn);
            done
        })
        .await
    }
}

/// One transaction that writes. Blocks; looks every millisecond whether another process has given the file free, beyond
/// what the connection itself waits.
fn transact<T, E>(
    connection: &Connection,
    patience: Duration,
    write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault<E>>,
) -> Result<T, Fault<E>> {
    const PAUSE: Duration = Duration::from_millis(1);
    let mut pauses = patience.as_millis();
    let transaction = loop {
        match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && pauses > 0 => {
                pauses -= 1;
                std::thread::sleep(PAUSE);
            }
            begun => break begun?,
        }
    };
    let value = write(&transaction)?;
    transaction.commit().map_err(|error| match error.sqlite_error_code() {
        // The log may have reached the disk or not.
        Some(ErrorCode::SystemIoFailure) => Fault::OutcomeUnknown(error.to_string()),
        _ => error.into(),
    })?;
    Ok(value)
}

fn prepare(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| OpenError::new(path, &error);
    safe(connection).map_err(failed)?;
    // Proves that it can be written before anything is.
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").map_err(failed)?;
    schema::migrate(path, connection)
}

/// On one of tokio's blocking threads: a paused clock stands still meanwhile.
async fn blocking<T, E>(call: impl FnOnce() -> Result<T, Fault<E>> + Send + 'static) -> Result<T, Fault<E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            Err(_) => Err(Fault::Unavailable("the program is shutting down".to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ringback_db::{AdminError, Directory, DirectoryAdmin};
    use ringback_election::{Incarnation, Intent, Member, Registry, RegistryError, Report};
    use ringback_model::{Group, Millis, Timestamp};

    use super::*;
    use crate::directory::SqliteDirectory;
    use crate::registry::SqliteRegistry;

    /// A limit on the pages of the file stands for the end of the disk.
    #[tokio::test]
    async fn a_full_disk_fails_the_write_whole_and_heals() {
        let folder = tempfile::tempdir().unwrap();
        let connections = Connections::open(&folder.path().join("a.db"), Duration::ZERO).unwrap();
        let directory = SqliteDirectory::new(connections.clone());
        let limit = async |pages: u32| {
            let writer = Arc::clone(&connections.writer).lock_owned().await;
            writer.connection.pragma_update(None, "max_page_count", pages).unwrap();
        };
        let (group, long) = (Group::default(), "x".repeat(100_000));
        limit(1).await;
        let expected = AdminError::Unavailable(
            "the disk is full: free some space (database or disk is full)".to_owned(),
        );
        assert_eq!(directory.set_parameter(&group, "P", Some(&long)).await, Err(expected));
        assert_eq!(directory.parameters(&group).await, Ok(vec![]));
        limit(100_000).await;
        assert_eq!(directory.set_parameter(&group, "P", Some(&long)).await, Ok(()));
        assert_eq!(directory.parameters(&group).await, Ok(vec![("P".to_owned(), long)]));
    }

    /// The same of the registry: nothing was done, and it goes on once there is space.
    #[tokio::test]
    async fn a_full_disk_is_not_done_by_the_registry() {
        let folder = tempfile::tempdir().unwrap();
        let connections = Connections::open(&folder.path().join("a.db"), Duration::ZERO).unwrap();
        let clock: ringback_db::Clock = Arc::new(|| Timestamp(5));
        let registry = SqliteRegistry::new(connections.clone(), Some(clock), None);
        let limit = async |pages: u32| {
            let link = Arc::clone(&connections.registry).lock_owned().await;
            link.connection.pragma_update(None, "max_page_count", pages).unwrap();
        };
        let report = |last: u8| {
            let address = std::net::Ipv4Addr::new(10, 0, 0, last).into();
            let member = Member::new(address, Incarnation(last.into()), Timestamp(0));
            Report { member, ready: true, length: Millis(1000), intent: Intent::Watch }
        };
        let group = Group::default();
        let mut refused = None;
        limit(1).await;
        for last in 1..=250 {
            if let Err(error) = registry.tick(&group, &report(last)).await {
                refused = Some((last, error));
                break;
            }
        }
        let (last, error) = refused.unwrap();
        let reason = "the disk is full: free some space (database or disk is full)".to_owned();
        assert_eq!(error, RegistryError::NotDone(reason));
        let live = async || registry.read(&group).await.map(|view| view.members.len());
        assert_eq!(live().await, Ok(usize::from(last) - 1));
        limit(100_000).await;
        registry.tick(&group, &report(last)).await.unwrap();
        assert_eq!(live().await, Ok(usize::from(last)));
    }

    /// What was begun is finished although nobody waits for it, and what comes later comes after it.
    #[tokio::test]
    async fn a_call_that_is_given_up_keeps_its_place() {
        let connections = Connections::open_in_memory().unwrap();
        let directory = SqliteDirectory::new(connections);
        let group = Group::default();
        for round in 0..50 {
            let mut given_up = directory.set_parameter(&group, "P", Some("old"));
            std::future::poll_fn(|context| {
                let _ = given_up.as_mut().poll(context);
                std::task::Poll::Ready(())
            })
            .await;
            drop(given_up);
            directory.set_parameter(&group, "P", Some("new")).await.unwrap();
            let expected = vec![("P".to_owned(), "new".to_owned())];
            assert_eq!(directory.parameters(&group).await, Ok(expected), "round {round}");
        }
    }
}
