use ringback_model::{Appearance, CallId, DirectoryNumber};

use super::call::{CallState, Cause};

/// A feature of the phone that an application can carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// The CallBack softkey.
    CallBack,
    /// A value this version does not know.
    Unknown(u16),
}

/// Names one press of a feature key until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvocationId(pub u64);

/// A user pressed the key of a feature: the call manager hands it to the application that registered for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureInvocation {
    /// To be named in the answer.
    pub invocation: InvocationId,
    /// Which feature.
    pub feature: Feature,
    /// The phone, and the line it was pressed on (the phone's first if it was idle).
    pub from: Appearance,
    /// The call in the foreground; `None` if the phone is idle.
    pub call: Option<CallId>,
    /// That call's state; `Idle` if there is none.
    pub state: CallState,
    /// That call's cause, for `Busy` and `Disconnected`.
    pub cause: Cause,
    /// The number that was dialled on it.
    pub called: Option<DirectoryNumber>,
}
