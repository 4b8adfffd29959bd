//! The directory of the PBX itself: its phones (endpoints), their numbers (hints), and what their users set (keys of its
//! database).
//!
//! The provider reads it, when the link comes up, when an event tells of a change, and from time to time; [`PbxDirectory`]
//! answers from what was read last, and [`PbxFeed`] tells what changed. Service parameters, settings and the languages of
//! phones are not the PBX's business: they come from a [`Profile`], or, with [`FurnishedDirectory`], from a database in
//! which they can be changed while the service runs.
//!
//! A number is in the directory if it has a hint and the endpoint behind it has that number: the one that the endpoint is named
//! after, or else the one whose hint stands for the fewest endpoints. Line states are told per endpoint, so that each has one
//! number; several endpoints may share it.

mod feed;
mod furnished;
mod record;
#[cfg(test)]
mod tests;

pub use feed::PbxFeed;
pub use furnished::FurnishedDirectory;
pub(crate) use record::{Reading, Record};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use ringback_db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, UtcOffset};
use tokio::sync::watch;

/// What phones have in common that the PBX does not know.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The language of their users.
    pub locale: Locale,
    /// What their clocks show.
    pub utc_offset: UtcOffset,
    /// The service parameters that are not at their default.
    pub parameters: Vec<(String, String)>,
}

/// What was read of the PBX, shared by provider, directory and feed.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    record: Arc<Mutex<Option<Record>>>,
    /// Counts readings that brought news; it is sent on loss of the link, too.
    changed: watch::Sender<u64>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { record: Arc::default(), changed: watch::Sender::new(0) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Record>> {
        self.record.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The whole has been read.
    pub(crate) fn put(&self, mut record: Record) {
        record.assign();
        let before = self.lock().replace(record.clone());
        if before.as_ref() != Some(&record) {
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// The link is gone: nothing that was read can be vouched for.
    pub(crate) fn clear(&self) {
        self.lock().take();
        self.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn get(&self) -> Option<Record> {
        self.lock().clone()
    }

    fn read<T>(&self, with: impl FnOnce(&Record) -> T) -> Result<T, DirectoryError> {
        match self.lock().as_ref() {
            Some(record) => Ok(with(record)),
            None => Err(DirectoryError::Unavailable("no link to the PBX's manager interface".to_owned())),
        }
    }
}

/// The directory of one PBX. It serves one group, whatever it is called.
#[derive(Debug, Clone)]
pub struct PbxDirectory {
    shared: Shared,
    profile: Profile,
}

impl PbxDirectory {
    pub(crate) fn new(shared: Shared, profile: Profile) -> Self {
        Self { shared, profile }
    }

    /// The phones, each with its number.
    ///
    /// # Errors
    /// There is no link to the PBX.
    pub fn phones(&self) -> Result<BTreeMap<DeviceName, DirectoryNumber>, DirectoryError> {
        self.shared.read(|record| record.phones().map(|(device, dn)| (device.clone(), dn.clone())).collect())
    }

    fn entry(&self, record: &Record, dn: &DirectoryNumber) -> Option<LineEntry> {
        let devices = record.devices_of(dn);
        if devices.is_empty() {
            return None;
        }
        Some(LineEntry {
            line: record.line(dn),
            devices,
            // Endpoints have names for their callers' displays only.
            display_name: None,
            forwards_all_to: record.forward_of(dn).cloned(),
        })
    }
}

#[async_trait]
impl Directory for PbxDirectory {
    async fn phone(&self, _: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        self.shared.read(|record| {
            let dn = record.number_of(device)?;
            Some(PhoneEntry {
                device: device.clone(),
                lines: vec![record.line(dn)],
                locale: self.profile.locale.clone(),
                utc_offset: self.profile.utc_offset,
                // A feature code of the dialplan can be dialled on any phone.
                has_callback_key: true,
                do_not_disturb: record.does_not_want(device, dn),
            })
        })
    }

    async fn line(&self, _: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.shared.read(|record| self.entry(record, &line.dn).filter(|entry| entry.line == *line))
    }

    async fn dialled(
        &self,
        _: &Group,
        _: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.shared.read(|record| self.entry(record, dn))
    }

    async fn parameters(&self, _: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        let mut parameters = self.profile.parameters.clone();
        parameters.sort();
        Ok(parameters)
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        match table {
            Table::Parameter => self.parameters(group).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.shared.read(|_| ())
    }
}
