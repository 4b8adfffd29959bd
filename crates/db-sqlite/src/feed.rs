use std::collections::VecDeque;

use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, DirectoryError, FeedError, Table};
use ringback_model::{Group, Millis};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::connection::Connections;
use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<DirectoryError>>;

/// So many changes are read at once.
const BATCH: u32 = 256;

/// The changes of one group in the directory of a [`SqliteDatabase`](crate::SqliteDatabase), whichever process made them.
///
/// The truth is the table `change_log`, filled by triggers. SQLite tells no process of another's writes, so the feed
/// looks for them; what this process writes wakes it.
#[derive(Debug)]
pub struct SqliteFeed {
    connections: Connections,
    group: Group,
    poll_interval: Option<Millis>,
    wake: watch::Receiver<()>,
    position: Position,
    /// Read, not yet told.
    ready: VecDeque<Change>,
    /// That the database is lost has been told.
    told_lost: bool,
}

/// How far the feed has read.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// The last change that was read; `None`: a `Resync` is due.
    seq: Option<i64>,
    /// SQLite's version of the data at that time, of which only differences mean something.
    data_version: Option<i64>,
}

impl SqliteFeed {
    pub(crate) fn new(connections: Connections, group: Group, poll_interval: Option<Millis>) -> Self {
        let wake = connections.directory_changed.subscribe();
        Self {
            connections,
            group,
            poll_interval,
            wake,
            position: Position::default(),
            ready: VecDeque::new(),
            told_lost: false,
        }
    }

    /// Waits for a write of this process, or until it is time to look for those of others. Whether it was the former.
    async fn wait(&mut self) -> bool {
        // Never an error: the sender lives in what this feed shares.
        let woken = async { drop(self.wake.changed().await) };
        match self.poll_interval {
            Some(interval) => tokio::time::timeout(interval.to_duration(), woken).await.is_ok(),
            None => {
                woken.await;
                true
            }
        }
    }

    /// Reads what is new.
    async fn read(&mut self) -> Result<()> {
        let (group, position) = (self.group.clone(), self.position);
        let (position, changes) =
            self.connections.read(move |connection| read(connection, &group, position)).await?;
        self.position = position;
        self.ready.extend(changes);
        Ok(())
    }
}

fn read(connection: &Connection, group: &Group, old: Position) -> Result<(Position, Vec<Change>)> {
    let data_version: i64 =
        connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
    if old.seq.is_some() && old.data_version == Some(data_version) {
        return Ok((old, Vec::new()));
    }
    let (oldest, newest): (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT (SELECT min(seq) FROM change_log), (SELECT max(seq) FROM change_log)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let newest = newest.unwrap_or_default();
    // What lies between the last one read and the oldest one kept is lost; so is everything if the log was set back.
    let missed = |seq: i64| oldest.is_some_and(|oldest| oldest > seq + 1) || newest < seq;
    let Some(seq) = old.seq.filter(|seq| !missed(*seq)) else {
        let position = Position { seq: Some(newest), data_version: Some(data_version) };
        return Ok((position, vec![Change::Resync]));
    };
    let mut statement = connection.prepare_cached(
        "SELECT seq, table_name, key FROM change_log WHERE seq > ?1 AND group_name = ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query((seq, group.as_str(), BATCH))?;
    let (mut last, mut read, mut changes) = (seq, 0, Vec::new());
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        read += 1;
        // A table that only a newer version knows does not matter to this one.
        if let Some(table) = table(&row.get::<_, String>(1)?) {
            changes.push(Change::Row { seq: last.cast_unsigned(), table, key: row.get(2)? });
        }
    }
    let position = if read < BATCH {
        Position { seq: Some(newest), data_version: Some(data_version) }
    } else {
        Position { seq: Some(last), data_version: None }
    };
    Ok((position, changes))
}

fn table(name: &str) -> Option<Table> {
    Some(match name {
        "phone" => Table::Phone,
        "line" => Table::Line,
        "template" => Table::Template,
        "pool" => Table::Pool,
        "parameter" => Table::Parameter,
        _ => return None,
    })
}

#[async_trait]
impl ChangeFeed for SqliteFeed {
    async fn next(&mut self) -> std::result::Result<Change, FeedError> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            match self.read().await {
                Ok(()) => self.told_lost = false,
                Err(fault) => {
                    self.position = Position::default();
                    if !self.told_lost {
                        self.told_lost = true;
                        return Err(FeedError::Lost(DirectoryError::from(fault).to_string()));
                    }
                }
            }
            if self.ready.is_empty() && self.wait().await {
                // The version of the data does not tell a connection of its own writes.
                self.position.data_version = None;
            }
        }
    }
}
