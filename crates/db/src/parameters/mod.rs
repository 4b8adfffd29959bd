mod kind;

use ringback_callback::Parameters;
use ringback_model::Millis;
use thiserror::Error;

use self::kind::{Kind, Unit};

/// All service parameters, with their defaults. In the directory they are texts; [`parse`](Self::parse) and
/// [`rows`](Self::rows) are the two directions.
///
/// A value is a whole number in the parameter's unit (`20` for the *Call Back Recall Timer* is 20 s), or a number with a
/// unit of its own: `ms`, `s`, `m` or `h` (`1500ms`, `2m`). Names are matched exactly.
///
/// ```
/// use ringback_db::ServiceParameters;
/// use ringback_model::Millis;
/// let rows = [("Call Back Recall Timer".to_owned(), "30".to_owned())];
/// let (parameters, problems) = ServiceParameters::parse(&rows);
/// assert_eq!(parameters.callback.recall_timer, Millis::from_secs(30));
/// assert!(problems.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceParameters {
    /// What the Call Back engine obeys.
    pub callback: Parameters,
    /// *CTI Connecting Port*: where a CTIManager listens if its address names no port. Default 2748.
    pub cti_port: u16,
    /// *Provider Open Call Time Out*: the wait for the answer to provider open. In ms, default 30000.
    pub provider_open_timeout: Millis,
    /// *HeartBeat Interval Time Out*: the interval asked for; the CTIManager may dictate another. Silence for twice the
    /// interval means that the link is lost. In s, default 30.
    pub heartbeat_interval: Millis,
    /// *Connection Retry Time Out*: the longest delay between two attempts to connect. In ms, default 60000.
    pub connection_retry_timeout: Millis,
    /// *Synchronous Request Time Out*: the wait for the answer to any request. In ms, default 20000.
    pub request_timeout: Millis,
    /// *Audio File Name*: what the phone plays as alert. Default `CallBack.raw`.
    pub audio_file: String,
    /// *CBB Change Notification TCP Port*: where the service listens for change notifications. Default 2552.
    pub change_notification_port: u16,
}

impl Default for ServiceParameters {
    fn default() -> Self {
        Self {
            callback: Parameters::default(),
            cti_port: 2748,
            provider_open_timeout: Millis(30_000),
            heartbeat_interval: Millis::from_secs(30),
            connection_retry_timeout: Millis(60_000),
            request_timeout: Millis(20_000),
            audio_file: "CallBack.raw".to_owned(),
            change_notification_port: 2552,
        }
    }
}

/// Why a row was not taken. The other rows were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParameterProblem {
    /// No parameter has this name; the row has no effect.
    #[error("there is no service parameter {name:?}: its value {value:?} has no effect")]
    UnknownName {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
    /// The value is not one of those allowed.
    #[error("{name:?} cannot be {value:?}: allowed is {allowed}; {used} is used")]
    NotAllowed {
        /// The parameter.
        name: &'static str,
        /// The value.
        value: String,
        /// The unit that a number without one has; empty for values that have none.
        unit: &'static str,
        /// What is allowed, with the unit.
        allowed: String,
        /// What is used instead, with the unit.
        used: String,
    },
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const WEEK: u64 = 7 * 24 * HOUR;

/// Every parameter: its name, and what it can be. The floors keep a mistyped unit from making the service spin; the
/// ceilings keep it from waiting for ever.
const PARAMETERS: [(&str, Kind); 14] = [
    ("CTI Connecting Port", Kind::Port { field: |p| &mut p.cti_port }),
    (
        "Provider Open Call Time Out",
        Kind::time(Unit::Millisecond, 100, HOUR, |p| &mut p.provider_open_timeout),
    ),
    ("HeartBeat Interval Time Out", Kind::time(Unit::Second, SECOND, HOUR, |p| &mut p.heartbeat_interval)),
    (
        "Connection Retry Time Out",
        Kind::time(Unit::Millisecond, 100, HOUR, |p| &mut p.connection_retry_timeout),
    ),
    ("Synchronous Request Time Out", Kind::time(Unit::Millisecond, 100, HOUR, |p| &mut p.request_timeout)),
    ("Audio File Name", Kind::File { field: |p| &mut p.audio_file }),
    ("CBB Change Notification TCP Port", Kind::Port { field: |p| &mut p.change_notification_port }),
    ("Call Back Recall Timer", Kind::time(Unit::Second, SECOND, HOUR, |p| &mut p.callback.recall_timer)),
    ("Call Back Busy Duration", Kind::time(Unit::Minute, 0, WEEK, |p| &mut p.callback.busy_duration)),
    (
        "Call Back No Answer Duration",
        Kind::time(Unit::Minute, 0, WEEK, |p| &mut p.callback.no_answer_duration),
    ),
    ("Call Back Idle Guard", Kind::time(Unit::Millisecond, 0, HOUR, |p| &mut p.callback.idle_guard)),
    ("Call Back Queue Policy", Kind::Policy { field: |p| &mut p.callback.queue_policy }),
    (
        "Maximum Call Backs per Called Line",
        Kind::Count { max: 1_000_000, field: |p| &mut p.callback.max_per_line },
    ),
    ("Maximum Call Backs in all", Kind::Count { max: 10_000_000, field: |p| &mut p.callback.max_in_all }),
];

impl ServiceParameters {
    /// Reads the rows of the directory. What is missing has its default; a row with an unknown name or a value that is
    /// not allowed is reported and changes nothing.
    #[must_use]
    pub fn parse(rows: &[(String, String)]) -> (Self, Vec<ParameterProblem>) {
        let mut parameters = Self::default();
        let mut problems = Vec::new();
        for (name, value) in rows {
            let Some((name, kind)) = PARAMETERS.iter().find(|(known, _)| known == name) else {
                problems.push(ParameterProblem::UnknownName { name: name.clone(), value: value.clone() });
                continue;
            };
            if !kind.set(&mut parameters, value.trim()) {
                problems.push(ParameterProblem::NotAllowed {
                    name,
                    value: value.clone(),
                    unit: kind.unit(),
                    allowed: kind.allowed(),
                    used: kind.shown(&mut parameters),
                });
            }
        }
        (parameters, problems)
    }

    /// All parameters as rows for the directory, in the order of the manual: values in the parameter's unit, or with a
    /// smaller unit where they are no whole number of it.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut copy = self.clone();
        PARAMETERS.iter().map(|(name, kind)| (*name, kind.text(&mut copy))).collect()
    }

    /// The names of all parameters.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PARAMETERS.iter().map(|(name, _)| *name)
    }
}
