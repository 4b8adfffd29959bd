use async_trait::async_trait;
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch};
use thiserror::Error;

use crate::message::{Answer, CallInfo, CtiError, DeviceStatus, FeatureInvocation, InvocationId};

/// Names a command whose answer is wanted; chosen by the caller, given back in [`ProviderEvent::Answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u64);

/// Names data that must have its effect once, however often it is sent (an alert).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataId(pub u128);

/// What a provider does against an instance that has been replaced and does not know it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fencing {
    /// The far side knows epochs and refuses everything of an older one.
    Strict,
    /// The far side knows no epochs: only the lease protects, and a request already past the check may escape.
    LeaseOnly,
}

/// What a provider does with data that is sent again under the same [`DataId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dedup {
    /// It takes effect once.
    ById,
    /// It takes effect again.
    None,
}

/// What a provider can promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// Against replaced instances.
    pub fencing: Fencing,
    /// Against repeated alerts.
    pub dedup: Dedup,
}

/// What the service asks of a provider. Opening is *standing*: the provider keeps a device or line open until it is
/// told to close it, and opens it again by itself after the link was lost or the phone registered again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Act in this epoch from now on, here and after every reconnect.
    Assume(Epoch),
    /// Act no more: close every device and line, stay connected as a stand-by.
    Relinquish,
    /// Keep this device open.
    OpenDevice(DeviceName),
    /// Close it, and its lines.
    CloseDevice(DeviceName),
    /// Keep this line open. Its device must have been asked for first.
    OpenLine(Appearance),
    /// Close it.
    CloseLine(Appearance),
    /// Answer a feature invocation.
    AnswerFeature {
        /// Which.
        invocation: InvocationId,
        /// Taken, or `Key Not Active`.
        accepted: bool,
    },
    /// Make a call; answered with `Answer::CallMade`.
    MakeCall {
        /// For the answer.
        tag: Tag,
        /// From here.
        from: Appearance,
        /// To this number.
        to: DirectoryNumber,
        /// Ring there even if it forwards.
        override_forwarding: bool,
    },
    /// Send data to a phone; answered with `Answer::Done`.
    SendData {
        /// For the answer.
        tag: Tag,
        /// To this phone.
        device: DeviceName,
        /// If it must have its effect once.
        id: Option<DataId>,
        /// The data.
        content: String,
    },
}

/// Why a command with a tag did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestFailure {
    /// The far side refused; nothing happened there.
    #[error("refused by the CTIManager: {0}")]
    Refused(#[from] CtiError),
    /// It never left this machine; nothing happened.
    #[error("never sent: {0}")]
    NeverSent(LinkLoss),
    /// This instance only stands by (see [`Command::Assume`]): it was not sent, nothing happened.
    #[error("never sent: this instance only stands by")]
    StandingBy,
    /// It was sent, and no answer came: it may have happened or not.
    #[error("sent, but the outcome is unknown")]
    OutcomeUnknown,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkLoss {
    /// No connection could be made.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The far side closed the connection, or the network did.
    #[error("connection closed")]
    Closed,
    /// Nothing was heard for twice the heartbeat interval.
    #[error("silent for twice the heartbeat interval")]
    Silent,
    /// Provider open was not answered in time.
    #[error("no answer to provider open in time")]
    OpenTimeout,
    /// Provider open was refused.
    #[error("provider open refused: {0}")]
    OpenRefused(CtiError),
    /// The provider was closed by the far side.
    #[error("provider closed by the CTIManager: {0}")]
    ProviderClosed(CtiError),
    /// This CTIManager is not configured any more.
    #[error("the CTIManager is not configured any more")]
    Reconfigured,
    /// The far side sent something that is not the protocol.
    #[error("protocol violation: {0}")]
    Protocol(String),
}

/// What a provider reports, in the order in which it happened. Every report is a *level*, the whole state of what it
/// names, so that a repeated or a skipped one does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderEvent {
    /// The provider is open at this CTIManager. What is asked for is being opened now; each thing is reported as
    /// it is read.
    LinkUp {
        /// The CTIManager's name as configured.
        manager: String,
        /// Whether it is another one than last time.
        failed_over: bool,
    },
    /// The link is gone: everything known about devices and lines is old from now on.
    LinkLost {
        /// The CTIManager's name.
        manager: String,
        /// Why.
        reason: LinkLoss,
    },
    /// An attempt to reach this CTIManager failed.
    LinkFailed {
        /// The CTIManager's name.
        manager: String,
        /// Why.
        reason: LinkLoss,
    },
    /// A device that was asked for is open, in this state.
    Device {
        /// Which.
        device: DeviceName,
        /// Its state; `None`: it is out of service.
        status: Option<DeviceStatus>,
    },
    /// Another user logged in or out at a device that was asked for.
    DeviceUserChanged(DeviceName),
    /// A line that was asked for has been opened and read: these are all its calls.
    LineOpened {
        /// Which.
        at: Appearance,
        /// Its calls.
        calls: Vec<CallInfo>,
    },
    /// A line that was asked for cannot be opened on its device, which is in service. It is tried again from time to
    /// time, and when the device registers.
    LineRefused {
        /// Which.
        at: Appearance,
        /// Why.
        reason: CtiError,
    },
    /// A call changed on an open line.
    Call {
        /// Where.
        at: Appearance,
        /// As it is now.
        info: CallInfo,
    },
    /// A feature key was pressed, on any phone.
    FeatureInvoked(FeatureInvocation),
    /// An open device sent data.
    DeviceData {
        /// Which.
        device: DeviceName,
        /// The data.
        content: String,
    },
    /// The outcome of a command with a tag. Each such command has exactly one.
    Answer {
        /// Which command.
        tag: Tag,
        /// Its outcome.
        result: Result<Answer, RequestFailure>,
    },
}

/// The port to a call manager: implement it for a PBX and Call Back runs on it.
///
/// Contract: [`submit`](Self::submit) only queues and never waits; [`next`](Self::next) gives the reports in order and
/// can be dropped and called again without losing one. A provider reports `Device` for each `OpenDevice` and
/// `LineOpened` for each `OpenLine` as soon as it could read them (a device that is out of service at once, with
/// `status: None`), again after each reconnect and each registration, and whenever they change.
#[async_trait]
pub trait CtiProvider: Send {
    /// What it promises.
    fn capabilities(&self) -> Capabilities;

    /// Queues a command.
    fn submit(&mut self, command: Command);

    /// Waits for the next report. `None` when the provider has been shut down for good.
    async fn next(&mut self) -> Option<ProviderEvent>;
}
