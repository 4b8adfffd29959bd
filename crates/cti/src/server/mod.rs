//! The CTIManager's side of a link, without sockets and without a clock.
//!
//! A [`ServerSession`] decodes what an application sends, lets nothing pass before provider open, finds the common
//! version, sends heartbeats and notices silence. What the requests mean is the business of whoever runs it.

mod session;

#[cfg(test)]
mod tests;

use ringback_model::Millis;
use thiserror::Error;

pub use session::ServerSession;

use crate::codec::{self, DecodeError};
use crate::message::{CtiError, ProviderOpen, Request, Version};

/// What a server grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerParameters {
    /// The oldest and the newest protocol version to speak (default: what this crate speaks).
    pub versions: (Version, Version),
    /// The shortest and the longest heartbeat interval to grant (default 1 s to 1 h). Equal values dictate it.
    pub heartbeat: (Millis, Millis),
    /// How long a connection may wait before its provider is open (default 30 s).
    pub open_timeout: Millis,
}

impl Default for ServerParameters {
    fn default() -> Self {
        Self {
            versions: codec::VERSIONS,
            heartbeat: (Millis::from_secs(1), Millis::from_mins(60)),
            open_timeout: Millis::from_secs(30),
        }
    }
}

/// What the application wants, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerOutput {
    /// Provider open, in a common version; to be answered under this number.
    Open {
        /// For the answer.
        sequence: u32,
        /// The version to be spoken.
        version: Version,
        /// What the application gave.
        open: ProviderOpen,
    },
    /// Any other request; to be answered under this number.
    Request {
        /// For the answer.
        sequence: u32,
        /// What is asked.
        request: Request,
    },
    /// Send what is left to be sent, then close the connection.
    Disconnect(ServerLoss),
}

/// Why a server ends a link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ServerLoss {
    /// The application closed its provider, as it should.
    #[error("the application closed its provider")]
    Closed,
    /// This side closed the provider.
    #[error("provider closed: {0}")]
    ClosedByUs(CtiError),
    /// Provider open was refused.
    #[error("provider open refused: {0}")]
    Refused(CtiError),
    /// No provider was opened in time.
    #[error("no provider opened in time")]
    OpenTimeout,
    /// Nothing was heard for twice the heartbeat interval.
    #[error("silent for twice the heartbeat interval")]
    Silent,
    /// What came is not the protocol.
    #[error("protocol violation: {0}")]
    Protocol(#[from] DecodeError),
    /// A message came that an application may not send.
    #[error("protocol violation: {0}")]
    Unexpected(&'static str),
}
