use std::net::SocketAddr;
use std::time::Duration;

use ringback_model::Millis;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// The longest address that phones can be told: the longest URL of a key stays within what they take.
const PUBLIC_CHARS: usize = 128;

/// User and password that phones accept.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password. Phones are sent it unencrypted.
    pub password: SecretString,
}

impl Login {
    /// These.
    #[must_use]
    pub fn new(user: impl Into<String>, password: SecretString) -> Self {
        Self { user: user.into(), password }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |text: &str| text.is_empty() || text.chars().any(char::is_control);
        // A colon would end it.
        if bad(&self.user) || self.user.contains(':') {
            return Err(ConfigError::User);
        }
        if bad(self.password.expose_secret()) {
            return Err(ConfigError::Password);
        }
        Ok(())
    }

    /// Whether these are the same, in a time that does not tell how much of them is.
    pub(super) fn is(&self, user: &str, password: &str) -> bool {
        let same = |ours: &str, given: &str| {
            let pairs = ours.bytes().zip(given.bytes());
            let differing = pairs.fold(0, |differing, (a, b)| differing | (a ^ b));
            differing == 0 && ours.len() == given.len()
        };
        let (user, password) = (same(&self.user, user), same(self.password.expose_secret(), password));
        user & password
    }
}

/// How phones are told something over HTTP, and how they reach this program.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address at which phones reach this program; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What phones are told of that: host or address, and port (`192.0.2.1:8188`). Unless it is given, `listen`; it must
    /// be given if that is no address of its own (`0.0.0.0`), or if there is an address translation in between.
    pub public: Option<String>,
    /// At which address phones reach the instance that acts, whichever that is: one address, as `public` (see
    /// [above](super#several-instances)). Keys are pressed there. Unless it is given, `public`: then the keys of a screen
    /// work as long as the machine that showed it.
    pub keys: Option<String>,
    /// What the addresses of keys are signed with; the same at all instances. Unless it is given, user and password of
    /// `login`, which must be the same at all instances then.
    pub secret: Option<SecretString>,
    /// What phones accept, unless a phone has its own ([`PushWay::with_login`](super::PushWay::with_login)).
    pub login: Login,
    /// Whether phones may ask here whether a login is right, at `/authenticate` (default no). See
    /// [above](super#user-and-password).
    pub authenticates: bool,
    /// How long a phone may take to be connected to and to answer an order (default 5 s). Longer: a phone that hangs
    /// holds its own further screens up; shorter: one that is slow counts as not told, and is told again.
    pub answer: Millis,
    /// How long a phone may take from then on to fetch its screen (default 5 s).
    pub fetch: Millis,
    /// How long one connection of a phone to this program may last (default 10 s).
    pub connection: Millis,
    /// How many connections of phones are served at the same time (default 64). Others wait.
    pub connections: usize,
    /// How many phones are told something at the same time (default 64). Others wait, and that does not count as theirs.
    pub phones: usize,
}

impl Config {
    /// The defaults, for this address and login.
    #[must_use]
    pub fn new(listen: SocketAddr, login: Login) -> Self {
        Self {
            listen,
            public: None,
            keys: None,
            secret: None,
            login,
            authenticates: false,
            answer: Millis::from_secs(5),
            fetch: Millis::from_secs(5),
            connection: Millis::from_secs(10),
            connections: 64,
            phones: 64,
        }
    }

    /// Whether it can work, as far as it can be told without starting anything.
    ///
    /// # Errors
    /// It cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.login.check()?;
        match &self.public {
            Some(public) if !is_authority(public) => {
                return Err(ConfigError::Public { found: public.clone() });
            }
            None if self.listen.ip().is_unspecified() => {
                return Err(ConfigError::NoPublic { listen: self.listen });
            }
            _ => {}
        }
        if let Some(keys) = self.keys.as_ref().filter(|keys| !is_authority(keys)) {
            return Err(ConfigError::Public { found: keys.clone() });
        }
        if self.secret.as_ref().is_some_and(|secret| secret.expose_secret().is_empty()) {
            return Err(ConfigError::Secret);
        }
        let times = [("answer", self.answer), ("fetch", self.fetch), ("connection", self.connection)];
        if let Some((name, _)) = times.into_iter().find(|(_, time)| *time == Millis(0)) {
            return Err(ConfigError::Zero { name });
        }
        let counts = [("connections", self.connections), ("phones", self.phones)];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::Zero { name });
        }
        Ok(())
    }

    /// Whether a phone can be told something at this host (and port, if that is not 80).
    ///
    /// # Errors
    /// That is no host.
    pub fn check_phone(host: &str) -> Result<(), ConfigError> {
        if is_authority(host) { Ok(()) } else { Err(ConfigError::Phone { found: host.to_owned() }) }
    }
}

/// Whether this is a host, and perhaps a port, as it stands in a URL.
fn is_authority(text: &str) -> bool {
    let parsed = text.parse::<hyper::http::uri::Authority>();
    let plain = !text.contains('@') && text.len() <= PUBLIC_CHARS;
    plain
        && parsed.is_ok_and(|found| {
            let port = found.as_str().strip_prefix(found.host()).unwrap_or_default();
            !found.host().is_empty() && (port.is_empty() || found.port_u16().is_some_and(|port| port != 0))
        })
}

pub(super) fn duration(time: Millis) -> Duration {
    Duration::from_millis(time.0)
}

/// The configuration cannot work. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no user, or one that cannot be sent.
    #[error("the user for phones must not be empty, nor hold a colon or a control character")]
    User,
    /// There is no password, or one that cannot be sent.
    #[error("the password for phones must not be empty, nor hold a control character")]
    Password,
    /// There is a secret, and it is empty.
    #[error(
        "the secret for the addresses of keys must not be empty: give one, or none to have the password used"
    )]
    Secret,
    /// Phones cannot be told such an address.
    #[error(
        "phones cannot fetch from {found:?}: give host or address, and port, like 192.0.2.1:8188, in at most 128 characters"
    )]
    Public {
        /// What was given.
        found: String,
    },
    /// Phones must be told an address.
    #[error("phones cannot fetch from {listen}: say in `public` at which address they reach this machine")]
    NoPublic {
        /// What is listened at.
        listen: SocketAddr,
    },
    /// A time or a number is zero.
    #[error("{name} must be at least 1")]
    Zero {
        /// Which.
        name: &'static str,
    },
    /// A phone cannot have this address.
    #[error(
        "no phone is told anything at {found:?}: give its host name or address, and its port if that is not 80"
    )]
    Phone {
        /// What was given.
        found: String,
    },
}
