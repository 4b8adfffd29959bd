use thiserror::Error;

/// The answer of a CTIManager that refuses a request. A refused request changed nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum CtiError {
    /// No protocol version that both sides speak.
    #[error("incompatible protocol version: update the older side")]
    IncompatibleProtocolVersion,
    /// The message could not be understood.
    #[error("unrecognizable message")]
    UnrecognizablePdu,
    /// The message is larger than the receiver accepts.
    #[error("message too big")]
    MessageTooBig,
    /// The first request must open the provider.
    #[error("provider not open")]
    ProviderNotOpen,
    /// The provider is open on this connection already.
    #[error("provider already open")]
    ProviderAlreadyOpen,
    /// The provider has been closed, because it asked for it or because a later epoch took over.
    #[error("provider closed")]
    ProviderClosed,
    /// User or password is wrong, or the user may not use CTI.
    #[error("login failed: check the CTI user and its password at the call manager")]
    LoginFailed,
    /// The CTIManager serves as many applications as it can.
    #[error("too many connections")]
    TooManyConnections,
    /// The epoch is older than one this CTIManager has seen: another instance has taken over.
    #[error("epoch superseded: another instance has taken over")]
    EpochSuperseded,
    /// The device is not open.
    #[error("device not open")]
    DeviceNotOpen,
    /// The user may not control this device.
    #[error("device restricted")]
    DeviceRestricted,
    /// The device is not registered (or not known).
    #[error("device out of service")]
    DeviceOutOfService,
    /// The device is open already.
    #[error("device already open")]
    DeviceAlreadyOpen,
    /// The device has no such line, or the line is not open.
    #[error("undefined line")]
    UndefinedLine,
    /// The line is out of service.
    #[error("line out of service")]
    LineOutOfService,
    /// The line is open already.
    #[error("line already open")]
    LineAlreadyOpen,
    /// The calls on the line do not allow this now.
    #[error("illegal call state")]
    IllegalCallState,
    /// The destination is busy.
    #[error("destination busy")]
    DestinationBusy,
    /// The destination is not known.
    #[error("destination unknown")]
    DestinationUnknown,
    /// The data is larger than the phone accepts.
    #[error("data size limit exceeded")]
    DataSizeLimitExceeded,
    /// The phone did not accept the data (it could not parse it).
    #[error("data rejected by the phone")]
    DataRejected,
    /// The call manager did not answer the CTIManager in time.
    #[error("timeout at the CTIManager")]
    Timeout,
    /// The request is not supported.
    #[error("request not supported")]
    NotSupported,
    /// A value this version does not know.
    #[error("unknown CTI error 0x{0:04x}")]
    Unknown(u16),
}
