use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{Position, RequestStore, StoreError, Write};
use ringback_db_postgres::PostgresStore;
use ringback_model::{Epoch, Group, Timestamp};

use super::clock::Clocks;
use super::real::Real;

/// The requests of one scenario, whatever it calls its group.
pub(super) struct SimulatedStore {
    pub(super) real: Real,
    pub(super) behind: PostgresStore,
    pub(super) clocks: Clocks,
    pub(super) group: Group,
}

#[async_trait]
impl RequestStore for SimulatedStore {
    async fn epoch(&self, _group: &Group) -> Result<Epoch, StoreError> {
        self.real.wait(self.behind.epoch(&self.group))
    }

    async fn claim(&self, _group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.real.wait(self.behind.claim(&self.group, epoch))
    }

    async fn load(&self, _group: &Group) -> Result<Vec<Record>, StoreError> {
        self.real.wait(self.behind.load(&self.group))
    }

    async fn apply(
        &self,
        _group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.real.wait(self.behind.apply(&self.group, epoch, writes))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let set = self.clocks.set();
        self.real.wait(async {
            set.await?;
            self.behind.now().await
        })
    }
}
