use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Counts the terms of office of active instances in one group: each take-over raises it, so that what an older
/// active still tries can be told apart and refused. `Epoch(0)` is before the first.
///
/// A program that runs as one instance, without an election, takes a higher one at each start (a counter that it keeps
/// with the requests): [`RequestId`]s are unique for ever only so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A call as one call manager names it. Unique among the calls that exist at one time; means nothing elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// The name of one Call Back request, unique in its group for ever: the epoch in which it was accepted and a
/// running number in that epoch. Printed and parsed as `EPOCH-NUMBER`.
///
/// ```
/// use ringback_model::{Epoch, RequestId};
/// let id = RequestId { epoch: Epoch(7), number: 12 };
/// assert_eq!(id.to_string(), "7-12");
/// assert_eq!("7-12".parse(), Ok(id));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId {
    /// The epoch of the instance that accepted the request.
    pub epoch: Epoch,
    /// Counts the requests accepted in that epoch, from 1.
    pub number: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch.0, self.number)
    }
}

/// The text is not a request id (`EPOCH-NUMBER`, for example `7-12`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request id: expected EPOCH-NUMBER, for example 7-12")]
pub struct RequestIdError;

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let (epoch, number) = text.split_once('-').ok_or(RequestIdError)?;
        Ok(Self {
            epoch: Epoch(epoch.parse().map_err(|_| RequestIdError)?),
            number: number.parse().map_err(|_| RequestIdError)?,
        })
    }
}
