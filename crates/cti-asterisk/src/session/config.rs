use ringback_model::Millis;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::ami::{Action, Limits};

/// How the password goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Login {
    /// Never: an MD5 digest of it and of the server's challenge goes instead. For links that anyone may read.
    #[default]
    Challenge,
    /// As it is. Only for links that are encrypted: the MD5 challenge would add nothing there, and some servers switch
    /// it off.
    Plain,
}

/// A manager interface as configured.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name in reports and alarms.
    pub name: String,
    /// Where it is reached; what this means is the connector's business (`host:port` for TCP).
    pub address: String,
    /// The manager user.
    pub user: String,
    /// Its secret.
    pub secret: SecretString,
    /// How the secret goes over the wire.
    pub login: Login,
}

impl Server {
    /// A server with the MD5 challenge.
    pub fn new(
        name: impl Into<String>,
        address: impl Into<String>,
        user: impl Into<String>,
        secret: SecretString,
    ) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
            user: user.into(),
            secret,
            login: Login::default(),
        }
    }
}

/// Everything that a session is told: whom to reach and how long to wait.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub server: Server,
    /// The classes of events asked for, as the server calls them (default `call,system,user`). Others are not sent,
    /// which spares a busy server most of its work. What the manager user may not read is not sent either.
    pub events: String,
    /// How long connecting, greeting and login may take together (default 10 s).
    pub open_timeout: Millis,
    /// How long the answer to an action may take, waiting for its turn included (default 5 s). After that its outcome
    /// is unknown if a byte of it was sent.
    pub request_timeout: Millis,
    /// The interval between keep-alives (default 10 s). A server that has not answered one when the next is due is
    /// lost, even if it sends other things: it takes no action any more.
    pub keep_alive: Millis,
    /// The longest delay between two attempts (default 60 s). The first delay is half a second, each further one
    /// twice as long.
    pub retry_limit: Millis,
    /// The most actions that are sent and not answered (default 32). Others wait.
    pub in_flight: usize,
    /// The most actions that wait (default 4096). Further ones are refused.
    pub waiting: usize,
    /// The most events that wait to be taken by the user of the session (default 20 000). When there are more, all of
    /// them are dropped and [`Event::Lagged`](super::Event::Lagged) is told: everything must be read anew.
    pub backlog: usize,
    /// The bounds of the parser.
    pub limits: Limits,
}

impl Config {
    /// The defaults, for this server.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self {
            server,
            events: "call,system,user".to_owned(),
            open_timeout: Millis::from_secs(10),
            request_timeout: Millis::from_secs(5),
            keep_alive: Millis::from_secs(10),
            retry_limit: Millis::from_secs(60),
            in_flight: 32,
            waiting: 4096,
            backlog: 20_000,
            limits: Limits::default(),
        }
    }

    /// Checks what the protocol cannot carry and what would make the session spin or stall.
    ///
    /// # Errors
    /// A time or bound is zero, or a text cannot be a header's value. Nothing was changed.
    pub fn check(&self) -> Result<(), ConfigError> {
        let numbers = [
            ("the time to open", self.open_timeout.0),
            ("the request time-out", self.request_timeout.0),
            ("the keep-alive interval", self.keep_alive.0),
            ("the longest delay between attempts", self.retry_limit.0),
            ("the number of actions in flight", self.in_flight as u64),
            ("the number of waiting actions", self.waiting as u64),
            ("the backlog of events", self.backlog as u64),
        ];
        if let Some((what, _)) = numbers.into_iter().find(|(_, number)| *number == 0) {
            return Err(ConfigError::Zero { what });
        }
        let texts = [
            ("the manager user", self.server.user.as_str()),
            ("the manager secret", self.server.secret.expose_secret()),
            ("the classes of events", self.events.as_str()),
        ];
        let fits =
            |value: &str| Action::new("Login").and_then(|login| login.header("Username", value)).is_ok();
        match texts.into_iter().find(|(_, value)| value.is_empty() || !fits(value)) {
            Some((what, _)) => Err(ConfigError::Text { what }),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot work. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number is zero.
    #[error("{what} is 0: give at least 1")]
    Zero {
        /// Which.
        what: &'static str,
    },
    /// A text is empty, too long for a line, or holds a line break.
    #[error("{what} cannot be sent: give one line of 1 to 1000 bytes")]
    Text {
        /// Which.
        what: &'static str,
    },
}
