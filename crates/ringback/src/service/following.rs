//! A backup keeps a copy of the requests, so that it reads little when it takes over. The active keeps one, too: by it, what
//! a store has lost that was set back is noticed, and written again.

use std::fmt;
use std::sync::Arc;

use ringback_db::{News, Position, RequestCopy, RequestStore, StoreError};
use ringback_election::Role;
use ringback_model::{Epoch, Group};
use ringback_serviceability::trace::target;
use tokio::time::{Duration, sleep, timeout};

use super::Service;
use super::jobs::Done;
use super::outgoing::in_time;
use crate::writer::Transaction;

/// Between two looks: what is written in one moment is read at once, and a store that is away is left alone for a moment.
const PACE: Duration = Duration::from_millis(250);

/// How long the store may take to give all requests.
const LOAD_PATIENCE: Duration = Duration::from_secs(30);

/// So many requests are written again in one transaction.
const WRITTEN_AT_ONCE: usize = 256;

/// The store did not give the requests in time.
fn too_slow() -> StoreError {
    StoreError::Unavailable(format!("it did not give the requests in {} s", LOAD_PATIENCE.as_secs()))
}

/// A store that lacks what it had confirmed, or has another past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SetBack {
    /// Up to where it had confirmed what this instance knows.
    confirmed: Option<Position>,
    /// Where it stands instead.
    found: Option<Position>,
    /// So many requests are again as they were confirmed.
    pub(super) written_again: usize,
}

impl fmt::Display for SetBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [confirmed, found] = [self.confirmed, self.found].map(|at| at.map_or(0, |at| at.revision));
        write!(f, "revision {confirmed} was confirmed, found {found}")
    }
}

/// Brings a copy up to date. If the store has been set back, and nobody has acted since the copy was made, it is brought up to
/// the copy first, in this epoch, which has been claimed; `before` was the highest one before the claim. After an error
/// the copy is a good one of an earlier moment, or empty.
pub(super) async fn catch_up(
    store: &dyn RequestStore,
    group: &Group,
    epoch: Epoch,
    before: Epoch,
    copy: &mut RequestCopy,
) -> Result<Option<SetBack>, StoreError> {
    let read = timeout(LOAD_PATIENCE, copy.catch_up(store, group)).await;
    let Some(ahead) = read.map_err(|_| too_slow())?? else { return Ok(None) };
    let (confirmed, found) = (ahead.position(), copy.position());
    let mut set_back = SetBack { confirmed, found, written_again: 0 };
    // Whoever has acted since has gone on from what the store has.
    if confirmed.is_some_and(|confirmed| before <= confirmed.epoch) {
        let missing = ahead.beyond(copy);
        for writes in missing.chunks(WRITTEN_AT_ONCE) {
            match in_time(store.apply(group, epoch, writes)).await {
                Ok(Some(position)) => drop(copy.wrote(writes.to_vec(), position)),
                Ok(None) => {}
                Err(error) => {
                    *copy = ahead;
                    return Err(error);
                }
            }
        }
        set_back.written_again = missing.len();
    }
    Ok(Some(set_back))
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
                let somebody_acts = self.election.rank.active.is_some();
                if news.set_back && somebody_acts {
                    let (confirmed, found) = (since, news.position);
                    self.surroundings.store_set_back(&SetBack { confirmed, found, written_again: 0 });
                }
                // Otherwise the copy is kept for whoever is next: it may be this one, and has more than the store.
                if (!news.set_back || somebody_acts) && !self.copy.take(news) {
                    tracing::warn!(target: target::REDUNDANCY, "the copy of the requests was wrong: it is made anew");
                }
            }
            Ok(_) => {}
            // Whether the store works is asked elsewhere.
            Err(error) => tracing::debug!(target: target::REDUNDANCY, %error, "no news of the requests"),
        }
        self.follow(PACE);
    }

    /// What the active has written. If the store is behind what it had confirmed before, that is written again first.
    pub(super) fn note_written(&mut self, written: Transaction) {
        if let Some((position, writes)) = written
            && !self.copy.wrote(writes, position)
        {
            self.repair(Duration::ZERO);
        }
    }

    fn repair(&mut self, delay: Duration) {
        let Some(term) = self.office.term() else { return };
        term.writer.hold(true);
        let (store, group, epoch) = (Arc::clone(&self.store), self.config.group.clone(), term.epoch);
        let mut copy = std::mem::take(&mut self.copy);
        self.jobs.push(Box::pin(async move {
            sleep(delay).await;
            let result = catch_up(&*store, &group, epoch, epoch, &mut copy).await;
            Done::Repaired(epoch, copy, result)
        }));
    }

    /// The store has (or has not) again what it had lost.
    pub(super) fn repaired(
        &mut self,
        epoch: Epoch,
        copy: RequestCopy,
        result: Result<Option<SetBack>, StoreError>,
    ) {
        if let Ok(Some(set_back)) = &result {
            self.surroundings.store_set_back(set_back);
        }
        let held = self.office.term().map(|term| term.epoch);
        // In a later term the copy is that term's, even while it is being repaired.
        if held.is_none_or(|held| held == epoch) && self.copy.position().is_none() {
            self.copy = copy;
        }
        let Some(term) = self.office.term().filter(|term| term.epoch == epoch) else { return };
        match result {
            Ok(_) => term.writer.hold(false),
            Err(StoreError::Fenced { current, .. }) => {
                self.redundancy(ringback_election::Input::EpochSeen(current));
            }
            Err(error) => {
                self.surroundings.store_is_down(&error);
                self.repair(PACE);
            }
        }
    }
}
