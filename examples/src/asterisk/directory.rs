use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ringback::db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback::model::{DeviceName, DirectoryNumber, Group, LineId};
use ringback_cti_asterisk::directory::PbxDirectory;

/// Phones and lines as the PBX has them; service parameters and settings from a database, because the PBX has none, all
/// instances must agree on them, and they can be changed there while the service runs.
pub struct SiteDirectory {
    phones: PbxDirectory,
    settings: Arc<dyn Directory>,
}

impl SiteDirectory {
    /// The phones of the one, the settings of the other.
    pub fn new(phones: PbxDirectory, settings: Arc<dyn Directory>) -> Self {
        Self { phones, settings }
    }
}

impl fmt::Debug for SiteDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteDirectory").field("phones", &self.phones).finish_non_exhaustive()
    }
}

#[async_trait]
impl Directory for SiteDirectory {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        self.phones.phone(group, device).await
    }

    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.phones.line(group, line).await
    }

    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.phones.dialled(group, from, dn).await
    }

    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.settings.parameters(group).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        self.settings.settings(group, table).await
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.phones.probe().await?;
        self.settings.probe().await
    }
}
