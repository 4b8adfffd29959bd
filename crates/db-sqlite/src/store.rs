use std::fmt;

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{Clock, Position, RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::connection::Connections;
use crate::error::Fault;
use crate::record::{self, stored};

/// The request store of a [`SqliteDatabase`](crate::SqliteDatabase). Each `apply` is one transaction with one wait for the
/// disk: a caller with much to write gives much at once.
#[derive(Clone)]
pub struct SqliteStore {
    connections: Connections,
    clock: Clock,
}

impl SqliteStore {
    pub(crate) fn new(connections: Connections, clock: Clock) -> Self {
        Self { connections, clock }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// Makes `ours` the epoch in force, or refuses it because a newer one is. The transaction holds the write lock: nobody
/// raises the epoch between this and the commit.
fn fence(connection: &Connection, group: &Group, ours: Epoch) -> Result<(), Fault<StoreError>> {
    let current = epoch(connection, group)?;
    if ours < current {
        return Err(Fault::Refused(StoreError::Fenced { ours, current }));
    }
    if ours > current {
        connection
            .prepare_cached("INSERT OR REPLACE INTO epoch (group_name, epoch) VALUES (?1, ?2)")?
            .execute((group.as_str(), stored("epoch", "epoch", ours.0)?))?;
    }
    Ok(())
}

fn epoch(connection: &Connection, group: &Group) -> Result<Epoch, Fault<StoreError>> {
    let epoch: Option<i64> = connection
        .prepare_cached("SELECT epoch FROM epoch WHERE group_name = ?1")?
        .query_row([group.as_str()], |row| row.get(0))
        .optional()?;
    u64::try_from(epoch.unwrap_or_default())
        .map(Epoch)
        .map_err(|_| Fault::invalid("epoch", "epoch", "it is negative"))
}

#[async_trait]
impl RequestStore for SqliteStore {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        let group = group.clone();
        Ok(self.connections.read(move |connection| epoch(connection, &group)).await?)
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        let group = group.clone();
        Ok(self.connections.write(move |connection| fence(connection, &group, epoch)).await?)
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        let group = group.clone();
        Ok(self.connections.read(move |connection| record::load(connection, &group)).await?)
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        let (group, writes) = (group.clone(), writes.to_vec());
        let apply = move |connection: &rusqlite::Transaction<'_>| {
            fence(connection, &group, epoch)?;
            for write in &writes {
                match write {
                    Write::Put(record) => record::put(connection, &group, record)?,
                    Write::Delete(id) => record::delete(connection, &group, *id)?,
                }
            }
            Ok(())
        };
        self.connections.write(apply).await?;
        Ok(None)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok((self.clock)())
    }
}
