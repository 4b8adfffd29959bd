use ringback_model::Millis;

/// How much of the service its clients may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpLimits {
    /// How many clients may be connected at once; as many more may be about to authenticate. Default 16.
    pub connections: usize,
    /// How long a connection may be silent. Default 5 min: a tool that stays connected says `PING` more often.
    pub idle: Millis,
    /// How long a line may take, and the authentication as a whole. Default 10 s.
    pub line: Millis,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self { connections: 16, idle: Millis::from_mins(5), line: Millis::from_secs(10) }
    }
}
