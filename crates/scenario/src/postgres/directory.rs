use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback_db::{
    AdminError, ChangeFeed, Directory, DirectoryAdmin, DirectoryError, LineEntry, PhoneConfig, PhoneEntry,
    Table,
};
use ringback_db_postgres::PostgresDirectory;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId};
use ringback_sim::Cut;

use super::feed::Hub;
use super::real::Real;
use crate::nodes::{Severed, SeveredFeed, Wire};
use crate::world::Database;

/// The directory of one scenario, whatever it calls its group; it can be stopped. A clone is the same one.
#[derive(Clone)]
pub(super) struct SimulatedDirectory {
    real: Real,
    behind: PostgresDirectory,
    group: Group,
    hub: Arc<Mutex<Hub>>,
    wire: Wire,
}

/// An alarm setting that is written after each change: whoever has heard of it has heard of the change.
const MARK: &str = "scenario";

impl SimulatedDirectory {
    pub(super) fn new(real: Real, behind: PostgresDirectory, group: Group, hub: Hub) -> Self {
        let wire = Wire::new("it is stopped");
        Self { real, behind, group, hub: Arc::new(Mutex::new(hub)), wire }
    }

    /// For the service to read.
    pub(super) fn reader(&self) -> Arc<dyn Directory> {
        Arc::new(Severed::new(Arc::new(self.clone()) as Arc<dyn Directory>, self.wire.clone()))
    }

    /// What the service hears.
    pub(super) fn feed(&self) -> Box<dyn ChangeFeed> {
        Box::new(SeveredFeed::new(Box::new(self.hub().listen()), &self.wire))
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, and lets no simulated time pass before all have heard of it.
    fn write(&self, write: impl Future<Output = Result<(), AdminError>>) -> Result<(), AdminError> {
        self.wire.admin()?;
        self.real.wait(async {
            write.await?;
            self.behind.set_setting(&self.group, Table::Alarm, MARK, Some("heard")).await
        })?;
        self.real.wait(self.hub().hear_up_to(MARK));
        Ok(())
    }
}

impl Database for SimulatedDirectory {
    fn set_running(&self, running: bool) -> Result<(), String> {
        self.wire.set_cut(if running { None } else { Some(Cut::Both) });
        Ok(())
    }
}

#[async_trait]
impl Directory for SimulatedDirectory {
    async fn phone(&self, _group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        self.real.wait(self.behind.phone(&self.group, device))
    }

    async fn line(&self, _group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.real.wait(self.behind.line(&self.group, line))
    }

    async fn dialled(
        &self,
        _group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.real.wait(self.behind.dialled(&self.group, from, dn))
    }

    async fn parameters(&self, _group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.real.wait(self.behind.parameters(&self.group))
    }

    async fn settings(&self, _group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        let mut settings = self.real.wait(self.behind.settings(&self.group, table))?;
        settings.retain(|(name, _)| (table, name.as_str()) != (Table::Alarm, MARK));
        Ok(settings)
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.real.wait(self.behind.probe())
    }
}

#[async_trait]
impl DirectoryAdmin for SimulatedDirectory {
    async fn put_phone(&self, _group: &Group, phone: &PhoneConfig) -> Result<(), AdminError> {
        self.write(self.behind.put_phone(&self.group, phone))
    }

    async fn remove_phone(&self, _group: &Group, device: &DeviceName) -> Result<(), AdminError> {
        self.write(self.behind.remove_phone(&self.group, device))
    }

    async fn put_template(&self, _group: &Group, name: &str, has_callback: bool) -> Result<(), AdminError> {
        self.write(self.behind.put_template(&self.group, name, has_callback))
    }

    async fn remove_template(&self, _group: &Group, name: &str) -> Result<(), AdminError> {
        self.write(self.behind.remove_template(&self.group, name))
    }

    async fn put_pool(&self, _group: &Group, name: &str, template: Option<&str>) -> Result<(), AdminError> {
        self.write(self.behind.put_pool(&self.group, name, template))
    }

    async fn set_forward_all(
        &self,
        _group: &Group,
        line: &LineId,
        to: Option<&DirectoryNumber>,
    ) -> Result<(), AdminError> {
        self.write(self.behind.set_forward_all(&self.group, line, to))
    }

    async fn set_display_name(
        &self,
        _group: &Group,
        line: &LineId,
        name: Option<&str>,
    ) -> Result<(), AdminError> {
        self.write(self.behind.set_display_name(&self.group, line, name))
    }

    async fn set_do_not_disturb(
        &self,
        _group: &Group,
        device: &DeviceName,
        on: bool,
    ) -> Result<(), AdminError> {
        self.write(self.behind.set_do_not_disturb(&self.group, device, on))
    }

    async fn set_parameter(&self, _group: &Group, name: &str, value: Option<&str>) -> Result<(), AdminError> {
        self.write(self.behind.set_parameter(&self.group, name, value))
    }

    async fn set_setting(
        &self,
        _group: &Group,
        table: Table,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), AdminError> {
        self.write(self.behind.set_setting(&self.group, table, name, value))
    }

    async fn phones(&self, _group: &Group) -> Result<Vec<PhoneConfig>, AdminError> {
        self.wire.admin()?;
        self.real.wait(self.behind.phones(&self.group))
    }
}
