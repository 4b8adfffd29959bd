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
