use async_trait::async_trait;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, UtcOffset};
use thiserror::Error;

use crate::feed::Table;

/// Why the directory was not written. Unless a variant says otherwise nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdminError {
    /// It cannot be reached now, or cannot write; later it may.
    #[error("directory database unavailable, nothing was written: {0}")]
    Unavailable(String),
    /// The connection broke while the answer was awaited: the write may have happened or not. Writing the same
    /// again does no harm.
    #[error("directory database: the outcome of the write is unknown: {0}")]
    OutcomeUnknown(String),
    /// What is to be changed, or what it refers to, does not exist.
    #[error("the directory has no such {what}: put it there first")]
    Unknown {
        /// What is missing: `"phone"`, `"line"`, `"softkey template"`, `"device pool"`.
        what: &'static str,
    },
    /// It is still referred to.
    #[error("the {what} is still used by {used_by}: change those first")]
    InUse {
        /// What was to be removed.
        what: &'static str,
        /// Who uses it.
        used_by: &'static str,
    },
    /// A phone was given the same line twice.
    #[error("the phone has the same line twice: give each line once")]
    DuplicateLine,
    /// The table does not consist of names and values.
    #[error("the table {} holds no settings: use trace, alarm or parameter", .0.name())]
    NoSettings(Table),
    /// It holds something that cannot be: a person must mend it.
    #[error("directory database holds an invalid value, nothing was written: {0}")]
    Invalid(String),
}

/// A phone as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneConfig {
    /// Its name.
    pub device: DeviceName,
    /// Its lines, in order of their buttons.
    pub lines: Vec<LineId>,
    /// The locale of its user.
    pub locale: Locale,
    /// What its clock shows.
    pub utc_offset: UtcOffset,
    /// Its own softkey template, which wins over the one of its pool.
    pub template: Option<String>,
    /// The device pool it belongs to.
    pub pool: Option<String>,
}

impl PhoneConfig {
    /// A phone with these lines, in `en_US`, at UTC, with neither template nor pool: it has the CallBack key.
    #[must_use]
    pub fn new(device: DeviceName, lines: Vec<LineId>) -> Self {
        Self {
            device,
            lines,
            locale: Locale::default(),
            utc_offset: UtcOffset::default(),
            template: None,
            pool: None,
        }
    }
}

/// How a provisioning tool writes the directory. Each call is one transaction, durable when it returns, and reported
/// by the change feed; repeating it does no harm.
///
/// The softkey template of a phone is its own, else that of its pool; a phone with neither has the CallBack key. A line
/// exists as long as it appears on a phone; with its last appearance go its display name and forwarding.
#[async_trait]
pub trait DirectoryAdmin: Send + Sync {
    /// Adds a phone, or changes it to be like this. Its do-not-disturb setting and the settings of lines that it keeps
    /// stay. Template and pool must exist.
    async fn put_phone(&self, group: &Group, phone: &PhoneConfig) -> Result<(), AdminError>;

    /// Removes a phone; no error if there is none.
    async fn remove_phone(&self, group: &Group, device: &DeviceName) -> Result<(), AdminError>;

    /// Adds or changes a softkey template.
    async fn put_template(&self, group: &Group, name: &str, has_callback: bool) -> Result<(), AdminError>;

    /// Removes a softkey template that no phone or pool uses; no error if there is none.
    async fn remove_template(&self, group: &Group, name: &str) -> Result<(), AdminError>;

    /// Adds or changes a device pool. The template must exist.
    async fn put_pool(&self, group: &Group, name: &str, template: Option<&str>) -> Result<(), AdminError>;

    /// Sets where a line forwards all calls to, or clears it. The line must exist.
    async fn set_forward_all(
        &self,
        group: &Group,
        line: &LineId,
        to: Option<&DirectoryNumber>,
    ) -> Result<(), AdminError>;

    /// Sets the name shown for a line, or clears it. The line must exist.
    async fn set_display_name(
        &self,
        group: &Group,
        line: &LineId,
        name: Option<&str>,
    ) -> Result<(), AdminError>;

    /// Sets or clears do-not-disturb of a phone, which must exist.
    async fn set_do_not_disturb(
        &self,
        group: &Group,
        device: &DeviceName,
        on: bool,
    ) -> Result<(), AdminError>;

    /// Sets a service parameter, unchecked, or with `None` resets it to its default.
    async fn set_parameter(&self, group: &Group, name: &str, value: Option<&str>) -> Result<(), AdminError>;

    /// Sets a row of a table of names and values, unchecked, or with `None` removes it: [`Table::Trace`],
    /// [`Table::Alarm`], and [`Table::Parameter`] as [`set_parameter`](Self::set_parameter) does.
    async fn set_setting(
        &self,
        group: &Group,
        table: Table,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), AdminError>;

    /// All phones as they are configured, ordered by name.
    async fn phones(&self, group: &Group) -> Result<Vec<PhoneConfig>, AdminError>;
}
