use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Fault, OpenError};
use crate::file::{self, Identity};
use crate::schema;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Write,
    Read,
    Registry,
}

/// The database that was opened.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) path: PathBuf,
    pub(crate) busy_timeout: Duration,
    /// Which database it is: see `migrations/V4__identity.sql`.
    pub(crate) id: String,
}

/// A connection that notices when its path leads to another file.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    role: Role,
    file: Identity,
    log: Identity,
    /// Which connection this is: another after each change of the file.
    pub(crate) generation: u64,
}

impl Link {
    pub(crate) fn new(connection: Connection, role: Role) -> Self {
        Self { connection, role, file: None, log: None, generation: 0 }
    }

    /// Connects to the file, whose schema is up to date.
    pub(crate) fn open(path: &Path, role: Role, busy_timeout: Duration) -> Result<Self, OpenError> {
        let connection = connect(path, role, busy_timeout).map_err(|error| OpenError::new(path, &error))?;
        Self::remember(path, connection, role)
    }

    /// Remembers the file that was just opened.
    pub(crate) fn remember(path: &Path, connection: Connection, role: Role) -> Result<Self, OpenError> {
        let failed = |error: rusqlite::Error| OpenError::new(path, &error);
        // A first look makes SQLite open its log.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
        let gone = |fault: Fault<()>| OpenError::Other { path: path.to_owned(), reason: fault.to_string() };
        let file = file::present(path).map_err(gone)?;
        Ok(Self { file, log: file::log_of(path), ..Self::new(connection, role) })
    }

    /// Makes sure that the path still leads to the file that is open. Another file that is the same database (a copy that
    /// was put there) is opened in its place; one that is not is refused.
    pub(crate) fn follow<E>(&mut self, home: &Home) -> Result<(), Fault<E>> {
        let path = &home.path;
        if file::present(path)? == self.file {
            return Ok(());
        }
        // Looked at without the log beside it, which may be that of the former file.
        if let Some(found) = identity_of(path)
            && found != home.id
        {
            return Err(another(home, &found));
        }
        if self.log.is_some() && file::log_of(path) == self.log {
            return Err(Fault::Replaced(format!(
                "{} was replaced by another file under the running service, and the log of the former is still beside \
                 it: put the former back, or take the new file away, remove {}, and put it there again",
                path.display(),
                file::log_path(path).display()
            )));
        }
        let failed = |error: OpenError| match error {
            OpenError::Locked(_) | OpenError::DiskFull(_) => Fault::Unavailable(error.to_string()),
            _ => Fault::Replaced(format!(
                "{} was replaced under the running service by what cannot be used: put the former back ({error})",
                path.display()
            )),
        };
        schema::is_current(path, &Connection::open_with_flags(path, FLAGS)?).map_err(failed)?;
        let next = Self::open(path, self.role, home.busy_timeout).map_err(failed)?;
        use_write_ahead_log(path, &next.connection, home.busy_timeout).map_err(failed)?;
        let found = id(&next.connection)?;
        if found != home.id {
            return Err(another(home, &found));
        }
        *self = Self { generation: self.generation + 1, ..next };
        Ok(())
    }
}

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

fn connect(path: &Path, role: Role, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, FLAGS)?;
    connection.busy_timeout(busy_timeout)?;
    match role {
        Role::Write => safe(&connection)?,
        Role::Read => connection.pragma_update(None, "query_only", true)?,
        // It waits by itself: SQLite looks ever less often.
        Role::Registry => connection.busy_timeout(Duration::ZERO)?,
    }
    Ok(connection)
}

/// How the directory and the requests are written.
pub(crate) fn safe(connection: &Connection) -> rusqlite::Result<()> {
    // FULL: a commit is on the disk before it is confirmed, also if the power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Others can read while one writes. The mode stays with the file; for the switch SQLite does not wait while another
/// process looks at the file, so this does.
pub(crate) fn use_write_ahead_log(
    path: &Path,
    connection: &Connection,
    patience: Duration,
) -> Result<(), OpenError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let failed = |error: rusqlite::Error| OpenError::new(path, &error);
    let mut pauses = patience.as_millis() / PAUSE.as_millis();
    let timeout: u32 = connection.query_row("PRAGMA busy_timeout", [], |row| row.get(0)).map_err(failed)?;
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    let mode = loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && pauses > 0 => {
                pauses -= 1;
                std::thread::sleep(PAUSE);
            }
            result => break result.map_err(failed)?,
        }
    };
    connection.busy_timeout(Duration::from_millis(timeout.into())).map_err(failed)?;
    if mode == "wal" {
        return Ok(());
    }
    let reason = "its file system allows no write-ahead log: name a file on a local disk".to_owned();
    Err(OpenError::Other { path: path.to_owned(), reason })
}

pub(crate) fn id(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("SELECT id FROM database_identity", [], |row| row.get(0))
}

/// Which database the file itself is, if it tells: what is in a log beside it does not count.
fn identity_of(path: &Path) -> Option<String> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    id(&Connection::open_with_flags(file::immutable_uri(path), flags).ok()?).ok()
}

fn another<E>(home: &Home, found: &str) -> Fault<E> {
    Fault::Replaced(format!(
        "{} was replaced by another database ({found}, not {}) under the running service: put the former back, or stop \
         the service, remove {}, and start it with the new one",
        home.path.display(),
        home.id,
        file::log_path(&home.path).display()
    ))
}
