use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ringback_callback::Record;
use ringback_db::{Difference, MemoryStore, News, Position, RequestStore, StoreError, Write, conformance};
use ringback_model::{Epoch, Group, Timestamp};

use super::caught;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    AcceptsAnOldEpoch,
    AppliesHalfOfARefusedBatch,
    ForgetsTheEndOfARequest,
    LoadsInTheOrderOfIds,
    ClaimsNothing,
    WritesClaimNothing,
    ClaimSlipsBack,
    OneEpochForAllGroups,
    CutsLargeBatches,
    PutsFirst,
    CutsLongTexts,
    ClockRunsBackwards,
    NewsWithoutEnds,
    NewsOfTheFirstChangeOnly,
    KnowsEveryPosition,
    HintsNothing,
    HidesThatItWasSetBack,
    TellsNoPosition,
}

struct Faulty {
    store: MemoryStore,
    fault: Fault,
    groups: Mutex<BTreeSet<Group>>,
    last: Mutex<u64>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        let store = MemoryStore::new(Arc::new(|| Timestamp(0)));
        Self { store, fault, groups: Mutex::default(), last: Mutex::new(1_000) }
    }

    fn twisted(&self, writes: &[Write]) -> Vec<Write> {
        let mut writes = writes.to_vec();
        match self.fault {
            Fault::ForgetsTheEndOfARequest if writes.len() == 1 => {
                writes.retain(|write| !matches!(write, Write::Delete(id) if id.epoch.0 == 2));
            }
            Fault::CutsLargeBatches => writes.truncate(1_000),
            Fault::PutsFirst => writes.sort_by_key(|write| matches!(write, Write::Delete(_))),
            Fault::CutsLongTexts => {
                for write in &mut writes {
                    if let Write::Put(record) = write {
                        let name: String = record.caller.device.as_str().chars().take(32).collect();
                        record.caller.device = name.parse().unwrap();
                    }
                }
            }
            _ => {}
        }
        writes
    }
}

#[async_trait]
impl RequestStore for Faulty {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.store.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        if self.fault == Fault::ClaimsNothing {
            return Ok(());
        }
        // As a number of 32 bits would.
        let cut = self.fault == Fault::ClaimSlipsBack && epoch.0 > u64::from(u32::MAX);
        self.store.claim(group, if cut { Epoch(epoch.0 >> 32) } else { epoch }).await
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        let mut records = self.store.load(group).await?;
        if self.fault == Fault::LoadsInTheOrderOfIds {
            records.sort_by_key(|record| record.id);
        }
        Ok(records)
    }

    async fn news(&self, group: &Group, since: Option<Position>) -> Result<News, StoreError> {
        let known = self.store.news(group, None).await?.position;
        let mut news = self.store.news(group, since).await?;
        if self.fault == Fault::KnowsEveryPosition && since.is_some_and(|since| since.mark != 0) {
            news = self.store.news(group, known).await?;
        }
        news.set_back &= self.fault != Fault::HidesThatItWasSetBack;
        if let Difference::Since { put, deleted } = &mut news.difference {
            match self.fault {
                Fault::NewsWithoutEnds => deleted.clear(),
                Fault::NewsOfTheFirstChangeOnly => put.truncate(1),
                _ => {}
            }
        }
        Ok(news)
    }

    async fn newer(&self, group: &Group, since: Option<Position>) {
        if self.fault == Fault::HintsNothing && since.is_some() {
            std::future::pending().await
        }
        self.store.newer(group, since).await;
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.groups.lock().unwrap().insert(group.clone());
        let writes = self.twisted(writes);
        let before = self.store.epoch(group).await?;
        if self.fault == Fault::OneEpochForAllGroups {
            let groups = self.groups.lock().unwrap().clone();
            for other in groups {
                let current = self.store.epoch(&other).await?;
                if current > epoch {
                    return Err(StoreError::Fenced { ours: epoch, current });
                }
            }
        }
        if self.fault == Fault::WritesClaimNothing && epoch > before {
            return self.store.apply(group, before, &writes).await;
        }
        match (self.fault, self.store.apply(group, epoch, &writes).await) {
            (Fault::AcceptsAnOldEpoch, Err(StoreError::Fenced { current, .. })) => {
                self.store.apply(group, current, &writes).await
            }
            (Fault::AppliesHalfOfARefusedBatch, Err(StoreError::Fenced { ours, current })) => {
                self.store.apply(group, current, &writes[..writes.len().div_ceil(2)]).await?;
                Err(StoreError::Fenced { ours, current })
            }
            (Fault::TellsNoPosition, Ok(_)) => Ok(None),
            (_, result) => result,
        }
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        if self.fault == Fault::ClockRunsBackwards {
            let mut last = self.last.lock().unwrap();
            *last -= 1;
            return Ok(Timestamp(*last));
        }
        self.store.now().await
    }
}

