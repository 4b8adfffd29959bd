use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, RequestId};

use crate::output::{SaveId, SoftKey};
use crate::parameters::Parameters;
use crate::record::{AlertId, Record};

/// Names one question to the directory until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What A heard when it pressed CallBack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PressedDuring {
    /// Nothing: its phone was idle and on hook.
    Idle,
    /// Busy tone.
    Busy,
    /// Ringback tone.
    Ringback,
    /// Reorder tone because nobody answered.
    NoAnswer,
    /// Anything else.
    Other,
}

/// What the directory says of a called number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The line that the number leads to from A.
    pub line: LineId,
    /// The phones it appears on.
    pub devices: Vec<DeviceName>,
    /// The names of the called party (of its line, of its phones), for R32.
    pub names: Vec<String>,
    /// Whether it forwards all calls.
    pub forwards_all: bool,
    /// Whether A's softkey template has the CallBack key.
    pub caller_has_key: bool,
    /// All lines of A's phone, for R33.
    pub caller_lines: Vec<LineId>,
}

/// Why the directory has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unresolved {
    /// It does not know the number (or the calling phone).
    NotFound,
    /// It cannot be asked now.
    Unavailable,
}

/// What a phone is doing, as far as Call Back cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// Not registered.
    OutOfService,
    /// Registered.
    InService {
        /// Whether it is anything but idle and on hook (R16).
        busy: bool,
        /// Whether its user does not want to be disturbed (R14).
        do_not_disturb: bool,
    },
}

/// The use of one appearance of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Occupancy {
    /// No call.
    Idle,
    /// Calls, but all of them only ring.
    Ringing,
    /// Off hook, or a call that does more than ring.
    InUse,
}

/// How a call on A's line goes, as far as Call Back cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallProgress {
    /// The far end rings.
    Alerting {
        /// The number that rings, if known.
        peer: Option<DirectoryNumber>,
    },
    /// The far end answered.
    Connected {
        /// The number that answered, if known.
        peer: Option<DirectoryNumber>,
    },
    /// The far end is busy.
    Busy,
    /// The call failed, or is gone.
    Ended,
}

/// What the engine is told. Everything about devices and lines is a level: telling it twice does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The requests that the store holds, once, before anything else.
    Restored(Vec<Record>),
    /// The parameters changed.
    Parameters(Parameters),
    /// The CallBack key was pressed.
    CallBackKey {
        /// To be named in [`Output::Verdict`](crate::Output::Verdict).
        invocation: u64,
        /// The phone and line.
        from: Appearance,
        /// The call in the foreground.
        call: Option<CallId>,
        /// The number that was dialled on it.
        called: Option<DirectoryNumber>,
        /// What A hears.
        during: PressedDuring,
    },
    /// The directory's answer to [`Output::Resolve`](crate::Output::Resolve).
    Resolved {
        /// Which question.
        ticket: Ticket,
        /// The answer.
        result: Result<Resolution, Unresolved>,
    },
    /// The directory's answer to [`Output::Locate`](crate::Output::Locate): the phones on which a called line appears
    /// now. Also to be given, unasked, whenever that changed.
    Located {
        /// The line.
        line: LineId,
        /// Its phones.
        devices: Vec<DeviceName>,
    },
    /// A softkey of one of our screens was pressed.
    ScreenKey {
        /// The phone.
        device: DeviceName,
        /// The key.
        key: SoftKey,
        /// The request that the screen was about, if about one.
        about: Option<RequestId>,
    },
    /// A save or removal is durable.
    Saved(SaveId),
    /// A save or removal could not be done now. It goes on being tried until it succeeds (then
    /// [`Saved`](Self::Saved) is told), is revoked, or a later write for the same request takes its place.
    SaveFailed(SaveId),
    /// An open device reported its state.
    Device {
        /// Which.
        device: DeviceName,
        /// Its state.
        state: DeviceState,
    },
    /// Another user logged in or out at an open device.
    UserChanged(DeviceName),
    /// An open line reported its use.
    Line {
        /// Which appearance.
        at: Appearance,
        /// Its use.
        occupancy: Occupancy,
        /// All calls on it, with a reading of the whole line: a call of ours that is not among them is gone. `None`
        /// with a single change. Each of these calls is to be told by [`Input::Call`] first.
        calls: Option<Vec<CallId>>,
    },
    /// A call on the line of a caller made progress.
    Call {
        /// Where.
        at: Appearance,
        /// Which call.
        call: CallId,
        /// The number it was dialled to, if known.
        called: Option<DirectoryNumber>,
        /// How it goes.
        progress: CallProgress,
    },
    /// The outcome of [`Output::Dial`](crate::Output::Dial): the call, or `None` if it could not be made.
    Dialled {
        /// For which request.
        request: RequestId,
        /// The call.
        call: Option<CallId>,
    },
    /// The outcome of [`Output::Alert`](crate::Output::Alert).
    Alerted {
        /// Which alert.
        alert: AlertId,
        /// Whether the phone has taken it. While the outcome is unknown, nothing is told.
        delivered: bool,
    },
    /// The latest screen for this phone was not delivered, or it is not known whether it was.
    ScreenLost(DeviceName),
    /// The link to the call manager is gone: what is known of devices and lines is old.
    LinkLost,
    /// Nothing but time has passed: what is due is done.
    Tick,
}
