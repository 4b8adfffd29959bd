use ringback_model::{Group, Millis};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::codec::limits;
use crate::message::Feature;

/// A CTIManager as configured.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manager {
    /// Its name in reports and alarms.
    pub name: String,
    /// Where it is reached; what this means is the connector's business (`host:port` for TCP).
    pub address: String,
}

impl Manager {
    /// A CTIManager of this name at this address.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: name.into(), address: address.into() }
    }
}

/// Everything that a session is told about whom to reach and how long to wait. Every value can be changed while the
/// session runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The CTIManagers, in the order in which they are tried. With none the session only waits for a change.
    pub managers: Vec<Manager>,
    /// The CTI user. A change takes effect at the next provider open.
    pub user: String,
    /// Its password. A change takes effect at the next provider open.
    pub password: SecretString,
    /// The application's name, for the CTIManager's lists. A change takes effect at the next provider open.
    pub application: String,
    /// The group served. A change takes effect at the next provider open.
    pub group: Group,
    /// The features to register for at each provider open.
    pub features: Vec<Feature>,
    /// The heartbeat interval asked for (default 30 s). The CTIManager dictates the one in force; a link that is
    /// silent for twice that interval is lost.
    pub heartbeat: Millis,
    /// How long one CTIManager may take to be connected and to answer provider open (default 30 s). A larger value
    /// delays the turn to the next one.
    pub open_timeout: Millis,
    /// How long the answer to any other request may take (default 20 s). After that its outcome is unknown.
    pub request_timeout: Millis,
    /// The longest delay between two attempts to reach any CTIManager (default 60 s).
    pub retry_limit: Millis,
}

impl Config {
    /// The defaults, for these CTIManagers and this user, registering for the CallBack key.
    #[must_use]
    pub fn new(managers: Vec<Manager>, user: impl Into<String>, password: SecretString) -> Self {
        Self {
            managers,
            user: user.into(),
            password,
            application: "CallBack".to_owned(),
            group: Group::default(),
            features: vec![Feature::CallBack],
            heartbeat: Millis::from_secs(30),
            open_timeout: Millis::from_secs(30),
            request_timeout: Millis::from_secs(20),
            retry_limit: Millis::from_secs(60),
        }
    }

    /// Checks what the protocol can carry and what would make the session spin.
    ///
    /// # Errors
    /// A text is too long for the wire, or a time is zero. Nothing was changed.
    pub fn check(&self) -> Result<(), ConfigError> {
        let texts = [
            ("the CTI user", self.user.len(), limits::USER),
            ("the CTI password", self.password.expose_secret().len(), limits::PASSWORD),
            ("the application's name", self.application.len(), limits::APPLICATION),
        ];
        for (what, len, max) in texts {
            if len > max {
                return Err(ConfigError::TooLong { what, len, max });
            }
        }
        let times = [
            ("HeartBeat Interval Time Out", self.heartbeat),
            ("Provider Open Call Time Out", self.open_timeout),
            ("Synchronous Request Time Out", self.request_timeout),
            ("Connection Retry Time Out", self.retry_limit),
        ];
        match times.into_iter().find(|(_, time)| *time == Millis::ZERO) {
            Some((what, _)) => Err(ConfigError::Zero { what }),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot work. The configuration in force before stays in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A text does not fit into the protocol.
    #[error("{what} is {len} bytes long: at most {max} are allowed")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The longest allowed.
        max: usize,
    },
    /// A time is zero.
    #[error("{what} is 0 ms: give at least 1 ms")]
    Zero {
        /// Which parameter.
        what: &'static str,
    },
}
