use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{Difference, News, Position, RequestRow, RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, RequestId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Json};

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};
use crate::listener::Heard;

type Result<T> = std::result::Result<T, Fault<StoreError>>;

/// The columns that make a record, in the order in which [`record`] takes them.
macro_rules! select_requests {
    ($rest:literal) => {
        concat!(
            "SELECT id_epoch, id_number, caller_device, caller_partition, caller_dn, called_partition, called_dn,
                dialled_dn, kind, since_ms, expires_ms, origin_call, phase, turn_alert, turn_until_ms, turn_alerted,
                dialing_in_turn, cycle, alerts, notified_ms",
            $rest
        )
    };
}

const LOAD: &str =
    select_requests!(" FROM request WHERE group_name = $1 ORDER BY since_ms, id_epoch, id_number");

/// All requests, each with where the store stands. A single row without a request if there is none.
const LOAD_AT: &str = select_requests!(
    ", head.epoch, head.revision, head.mark
    FROM (SELECT coalesce(max(epoch), 0) AS epoch, coalesce(max(revision), 0) AS revision, coalesce(max(mark), 0) AS mark
        FROM epoch WHERE group_name = $1) AS head
    LEFT JOIN request ON group_name = $1
    ORDER BY since_ms, id_epoch, id_number"
);

/// Which requests have been written since a position, if the log has it, and what became of each. If it has not, whether it
/// should. At least one row; in one statement, so that it is one moment.
const NEWS: &str = select_requests!(
    ", head.epoch, head.revision, head.mark, head.is_known, head.total, touched.epoch, touched.number,
        head.revision < $2 OR EXISTS (SELECT 1 FROM request_log WHERE group_name = $1 AND revision <= $2) AS is_ahead
    FROM (SELECT coalesce(max(epoch), 0) AS epoch, coalesce(max(revision), 0) AS revision, coalesce(max(mark), 0) AS mark,
            coalesce(bool_or(revision = $2 AND mark = $3), false) OR EXISTS (
                SELECT 1 FROM request_log WHERE group_name = $1 AND revision = $2 AND mark = $3) AS is_known,
            (SELECT count(*) FROM request WHERE group_name = $1) AS total
        FROM epoch WHERE group_name = $1) AS head
    LEFT JOIN LATERAL (
        SELECT DISTINCT id_epoch AS epoch, id_number AS number FROM request_log
        WHERE head.is_known AND group_name = $1 AND revision > $2
    ) AS touched ON true
    LEFT JOIN request ON group_name = $1 AND id_epoch = touched.epoch AND id_number = touched.number"
);

/// The request store of a [`PostgresDatabase`](crate::PostgresDatabase). Each `apply` is one exchange with the server,
/// whatever it holds, and one wait for its disk: a caller with much to write gives much at once.
///
/// All writes of a process go over one connection, in their order. When that is lost while an answer is awaited, the
/// outcome is unknown; once anything has been written over the next connection, what was sent over the former and is
/// still under way is refused: what is written again, or taken back, stays so.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    connections: Connections,
}

