use std::collections::VecDeque;

use async_trait::async_trait;
use ringback_db::{Change, ChangeFeed, FeedError, Table, line_key};
use ringback_model::{DeviceName, DirectoryNumber};
use tokio::sync::watch;

use super::{Record, Shared};

/// Tells what changed at the PBX since it was read before.
#[derive(Debug)]
pub struct PbxFeed {
    shared: Shared,
    changed: watch::Receiver<u64>,
    /// What has been told; `None`: nothing, or the link was lost.
    told: Option<Record>,
    waiting: VecDeque<Change>,
    lost: bool,
    seq: u64,
}

impl PbxFeed {
    pub(crate) fn new(shared: Shared) -> Self {
        let mut changed = shared.changed.subscribe();
        changed.mark_changed();
        Self { shared, changed, told: None, waiting: VecDeque::new(), lost: false, seq: 0 }
    }

    /// Queues what is different. Gives back an error if the link is gone, once.
    fn compare(&mut self) -> Option<FeedError> {
        let Some(now) = self.shared.get() else {
            let news = self.told.take().is_some() && !self.lost;
            self.lost = true;
            return news.then(|| FeedError::Lost("no link to the PBX's manager interface".to_owned()));
        };
        self.lost = false;
        match &self.told {
            None => self.waiting.push_back(Change::Resync),
            Some(before) => {
                let changes: Vec<(Table, String)> = differences(before, &now);
                for (table, key) in changes {
                    self.seq += 1;
                    self.waiting.push_back(Change::Row { seq: self.seq, table, key });
                }
            }
        }
        self.told = Some(now);
        None
    }
}

/// What is not the same in both, a phone and its line each for itself.
fn differences(before: &Record, now: &Record) -> Vec<(Table, String)> {
    let phones = |record: &Record, dn: &DirectoryNumber| record.devices_of(dn);
    let mut numbers: Vec<&DirectoryNumber> = before.hints.keys().chain(now.hints.keys()).collect();
    let refused = |record: &Record, dn: &DirectoryNumber| -> Vec<DeviceName> {
        let devices = record.devices_of(dn).into_iter();
        devices.filter(|device| record.does_not_want(device, dn)).collect()
    };
    numbers.sort_unstable();
    numbers.dedup();
    let mut found = Vec::new();
    for dn in numbers {
        let (were, are) = (phones(before, dn), phones(now, dn));
        if were != are || before.forward_of(dn) != now.forward_of(dn) {
            found.push((Table::Line, line_key(&now.line(dn))));
        }
        if were != are || refused(before, dn) != refused(now, dn) {
            let mut devices = [were, are].concat();
            devices.sort_unstable();
            devices.dedup();
            found.extend(devices.into_iter().map(|device| (Table::Phone, device.as_str().to_owned())));
        }
    }
    found
}

#[async_trait]
impl ChangeFeed for PbxFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            if self.changed.changed().await.is_err() {
                // The provider is gone for good; so is everything that it could tell.
                std::future::pending::<()>().await;
            }
            if let Some(error) = self.compare() {
                return Err(error);
            }
        }
    }
}
