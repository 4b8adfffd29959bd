use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber};

use super::call::{CallInfo, CallState, Cause};
use super::request::Feature;

/// What a registered device is doing, all its lines taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activity {
    /// On hook, nothing rings.
    Idle,
    /// Off hook.
    Active,
    /// Ringing.
    Alerting,
    /// All calls are on hold.
    Held,
    /// A value this version does not know.
    Unknown(u8),
}

/// An open device as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceStatus {
    /// What it is doing.
    pub activity: Activity,
    /// Whether its user does not want to be disturbed.
    pub do_not_disturb: bool,
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

/// What a CTIManager tells without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device that the user controls has registered: it can be opened. Sent to every open provider.
    DeviceInService(DeviceName),
    /// A device has unregistered, or was removed. It and its lines are closed now; who wants them opens them
    /// again after `DeviceInService`. Sent to every open provider.
    DeviceOutOfService(DeviceName),
    /// An open device changed.
    DeviceStatus {
        /// The device.
        device: DeviceName,
        /// As it is now.
        status: DeviceStatus,
    },
    /// Another user logged in or out at an open device (extension mobility).
    DeviceUserChanged(DeviceName),
    /// A call changed on an open line.
    Call {
        /// Where it was seen.
        at: Appearance,
        /// As it is now.
        info: CallInfo,
    },
    /// A feature key was pressed.
    FeatureInvoked(FeatureInvocation),
    /// An open device sent data (the softkey of a screen).
    DeviceData {
        /// The phone.
        device: DeviceName,
        /// The data.
        content: String,
    },
    /// The provider is being closed by the CTIManager: it shuts down, or a later epoch took over.
    ProviderClosed(super::CtiError),
}