impl PostgresStore {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }

    /// All requests, and where the store stands with them.
    async fn load_at(&self, group: &Group) -> Result<News> {
        let rows = self.connections.query(Role::Work, Effect::None, LOAD_AT, &[&group.as_str()]).await?;
        let position = rows.first().map(position).transpose()?;
        let records = rows.iter().filter_map(|row| joined(row).transpose()).collect::<Result<_>>()?;
        Ok(News { position, ..News::untracked(records) })
    }

    /// What was written since. If the log does not have that: whether it should.
    async fn news_since(&self, group: &Group, since: Position) -> Result<std::result::Result<News, SetBack>> {
        let (Ok(revision), Ok(mark)) = (i64::try_from(since.revision), i64::try_from(since.mark)) else {
            return Ok(Err(SetBack(true)));
        };
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&group.as_str(), &revision, &mark];
        let rows = self.connections.query(Role::Work, Effect::None, NEWS, &values).await?;
        let Some(first) = rows.first() else {
            return Err(Fault::Invalid("the store gave no answer".to_owned()));
        };
        if !column::<bool>(first, 23)? {
            return Ok(Err(SetBack(column(first, 27)?)));
        }
        let total = unsigned("request", "count", column(first, 24)?)?;
        let (mut put, mut deleted) = (Vec::new(), Vec::new());
        for row in &rows {
            match (joined(row)?, column::<Option<i64>>(row, 25)?) {
                (Some(record), _) => put.push(record),
                (None, Some(epoch)) => deleted.push(RequestId {
                    epoch: Epoch(unsigned("request_log", "id_epoch", epoch)?),
                    number: unsigned("request_log", "id_number", column(row, 26)?)?,
                }),
                (None, None) => {}
            }
        }
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let difference = Difference::Since { put, deleted };
        Ok(Ok(News { position: Some(position(first)?), total, difference, set_back: false }))
    }

    async fn write(&self, group: &Group, ours: Epoch, batch: Option<&Batch>) -> Result<Option<Position>> {
        let group = group.as_str();
        let epoch = signed(ours)?;
        let answer = match batch {
            None => {
                let fence = "SELECT refusal, current, NULL::bigint, NULL::bigint FROM store_fence($1, $2)";
                self.connections.query(Role::Writer, Effect::Write, fence, &[&group, &epoch]).await?
            }
            Some(Batch { gone, kept }) => {
                let apply = "SELECT refusal, current, revision, mark FROM store_apply($1, $2, $3, $4)";
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                    [&group, &epoch, &Json(gone), &Json(kept)];
                self.connections.query(Role::Writer, Effect::Write, apply, &values).await?
            }
        };
        let Some(row) = answer.first() else {
            return Err(Fault::Invalid("the store gave no answer".to_owned()));
        };
        let invalid = |error: tokio_postgres::Error| Fault::of(Effect::None, &error);
        match row.try_get::<_, Option<&str>>(0).map_err(invalid)? {
            None => match (row.try_get(2).map_err(invalid)?, row.try_get(3).map_err(invalid)?) {
                (Some(revision), Some(mark)) => Ok(Some(Position {
                    epoch: ours,
                    revision: unsigned("epoch", "revision", revision)?,
                    mark: unsigned("epoch", "mark", mark)?,
                })),
                _ => Ok(None),
            },
            Some("epoch") => {
                let current = unsigned("epoch", "epoch", row.try_get(1).map_err(invalid)?)?;
                Err(Fault::Refused(StoreError::Fenced { ours, current: Epoch(current) }))
            }
            Some(_) => {
                Err(Fault::Unavailable("this process writes over a newer connection meanwhile".to_owned()))
            }
        }
    }
}

/// Whether the store should know a position that it does not know.
struct SetBack(bool);

/// What a batch comes to: each request is deleted or kept, the last write counts.
#[derive(Default)]
struct Batch {
    gone: Vec<Key>,
    kept: Vec<RequestRow>,
}

#[derive(Debug, Serialize)]
struct Key {
    epoch: i64,
    number: i64,
}

impl Batch {
    fn of(writes: &[Write]) -> Result<Self> {
        let mut last: BTreeMap<RequestId, Option<RequestRow>> = BTreeMap::new();
        for write in writes {
            match write {
                Write::Put(record) => last.insert(record.id, Some(RequestRow::of(record)?)),
                Write::Delete(id) => last.insert(*id, None),
            };
        }
        let mut batch = Self::default();
        for (id, row) in last {
            match row {
                Some(row) => batch.kept.push(row),
                None => {
                    let (epoch, number) = RequestRow::key(id)?;
                    batch.gone.push(Key { epoch, number });
                }
            }
        }
        Ok(batch)
    }
}

