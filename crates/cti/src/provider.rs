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

/// Where a call begins that a provider is told to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placing {
    /// At the phone, which goes off hook for it.
    Direct,
    /// The phone rings first, unless it is off hook for this call already: its user picks up, and then the call goes out.
    RingsFirst,
}

/// In which form data reaches a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// Byte for byte.
    Verbatim,
    /// As the same said in another form, which the phone takes (a text that says what a screen would show).
    Adapted,
}

/// What a provider can promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// Against replaced instances.
    pub fencing: Fencing,
    /// Against repeated alerts.
    pub dedup: Dedup,
    /// Of calls that are made.
    pub placing: Placing,
    /// Of data.
    pub delivery: Delivery,
}

impl Capabilities {
    /// These, and for the rest the best there is: calls are placed directly, data arrives verbatim.
    #[must_use]
    pub const fn new(fencing: Fencing, dedup: Dedup) -> Self {
        Self { fencing, dedup, placing: Placing::Direct, delivery: Delivery::Verbatim }
    }
}

/// What the service asks of a provider. Opening is *standing*: the provider keeps a device or line open until it is
/// told to close it, and opens it again by itself after the link was lost or the phone registered again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Act in this epoch from now on, here and after every reconnect.
    Assume(Epoch),
    /// Act no more: close every device and line for good, stay connected as a stand-by.
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
    /// The far side does not read what it is sent.
    #[error(
        "more than {limit} bytes wait for the CTIManager, which does not read them: look what keeps it, or the network \
         before it, from reading, or restart it"
    )]
    Unread {
        /// So many may wait, in bytes.
        limit: usize,
    },
    /// Provider open was not answered in time.
    #[error("no answer to provider open in time")]
    OpenTimeout,
    /// Provider open was refused.
    #[error("provider open refused: {0}")]
    OpenRefused(CtiError),
    /// The far side does not let this user in: what to check, there or here.
    #[error("{0}")]
    LoginRefused(String),
    /// The provider was closed by the far side.
    #[error("provider closed by the CTIManager: {0}")]
    ProviderClosed(CtiError),
    /// This CTIManager is not configured any more.
    #[error("the CTIManager is not configured any more")]
    Reconfigured,
    /// Connected and let in, but the far side does not give what the provider needs: what to change there.
    #[error("connected, but of no use: {0}")]
    Unfit(String),
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
/// **Waiting.** [`submit`](Self::submit) only queues and never waits. [`next`](Self::next) gives the reports one by one;
/// whoever uses a provider keeps calling it, and the provider may do all its work in there.
///
/// **Standing by.** A provider begins by standing by: it connects, and opens nothing. Tagged commands are answered with
/// [`StandingBy`](RequestFailure::StandingBy); what is asked to be opened is kept for the moment of
/// [`Assume`](Command::Assume). A later epoch of its own leaves open what is open. [`Relinquish`](Command::Relinquish)
/// closes everything for good: what is wanted after the next `Assume` is asked for again.
///
/// **Opening.** A device that is asked for is reported as it is ([`Device`](ProviderEvent::Device)), a line after its
/// device and with all its calls ([`LineOpened`](ProviderEvent::LineOpened)), and from there on whenever they change:
/// what happens while a line is being opened is in the first look or told after it. Nothing is reported of what was not
/// asked for. Asking for what is open reads it anew.
///
/// A provider whose far side may be wrong about a line (a PBX that was restarted and has forgotten the calls that its
/// phones are still in) does not report `LineOpened` before it can vouch for it: who reads that a line is free acts on it.
///
/// **Closing.** What is closed is not reported any more, but for reports that were waiting for `next` already. Closing a
/// device closes its lines: opened again, it comes without them.
///
/// **Names.** A device that does not exist is out of service; a line that its device does not have is refused as
/// [`UndefinedLine`](CtiError::UndefinedLine). Both are told at once.
///
/// **Order.** The reports of one line come in the order in which things happened; [`Idle`](crate::message::CallState::Idle)
/// is the last of every call. Both ends of a simple call tell of it under one id and name each other. A report may be skipped
/// if a later one says more, but not the end of a call, nor that a line was off hook. `next` can be dropped and called
/// again without losing a report.
///
/// **Answers.** Each command with a tag is answered exactly once, whatever becomes of the link.
///
/// **Calls.** A call is made only from an open line; it follows the forwarding of its destination unless told to override
/// it, and is reported at that line under the id of its answer, before or after it. If the destination is busy or does not
/// exist the command is refused ([`DestinationBusy`](CtiError::DestinationBusy),
/// [`DestinationUnknown`](CtiError::DestinationUnknown)), or the call is made and reported to fail: `Busy`, or `Disconnected`
/// with the [cause](crate::message::Cause) of the failure. A destination that is busy is not disturbed: nothing is told at its
/// line. Where the phone rings first ([`Placing::RingsFirst`]) the call is told at its line as one that comes to it, until it is
/// picked up, and from there on as one that goes out.
///
/// **Data.** Data goes to open devices only ([`DeviceNotOpen`](CtiError::DeviceNotOpen)), byte for byte (unless
/// [`Delivery`] declares otherwise), in order, once. What is too large is [refused by name](CtiError::DataSizeLimitExceeded). Under the same [`DataId`] it takes effect again or not, as
/// [`Dedup`] declares; that holds after a reconnect and for the next instance, too, and it is answered as done either way. What
/// an open device sends is reported unchanged.
///
/// **Phones.** A device that is out of service is reported at once with `status: None`; when it registers, it and its lines
/// are read again. Of an open device every change of its status is reported, and that another user logged in or out.
///
/// **Feature keys.** A press of the key is reported once, from any phone, open or not, to the instance that acts, with the
/// call in the foreground; it is answered with [`AnswerFeature`](Command::AnswerFeature).
///
/// **Link.** A provider connects by itself, again and again. That the link is lost is reported; until it is up again nothing is
/// reported of phones, and tagged commands are answered as [never sent](RequestFailure::NeverSent), those under way as
/// [unknown](RequestFailure::OutcomeUnknown). Then everything that is asked for by now is read anew: what happened meanwhile is
/// seen in that look, and not told as changes (a line that was busy, free and busy again was busy all the time).
///
/// **Epochs.** Under [`Fencing::Strict`] nothing that is asked for in an older epoch has an effect from the moment in which a later
/// one was assumed at the same far side: it is refused or not answered, and the instance is told by a lost link
/// ([`ProviderClosed`](LinkLoss::ProviderClosed), `EpochSuperseded`). It cannot come back in an older epoch.
///
/// **Proving it.** The suite behind the feature `conformance` plays all of this in a lab that the implementer builds around
/// the provider, in one line:
///
/// ```
/// # #[cfg(feature = "conformance")] mod proof {
/// # use ringback_cti::conformance::{self, Lab, Violation};
/// # async fn proof<MyLab: Lab>(my_lab: impl AsyncFn() -> MyLab) -> Result<(), Violation> {
/// conformance::provider(my_lab).await
/// # }
/// # }
/// ```
#[async_trait]
pub trait CtiProvider: Send {
    /// What it promises.
    fn capabilities(&self) -> Capabilities;

    /// Queues a command.
    fn submit(&mut self, command: Command);

    /// Waits for the next report. `None` when the provider has been shut down for good.
    async fn next(&mut self) -> Option<ProviderEvent>;
}
