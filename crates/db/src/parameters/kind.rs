use ringback_callback::QueuePolicyName;
use ringback_model::Millis;

use super::{HOUR, MINUTE, SECOND, ServiceParameters};

/// Where a parameter is kept.
type Field<T> = fn(&mut ServiceParameters) -> &mut T;

/// The unit of a number that comes without one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    Millisecond,
    Second,
    Minute,
}

impl Unit {
    const fn millis(self) -> u64 {
        match self {
            Self::Millisecond => 1,
            Self::Second => SECOND,
            Self::Minute => MINUTE,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Millisecond => "ms",
            Self::Second => "s",
            Self::Minute => "min",
        }
    }
}

/// What a parameter can be, and where it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Port { field: Field<u16> },
    Count { max: u32, field: Field<u32> },
    Time { unit: Unit, min: Millis, max: Millis, field: Field<Millis> },
    File { field: Field<String> },
    Policy { field: Field<QueuePolicyName> },
}

/// The longest name of an audio file: the phone's URL takes 256 characters in all.
const MAX_FILE_NAME: usize = 200;

impl Kind {
    /// A length of time; the limits in milliseconds.
    pub(super) const fn time(unit: Unit, min: u64, max: u64, field: Field<Millis>) -> Self {
        Self::Time { unit, min: Millis(min), max: Millis(max), field }
    }

    /// Takes the value, or says that it is not allowed.
    pub(super) fn set(&self, parameters: &mut ServiceParameters, value: &str) -> bool {
        match *self {
            Self::Port { field } => put(field(parameters), number(value).filter(|port| *port != 0)),
            Self::Count { max, field } => put(field(parameters), number(value).filter(|count| *count <= max)),
            Self::Time { unit, min, max, field } => {
                put(field(parameters), duration(value, unit).filter(|time| (min..=max).contains(time)))
            }
            Self::File { field } => put(field(parameters), is_file_name(value).then(|| value.to_owned())),
            Self::Policy { field } => put(field(parameters), value.parse().ok()),
        }
    }

    /// The value as a row has it.
    pub(super) fn text(&self, parameters: &mut ServiceParameters) -> String {
        match *self {
            Self::Port { field } => field(parameters).to_string(),
            Self::Count { field, .. } => field(parameters).to_string(),
            Self::Time { unit, field, .. } => match field(parameters).0 {
                ms if ms % unit.millis() == 0 => (ms / unit.millis()).to_string(),
                ms if ms % SECOND == 0 => format!("{}s", ms / SECOND),
                ms => format!("{ms}ms"),
            },
            Self::File { field } => field(parameters).clone(),
            Self::Policy { field } => field(parameters).to_string(),
        }
    }

    /// The value as a person reads it.
    pub(super) fn shown(&self, parameters: &mut ServiceParameters) -> String {
        let text = self.text(parameters);
        match self {
            Self::Time { unit, .. } if text.ends_with(|c: char| c.is_ascii_digit()) => {
                format!("{text} {}", unit.name())
            }
            _ => text,
        }
    }

    /// The unit of a number that comes without one.
    pub(super) fn unit(&self) -> &'static str {
        match self {
            Self::Time { unit, .. } => unit.name(),
            _ => "",
        }
    }

    /// What is allowed, as a person reads it.
    pub(super) fn allowed(&self) -> String {
        match *self {
            Self::Port { .. } => "a port from 1 to 65535".to_owned(),
            Self::Count { max, .. } => format!("0 (no limit) to {max}"),
            Self::Time { unit, min, max, .. } => {
                let zero = if min == Millis::ZERO { " (none)" } else { "" };
                format!("{}{zero} to {} {}", min.0 / unit.millis(), max.0 / unit.millis(), unit.name())
            }
            Self::File { .. } => {
                format!("a file name of 1 to {MAX_FILE_NAME} letters, digits, dots, hyphens and underscores")
            }
            Self::Policy { .. } => "fifo or all".to_owned(),
        }
    }
}

fn put<T>(field: &mut T, value: Option<T>) -> bool {
    value.map(|value| *field = value).is_some()
}

/// A number of digits only: neither sign nor fraction.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn duration(text: &str, unit: Unit) -> Option<Millis> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" => unit.millis(),
        "ms" => 1,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    number::<u64>(digits)?.checked_mul(factor).map(Millis)
}

/// The name becomes part of a `Play:` URI: only what needs no escape there.
fn is_file_name(name: &str) -> bool {
    (1..=MAX_FILE_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
