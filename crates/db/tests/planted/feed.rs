use std::collections::VecDeque;

use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, FeedError, MemoryDirectory, MemoryFeed, conformance};
use ringback_model::Group;

use super::caught;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    SkipsARow,
    SkipsRowsAfterALag,
    Reorders,
    ReordersAndRenumbers,
    BeginsWithoutResync,
    GoesOnAfterALossWithoutResync,
    SaysNothingOfALoss,
    LosesWhatItWasDroppedWith,
    TellsOtherGroups,
}

struct Faulty {
    feed: MemoryFeed,
    other: MemoryFeed,
    fault: Fault,
    first: bool,
    held: VecDeque<Change>,
    told: u64,
}

impl Faulty {
    fn new(directory: &MemoryDirectory, group: &Group, fault: Fault) -> Self {
        let other = directory.feed(&Group::new("other").unwrap());
        Self { feed: directory.feed(group), other, fault, first: true, held: VecDeque::new(), told: 0 }
    }

    /// Two rows in the wrong order, if two are there.
    async fn swapped(&mut self) -> Result<Change, FeedError> {
        if let Some(held) = self.held.pop_front() {
            return Ok(held);
        }
        let first = self.feed.next().await?;
        if let Change::Row { seq, .. } = first
            && let Ok(Ok(second)) = tokio::time::timeout(std::time::Duration::ZERO, self.feed.next()).await
        {
            self.held.push_back(first);
            return Ok(match (self.fault, second) {
                (Fault::ReordersAndRenumbers, Change::Row { seq: later, table, key }) => {
                    if let Some(Change::Row { seq, .. }) = self.held.front_mut() {
                        *seq = later;
                    }
                    Change::Row { seq, table, key }
                }
                (_, second) => second,
            });
        }
        Ok(first)
    }
}

#[async_trait]
impl ChangeFeed for Faulty {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if self.fault == Fault::TellsOtherGroups
            && let Ok(Ok(change @ Change::Row { .. })) =
                tokio::time::timeout(std::time::Duration::ZERO, self.other.next()).await
        {
            return Ok(change);
        }
        let mut change = match self.fault {
            Fault::Reorders | Fault::ReordersAndRenumbers => self.swapped().await,
            _ => self.feed.next().await,
        };
        match self.fault {
            Fault::SkipsARow if matches!(change, Ok(Change::Row { seq, .. }) if seq % 5 == 0) => {
                change = self.feed.next().await;
            }
            // The first one is the beginning, and those that follow replace what was passed over.
            Fault::SkipsRowsAfterALag | Fault::BeginsWithoutResync => {
                let skip = self.fault == Fault::BeginsWithoutResync || !self.first;
                if change == Ok(Change::Resync) && skip {
                    change = self.feed.next().await;
                }
            }
            Fault::SaysNothingOfALoss | Fault::GoesOnAfterALossWithoutResync if !self.first => loop {
                let quiet = match &change {
                    Err(_) => self.fault == Fault::SaysNothingOfALoss,
                    Ok(change) => *change == Change::Resync && self.fault != Fault::SaysNothingOfALoss,
                };
                if !quiet {
                    break;
                }
                change = self.feed.next().await;
            },
            Fault::LosesWhatItWasDroppedWith => {
                self.told += 1;
                if self.told > 1 {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
            _ => {}
        }
        self.first = false;
        change
    }
}

#[tokio::test(start_paused = true)]
async fn feeds() {
    const EVERY: &str = "every write is reported after it, with growing numbers";
    const LAG: &str = "a feed that lags tells every change, or Resync in place of those it passes over";
    let cases = [
        (Fault::SkipsARow, EVERY, "ChangeFeed"),
        (Fault::Reorders, EVERY, "ChangeFeed"),
        (Fault::SkipsRowsAfterALag, LAG, "Change::Resync"),
        (
            Fault::ReordersAndRenumbers,
            "changes are told in the order in which they were made",
            "Change::Row::seq",
        ),
        (Fault::BeginsWithoutResync, "the first report is Resync", "ChangeFeed"),
        (Fault::TellsOtherGroups, "changes of another group are not reported", "ChangeFeed"),
        (
            Fault::LosesWhatItWasDroppedWith,
            "next can be dropped and called again without losing a change",
            "ChangeFeed::next",
        ),
    ];
    for (fault, rule, paragraph) in cases {
        let make = async |group: &Group| {
            let directory = MemoryDirectory::new();
            let feed = Faulty::new(&directory, group, fault);
            (directory, feed)
        };
        caught(fault, conformance::feed(make).await, rule, paragraph);
    }
}

#[tokio::test(start_paused = true)]
async fn feeds_that_are_lost() {
    const RULE: &str = "a lost feed says so, and Resync before it goes on";
    for fault in [Fault::GoesOnAfterALossWithoutResync, Fault::SaysNothingOfALoss] {
        let make = async |group: &Group| {
            let directory = MemoryDirectory::new();
            let feed = Faulty::new(&directory, group, fault);
            (directory, feed)
        };
        let available = async |directory: &MemoryDirectory, yes| directory.set_available(yes);
        caught(fault, conformance::feed_after_loss(make, available).await, RULE, "ChangeFeed::next");
    }
}

/// Two feeds that take each other's changes away.
struct Thief(std::sync::Arc<tokio::sync::Mutex<MemoryFeed>>, bool);

#[async_trait]
impl ChangeFeed for Thief {
    async fn next(&mut self) -> Result<Change, FeedError> {
        if std::mem::take(&mut self.1) {
            return Ok(Change::Resync);
        }
        self.0.lock().await.next().await
    }
}

#[tokio::test(start_paused = true)]
async fn feeds_beside_each_other() {
    let make = async |group: &Group| {
        let directory = MemoryDirectory::new();
        let feed = std::sync::Arc::new(tokio::sync::Mutex::new(directory.feed(group)));
        (directory, Thief(feed.clone(), false), Thief(feed, true))
    };
    let rule = "every feed tells every change, whatever others have been told";
    caught("thieves", conformance::two_feeds(make).await, rule, "ChangeFeed");
}
