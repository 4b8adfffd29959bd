use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, Millis};
use secrecy::SecretString;

use super::call::CallInfo;
use super::device::DeviceStatus;
use super::feature::{Feature, InvocationId};
use crate::provider::DataId;

/// A version of the protocol. Two sides speak the highest one that both know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u16);

/// The first request on a connection.
#[derive(Debug, Clone)]
pub struct ProviderOpen {
    /// The oldest and the newest version that the application speaks.
    pub versions: (Version, Version),
    /// The CTI user.
    pub user: String,
    /// The user's password.
    pub password: SecretString,
    /// The application's name, for the CTIManager's lists.
    pub application: String,
    /// The group that the application serves.
    pub group: Group,
    /// The epoch in which this instance acts; `Epoch(0)` while it only stands by: then it may register for features
    /// and open nothing.
    pub epoch: Epoch,
    /// The heartbeat interval wished for. The answer may dictate another.
    pub heartbeat: Millis,
}

/// What an application asks of a CTIManager. Each request gets exactly one answer: [`Answer`] or
/// [`CtiError`](super::CtiError).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Request {
    /// Opens the provider.
    ProviderOpen(ProviderOpen),
    /// Closes the provider, orderly.
    ProviderClose,
    /// This instance acts in this epoch from now on. Providers of the same group with an older epoch are closed.
    /// `Epoch(0)`: it only stands by from now on, and everything it has open is closed.
    Assume(Epoch),
    /// From now on the presses of this feature's key are delivered here. Among several registered applications of a
    /// group the one with the highest epoch gets them.
    FeatureRegister(Feature),
    /// The verdict on a feature invocation. If it was not accepted, the call manager prompts `Key Not Active`.
    FeatureAnswer {
        /// Which invocation.
        invocation: InvocationId,
        /// Whether the application takes it.
        accepted: bool,
    },
    /// Opens a device: its status and data are reported, data can be sent to it. Only while it is registered.
    DeviceOpen(DeviceName),
    /// Closes a device, and every line opened on it.
    DeviceClose(DeviceName),
    /// Opens a line on an open device: its calls are reported, and calls can be made from it.
    LineOpen(Appearance),
    /// Closes a line.
    LineClose(Appearance),
    /// Makes a call.
    MakeCall {
        /// From which line of which phone.
        from: Appearance,
        /// The number to dial.
        to: DirectoryNumber,
        /// Whether the call rings at the dialled line even if that forwards its calls.
        override_forwarding: bool,
    },
    /// Sends data (phone XML) to an open device.
    DeviceData {
        /// To which phone.
        device: DeviceName,
        /// If given, a phone that has seen this id does not act on it a second time.
        id: Option<DataId>,
        /// The data, at most 2000 bytes.
        content: String,
    },
}

/// The answer to a request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// To `ProviderOpen`.
    ProviderOpened {
        /// The version spoken from now on.
        version: Version,
        /// The heartbeat interval that the CTIManager dictates.
        heartbeat: Millis,
    },
    /// To `DeviceOpen`: the device as it is now.
    DeviceOpened(DeviceStatus),
    /// To `LineOpen`: the calls as they are now.
    LineOpened(Vec<CallInfo>),
    /// To `MakeCall`: the call has been started; how it goes on is told by events.
    CallMade(CallId),
    /// To every other request.
    Done,
}
