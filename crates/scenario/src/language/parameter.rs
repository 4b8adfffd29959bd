use ringback_model::Millis;

use super::duration::duration_text;

/// A service parameter, as scenario files and the database name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParameterKind,
}

/// What values a service parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// A time; a plain number counts these.
    Time(Millis),
    /// A plain number.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
}

/// A value as the file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, in the parameter's unit.
    Number(u64),
    /// A duration.
    Duration(Millis),
    /// A word.
    Word(String),
}

const MILLISECONDS: ParameterKind = ParameterKind::Time(Millis(1));
const SECONDS: ParameterKind = ParameterKind::Time(Millis(1000));
const MINUTES: ParameterKind = ParameterKind::Time(Millis(60_000));

const fn parameter(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind }
}

impl Parameter {
    /// Every parameter of the service.
    pub const ALL: &'static [Self] = &[
        parameter("CTI Connecting Port", ParameterKind::Number),
        parameter("Provider Open Call Time Out", MILLISECONDS),
        parameter("HeartBeat Interval Time Out", SECONDS),
        parameter("Connection Retry Time Out", MILLISECONDS),
        parameter("Synchronous Request Time Out", MILLISECONDS),
        parameter("Audio File Name", ParameterKind::Text),
        parameter("CBB Change Notification TCP Port", ParameterKind::Number),
        parameter("Call Back Recall Timer", SECONDS),
        parameter("Call Back Busy Duration", MINUTES),
        parameter("Call Back No Answer Duration", MINUTES),
        parameter("Call Back Idle Guard", MILLISECONDS),
        parameter("Call Back Queue Policy", ParameterKind::Choice(&["fifo", "all"])),
        parameter("Maximum Call Backs per Called Line", ParameterKind::Number),
        parameter("Maximum Call Backs in all", ParameterKind::Number),
    ];

    /// The parameter with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|parameter| parameter.name == name)
    }

    /// A value as the database holds it: a number in the parameter's unit, or a duration where that would not be
    /// a whole one.
    #[must_use]
    pub fn stored(&self, value: &Value) -> String {
        match (value, self.kind) {
            (Value::Duration(time), ParameterKind::Time(unit)) if time.0 % unit.0 == 0 => {
                (time.0 / unit.0).to_string()
            }
            (Value::Duration(time), _) => duration_text(*time),
            (Value::Number(number), _) => number.to_string(),
            (Value::Word(word), _) => word.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_stored_in_the_unit_of_its_parameter() {
        let stored = |name, value| Parameter::named(name).unwrap().stored(&value);
        assert_eq!(stored("Call Back Recall Timer", Value::Duration(Millis(90_000))), "90");
        assert_eq!(stored("Call Back Busy Duration", Value::Duration(Millis(120_000))), "2");
        assert_eq!(stored("Call Back Busy Duration", Value::Duration(Millis(90_000))), "90s");
        assert_eq!(stored("Call Back Idle Guard", Value::Duration(Millis(5000))), "5000");
        assert_eq!(stored("Maximum Call Backs in all", Value::Number(3)), "3");
        assert_eq!(stored("Call Back Queue Policy", Value::Word("all".into())), "all");
    }
}
