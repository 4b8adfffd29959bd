use ringback_model::{Millis, Timestamp};

use super::{ConfigError, Phase, Ping, Session};

/// How long a session waits for what: the part of its [`Config`](super::Config) that may be changed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// [`open_timeout`](super::Config::open_timeout).
    pub open_timeout: Millis,
    /// [`request_timeout`](super::Config::request_timeout).
    pub request_timeout: Millis,
    /// [`keep_alive`](super::Config::keep_alive).
    pub keep_alive: Millis,
    /// [`retry_limit`](super::Config::retry_limit).
    pub retry_limit: Millis,
}

impl Times {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &super::Config) -> Self {
        Self {
            open_timeout: config.open_timeout,
            request_timeout: config.request_timeout,
            keep_alive: config.keep_alive,
            retry_limit: config.retry_limit,
        }
    }

    /// The configuration with these.
    pub(super) fn put_into(self, config: &mut super::Config) {
        config.open_timeout = self.open_timeout;
        config.request_timeout = self.request_timeout;
        config.keep_alive = self.keep_alive;
        config.retry_limit = self.retry_limit;
    }
}

impl Session {
    /// Puts these times in force, link or not. What is being waited for is waited for no longer than they say, from now;
    /// of an action that was asked for before, its own time holds.
    ///
    /// # Errors
    /// One of them is zero; those in force stay.
    pub fn set_times(&mut self, now: Timestamp, times: Times) -> Result<(), ConfigError> {
        let mut config = self.config.clone();
        times.put_into(&mut config);
        config.check()?;
        self.config = config;
        match &mut self.phase {
            Phase::Waiting { until } => *until = (*until).min(now + times.retry_limit),
            Phase::Connecting { deadline }
            | Phase::Greeting { deadline }
            | Phase::Challenge { deadline, .. }
            | Phase::Login { deadline, .. } => *deadline = (*deadline).min(now + times.open_timeout),
            Phase::Up { ping: Ping::Due(until) | Ping::Awaited { until, .. }, .. } => {
                *until = (*until).min(now + times.keep_alive);
            }
        }
        Ok(())
    }
}
