use ringback_model::{DeviceName, DirectoryNumber, LineId};
use thiserror::Error;

/// A phone as it is set up: registered, idle, forwarding nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSetup {
    /// Its name.
    pub device: DeviceName,
    /// Its lines, the first one first. Two phones with the same line share it.
    pub lines: Vec<LineId>,
    /// So many calls a line holds before it is busy; at least 1.
    pub calls_per_line: usize,
}

/// What the user of a phone (or somebody who administers it) does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Goes off hook, if it is not, and dials.
    Calls {
        /// The number.
        to: DirectoryNumber,
        /// On this line; the first if `None`.
        on: Option<DirectoryNumber>,
    },
    /// Answers the call that rings (the oldest, if there are several) and holds the call it was in.
    Answers,
    /// Ends the active call, else a held one; with a number the call with that number. Changes nothing if there is
    /// none.
    HangsUp(Option<DirectoryNumber>),
    /// Lifts the handset: answers what rings, else dial tone.
    Lifts,
    /// Puts the handset back: the active call ends.
    Replaces,
    /// Presses a key, by its logical name. `CallBack` always reaches the application; a screen key that is not shown
    /// does nothing.
    Presses(String),
    /// Forwards all calls of its first line there, or nothing.
    ForwardsAll(Option<DirectoryNumber>),
    /// Does not want to be disturbed (callers hear busy), or does again.
    DoNotDisturb(bool),
    /// Unregisters and registers again at once.
    Resets,
    /// Unregisters: its calls end, its screen is gone.
    Unregisters,
    /// Registers.
    Registers,
    /// Another user logs in (extension mobility).
    LogsIn,
    /// The user logs out (extension mobility).
    LogsOut,
}

/// Why an action is impossible. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ActionError {
    /// No such phone.
    #[error("there is no phone of this name: add it first")]
    UnknownPhone,
    /// The name is taken.
    #[error("there is a phone of this name already: choose another or remove that one")]
    PhoneExists,
    /// A phone needs at least one line and one call a line.
    #[error("a phone needs at least one line that holds at least one call")]
    NoLines,
    /// It is not registered.
    #[error("the phone is not registered: register it first")]
    NotRegistered,
    /// It was removed.
    #[error("the phone has been removed: add it first")]
    Removed,
    /// Nothing rings.
    #[error("no call rings at the phone")]
    NothingRings,
    /// No such line.
    #[error("the phone has no line with this number")]
    NoSuchLine,
    /// The line holds as many calls as it can.
    #[error("the line holds as many calls as it can: hang up first")]
    LineInUse,
    /// The active call waits for an answer and cannot be held.
    #[error("the phone waits for an answer: hang up first")]
    CannotHold,
}
