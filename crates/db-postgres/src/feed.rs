use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, DirectoryError, FeedError, Table};
use ringback_model::Group;
use tokio::sync::watch;

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};
use crate::listener::Heard;

/// So many changes are read at once.
const BATCH: i64 = 256;

/// When the log could not be read although somebody listens, it is tried again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// One look at the log, in one statement, so that it sees one state: where the log begins and ends, and what is new.
const NEWS: &str = "SELECT ends.oldest, ends.newest, log.seq, log.table_name, log.key
    FROM (SELECT (SELECT seq FROM change_log_start) AS oldest,
                 (SELECT coalesce(max(seq), 0) FROM change_log) AS newest) AS ends
    LEFT JOIN LATERAL (
        SELECT seq, table_name, key FROM change_log WHERE seq > $1 AND group_name = $2 ORDER BY seq LIMIT $3
    ) AS log ON true
    ORDER BY log.seq";

/// The changes of one group in the directory of a [`PostgresDatabase`](crate::PostgresDatabase), whoever made them.
///
/// The truth is the table `change_log`, filled by triggers; a notification only says when to look. After each loss of the
/// connection that listens, and when the log no longer holds what comes next, `Resync` is told.
#[derive(Debug)]
pub struct PostgresFeed {
    connections: Connections,
    heard: watch::Receiver<Heard>,
    group: Group,
    /// Which connection was listening at the last look, and how much it had heard.
    looked: (u64, u64),
    /// The last change that was read; `None`: a `Resync` is due.
    position: Option<i64>,
    /// There is more to read, whatever is heard.
    more: bool,
    /// Read, not yet told.
    ready: VecDeque<Change>,
    /// That the database is lost has been told.
    told_lost: bool,
}

impl PostgresFeed {
    pub(crate) fn new(connections: Connections, group: Group) -> Self {
        let heard = connections.listener.subscribe();
        Self {
            connections,
            heard,
            group,
            looked: (0, 0),
            position: None,
            more: false,
            ready: VecDeque::new(),
            told_lost: false,
        }
    }

    /// Waits until there is something to read, or the connection that listens is lost.
    async fn wait(&mut self) -> Result<(u64, u64), String> {
        loop {
            {
                let heard = self.heard.borrow_and_update();
                if let Some(reason) = &heard.lost
                    && !self.told_lost
                {
                    return Err(reason.clone());
                }
                let now = (heard.generation, heard.directory(self.group.as_str()));
                if heard.is_listening() && (now != self.looked || self.more || self.position.is_none()) {
                    return Ok(now);
                }
            }
            // Never an error: the sender lives in the connections.
            drop(self.heard.changed().await);
        }
    }

    /// Reads what is new.
    async fn read(&mut self, now: (u64, u64)) -> Result<(), Fault<DirectoryError>> {
        let position = self.position.filter(|_| now.0 == self.looked.0);
        // Nothing is after the last number: only the ends are asked for.
        let after = position.unwrap_or(i64::MAX);
        let rows = self
            .connections
            .query(Role::Work, Effect::None, NEWS, &[&after, &self.group.as_str(), &BATCH])
            .await?;
        let invalid = |error: tokio_postgres::Error| Fault::of(Effect::None, &error);
        let Some(first) = rows.first() else {
            return Err(Fault::Invalid("change_log has no ends".to_owned()));
        };
        let (oldest, newest): (i64, i64) =
            (first.try_get(0).map_err(invalid)?, first.try_get(1).map_err(invalid)?);
        self.looked = now;
        self.more = false;
        // What was cut off before it was read is lost; so is everything if the log was set back.
        let Some(seq) = position.filter(|seq| *seq >= oldest && *seq <= newest) else {
            self.position = Some(newest);
            self.ready.push_back(Change::Resync);
            return Ok(());
        };
        let (mut last, mut read) = (seq, 0);
        for row in &rows {
            let Some(seq) = row.try_get::<_, Option<i64>>(2).map_err(invalid)? else { break };
            (last, read) = (seq, read + 1);
            // A table that only a newer version knows does not matter to this one.
            if let Some(table) = Table::named(row.try_get(3).map_err(invalid)?) {
                let key = row.try_get(4).map_err(invalid)?;
                self.ready.push_back(Change::Row { seq: seq.cast_unsigned(), table, key });
            }
        }
        self.more = read == BATCH;
        self.position = Some(if self.more { last } else { newest });
        Ok(())
    }

    /// `Resync` comes before anything else once it is back; tells the loss if it has not been told.
    fn lose(&mut self, reason: String) -> Result<Change, FeedError> {
        self.position = None;
        self.told_lost = true;
        Err(FeedError::Lost(reason))
    }
}

#[async_trait]
impl ChangeFeed for PostgresFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            let now = match self.wait().await {
                Ok(now) => now,
                Err(reason) => return self.lose(reason),
            };
            match self.read(now).await {
                Ok(()) => self.told_lost = false,
                Err(fault) => {
                    if !self.told_lost {
                        return self.lose(DirectoryError::from(fault).to_string());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
