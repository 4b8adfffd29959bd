use std::fmt;

use async_trait::async_trait;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, Pii, UtcOffset};
use thiserror::Error;

use crate::feed::Table;

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
    /// Whether its user asked not to be disturbed, as configured. What counts for a request is what the phone itself
    /// reports.
    pub do_not_disturb: bool,
}

/// What the directory knows of a line.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for LineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineEntry")
            .field("line", &self.line)
            .field("devices", &self.devices)
            .field("display_name", &self.display_name.as_ref().map(Pii))
            .field("forwards_all_to", &self.forwards_all_to)
            .finish()
    }
}

/// The call manager's database as Call Back reads it. Everything belongs to a group. Names and numbers are compared byte
/// by byte. What a provisioning tool has written is read from then on: nothing is kept from earlier reads.
///
/// An implementer proves it in one line (feature `conformance`), by what its [`DirectoryAdmin`](crate::DirectoryAdmin)
/// writes:
///
/// ```
/// # #[cfg(feature = "conformance")] mod proof {
/// # use ringback_db::conformance::{self, Violation};
/// # use ringback_db::{Directory, DirectoryAdmin};
/// # async fn proof<D: Directory + DirectoryAdmin>(my_directory: impl AsyncFn() -> D) -> Result<(), Violation> {
/// conformance::directory(my_directory).await
/// # }
/// # }
/// ```
#[async_trait]
pub trait Directory: Send + Sync {
    /// The phone with this name; `None` if there is none.
    async fn phone(&self, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>, DirectoryError>;

    /// The line with this partition and number; `None` if there is none, or it appears on no phone.
    async fn line(&self, group: &Group, line: &LineId) -> Result<Option<LineEntry>, DirectoryError>;

    /// Several lines in one go: for each in this order what [`line`](Self::line) gives.
    async fn lines(&self, group: &Group, lines: &[LineId]) -> Result<Vec<Option<LineEntry>>, DirectoryError> {
        let mut found = Vec::with_capacity(lines.len());
        for line in lines {
            found.push(self.line(group, line).await?);
        }
        Ok(found)
    }

    /// How many lines at most [`lines`](Self::lines) is asked for: 1, if that costs as much as asking for each.
    fn lines_at_once(&self) -> usize {
        1
    }

    /// The line that a number leads to when it is dialled from `from`: the number in the caller's own partition, else in
    /// the partition without a name, else in the first other partition by name (in byte order); `None` if the number
    /// leads nowhere. `from` need not exist.
    async fn dialled(
        &self,
        group: &Group,
        from: &LineId,
        dn: &DirectoryNumber,
    ) -> Result<Option<LineEntry>, DirectoryError>;

    /// The service parameters that are set, ordered by name; those at their default may be missing.
    async fn parameters(&self, group: &Group) -> Result<Vec<(String, String)>, DirectoryError>;

    /// What is set in one of the tables of names and values, ordered by name: [`Table::Trace`] and [`Table::Alarm`], and
    /// [`Table::Parameter`] as [`parameters`](Self::parameters) gives it. The other tables hold no settings: nothing.
    async fn settings(&self, group: &Group, table: Table) -> Result<Vec<(String, String)>, DirectoryError>;

    /// Proves that the directory can be read now (R46). Cheap.
    async fn probe(&self) -> Result<(), DirectoryError>;
}
