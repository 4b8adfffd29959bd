use std::collections::VecDeque;

use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, DirectoryError, FeedError, Table};
use ringback_model::{Group, Millis};
use rusqlite::Connection;

use crate::connection::Connections;
use crate::error::Fault;
use crate::lookout::Lookout;

type Result<T> = std::result::Result<T, Fault<DirectoryError>>;

/// So many changes are read at once.
const BATCH: u32 = 256;

/// The changes of one group in the directory of a [`SqliteDatabase`](crate::SqliteDatabase), whichever process made them.
///
/// The truth is the table `change_log`, filled by triggers.
#[derive(Debug)]
pub struct SqliteFeed {
    lookout: Lookout,
    group: Group,
    /// The last change that was read; `None`: a `Resync` is due.
    position: Option<i64>,
    /// Read, not yet told.
    ready: VecDeque<Change>,
    /// That the database is lost has been told.
    told_lost: bool,
}

impl SqliteFeed {
    pub(crate) fn new(connections: Connections, group: Group, poll_interval: Option<Millis>) -> Self {
        let wake = connections.directory_changed.subscribe();
        let lookout = Lookout::new(connections, poll_interval, wake);
        Self { lookout, group, position: None, ready: VecDeque::new(), told_lost: false }
    }

    /// Reads what is new.
    async fn read(&mut self) -> Result<()> {
        let (group, position) = (self.group.clone(), self.position);
        let news = self
            .lookout
            .look(move |connection, fresh| read(connection, &group, position.filter(|_| !fresh)))
            .await?;
        let Some(News { position, changes, more }) = news else { return Ok(()) };
        self.position = Some(position);
        self.ready.extend(changes);
        if more {
            self.lookout.look_again();
        }
        Ok(())
    }
}

/// What one look brings.
struct News {
    position: i64,
    changes: Vec<Change>,
    /// There is more to read.
    more: bool,
}

fn read(connection: &Connection, group: &Group, position: Option<i64>) -> Result<News> {
    let (oldest, newest): (Option<i64>, Option<i64>) = connection
        .prepare_cached("SELECT (SELECT min(seq) FROM change_log), (SELECT max(seq) FROM change_log)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let newest = newest.unwrap_or_default();
    // What lies between the last one read and the oldest one kept is lost; so is everything if the log was set back.
    let missed = |seq: i64| oldest.is_some_and(|oldest| oldest > seq + 1) || newest < seq;
    let Some(seq) = position.filter(|seq| !missed(*seq)) else {
        return Ok(News { position: newest, changes: vec![Change::Resync], more: false });
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
        if let Some(table) = Table::named(&row.get::<_, String>(1)?) {
            changes.push(Change::Row { seq: last.cast_unsigned(), table, key: row.get(2)? });
        }
    }
    let more = read == BATCH;
    Ok(News { position: if more { last } else { newest }, changes, more })
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
                    self.position = None;
                    if !self.told_lost {
                        self.told_lost = true;
                        return Err(FeedError::Lost(DirectoryError::from(fault).to_string()));
                    }
                }
            }
            if self.ready.is_empty() {
                self.lookout.wait().await;
            }
        }
    }
}
