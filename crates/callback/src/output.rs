use std::fmt;
use std::str::FromStr;

use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, RequestId, Timestamp};

use crate::input::Ticket;
use crate::record::{AlertId, Record};

/// Names one write to the store until its outcome is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SaveId(pub u64);

/// A softkey of one of our screens, by its logical name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoftKey {
    /// Call B now.
    Dial,
    /// End the request.
    Cancel,
    /// Leave the screen.
    Exit,
    /// Replace the earlier request.
    Ok,
}

impl SoftKey {
    /// The logical name: the one in scenarios and in the phone's answer, whatever the locale shows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dial => "Dial",
            Self::Cancel => "Cancel",
            Self::Exit => "Exit",
            Self::Ok => "OK",
        }
    }
}

impl fmt::Display for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no softkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a softkey: expected Dial, Cancel, Exit or OK")]
pub struct SoftKeyError;

impl FromStr for SoftKey {
    type Err = SoftKeyError;
    fn from_str(name: &str) -> Result<Self, SoftKeyError> {
        [Self::Dial, Self::Cancel, Self::Exit, Self::Ok]
            .into_iter()
            .find(|key| key.name() == name)
            .ok_or(SoftKeyError)
    }
}

/// Why Call Back cannot be activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The directory does not know the number (R30).
    NotInDirectory,
    /// The called line forwards all calls (R31).
    ForwardsAllCalls,
    /// The number, or a name of the called party, holds `*` or `#` (R32).
    NotDiallable,
    /// The called line is one of the calling phone (R33).
    OwnLine,
    /// The softkey template of the calling phone has no CallBack key (R34).
    NoCallBackKey,
    /// [`Parameters::max_per_line`](crate::Parameters::max_per_line) is reached (R35).
    TooManyForLine,
    /// [`Parameters::max_in_all`](crate::Parameters::max_in_all) is reached (R36).
    TooManyInAll,
    /// The directory cannot be asked now (R37).
    DirectoryUnavailable,
    /// The request store did not confirm in time, or cannot now (R37).
    StoreUnavailable,
}

/// A screen: what a phone is to show. How it looks is the screen renderer's business.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum View {
    /// A request is active.
    Activated {
        /// The number waited for.
        dn: DirectoryNumber,
    },
    /// The number has become available.
    Available {
        /// The number.
        dn: DirectoryNumber,
        /// When.
        at: Timestamp,
    },
    /// There is no request.
    NotActive,
    /// Another request is active: replace it?
    Replace {
        /// The number of the active request.
        active: DirectoryNumber,
        /// The number that would replace it.
        wanted: DirectoryNumber,
    },
    /// Refused.
    Cannot {
        /// The number that was called.
        dn: DirectoryNumber,
        /// Why.
        reason: Refusal,
    },
    /// The number is available but does not want to be disturbed.
    DoNotDisturb {
        /// The number.
        dn: DirectoryNumber,
    },
}

