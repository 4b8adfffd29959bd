use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::field::TraceField;
use super::target;

/// How much of a field is traced. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TraceLevel {
    /// Nothing.
    Off,
    /// Errors (`tracing`: error).
    Error,
    /// What should not happen often: losing a link, taking over (`tracing`: warn).
    Special,
    /// Changes of state (`tracing`: info).
    StateTransition,
    /// Important steps (`tracing`: info, as state transitions).
    Significant,
    /// Inputs and outputs of each part (`tracing`: debug).
    EntryExit,
    /// More, for tests (`tracing`: debug, as entry and exit).
    Arbitrary,
    /// Everything (`tracing`: trace).
    Detailed,
}

impl TraceLevel {
    /// All levels, the quietest first.
    pub const ALL: [Self; 8] = [
        Self::Off,
        Self::Error,
        Self::Special,
        Self::StateTransition,
        Self::Significant,
        Self::EntryExit,
        Self::Arbitrary,
        Self::Detailed,
    ];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Special => "special",
            Self::StateTransition => "state transition",
            Self::Significant => "significant",
            Self::EntryExit => "entry/exit",
            Self::Arbitrary => "arbitrary",
            Self::Detailed => "detailed",
        }
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Special => LevelFilter::WARN,
            Self::StateTransition | Self::Significant => LevelFilter::INFO,
            Self::EntryExit | Self::Arbitrary => LevelFilter::DEBUG,
            Self::Detailed => LevelFilter::TRACE,
        }
    }
}

impl fmt::Display for TraceLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no trace level. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{found:?} is no trace level: give off, error, special, state transition, significant, entry/exit, arbitrary \
     or detailed"
)]
pub struct TraceLevelError {
    /// What was given.
    pub found: String,
}

impl FromStr for TraceLevel {
    type Err = TraceLevelError;

    fn from_str(name: &str) -> Result<Self, TraceLevelError> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| TraceLevelError { found: name.to_owned() })
    }
}

/// The level of every field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLevels {
    fields: BTreeMap<TraceField, TraceLevel>,
    others: TraceLevel,
}

impl TraceLevels {
    /// The same level for every field; for the libraries underneath, at most [`TraceLevel::Special`].
    #[must_use]
    pub fn all(level: TraceLevel) -> Self {
        Self {
            fields: TraceField::ALL.into_iter().map(|field| (field, level)).collect(),
            others: level.min(TraceLevel::Special),
        }
    }

    /// The same, but this level for this field.
    #[must_use]
    pub fn with(mut self, field: TraceField, level: TraceLevel) -> Self {
        self.fields.insert(field, level);
        self
    }

    /// The level of a field.
    #[must_use]
    pub fn level(&self, field: TraceField) -> TraceLevel {
        self.fields.get(&field).copied().unwrap_or(TraceLevel::Off)
    }

    pub(super) fn filter(&self) -> Targets {
        Targets::new()
            .with_default(self.others.filter())
            .with_target(target::ALARM, LevelFilter::TRACE)
            .with_targets(self.fields.iter().map(|(field, level)| (field.target(), level.filter())))
    }
}

impl Default for TraceLevels {
    /// [`TraceLevel::Significant`] for every field.
    fn default() -> Self {
        Self::all(TraceLevel::Significant)
    }
}
