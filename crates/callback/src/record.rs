use ringback_model::{Appearance, CallId, DirectoryNumber, LineId, RequestId, Timestamp};
use serde::{Deserialize, Serialize};

/// Names one alert for ever, so that a repeated one can be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlertId {
    /// The request it belongs to.
    pub request: RequestId,
    /// Counts the alerts of that request, from 1.
    pub number: u32,
}

/// Why B could not be reached when A pressed CallBack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// B was busy.
    Busy,
    /// B did not answer.
    NoAnswer,
}

/// How far B is in the use of its line that a no-answer request waits for (R11). Stored, because a new active
/// instance has not seen what the old one saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cycle {
    /// B has not used the line since the activation.
    Untouched,
    /// B has been seen off hook since.
    OffHook,
    /// B has been off hook and on hook since.
    Complete,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Phase {
    /// It is queued for the called line and was not notified since it was queued.
    Waiting,
    /// The caller has been notified and has the turn.
    Turn {
        /// The alert that told the caller.
        alert: AlertId,
        /// Until when the turn lasts.
        until: Timestamp,
        /// Whether the outcome of the alert is known. While it is not, the alert is in doubt.
        alerted: bool,
    },
    /// The caller was notified and let the turn pass (R26), or its Dial failed (R21): no more queued or alerted,
    /// but Dial still works.
    Lapsed,
    /// The caller pressed Dial; the outcome is not known yet.
    Dialing {
        /// Whether it was pressed within the turn.
        in_turn: bool,
    },
}

/// One request as the store keeps it: everything a new active instance needs to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub id: RequestId,
    /// The phone and line that activated.
    pub caller: Appearance,
    /// The line that is waited for.
    pub called: LineId,
    /// The number as A dialled it: what screens show and Dial dials.
    pub dialled: DirectoryNumber,
    /// Busy or no answer at the activation. It decides how long the request lives (R29).
    pub kind: Kind,
    /// When it was accepted; with `id` it gives the place in the queue.
    pub since: Timestamp,
    /// When it ends by itself; `None`: never.
    pub expires: Option<Timestamp>,
    /// The call during which CallBack was pressed, for R7.
    pub origin: Option<CallId>,
    /// Where it stands.
    pub phase: Phase,
    /// For a request that waits for use of the line: how far that is. `None` for one that waits for idle: a busy
    /// request, or any after R20.
    pub cycle: Option<Cycle>,
    /// How many alerts it has had.
    pub alerts: u32,
    /// When its caller was last told that B is available, for the screen.
    pub notified: Option<Timestamp>,
}