impl View {
    /// The keys below the screen, in order.
    #[must_use]
    pub fn keys(&self) -> &'static [SoftKey] {
        match self {
            Self::Activated { .. } | Self::DoNotDisturb { .. } => &[SoftKey::Cancel, SoftKey::Exit],
            Self::Available { .. } => &[SoftKey::Dial, SoftKey::Cancel, SoftKey::Exit],
            Self::NotActive | Self::Cannot { .. } => &[SoftKey::Exit],
            Self::Replace { .. } => &[SoftKey::Ok, SoftKey::Exit],
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The caller pressed Cancel (R18).
    Cancelled,
    /// Dial reached B (R19).
    Reached,
    /// B answered the call during which the key was pressed (R7).
    Answered,
    /// Another request took its place (R6).
    Replaced,
    /// Its service duration is over (R29).
    Expired,
    /// The caller's phone reset or unregistered (R40).
    CallerReset,
    /// Another user logged in or out at the caller's phone (R43).
    CallerUserChanged,
}

/// Something worth telling an operator. It asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A request was accepted and is durable.
    Accepted {
        /// Which.
        request: RequestId,
    },
    /// A request ended.
    Ended {
        /// Which.
        request: RequestId,
        /// How.
        how: Ending,
    },
    /// CallBack was refused.
    Refused {
        /// At which phone.
        device: DeviceName,
        /// Why.
        reason: Refusal,
    },
    /// A caller got the turn; the alert follows.
    TurnStarted {
        /// Which request.
        request: RequestId,
        /// Until when.
        until: Timestamp,
    },
    /// A turn was withdrawn because B is no more available (R27).
    TurnWithdrawn {
        /// Which request.
        request: RequestId,
    },
    /// A turn ran out (R26).
    TurnLapsed {
        /// Which request.
        request: RequestId,
    },
    /// B is available, but the caller is busy (R16).
    Suspended {
        /// Which request.
        request: RequestId,
    },
    /// Dial found B busy: the request is back in the queue (R20).
    Retained {
        /// Which request.
        request: RequestId,
    },
    /// Dial failed or went elsewhere: the request stays, without a turn (R21).
    DialFailed {
        /// Which request.
        request: RequestId,
    },
    /// It is not known whether the phone has played the alert: it is given again, under its id.
    AlertRepeated {
        /// Which alert.
        alert: AlertId,
    },
    /// The phone did not take the alert.
    AlertFailed {
        /// Which request.
        request: RequestId,
    },
    /// The input made no sense now and was ignored; the text says why. A sign of a stale screen or of a phone that
    /// lies.
    Ignored(&'static str),
}

/// What the engine wants done. To be carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Answer the key press: taken, or `Key Not Active`. A refusal that has a reason comes later, as [`View::Cannot`].
    Verdict {
        /// Which press.
        invocation: u64,
        /// Taken.
        accepted: bool,
    },
    /// Ask the directory where a number leads; answered by [`Input::Resolved`](crate::Input::Resolved).
    Resolve {
        /// To be named in the answer.
        ticket: Ticket,
        /// Who calls.
        from: Appearance,
        /// The number.
        dn: DirectoryNumber,
    },
    /// Ask the directory on which phones a line appears; answered by [`Input::Located`](crate::Input::Located), as
    /// soon as the directory can be asked.
    Locate(LineId),
    /// Write a record, whole; in order with all other writes for the same request, and tried until it is done. Its
    /// outcome is told by
    /// [`Input::Saved`](crate::Input::Saved) or [`Input::SaveFailed`](crate::Input::SaveFailed).
    Save {
        /// Names the write.
        save: SaveId,
        /// The record.
        record: Record,
        /// Remove this one in the same transaction.
        replaces: Option<RequestId>,
    },
    /// Remove a record; in order and with an outcome, as [`Save`](Self::Save).
    Remove {
        /// Names the write.
        save: SaveId,
        /// Which request.
        request: RequestId,
    },
    /// Undo a save that was not confirmed in time: whatever becomes of it, the record must not stay. No outcome is
    /// told.
    Revoke {
        /// The save.
        save: SaveId,
        /// Its request.
        request: RequestId,
    },
    /// Open a device and report its state, now and whenever it changes, by [`Input::Device`](crate::Input::Device).
    OpenDevice(DeviceName),
    /// Close it.
    CloseDevice(DeviceName),
    /// Open a line and report its use, now and whenever it changes, by [`Input::Line`](crate::Input::Line); its calls,
    /// too, by [`Input::Call`](crate::Input::Call), if it is a caller's.
    OpenLine(Appearance),
    /// Close it.
    CloseLine(Appearance),
    /// Show this screen.
    Show {
        /// On which phone.
        device: DeviceName,
        /// The screen.
        view: View,
        /// The request it is about, to be given back with a key.
        about: Option<RequestId>,
    },
    /// Take our screen away.
    Clear(DeviceName),
    /// Play the alert, once per id; answered by [`Input::Alerted`](crate::Input::Alerted). Comes only after the record
    /// that names it is durable. While its outcome is unknown it may come again: what has been played then is not
    /// played again, only answered.
    Alert {
        /// On which phone.
        device: DeviceName,
        /// Which alert.
        alert: AlertId,
    },
    /// Call B from A's line; answered by [`Input::Dialled`](crate::Input::Dialled), then by
    /// [`Input::Call`](crate::Input::Call) for that call.
    Dial {
        /// For which request.
        request: RequestId,
        /// From here.
        from: Appearance,
        /// This number.
        dn: DirectoryNumber,
        /// Whether B's forwarding is overridden (within the turn, R19).
        override_forwarding: bool,
    },
    /// Tell the operator.
    Notice(Notice),
}
