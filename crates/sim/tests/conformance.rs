//! The provider of this workspace, at a simulated call manager, is what its port promises.

mod provider_lab;

use async_trait::async_trait;
use provider_lab::{Scissors, SimLab};
use ringback_cti::conformance::{self, Violation};
use ringback_cti::{Capabilities, Command, CtiProvider, Dedup, Fencing, ProviderEvent};
use ringback_cti_net::ClientProvider;

#[tokio::test(start_paused = true)]
async fn client_provider() -> Result<(), Violation> {
    conformance::provider(async || SimLab::new(Scissors::Stop, |provider| provider)).await
}

#[tokio::test(start_paused = true)]
async fn client_provider_whose_links_fall_silent() -> Result<(), Violation> {
    conformance::provider(async || SimLab::new(Scissors::Silence, |provider| provider)).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_out() {
    assert_eq!(conformance::left_out(&SimLab::new(Scissors::Stop, |provider: ClientProvider| provider)), []);
}

/// A provider that promises less.
struct Modest(ClientProvider);

#[async_trait]
impl CtiProvider for Modest {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Fencing::LeaseOnly, Dedup::None)
    }

    fn submit(&mut self, command: Command) {
        self.0.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        self.0.next().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_promises_less() -> Result<(), Violation> {
    let lab = async || SimLab::new(Scissors::Stop, Modest).weaker(Fencing::LeaseOnly, Dedup::None);
    conformance::provider(lab).await
}
