use std::fmt;
use std::str::FromStr;

use ringback_model::Millis;
use thiserror::Error;

/// The queue policies that can be named in a service parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum QueuePolicyName {
    /// One caller after the other (R24 to R27).
    #[default]
    Fifo,
    /// All at once (R28).
    All,
}

impl fmt::Display for QueuePolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fifo => "fifo",
            Self::All => "all",
        })
    }
}

impl FromStr for QueuePolicyName {
    type Err = ParameterError;
    fn from_str(text: &str) -> Result<Self, ParameterError> {
        match text {
            "fifo" => Ok(Self::Fifo),
            "all" => Ok(Self::All),
            _ => Err(ParameterError::NotAllowed {
                name: "Call Back Queue Policy",
                value: text.to_owned(),
                allowed: "fifo or all",
            }),
        }
    }
}

/// Why a service parameter was not taken. The parameters are unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The value is not one of those allowed.
    #[error("{name:?} cannot be {value:?}: allowed is {allowed}")]
    NotAllowed {
        /// The parameter.
        name: &'static str,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// The service parameters that the engine obeys. A change acts at once: on turns and requests that begin
/// afterwards, on limits and the idle guard immediately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// *Call Back Recall Timer*: the length of a turn. Default 20 s.
    pub recall_timer: Millis,
    /// *Call Back Busy Duration*: the life of a busy request. Default 45 min; zero: no limit.
    pub busy_duration: Millis,
    /// *Call Back No Answer Duration*: the life of a no-answer request. Default 180 min; zero: no limit.
    pub no_answer_duration: Millis,
    /// *Call Back Idle Guard*: how long B must stay idle before it counts as available. Default 0 ms.
    pub idle_guard: Millis,
    /// *Call Back Queue Policy*. Default fifo.
    pub queue_policy: QueuePolicyName,
    /// *Maximum Call Backs per Called Line*. Default 10; zero: no limit.
    pub max_per_line: u32,
    /// *Maximum Call Backs in all*. Default 100 000; zero: no limit.
    pub max_in_all: u32,
    /// How long a save may stay unconfirmed before the caller is told *Cannot* and the save is revoked. 2 s.
    pub save_timeout: Millis,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            recall_timer: Millis::from_secs(20),
            busy_duration: Millis::from_mins(45),
            no_answer_duration: Millis::from_mins(180),
            idle_guard: Millis::ZERO,
            queue_policy: QueuePolicyName::Fifo,
            max_per_line: 10,
            max_in_all: 100_000,
            save_timeout: Millis::from_secs(2),
        }
    }
}
