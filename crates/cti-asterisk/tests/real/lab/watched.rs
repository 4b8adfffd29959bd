//! A provider that tells its lab how far it is.

use async_trait::async_trait;
use ringback_cti::message::FeatureInvocation;
use ringback_cti::{Capabilities, Command, CtiProvider, ProviderEvent};
use ringback_cti_asterisk::provider::AsteriskProvider;
use ringback_model::Epoch;

/// The names of those who press a key only to be heard begin so.
pub(crate) const SIGNAL: &str = "signal-";

/// A provider, and what it was heard of.
pub(crate) struct Watched {
    pub(crate) provider: AsteriskProvider,
    acts: bool,
    linked: bool,
    /// The signal that was heard last.
    pub(crate) heard: u64,
}

impl Watched {
    pub(crate) fn new(provider: AsteriskProvider) -> Self {
        Self { provider, acts: false, linked: false, heard: 0 }
    }

    /// It would tell of a key.
    pub(crate) fn tells_of_keys(&self) -> bool {
        self.acts && self.linked
    }
}

#[async_trait]
impl CtiProvider for Watched {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn submit(&mut self, command: Command) {
        match &command {
            Command::Assume(epoch) => self.acts = *epoch != Epoch(0),
            Command::Relinquish => self.acts = false,
            _ => {}
        }
        self.provider.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        loop {
            let event = self.provider.next().await?;
            match &event {
                ProviderEvent::LinkUp { .. } => self.linked = true,
                ProviderEvent::LinkLost { .. } => self.linked = false,
                ProviderEvent::FeatureInvoked(press) => {
                    if let Some(signal) = signal_of(press) {
                        self.heard = signal;
                        continue;
                    }
                }
                _ => {}
            }
            return Some(event);
        }
    }
}

fn signal_of(press: &FeatureInvocation) -> Option<u64> {
    press.from.device.as_str().strip_prefix(SIGNAL)?.parse().ok()
}
