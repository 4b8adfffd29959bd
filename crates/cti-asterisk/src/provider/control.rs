use ringback_db::ServiceParameters;
use ringback_model::Millis;
use tokio::sync::mpsc;

use crate::session;

/// How long a provider waits for what: the part of its [`Config`](super::Config) that may be changed while it runs.
///
/// | service parameter | here |
/// |---|---|
/// | Call Back Recall Timer | [`ring`](Self::ring) |
/// | Provider Open Call Time Out | [`open_timeout`](session::Times::open_timeout): connecting, greeting and login together |
/// | HeartBeat Interval Time Out | [`keep_alive`](session::Times::keep_alive): a server is lost that has not answered when the next one is due |
/// | Synchronous Request Time Out | [`request_timeout`](session::Times::request_timeout) |
/// | Connection Retry Time Out | [`retry_limit`](session::Times::retry_limit) |
///
/// The CTI Connecting Port is that of another protocol: the port of the manager interface is in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// [`ring`](super::Config::ring). What rings already goes on as it began.
    pub ring: Millis,
    /// Those of the manager interface.
    pub link: session::Times,
}

impl Times {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &super::Config) -> Self {
        Self { ring: config.ring, link: session::Times::of(&config.session) }
    }
}

impl From<&ServiceParameters> for Times {
    fn from(parameters: &ServiceParameters) -> Self {
        Self {
            ring: parameters.callback.recall_timer,
            link: session::Times {
                open_timeout: parameters.provider_open_timeout,
                request_timeout: parameters.request_timeout,
                keep_alive: parameters.heartbeat_interval,
                retry_limit: parameters.connection_retry_timeout,
            },
        }
    }
}

/// Changes the [`Times`] of a running [`AsteriskProvider`](super::AsteriskProvider), from anywhere. Clones do the same.
///
/// The service parameters reach it by the callback of the service:
///
/// ```
/// # fn wired(provider: &ringback_cti_asterisk::provider::AsteriskProvider) -> ringback::OnParameters {
/// let control = provider.control();
/// Box::new(move |parameters| control.set(parameters.into()))
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Control(mpsc::UnboundedSender<Times>);

/// What has been changed and is not in force yet.
pub(super) type Changes = mpsc::UnboundedReceiver<Times>;

impl Control {
    pub(super) fn new() -> (Self, Changes) {
        let (sender, changes) = mpsc::unbounded_channel();
        (Self(sender), changes)
    }

    /// Puts these in force, in order, as soon as the provider is polled. Times of zero change nothing: it is traced.
    pub fn set(&self, times: Times) {
        // A provider that is gone waits for nothing.
        let _gone = self.0.send(times);
    }
}
