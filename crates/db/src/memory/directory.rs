use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId};
use tokio::sync::watch;

use super::feed::MemoryFeed;
use super::lock;
use super::shared::Shared;
use super::tables::{Changed, Tables};
use crate::admin::{AdminError, DirectoryAdmin, PhoneConfig};
use crate::directory::{Directory, DirectoryError, LineEntry, PhoneEntry};
use crate::feed::{Change, Table};

/// So many changes are kept for feeds that lag; one that lags further is told `Resync`.
const LOG_LENGTH: usize = 1024;

const SWITCHED_OFF: &str = "switched off";

/// A directory in memory. A clone is the same directory.
///
/// [`set_available`](Self::set_available) takes it away and brings it back, as an outage of a database would:
/// meanwhile every call fails with `Unavailable`, and every feed tells `Lost`, then `Resync`.
#[derive(Debug, Clone)]
pub struct MemoryDirectory(Arc<Shared>);

impl Default for MemoryDirectory {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryDirectory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), changed: watch::Sender::new(()) }))
    }

    /// A feed of the changes in one group.
    #[must_use]
    pub fn feed(&self, group: &Group) -> MemoryFeed {
        MemoryFeed::new(Arc::clone(&self.0), group.clone())
    }

    /// Takes the directory away, or brings it back as it was.
    pub fn set_available(&self, available: bool) {
        let mut state = lock(&self.0.state);
        if state.unavailable != available {
            return;
        }
        state.unavailable = !available;
        state.outages += u64::from(!available);
        drop(state);
        self.0.changed.send_replace(());
    }

    fn read<T>(&self, group: &Group, read: impl FnOnce(&Tables) -> T) -> Result<Option<T>, DirectoryError> {
        let state = lock(&self.0.state);
        if state.unavailable {
            return Err(DirectoryError::Unavailable(SWITCHED_OFF.to_owned()));
        }
        Ok(state.groups.get(group).map(read))
    }

    fn write(
        &self,
        group: &Group,
        write: impl FnOnce(&mut Tables) -> Result<Changed, AdminError>,
    ) -> Result<(), AdminError> {
        let mut state = lock(&self.0.state);
        if state.unavailable {
            return Err(AdminError::Unavailable(SWITCHED_OFF.to_owned()));
        }
        let changed = write(state.groups.entry(group.clone()).or_default())?;
        for (table, key) in changed {
            state.seq += 1;
            let change = Change::Row { seq: state.seq, table, key };
            state.log.push_back((group.clone(), change));
            if state.log.len() > LOG_LENGTH {
                state.log.pop_front();
            }
        }
        drop(state);
        self.0.changed.send_replace(());
        Ok(())
    }
}

#[async_trait]
impl Directory for MemoryDirectory {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        Ok(self.read(group, |tables| tables.phone(device))?.flatten())
    }

    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        Ok(self.read(group, |tables| tables.line(line))?.flatten())
    }

    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        Ok(self.read(group, |tables| tables.dialled(from, dn))?.flatten())
    }

    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.settings(group, Table::Parameter).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        Ok(self.read(group, |tables| tables.settings(table))?.unwrap_or_default())
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.read(&Group::default(), |_| ()).map(drop)
    }
}

#[async_trait]
impl DirectoryAdmin for MemoryDirectory {
    async fn put_phone(&self, group: &Group, phone: &PhoneConfig) -> Result<(), AdminError> {
        self.write(group, |tables| tables.put_phone(phone))
    }

    async fn remove_phone(&self, group: &Group, device: &DeviceName) -> Result<(), AdminError> {
        self.write(group, |tables| Ok(tables.remove_phone(device)))
    }

    async fn put_template(&self, group: &Group, name: &str, has_callback: bool) -> Result<(), AdminError> {
        self.write(group, |tables| Ok(tables.put_template(name, has_callback)))
    }

    async fn remove_template(&self, group: &Group, name: &str) -> Result<(), AdminError> {
        self.write(group, |tables| tables.remove_template(name))
    }

    async fn put_pool(&self, group: &Group, name: &str, template: Option<&str>) -> Result<(), AdminError> {
        self.write(group, |tables| tables.put_pool(name, template))
    }

    async fn set_forward_all(
        &self,
        group: &Group,
        line: &LineId,
        to: Option<&DirectoryNumber>,
    ) -> Result<(), AdminError> {
        self.write(group, |tables| tables.set_forward_all(line, to))
    }

    async fn set_display_name(
        &self,
        group: &Group,
        line: &LineId,
        name: Option<&str>,
    ) -> Result<(), AdminError> {
        self.write(group, |tables| tables.set_display_name(line, name))
    }

    async fn set_do_not_disturb(
        &self,
        group: &Group,
        device: &DeviceName,
        on: bool,
    ) -> Result<(), AdminError> {
        self.write(group, |tables| tables.set_do_not_disturb(device, on))
    }

    async fn set_parameter(&self, group: &Group, name: &str, value: Option<&str>) -> Result<(), AdminError> {
        self.set_setting(group, Table::Parameter, name, value).await
    }

    async fn set_setting(
        &self,
        group: &Group,
        table: Table,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), AdminError> {
        self.write(group, |tables| tables.set_setting(table, name, value))
    }

    async fn phones(&self, group: &Group) -> Result<Vec<PhoneConfig>, AdminError> {
        let phones = self.read(group, Tables::phones);
        Ok(phones.map_err(|_| AdminError::Unavailable(SWITCHED_OFF.to_owned()))?.unwrap_or_default())
    }
}