#[tokio::test]
async fn stores_that_are_opened_again() {
    let fresh = async || MemoryStore::new(Arc::new(|| Timestamp(0)));
    caught(
        "forgetful",
        conformance::durable(fresh).await,
        "records and epoch are there after reopening",
        "RequestStore::apply",
    );
    caught(
        "apart",
        conformance::shared(fresh).await,
        "what one instance writes another reads, and is fenced by",
        "RequestStore::apply",
    );
}

#[tokio::test(start_paused = true)]
async fn stores() {
    const FENCING: &str = "a write or claim of an older epoch is refused and changes nothing";
    const CLAIM: &str = "a claim raises the epoch at once, and changes no record";
    const COPY: &str = "a copy that has taken the news is what load gives";
    const EPOCH: &str = "epoch tells the highest ever claimed";
    let cases = [
        (Fault::AcceptsAnOldEpoch, FENCING, "RequestStore::apply"),
        (Fault::AppliesHalfOfARefusedBatch, FENCING, "RequestStore::apply"),
        (Fault::ForgetsTheEndOfARequest, "a request that has ended is gone, and no other", "Write::Delete"),
        (
            Fault::LoadsInTheOrderOfIds,
            "load gives every record whole, ordered by since, then id",
            "RequestStore::load",
        ),
        (Fault::ClaimsNothing, EPOCH, "RequestStore::epoch"),
        (Fault::WritesClaimNothing, EPOCH, "RequestStore::epoch"),
        (Fault::ClaimSlipsBack, CLAIM, "RequestStore::claim"),
        (Fault::OneEpochForAllGroups, "groups share neither records nor epochs", "RequestStore"),
        (Fault::CutsLargeBatches, "thousands of writes are one transaction, too", "RequestStore::apply"),
        (Fault::PutsFirst, "the writes of one call are carried out in their order", "RequestStore::apply"),
        (
            Fault::CutsLongTexts,
            "every text and number that a record can hold is kept as it is",
            "RequestStore::load",
        ),
        (Fault::NewsWithoutEnds, COPY, "RequestStore::news"),
        (Fault::NewsOfTheFirstChangeOnly, COPY, "RequestStore::news"),
        (
            Fault::KnowsEveryPosition,
            "whoever is at a position that the store never had is given everything",
            "RequestStore::news",
        ),
        (
            Fault::HidesThatItWasSetBack,
            "whoever is at a position that the store never had is given everything",
            "RequestStore::news",
        ),
        (Fault::TellsNoPosition, "a write tells where the store stands then", "RequestStore::news"),
        (Fault::HintsNothing, "who waits for news is told that there may be some", "RequestStore::newer"),
        (Fault::ClockRunsBackwards, "the clock can be read and does not run backwards", "RequestStore::now"),
    ];
    for (fault, rule, paragraph) in cases {
        caught(fault, conformance::store(async || Faulty::new(fault)).await, rule, paragraph);
    }
}
