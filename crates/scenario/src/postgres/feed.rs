use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, FeedError, Table};
use ringback_db_postgres::PostgresFeed;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the server tells of changes, given to everybody in the simulation who listens.
pub(super) struct Hub {
    behind: PostgresFeed,
    listeners: Vec<UnboundedSender<Change>>,
}

impl Hub {
    /// Hears of everything that is written from now on.
    pub(super) async fn open(mut behind: PostgresFeed) -> Self {
        synchronise(&mut behind).await;
        Self { behind, listeners: Vec::new() }
    }

    /// Waits in real time until the server has told everything up to this alarm setting, which nobody else hears of.
    pub(super) async fn hear_up_to(&mut self, last: &str) {
        loop {
            match self.behind.next().await {
                Ok(Change::Row { table: Table::Alarm, key, .. }) if key == last => return,
                Ok(change) => self.tell(&change),
                // What was missed is told by a `Resync`, and so is the mark that is awaited here.
                Err(_) => {
                    synchronise(&mut self.behind).await;
                    return self.tell(&Change::Resync);
                }
            }
        }
    }

    fn tell(&mut self, change: &Change) {
        self.listeners.retain(|listener| listener.send(change.clone()).is_ok());
    }

    pub(super) fn listen(&mut self) -> SimulatedFeed {
        let (sender, told) = unbounded_channel();
        self.listeners.push(sender);
        SimulatedFeed { told, has_begun: false }
    }
}

async fn synchronise(feed: &mut PostgresFeed) {
    while !matches!(feed.next().await, Ok(Change::Resync)) {}
}

/// What one instance hears.
pub(super) struct SimulatedFeed {
    told: UnboundedReceiver<Change>,
    has_begun: bool,
}

#[async_trait]
impl ChangeFeed for SimulatedFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if !self.has_begun {
            self.has_begun = true;
            return Ok(Change::Resync);
        }
        match self.told.recv().await {
            Some(change) => Ok(change),
            // The hub lives as long as the site.
            None => std::future::pending().await,
        }
    }
}
