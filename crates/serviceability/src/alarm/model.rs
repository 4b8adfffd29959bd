use std::fmt;

use ringback_model::{Group, Pii, Timestamp, personal_data_is_revealed};

use super::catalogue::{AlarmName, AlarmParameter};

/// What a parameter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmValue {
    /// Anyone may read it.
    Plain(String),
    /// A number or a name: shown only if the program asked for that.
    Personal(Pii<String>),
}

impl fmt::Display for AlarmValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => f.write_str(text),
            Self::Personal(Pii(text)) if personal_data_is_revealed() => f.write_str(text),
            Self::Personal(hidden) => write!(f, "{hidden:?}"),
        }
    }
}

/// Something happened. It becomes an [`Alarm`] if it is news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What.
    pub name: AlarmName,
    /// In which group, if in one.
    pub group: Option<Group>,
    /// The details.
    pub parameters: Vec<(AlarmParameter, AlarmValue)>,
}

impl Report {
    /// A report without details.
    #[must_use]
    pub fn new(name: AlarmName) -> Self {
        Self { name, group: None, parameters: Vec::new() }
    }

    /// The same, in this group.
    #[must_use]
    pub fn in_group(mut self, group: Group) -> Self {
        self.group = Some(group);
        self
    }

    /// The same with a detail that anyone may read. The catalogue says which belong to an alarm.
    #[must_use]
    pub fn with(self, parameter: AlarmParameter, value: impl fmt::Display) -> Self {
        self.and(parameter, AlarmValue::Plain(value.to_string()))
    }

    /// The same with a number or a name.
    #[must_use]
    pub fn with_personal(self, parameter: AlarmParameter, value: impl Into<String>) -> Self {
        self.and(parameter, AlarmValue::Personal(Pii(value.into())))
    }

    fn and(mut self, parameter: AlarmParameter, value: AlarmValue) -> Self {
        debug_assert!(
            self.name.parameters().contains(&parameter),
            "{} has no parameter {}",
            self.name,
            parameter.name()
        );
        self.parameters.push((parameter, value));
        self
    }
}

impl fmt::Display for Report {
    /// `CtiLost manager=cti1 reason=connection closed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        if let Some(group) = &self.group {
            write!(f, " group={group}")?;
        }
        self.parameters.iter().try_for_each(|(parameter, value)| write!(f, " {}={value}", parameter.name()))
    }
}

/// What the destinations get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// When.
    pub at: Timestamp,
    /// What.
    pub report: Report,
    /// How many reports about the same condition were held back since the alarm before this one.
    pub held_back: u32,
    /// Whether the condition comes and goes so fast that the next reports are held back until it settles.
    pub fluttering: bool,
}

impl Alarm {
    /// Which alarm.
    #[must_use]
    pub fn name(&self) -> AlarmName {
        self.report.name
    }
}
