use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::target;

/// A part of the service whose traces have a level of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TraceField {
    /// The CTI link.
    Cti,
    /// The screens.
    Screen,
    /// The dictionaries.
    Dictionary,
    /// Redundancy.
    Redundancy,
    /// Change notification.
    ChangeNotification,
    /// The Call Back handler.
    Handler,
    /// Directory and request store.
    Database,
    /// Monitoring.
    Monitoring,
}

impl TraceField {
    /// All fields.
    pub const ALL: [Self; 8] = [
        Self::Cti,
        Self::Screen,
        Self::Dictionary,
        Self::Redundancy,
        Self::ChangeNotification,
        Self::Handler,
        Self::Database,
        Self::Monitoring,
    ];

    /// The target of its events.
    #[must_use]
    pub fn target(self) -> &'static str {
        match self {
            Self::Cti => target::CTI,
            Self::Screen => target::SCREEN,
            Self::Dictionary => target::DICTIONARY,
            Self::Redundancy => target::REDUNDANCY,
            Self::ChangeNotification => target::CHANGE_NOTIFICATION,
            Self::Handler => target::HANDLER,
            Self::Database => target::DATABASE,
            Self::Monitoring => target::MONITORING,
        }
    }

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cti => "CTI",
            Self::Screen => "screen",
            Self::Dictionary => "dictionary",
            Self::Redundancy => "redundancy",
            Self::ChangeNotification => "change notification",
            Self::Handler => "handler",
            Self::Database => "database",
            Self::Monitoring => "monitoring",
        }
    }
}

impl fmt::Display for TraceField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no trace field. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{found:?} is no trace field: give CTI, screen, dictionary, redundancy, change notification, handler, database \
     or monitoring"
)]
pub struct TraceFieldError {
    /// What was given.
    pub found: String,
}

impl FromStr for TraceField {
    type Err = TraceFieldError;

    fn from_str(name: &str) -> Result<Self, TraceFieldError> {
        Self::ALL
            .into_iter()
            .find(|field| field.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| TraceFieldError { found: name.to_owned() })
    }
}
