use ringback_db::StoreError;
use ringback_model::Timestamp;

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};

/// Everything in the schema takes the time from `ringback_now()`; a sequence is seen by everybody at once.
const STEPS: [&str; 2] = [
    "CREATE SEQUENCE IF NOT EXISTS simulated_now MINVALUE 0",
    "CREATE OR REPLACE FUNCTION ringback_now() RETURNS bigint LANGUAGE sql VOLATILE
        AS 'SELECT last_value FROM simulated_now'",
];

/// The clock of a database in simulated time: it stands still until it is told the time. It is one for all groups.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    connections: Connections,
}

impl SimulatedClock {
    pub(crate) async fn install(connections: Connections) -> Result<Self, StoreError> {
        let install = async |transaction: &deadpool_postgres::Transaction<'_>| {
            for step in STEPS {
                let failed = |error| Fault::<StoreError>::of(Effect::None, &error);
                transaction.execute(step, &[]).await.map_err(failed)?;
            }
            Ok(())
        };
        connections.transact(Role::Work, install).await?;
        Ok(Self { connections })
    }

    /// It is this time from now on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set(&self, now: Timestamp) -> Result<(), StoreError> {
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        let set = "SELECT setval('simulated_now', $1)";
        let told: Result<_, Fault<StoreError>> =
            self.connections.query(Role::Work, Effect::None, set, &[&now]).await;
        Ok(told.map(drop)?)
    }
}
