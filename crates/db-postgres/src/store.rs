use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{RequestRow, RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, RequestId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};

type Result<T> = std::result::Result<T, Fault<StoreError>>;

const LOAD: &str =
    "SELECT id_epoch, id_number, caller_device, caller_partition, caller_dn, called_partition, called_dn,
        dialled_dn, kind, since_ms, expires_ms, origin_call, phase, turn_alert, turn_until_ms, turn_alerted,
        dialing_in_turn, cycle, alerts, notified_ms
    FROM request WHERE group_name = $1 ORDER BY since_ms, id_epoch, id_number";

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

    async fn write(&self, group: &Group, ours: Epoch, batch: Option<&Batch>) -> Result<()> {
        let group = group.as_str();
        let epoch = signed(ours)?;
        let answer = match batch {
            None => {
                let fence = "SELECT refusal, current FROM store_fence($1, $2)";
                self.connections.query(Role::Writer, Effect::Write, fence, &[&group, &epoch]).await?
            }
            Some(Batch { gone, kept }) => {
                let apply = "SELECT refusal, current FROM store_apply($1, $2, $3, $4)";
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
            None => Ok(()),
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
        Ok(self.write(group, epoch, None).await?)
    }

    async fn load(&self, group: &Group) -> std::result::Result<Vec<Record>, StoreError> {
        let rows = self.connections.query(Role::Work, Effect::None, LOAD, &[&group.as_str()]).await?;
        Ok(rows.iter().map(record).collect::<Result<_>>()?)
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> std::result::Result<(), StoreError> {
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
