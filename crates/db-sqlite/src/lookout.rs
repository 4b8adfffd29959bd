use ringback_model::Millis;
use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

use crate::connection::Connections;
use crate::error::Fault;

/// Looks for what was written meanwhile, by whichever process. SQLite tells no process of another's writes, so this asks
/// for the version of the data every now and then, which costs microseconds; what this process writes wakes it.
#[derive(Debug)]
pub(crate) struct Lookout {
    connections: Connections,
    poll_interval: Option<Millis>,
    wake: watch::Receiver<()>,
    /// SQLite's version of the data at the last look, of which only differences mean something.
    data_version: Option<i64>,
    /// Over which connection that was.
    over: Option<u64>,
}

impl Lookout {
    /// `wake` is told of the writes of this process.
    pub(crate) fn new(
        connections: Connections,
        poll_interval: Option<Millis>,
        wake: watch::Receiver<()>,
    ) -> Self {
        Self { connections, poll_interval, wake, data_version: None, over: None }
    }

    /// Reads, if anything was written since the last look. `read` is told whether this is the first look, or the first at
    /// another file that was put in the place of the former.
    pub(crate) async fn look<T, E>(
        &mut self,
        read: impl FnOnce(&Transaction<'_>, bool) -> Result<T, Fault<E>> + Send + 'static,
    ) -> Result<Option<T>, Fault<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (before, over) = (self.data_version.take(), self.over);
        let (version, now_over, value) = self
            .connections
            .read_over(move |now_over, connection| {
                let version = data_version(connection)?;
                let fresh = over != Some(now_over);
                let is_news = fresh || before != Some(version);
                let value = if is_news { Some(read(connection, fresh)?) } else { None };
                Ok((version, now_over, value))
            })
            .await?;
        (self.data_version, self.over) = (Some(version), Some(now_over));
        Ok(value)
    }

    /// Forgets the last look: the next one reads in any case.
    pub(crate) fn look_again(&mut self) {
        self.data_version = None;
    }

    /// Waits for a write of this process, or until it is time to look for those of others. Cancel-safe.
    pub(crate) async fn wait(&mut self) {
        // Never an error: the sender lives in the connections.
        let woken = async { drop(self.wake.changed().await) };
        match self.poll_interval {
            Some(interval) => {
                if tokio::time::timeout(interval.to_duration(), woken).await.is_err() {
                    return;
                }
            }
            None => woken.await,
        }
        // The version of the data does not tell a connection of its own writes.
        self.look_again();
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
