use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How bad it is. A greater one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// For who changes the program.
    Debug,
    /// Normal, for the record.
    Informational,
    /// Normal, but worth a look.
    Notice,
    /// Something will go wrong if nothing is done.
    Warning,
    /// Something went wrong for one or some.
    Error,
    /// A part of the service does not work.
    Critical,
    /// The service does not work: act now.
    Alert,
    /// The system cannot be used.
    Emergency,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Informational,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The name in settings and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Informational => "informational",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no severity. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{found:?} is no alarm level: give emergency, alert, critical, error, warning, notice, informational or debug"
)]
pub struct SeverityError {
    /// What was given.
    pub found: String,
}

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(name: &str) -> Result<Self, SeverityError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| SeverityError { found: name.to_owned() })
    }
}
