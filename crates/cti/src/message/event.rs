use ringback_model::{Appearance, DeviceName};

use super::call::CallInfo;
use super::device::DeviceStatus;
use super::feature::FeatureInvocation;

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
