use ringback_model::Millis;
use thiserror::Error;

use super::Attempt;
use crate::ami::{AmiError, Message};

/// Names an action until its outcome is told. Chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Connect to the server, then tell [`Session::connected`](super::Session::connected) or
    /// [`Session::connect_failed`](super::Session::connect_failed).
    Connect(Attempt),
    /// Close this connection, or give up making it. Nothing needs to be told.
    Disconnect(Attempt),
    /// Hand this to the user of the session.
    Event(Event),
}

/// What a session tells, in the order of the wire: an event that the server sent before an answer comes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Logged in at a server whose interface has this version.
    Up {
        /// For example `9.0.0`.
        version: String,
    },
    /// The link that was up is gone. Every action has been told its outcome before.
    Lost(Loss),
    /// An attempt to log in failed.
    Failed(Loss),
    /// Something happened at the server.
    Message(Message),
    /// Events were dropped, because nobody took them: everything must be read anew.
    Lagged,
    /// A part of the answer to an action that lists something.
    Listed(Ticket, Message),
    /// The outcome of an action. Each has exactly one. For one that lists something it comes after its last part.
    Answer(Ticket, Result<Message, Failure>),
}

/// Why an action did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server refused it; nothing happened there.
    #[error("refused by the server: {0}")]
    Refused(String),
    /// The manager user may not do that; nothing happened.
    #[error("the manager user may not do {0:?}: give it the write class for it in manager.conf")]
    NotPermitted(&'static str),
    /// It was not sent: there is no link. Nothing happened.
    #[error("never sent: there is no link to the server")]
    NoLink,
    /// It was not sent in time. Nothing happened.
    #[error("never sent: the server was too slow to take it in time")]
    Expired,
    /// Too many actions wait already. Nothing happened.
    #[error("never sent: {0} actions wait already")]
    TooMany(usize),
    /// It was sent, at least in part, and no answer came: it may have happened or not.
    #[error("sent, but the outcome is unknown")]
    Unknown,
}

impl Failure {
    /// Whether it is certain that nothing happened at the server.
    #[must_use]
    pub fn nothing_happened(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Loss {
    /// No connection could be made.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// Connected, but the server did not say that it is a manager interface.
    #[error(
        "connected, but no greeting within {0}: the port is that of tlsbindaddr in manager.conf, which wants TLS, or no \
         manager's at all; the one without TLS is port of [general] there, 5038 by default"
    )]
    NoGreeting(Millis),
    /// The server greeted and did not answer the login.
    #[error(
        "no answer to the login within {0}: the server is overloaded, or something else than a manager interface"
    )]
    LoginTimeout(Millis),
    /// User or secret is wrong, or the address is not permitted.
    #[error(
        "login refused ({0}): check that the user is a section of manager.conf, that its secret is the same here and there, and \
         that deny and permit in it allow this machine's address"
    )]
    LoginRefused(String),
    /// The server offers no MD5 challenge.
    #[error(
        "the server gives no MD5 challenge ({0}): use TLS with the plain login, or authtype in manager.conf"
    )]
    NoChallenge(String),
    /// The far side closed the connection, or the network did.
    #[error("connection closed")]
    Closed,
    /// A keep-alive was not answered.
    #[error("no answer to a keep-alive within {0}")]
    Silent(Millis),
    /// What came is not the manager protocol.
    #[error("not a manager interface: {0}")]
    Protocol(#[from] AmiError),
    /// The server sent something else than the greeting first.
    #[error("not a manager interface: it does not begin with a greeting; check host and port")]
    NoAmi,
    /// The user of the session asked for it.
    #[error("given up: {0}")]
    GivenUp(String),
}
