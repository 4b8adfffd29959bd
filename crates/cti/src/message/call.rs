use std::fmt;

use ringback_model::{CallId, DirectoryNumber};

/// The state of one call as one appearance of a line sees it.
///
/// A value that this version does not know survives decoding and encoding as [`CallState::Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallState {
    /// The call is gone. It is the last state of every call.
    Idle,
    /// A call is being offered; the phone does not ring yet.
    Offering,
    /// The phone rings (alerting).
    Ringing,
    /// Off hook, dial tone, nothing dialled yet.
    DialTone,
    /// Digits are being dialled.
    Dialing,
    /// Dialled; the far end has not been reached yet.
    Proceeding,
    /// The far end rings; this end hears ringback.
    Ringback,
    /// The parties talk.
    Connected,
    /// The call is held.
    OnHold,
    /// This end hears busy tone.
    Busy,
    /// The call failed or the far end left; this end is still off hook and hears reorder, or nothing.
    Disconnected,
    /// A value this version does not know.
    Unknown(u8),
}

impl CallState {
    /// Whether the phone is off hook (or holds a call) because of a call in this state. A call that is only
    /// offered or ringing does not take the handset up; an unknown state counts as off hook, the cautious reading.
    #[must_use]
    pub fn is_off_hook(self) -> bool {
        !matches!(self, Self::Idle | Self::Offering | Self::Ringing)
    }
}

/// Why a call ended or failed: ITU-T Q.850 values, and two of the CTI's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(pub u16);

impl Cause {
    /// No cause given.
    pub const NONE: Self = Self(0);
    /// The number is not assigned.
    pub const UNALLOCATED: Self = Self(1);
    /// Normal clearing.
    pub const NORMAL: Self = Self(16);
    /// The user is busy.
    pub const USER_BUSY: Self = Self(17);
    /// The phone did not respond.
    pub const NO_USER_RESPONDING: Self = Self(18);
    /// The phone rang and nobody answered.
    pub const NO_ANSWER: Self = Self(19);
    /// The subscriber is absent (the phone is not registered).
    pub const ABSENT: Self = Self(20);
    /// The call was rejected.
    pub const REJECTED: Self = Self(21);
    /// The destination is out of order.
    pub const OUT_OF_ORDER: Self = Self(27);
    /// The number has an invalid format.
    pub const INVALID_NUMBER: Self = Self(28);
    /// The CTIManager failed.
    pub const CTI_MANAGER_FAILURE: Self = Self(507);
    /// The call manager failed.
    pub const CALL_MANAGER_FAILURE: Self = Self(508);
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NONE => "none",
            Self::UNALLOCATED => "unallocated number",
            Self::NORMAL => "normal clearing",
            Self::USER_BUSY => "user busy",
            Self::NO_USER_RESPONDING => "no user responding",
            Self::NO_ANSWER => "no answer",
            Self::ABSENT => "subscriber absent",
            Self::REJECTED => "call rejected",
            Self::OUT_OF_ORDER => "destination out of order",
            Self::INVALID_NUMBER => "invalid number",
            Self::CTI_MANAGER_FAILURE => "CTIManager failure",
            Self::CALL_MANAGER_FAILURE => "call manager failure",
            _ => return write!(f, "cause {}", self.0),
        };
        write!(f, "{} ({name})", self.0)
    }
}

/// One call as one appearance of a line sees it. Every event carries the whole of it, so that a receiver never
/// needs the event before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallInfo {
    /// The call. Both ends of a simple call see the same id.
    pub call: CallId,
    /// Its state here.
    pub state: CallState,
    /// Why it is in this state, for `Busy`, `Disconnected` and `Idle`.
    pub cause: Cause,
    /// The number that was dialled.
    pub called: Option<DirectoryNumber>,
    /// The number at the other end *now*: of the phone that rings or answered, which after forwarding is not the
    /// one that was dialled; or of the caller, on the called side.
    pub peer: Option<DirectoryNumber>,
}
