//! The whole world of a scenario: the simulated call manager, directory and store around instances of the real
//! service. The scenario runner and an interactive prompt act on it alike.

mod act;
mod instances;
mod observe;
mod site;
mod store;

use std::future::pending;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

pub use instances::Instances;
#[cfg(feature = "asterisk")]
pub(crate) use site::furnish;
pub use site::{Database, Site, SiteError};
pub use store::WatchedStore;

use crate::language::{Action, Condition, NodeAction};
use crate::runner::{BackEnd, Hindrance, InstanceStatus, Mark, Seen, evaluate};

/// What passes of simulated time after each action but `wait`.
const SETTLE: Duration = Duration::from_millis(250);

/// Why an action was impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, saw {saw}")]
pub struct ActionFailure {
    /// What it would have needed.
    pub expected: String,
    /// What there was.
    pub saw: String,
}

impl ActionFailure {
    pub(crate) fn new(expected: impl Into<String>, saw: impl Into<String>) -> Self {
        Self { expected: expected.into(), saw: saw.into() }
    }
}

/// A site and the instances of the service that serve it.
pub struct World<I> {
    site: Site,
    instances: I,
    changes: Changes,
}

struct Changes {
    call_manager: watch::Receiver<u64>,
    store: watch::Receiver<()>,
    instances: watch::Receiver<u64>,
}

impl<I: Instances> World<I> {
    /// How long the service may take until one instance is active and ready.
    pub const START_LIMIT: Duration = Duration::from_secs(60);

    /// Puts the two together. No instance runs yet.
    #[must_use]
    pub fn new(site: Site, instances: I) -> Self {
        let changes = Changes {
            call_manager: site.call_manager.changed(),
            store: site.store.changed(),
            instances: instances.changed(),
        };
        Self { site, instances, changes }
    }

    /// What is around the instances.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The instances.
    #[must_use]
    pub fn instances(&self) -> &I {
        &self.instances
    }

    /// Starts these instances and waits until one is active and ready, and all agree on it.
    ///
    /// # Errors
    /// One cannot start, or none is ready in time.
    pub async fn start(&mut self, nodes: &[IpAddr]) -> Result<(), ActionFailure> {
        for address in nodes {
            self.act(&Action::Node { address: *address, fault: NodeAction::Start }).await?;
        }
        let ready = async {
            while !is_ready(&self.instances.statuses()) {
                self.changed().await;
            }
        };
        if tokio::time::timeout(Self::START_LIMIT, ready).await.is_err() {
            let Seen { saw, .. } = evaluate(&Condition::NoActive, self, Mark::default());
            return Err(ActionFailure::new("one instance active and ready", saw));
        }
        Ok(())
    }

    /// Waits for the next change of anything that can be observed. None that happens between two calls is missed.
    pub async fn changed(&mut self) {
        let Changes { call_manager, store, instances } = &mut self.changes;
        tokio::select! {
            biased;
            () = change(call_manager) => {}
            () = change(store) => {}
            () = change(instances) => {}
        }
    }
}

/// Whether one instance is active and ready, and all agree on it.
pub(crate) fn is_ready(statuses: &[InstanceStatus]) -> bool {
    let ready = statuses.iter().find(|status| status.ready).map(|status| status.address);
    ready.is_some() && statuses.iter().all(|status| status.active == ready)
}

#[async_trait(?Send)]
impl<I: Instances> BackEnd for World<I> {
    async fn start(&mut self, nodes: &[IpAddr]) -> Result<(), ActionFailure> {
        Self::start(self, nodes).await
    }

    async fn act(&mut self, action: &Action) -> Result<(), Hindrance> {
        Ok(Self::act(self, action).await?)
    }

    async fn settle(&mut self) {
        tokio::time::sleep(SETTLE).await;
    }

    async fn changed(&mut self) {
        Self::changed(self).await;
    }
}

/// A source that is gone changes no more.
pub(crate) async fn change<T>(source: &mut watch::Receiver<T>) {
    if source.changed().await.is_err() {
        pending().await
    }
}
