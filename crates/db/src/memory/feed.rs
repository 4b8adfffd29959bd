use std::sync::Arc;

use async_trait::async_trait;
use ringback_model::Group;
use tokio::sync::watch;

use super::lock;
use super::shared::Shared;
use crate::feed::{Change, ChangeFeed, FeedError};

/// The changes of one group of a [`MemoryDirectory`](crate::MemoryDirectory).
#[derive(Debug)]
pub struct MemoryFeed {
    shared: Arc<Shared>,
    group: Group,
    wake: watch::Receiver<()>,
    /// The outages that were told.
    outages: u64,
    /// The last change that was told or passed over; `None`: a `Resync` is due.
    position: Option<u64>,
}

impl MemoryFeed {
    pub(super) fn new(shared: Arc<Shared>, group: Group) -> Self {
        let wake = shared.changed.subscribe();
        let outages = lock(&shared.state).outages;
        Self { shared, group, wake, outages, position: None }
    }

    /// What can be told now.
    fn poll(&mut self) -> Option<Result<Change, FeedError>> {
        let state = lock(&self.shared.state);
        if self.outages < state.outages {
            self.outages = state.outages;
            self.position = None;
            return Some(Err(FeedError::Lost("the directory was switched off".to_owned())));
        }
        if state.unavailable {
            return None;
        }
        let oldest = state.seq - state.log.len() as u64;
        let Some(position) = self.position.filter(|position| *position >= oldest) else {
            self.position = Some(state.seq);
            return Some(Ok(Change::Resync));
        };
        let unseen = usize::try_from(position - oldest).unwrap_or(usize::MAX);
        for (at, (group, change)) in state.log.iter().enumerate().skip(unseen) {
            if *group == self.group {
                self.position = Some(oldest + at as u64 + 1);
                return Some(Ok(change.clone()));
            }
        }
        self.position = Some(state.seq);
        None
    }
}

#[async_trait]
impl ChangeFeed for MemoryFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        loop {
            self.wake.mark_unchanged();
            if let Some(report) = self.poll() {
                return report;
            }
            // Never an error: the sender lives in what this feed shares.
            let _ = self.wake.changed().await;
        }
    }
}
