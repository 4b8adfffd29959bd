//! Questions to the directory, as the engine and the screens ask them.

use std::sync::Arc;

use ringback_callback::Resolution;
use ringback_db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Group, LineId};
use tokio::time::{Duration, timeout};

use crate::settings::SettingRows;

/// A directory that does not answer for so long is away (R37): the caller waits for the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The directory of one group.
#[derive(Clone)]
pub(crate) struct Lookup {
    directory: Arc<dyn Directory>,
    group: Group,
}

impl Lookup {
    pub(crate) fn new(directory: Arc<dyn Directory>, group: Group) -> Self {
        Self { directory, group }
    }

    /// Where a number leads, and what stands against calling it back, `None` if it leads nowhere; with the caller's
    /// phone, for its screens.
    pub(crate) async fn resolve(
        &self,
        from: &Appearance,
        dn: &DirectoryNumber,
    ) -> Result<(Option<Resolution>, Option<PhoneEntry>), DirectoryError> {
        let read = async {
            let called = self.directory.dialled(&self.group, &from.line, dn).await?;
            let phone = self.directory.phone(&self.group, &from.device).await?;
            Ok::<_, DirectoryError>((called, phone))
        };
        let (called, phone) = timeout(PATIENCE, read).await.map_err(|_| silent())??;
        let resolved = called.zip(phone.as_ref()).map(|(called, phone)| resolution(called, phone));
        Ok((resolved, phone))
    }

    /// The phones on which each of these lines appears; none if there is no such line.
    pub(crate) async fn locate(&self, lines: &[LineId]) -> Result<Vec<Vec<DeviceName>>, DirectoryError> {
        let read =
            timeout(PATIENCE, self.directory.lines(&self.group, lines)).await.map_err(|_| silent())??;
        Ok(read.into_iter().map(|entry| entry.map(|entry| entry.devices).unwrap_or_default()).collect())
    }

    /// How many lines are asked for at once.
    pub(crate) fn lines_at_once(&self) -> usize {
        self.directory.lines_at_once()
    }

    /// A phone.
    pub(crate) async fn phone(&self, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError> {
        timeout(PATIENCE, self.directory.phone(&self.group, device)).await.map_err(|_| silent())?
    }

    /// The service parameters that are set.
    pub(crate) async fn parameters(&self) -> Result<Vec<(String, String)>, DirectoryError> {
        timeout(PATIENCE, self.directory.parameters(&self.group)).await.map_err(|_| silent())?
    }

    /// The settings of traces and alarms.
    pub(crate) async fn settings(&self) -> Result<SettingRows, DirectoryError> {
        let read = async {
            let trace = self.directory.settings(&self.group, Table::Trace).await?;
            let alarm = self.directory.settings(&self.group, Table::Alarm).await?;
            Ok(SettingRows { trace, alarm })
        };
        timeout(PATIENCE, read).await.map_err(|_| silent())?
    }

    /// Whether it can be read.
    pub(crate) async fn probe(&self) -> Result<(), DirectoryError> {
        timeout(PATIENCE, self.directory.probe()).await.map_err(|_| silent())?
    }
}

fn silent() -> DirectoryError {
    DirectoryError::Unavailable(format!("no answer for {} s", PATIENCE.as_secs()))
}

fn resolution(called: LineEntry, phone: &PhoneEntry) -> Resolution {
    let names = called.devices.iter().map(|device| device.as_str().to_owned()).chain(called.display_name);
    Resolution {
        line: called.line,
        names: names.collect(),
        forwards_all: called.forwards_all_to.is_some(),
        devices: called.devices,
        caller_has_key: phone.has_callback_key,
        caller_lines: phone.lines.clone(),
    }
}
