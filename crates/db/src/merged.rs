use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::feed::{Change, ChangeFeed, FeedError};

/// What several feeds of one group tell, in one: the database's own, and what is told over TCP, for example.
///
/// Every report of every feed is passed on, numbered anew; a feed that has much to tell does not keep the others waiting.
/// What a feed has begun goes on when `next` is dropped. While one of them is lost the others go on, and when one is
/// back, those that are not are told to be lost once more: the last word is how it stands.
pub struct MergedFeed {
    waiting: FuturesUnordered<Waiting>,
    /// Those that are lost, and why.
    lost: BTreeMap<usize, FeedError>,
    /// To be told next.
    still_lost: Option<FeedError>,
    seq: u64,
}

type Waiting = Pin<Box<dyn Future<Output = Told> + Send>>;

/// What a feed told, and the feed, which is to be asked again.
struct Told {
    place: usize,
    feed: Box<dyn ChangeFeed>,
    told: Result<Change, FeedError>,
}

impl MergedFeed {
    /// All of these in one. One without any is silent for ever.
    #[must_use]
    pub fn new(feeds: Vec<Box<dyn ChangeFeed>>) -> Self {
        let waiting = feeds.into_iter().enumerate().map(|(place, feed)| ask(place, feed)).collect();
        Self { waiting, lost: BTreeMap::new(), still_lost: None, seq: 0 }
    }
}

fn ask(place: usize, mut feed: Box<dyn ChangeFeed>) -> Waiting {
    Box::pin(async move {
        let told = feed.next().await;
        Told { place, feed, told }
    })
}

#[async_trait]
impl ChangeFeed for MergedFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if let Some(lost) = self.still_lost.take() {
            return Err(lost);
        }
        let Some(Told { place, feed, told }) = self.waiting.next().await else {
            return pending().await;
        };
        self.waiting.push(ask(place, feed));
        match told {
            Ok(Change::Row { table, key, .. }) => {
                self.seq += 1;
                Ok(Change::Row { seq: self.seq, table, key })
            }
            Ok(Change::Resync) => {
                self.lost.remove(&place);
                self.still_lost = self.lost.values().next().cloned();
                Ok(Change::Resync)
            }
            Err(error) => {
                if matches!(error, FeedError::Lost(_)) {
                    self.lost.insert(place, error.clone());
                }
                Err(error)
            }
        }
    }
}

impl fmt::Debug for MergedFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergedFeed")
            .field("feeds", &self.waiting.len())
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
