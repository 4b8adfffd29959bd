use async_trait::async_trait;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, UtcOffset};
use thiserror::Error;

/// Why the directory could not be read. Reading changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It cannot be reached now; later it may.
    #[error("directory database unavailable: {0}")]
    Unavailable(String),
    /// It holds something that cannot be: a person must mend it.
    #[error("directory database holds an invalid value: {0}")]
    Invalid(String),
}

/// What the directory knows of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneEntry {
    /// Its name.
    pub device: DeviceName,
    /// Its lines, in order of their buttons.
    pub lines: Vec<LineId>,
    /// The locale of its user.
    pub locale: Locale,
    /// What its clock shows.
    pub utc_offset: UtcOffset,
    /// Whether its softkey template (its own, else its device pool's) has the CallBack key.
    pub has_callback_key: bool,
}

/// What the directory knows of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEntry {
    /// The line.
    pub line: LineId,
    /// The phones it appears on, by name.
    pub devices: Vec<DeviceName>,
    /// The name shown for it, if any.
    pub display_name: Option<String>,
    /// Where it forwards all calls to, if it does.
    pub forwards_all_to: Option<DirectoryNumber>,
}

/// The call manager's database as Call Back reads it. Everything belongs to a group.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The phone with this name; `None` if there is none.
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError>;

    /// The line with this partition and number; `None` if there is none, or it appears on no phone.
    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError>;

    /// The line that a number leads to when it is dialled from `from`: one in the same partition if there is,
    /// otherwise one in the partition without a name; `None` if the number leads nowhere.
    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError>;

    /// The service parameters that are set, by name; those at their default may be missing.
    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError>;

    /// Proves that the directory can be read now (R46). Cheap.
    async fn probe(&self) -> Result<(), DirectoryError>;
}