fn record(row: &Row) -> Result<Record> {
    let read = || -> std::result::Result<RequestRow, tokio_postgres::Error> {
        Ok(RequestRow {
            id_epoch: row.try_get(0)?,
            id_number: row.try_get(1)?,
            caller_device: row.try_get(2)?,
            caller_partition: row.try_get(3)?,
            caller_dn: row.try_get(4)?,
            called_partition: row.try_get(5)?,
            called_dn: row.try_get(6)?,
            dialled_dn: row.try_get(7)?,
            kind: row.try_get(8)?,
            since_ms: row.try_get(9)?,
            expires_ms: row.try_get(10)?,
            origin_call: row.try_get(11)?,
            phase: row.try_get(12)?,
            turn_alert: row.try_get(13)?,
            turn_until_ms: row.try_get(14)?,
            turn_alerted: row.try_get(15)?,
            dialing_in_turn: row.try_get(16)?,
            cycle: row.try_get(17)?,
            alerts: row.try_get(18)?,
            notified_ms: row.try_get(19)?,
        })
    };
    let row = read().map_err(|error| Fault::of(Effect::None, &error))?;
    Ok(row.record()?)
}

/// The request of this row, if it has one.
fn joined(row: &Row) -> Result<Option<Record>> {
    let is_there: Option<i64> = column(row, 0)?;
    is_there.map(|_| record(row)).transpose()
}

fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| Fault::of(Effect::None, &error))
}

/// Where the store stands, by the columns after those of the request.
fn position(row: &Row) -> Result<Position> {
    Ok(Position {
        epoch: Epoch(unsigned("epoch", "epoch", column(row, 20)?)?),
        revision: unsigned("epoch", "revision", column(row, 21)?)?,
        mark: unsigned("epoch", "mark", column(row, 22)?)?,
    })
}

fn signed(epoch: Epoch) -> Result<i64> {
    i64::try_from(epoch.0).map_err(|_| Fault::invalid("epoch", "epoch", "the number is above 2^63 - 1"))
}

fn unsigned(table: &str, column: &str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Fault::invalid(table, column, "it is negative"))
}

#[async_trait]
impl RequestStore for PostgresStore {
    async fn epoch(&self, group: &Group) -> std::result::Result<Epoch, StoreError> {
        let query = "SELECT coalesce((SELECT epoch FROM epoch WHERE group_name = $1), 0)";
        let rows = self.connections.query(Role::Work, Effect::None, query, &[&group.as_str()]).await?;
        Ok(Epoch(unsigned("epoch", "epoch", number(&rows)?)?))
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> std::result::Result<(), StoreError> {
        self.write(group, epoch, None).await?;
        Ok(())
    }

    async fn load(&self, group: &Group) -> std::result::Result<Vec<Record>, StoreError> {
        let rows = self.connections.query(Role::Work, Effect::None, LOAD, &[&group.as_str()]).await?;
        Ok(rows.iter().map(record).collect::<Result<_>>()?)
    }

    async fn news(&self, group: &Group, since: Option<Position>) -> std::result::Result<News, StoreError> {
        let set_back = match since {
            Some(since) => match self.news_since(group, since).await? {
                Ok(news) => return Ok(news),
                Err(SetBack(set_back)) => set_back,
            },
            None => false,
        };
        Ok(News { set_back, ..self.load_at(group).await? })
    }

    /// By what the connection that listens sees when it is tried out: no question of its own, for any number of groups.
    async fn newer(&self, group: &Group, since: Option<Position>) {
        let Some(since) = since else { return };
        let mut heard = self.connections.listener.subscribe();
        let is_newer = |heard: &Heard| heard.is_listening() && heard.written(group.as_str()) != since;
        // Never an error: the sender lives in the connections.
        drop(heard.wait_for(is_newer).await);
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> std::result::Result<Option<Position>, StoreError> {
        let batch = if writes.is_empty() { None } else { Some(Batch::of(writes)?) };
        Ok(self.write(group, epoch, batch.as_ref()).await?)
    }

    async fn now(&self) -> std::result::Result<Timestamp, StoreError> {
        let rows = self.connections.query(Role::Work, Effect::None, "SELECT ringback_now()", &[]).await?;
        Ok(Timestamp(unsigned("ringback_now", "now", number(&rows)?)?))
    }
}

fn number(rows: &[Row]) -> Result<i64> {
    let Some(row) = rows.first() else { return Err(Fault::Invalid("the store gave no answer".to_owned())) };
    row.try_get(0).map_err(|error| Fault::of(Effect::None, &error))
}
