//! A backup keeps a copy of the requests, so that it reads little when it takes over.

use std::sync::Arc;

use ringback_db::{News, Position, StoreError};
use ringback_election::Role;
use ringback_serviceability::trace::target;
use tokio::time::{Duration, sleep, timeout};

use super::Service;
use super::jobs::Done;

/// Between two looks: what is written in one moment is read at once, and a store that is away is left alone for a moment.
const PACE: Duration = Duration::from_millis(250);

/// How long the store may take to give all requests.
pub(super) const LOAD_PATIENCE: Duration = Duration::from_secs(30);

/// The store did not give the requests in time.
pub(super) fn too_slow() -> StoreError {
    StoreError::Unavailable(format!("it did not give the requests in {} s", LOAD_PATIENCE.as_secs()))
}

impl Service {
    /// Waits for news of the requests, if this is a backup of somebody and does not do so already.
    pub(super) fn follow(&mut self, delay: Duration) {
        let is_backup = self.election.role == Role::Backup && !self.peers.borrow().is_empty();
        if self.is_following || !is_backup || self.office.is_taken() {
            return;
        }
        self.is_following = true;
        let (store, group, since) =
            (Arc::clone(&self.store), self.config.group.clone(), self.copy.position());
        self.jobs.push(Box::pin(async move {
            sleep(delay).await;
            store.newer(&group, since).await;
            let news = timeout(LOAD_PATIENCE, store.news(&group, since)).await;
            Done::News(since, news.unwrap_or_else(|_| Err(too_slow())))
        }));
    }

    /// The news that were waited for. Those about another copy, from before a term of office, are of no use.
    pub(super) fn news(&mut self, since: Option<Position>, news: Result<News, StoreError>) {
        self.is_following = false;
        match news {
            Ok(news) if !self.office.is_taken() && self.copy.position() == since => {
                if !self.copy.take(news) {
                    tracing::warn!(target: target::REDUNDANCY, "the copy of the requests was wrong: it is made anew");
                }
            }
            Ok(_) => {}
            // Whether the store works is asked elsewhere.
            Err(error) => tracing::debug!(target: target::REDUNDANCY, %error, "no news of the requests"),
        }
        self.follow(PACE);
    }
}
