use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback_model::Group;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::feed::{Change, ChangeFeed, FeedError, Table};

/// So many changes are kept for feeds that lag; one that lags further is told `Resync`.
const KEPT: usize = 1024;

const ENDED: &str = "the listener for change notifications has ended";

/// The changes of one group that a [`ChangeListener`](super::ChangeListener) is told of.
#[derive(Debug)]
pub struct TcpFeed {
    news: broadcast::Receiver<News>,
    /// At first, and after an error.
    resync_due: bool,
    told_ended: bool,
}

#[derive(Debug, Clone)]
enum News {
    Change(Change),
    Lost(Arc<str>),
}

#[async_trait]
impl ChangeFeed for TcpFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if self.resync_due {
            self.resync_due = false;
            return Ok(Change::Resync);
        }
        match self.news.recv().await {
            Ok(News::Change(change)) => Ok(change),
            Ok(News::Lost(reason)) => {
                self.resync_due = true;
                Err(FeedError::Lost(reason.to_string()))
            }
            Err(RecvError::Lagged(_)) => Ok(Change::Resync),
            Err(RecvError::Closed) => {
                if self.told_ended {
                    pending::<()>().await;
                }
                self.told_ended = true;
                Err(FeedError::Lost(ENDED.to_owned()))
            }
        }
    }
}

/// The feeds of all groups, as those who have news see them.
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<BTreeMap<Group, Sender>>);

#[derive(Debug)]
struct Sender {
    news: broadcast::Sender<News>,
    seq: u64,
}

impl Feeds {
    pub(super) fn subscribe(&self, group: &Group) -> TcpFeed {
        let mut groups = self.lock();
        let sender = groups
            .entry(group.clone())
            .or_insert_with(|| Sender { news: broadcast::Sender::new(KEPT), seq: 0 });
        TcpFeed { news: sender.news.subscribe(), resync_due: true, told_ended: false }
    }

    /// Tells of a row, or with `None` that everything is to be read. Whether anybody listens.
    pub(super) fn tell(&self, group: &Group, row: Option<(Table, &str)>) -> bool {
        let mut groups = self.lock();
        let Some(sender) = groups.get_mut(group) else { return false };
        let change = match row {
            Some((table, key)) => {
                sender.seq += 1;
                Change::Row { seq: sender.seq, table, key: key.to_owned() }
            }
            None => Change::Resync,
        };
        sender.news.send(News::Change(change)).is_ok()
    }

    /// Tells all feeds that changes may be missed from now on.
    pub(super) fn lost(&self, reason: &str) {
        let reason: Arc<str> = reason.into();
        for sender in self.lock().values() {
            // No matter if nobody listens.
            let _ = sender.news.send(News::Lost(Arc::clone(&reason)));
        }
    }

    /// Whether anybody listens to this group.
    pub(super) fn has(&self, group: &Group) -> bool {
        self.lock().get(group).is_some_and(|sender| sender.news.receiver_count() > 0)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Group, Sender>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_feed_tells() {
        let feeds = Feeds::default();
        let group = Group::default();
        assert!(!feeds.tell(&group, None));
        let mut feed = feeds.subscribe(&group);
        assert_eq!(feed.next().await, Ok(Change::Resync));
        assert!(feeds.tell(&group, Some((Table::Phone, "a"))));
        feeds.lost("too many files are open");
        assert!(feeds.tell(&group, Some((Table::Phone, "b"))));
        let row = |seq, key: &str| Ok(Change::Row { seq, table: Table::Phone, key: key.to_owned() });
        assert_eq!(feed.next().await, row(1, "a"));
        assert_eq!(feed.next().await, Err(FeedError::Lost("too many files are open".to_owned())));
        assert_eq!(feed.next().await, Ok(Change::Resync));
        assert_eq!(feed.next().await, row(2, "b"));

        for _ in 0..=KEPT {
            feeds.tell(&group, Some((Table::Phone, "c")));
        }
        assert_eq!(feed.next().await, Ok(Change::Resync));
        assert_eq!(feed.next().await, row(4, "c"));

        let mut last = feeds.subscribe(&group);
        drop(feeds);
        assert_eq!(last.next().await, Ok(Change::Resync));
        assert_eq!(last.next().await, Err(FeedError::Lost(ENDED.to_owned())));
        let silent = tokio::time::timeout(std::time::Duration::from_secs(60), last.next()).await;
        assert!(silent.is_err());
    }
}
