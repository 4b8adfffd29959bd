//! What can happen in the world, one step of a history.

use ringback_callback::{DialOutcome, Occupancy, PressedDuring, SoftKey};

use crate::cast::{LineNo, Odd, PhoneNo};
use crate::harness::{Directory, Store};

/// What a change of the parameters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Recall(u64),
    Guard(u64),
    BusyDuration(u64),
    NoAnswerDuration(u64),
    PolicyAll(bool),
    PerLine(u32),
    InAll(u32),
}

/// What the phones do with alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alerts {
    Taken,
    Refused,
    /// Nobody learns what became of them.
    InDoubt,
}

/// How a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Rings,
    RingsSomebody,
    Answers,
    RingsElsewhere,
    AnswersElsewhere,
    Busy,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A phone hears the tone of a call to the n-th number that people dial; its user presses CallBack.
    Press(PhoneNo, usize, PressedDuring),
    PressIdle(PhoneNo),
    /// A softkey of the screen that is up.
    Key(PhoneNo, SoftKey),
    /// A softkey of a screen about the n-th latest request there was.
    StaleKey(PhoneNo, SoftKey, u64),
    Busy(PhoneNo, bool),
    HangUp(PhoneNo),
    Line(PhoneNo, LineNo, Occupancy),
    Dnd(PhoneNo, bool),
    Unregister(PhoneNo),
    Register(PhoneNo),
    UserChanged(PhoneNo),
    /// A call comes of a Dial.
    Dialled(PhoneNo),
    /// None comes of it.
    NotDialled(PhoneNo, DialOutcome),
    Progress(PhoneNo, Progress),
    ScreenLost(PhoneNo),
    Alerts(Alerts),
    Wait(u64),
    Store(Store),
    /// The store writes the oldest write that is left of a caller.
    Writes(PhoneNo),
    /// The same, but its confirmation takes its time.
    WritesSilently(PhoneNo),
    StoreFails,
    Directory(Directory),
    Odd(Odd),
    Listed(PhoneNo, bool),
    Link(bool),
    /// The service dies.
    Crash,
    /// Another instance goes on.
    Start,
    Parameter(Change),
}
