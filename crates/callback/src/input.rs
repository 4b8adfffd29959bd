use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, RequestId};

use crate::output::{SaveId, SoftKey};
use crate::parameters::Parameters;
use crate::record::{AlertId, Record};

/// Names one question to the directory until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What A heard when it pressed CallBack: it decides what the key does, and the [`Kind`](crate::Kind) of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PressedDuring {
    /// Nothing: its phone was idle and on hook. The key shows A's request, or that there is none.
    Idle,
    /// Busy tone: a request that waits until B is idle.
    Busy,
    /// Ringback tone: a request that waits until B has used its line and is idle again (R11).
    Ringback,
    /// Reorder tone because nobody answered: as `Ringback`.
    NoAnswer,
    /// Anything else: the key is not valid then.
    Other,
}

/// What the directory says of a called number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The line that the number leads to from A.
    pub line: LineId,
    /// The phones it appears on.
    pub devices: Vec<DeviceName>,
    /// The names of the called party (of its line, of its phones): if one holds `*` or `#`, A is refused (R32). May be
    /// empty.
    pub names: Vec<String>,
    /// Whether it forwards all calls.
    pub forwards_all: bool,
    /// Whether A's softkey template has the CallBack key.
    pub caller_has_key: bool,
    /// All lines of A's phone: a call to one of them is refused (R33).
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
        /// Whether it is anything but idle and on hook (R16). Counts for the phone of a caller only.
        busy: bool,
        /// Whether its user does not want to be disturbed (R14). Counts for a called phone only.
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
        /// The number that rings, if known; else it is taken to be B. Another one than B's: the call went elsewhere.
        peer: Option<DirectoryNumber>,
    },
    /// The far end answered.
    Connected {
        /// The number that answered, if known; as with `Alerting`.
        peer: Option<DirectoryNumber>,
    },
    /// The far end is busy.
    Busy,
    /// The call failed, or is gone.
    Ended,
}

/// What the call manager says of a Dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialOutcome {
    /// The call is being made: this one.
    Made(CallId),
    /// There is no call, because B is busy (R20).
    Busy,
    /// There is no call, for another reason (R21).
    Failed,
}

/// What the engine is told. Everything about devices and lines is a level: telling it twice does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The requests that the store holds, once, before anything else. May be left out if there are none.
    Restored(Vec<Record>),
    /// The parameters changed.
    Parameters(Parameters),
    /// The CallBack key was pressed.
    CallBackKey {
        /// To be named in [`Output::Verdict`](crate::Output::Verdict).
        invocation: u64,
        /// The phone and line.
        from: Appearance,
        /// The call in the foreground. If it is not named, the request does not end when B answers it (R7).
        call: Option<CallId>,
        /// The number that was dialled on it. Needed unless A's phone is idle.
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
        /// The request that the screen was about, if about one: what [`Output::Show`](crate::Output::Show) named. Dial
        /// and Cancel about anything but A's present request are ignored.
        about: Option<RequestId>,
    },
    /// A save or removal is durable.
    Saved(SaveId),
    /// A save or removal could not be done now. It goes on being tried until it succeeds (then
    /// [`Saved`](Self::Saved) is told), is revoked, or a later write for the same request takes its place.
    SaveFailed(SaveId),
    /// An open device reported its state: after [`Output::OpenDevice`](crate::Output::OpenDevice), and when it changed.
    Device {
        /// Which.
        device: DeviceName,
        /// Its state.
        state: DeviceState,
    },
    /// Another user logged in or out at an open device.
    UserChanged(DeviceName),
    /// An open line reported its use: after [`Output::OpenLine`](crate::Output::OpenLine), and when it changed.
    Line {
        /// Which appearance.
        at: Appearance,
        /// Its use.
        occupancy: Occupancy,
        /// All calls on it, with a reading of the whole line: a call of ours that is not among them is gone. `None`
        /// with a single change. Each of these calls is to be told by [`Input::Call`] first. The call that Dial made
        /// is missed only after [`LinkLost`](Self::LinkLost) or [`Restored`](Self::Restored): else its end is told by
        /// [`Input::Call`].
        calls: Option<Vec<CallId>>,
    },
    /// A call on the line of a caller made progress. Calls that are not ours do no harm; one that Dial made may be told
    /// before [`Dialled`](Self::Dialled).
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
    /// The outcome of [`Output::Dial`](crate::Output::Dial).
    Dialled {
        /// For which request.
        request: RequestId,
        /// Whether there is a call.
        outcome: DialOutcome,
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
    /// The link to the call manager is gone: what is known of devices and lines is old. Nothing is put out to open them
    /// again: over the new link all that were open are to be reported anew.
    LinkLost,
    /// Nothing but time has passed: what is due is done. (It is done at any other input, too.)
    Tick,
}
