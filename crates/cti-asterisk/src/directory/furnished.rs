use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ringback_db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId};

use super::PbxDirectory;

/// The directory of the PBX, furnished from another one with what a PBX has no place for.
///
/// | what | from |
/// |---|---|
/// | which phones and lines there are, who forwards or is not to be disturbed | the PBX |
/// | language, clock and CallBack key of a phone | the other, if it has a phone of that name; else the [`Profile`](super::Profile) |
/// | service parameters, settings of traces and alarms | the other |
///
/// It can be read while both can; whichever is away, nothing is made up in its place. What changes in either is told by
/// its own feed ([`PbxFeed`](super::PbxFeed) and the other's): follow both.
#[derive(Clone)]
pub struct FurnishedDirectory {
    pbx: PbxDirectory,
    furniture: Arc<dyn Directory>,
}

impl FurnishedDirectory {
    /// The phones and lines of the one, the rest from the other.
    pub fn new(pbx: PbxDirectory, furniture: Arc<dyn Directory>) -> Self {
        Self { pbx, furniture }
    }
}

impl fmt::Debug for FurnishedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FurnishedDirectory").field("pbx", &self.pbx).finish_non_exhaustive()
    }
}

#[async_trait]
impl Directory for FurnishedDirectory {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        let Some(entry) = self.pbx.phone(group, device).await? else { return Ok(None) };
        Ok(Some(match self.furniture.phone(group, device).await? {
            Some(PhoneEntry { locale, utc_offset, has_callback_key, .. }) => {
                PhoneEntry { locale, utc_offset, has_callback_key, ..entry }
            }
            None => entry,
        }))
    }

    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError> {
        self.pbx.line(group, line).await
    }

    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError> {
        self.pbx.dialled(group, from, dn).await
    }

    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError> {
        self.furniture.parameters(group).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError> {
        self.furniture.settings(group, table).await
    }

    async fn probe(&self) -> Result<(), DirectoryError> {
        self.pbx.probe().await?;
        self.furniture.probe().await
    }
}
