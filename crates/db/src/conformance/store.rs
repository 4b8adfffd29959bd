use std::time::Duration;

use futures_util::future::join_all;
use ringback_callback::{AlertId, Cycle, Kind, Phase, Record};
use ringback_model::{Appearance, CallId, DeviceName, Epoch, Group, LineId, Partition, RequestId, Timestamp};

use super::{Demanded, OrViolation, Violation, device, dn, group, line, same, strange_texts};
use crate::follow::{Difference, News, Position, RequestCopy};
use crate::store::{RequestStore, StoreError, Write};

/// Nothing that works takes so long to hint.
const HINT_LIMIT: Duration = Duration::from_secs(60);

/// Proves a [`RequestStore`]. `make` gives an empty one each time.
///
/// # Errors
/// The first rule that it breaks.
pub async fn store<S: RequestStore>(make: impl AsyncFn() -> S) -> Result<(), Violation> {
    records(&make().await).await.demanded_by("RequestStore::load")?;
    repeated_writes(&make().await).await.demanded_by("Write")?;
    ends(&make().await).await.demanded_by("Write::Delete")?;
    order_within_a_transaction(&make().await).await.demanded_by("RequestStore::apply")?;
    epochs(&make().await).await.demanded_by("RequestStore::epoch")?;
    fencing(&make().await).await.demanded_by("RequestStore::apply")?;
    claims(&make().await).await.demanded_by("RequestStore::claim")?;
    races(&make().await).await.demanded_by("RequestStore::apply")?;
    large_batches(&make().await).await.demanded_by("RequestStore::apply")?;
    strange_records(&make().await).await.demanded_by("RequestStore::load")?;
    copies(&make().await).await.demanded_by("RequestStore::news")?;
    strange_positions(&make().await).await.demanded_by("RequestStore::news")?;
    hints(&make().await).await.demanded_by("RequestStore::newer")?;
    groups(&make().await).await.demanded_by("RequestStore")?;
    clock(&make().await).await.demanded_by("RequestStore::now")
}

/// Proves that a store keeps what was written when it is opened anew. `open` opens the same store each time; it must be
/// empty at first.
///
/// # Errors
/// The first rule that it breaks.
pub async fn durable<S: RequestStore>(open: impl AsyncFn() -> S) -> Result<(), Violation> {
    reopened(open).await.demanded_by("RequestStore::apply")
}

async fn reopened<S: RequestStore>(open: impl AsyncFn() -> S) -> Result<(), Violation> {
    const RULE: &str = "records and epoch are there after reopening";
    let group = Group::default();
    let first = open().await;
    first.claim(&group, Epoch(41)).await.or_violation(RULE)?;
    let writes: Vec<Write> = samples().into_iter().map(Write::Put).collect();
    first.apply(&group, Epoch(41), &writes).await.or_violation(RULE)?;
    let before = first.load(&group).await.or_violation(RULE)?;
    drop(first);
    let second = open().await;
    same(RULE, second.load(&group).await, Ok(before))?;
    let fenced = StoreError::Fenced { ours: Epoch(40), current: Epoch(41) };
    same(RULE, second.apply(&group, Epoch(40), &[]).await, Err(fenced))?;
    same(RULE, second.epoch(&group).await, Ok(Epoch(41)))
}

/// Proves that two instances that have the same store open at a time see each other's writes and fence each other.
/// `open` opens the same store each time; it must be empty at first.
///
/// # Errors
/// The first rule that it breaks.
pub async fn shared<S: RequestStore>(open: impl AsyncFn() -> S) -> Result<(), Violation> {
    const RULE: &str = "what one instance writes another reads, and is fenced by";
    let group = Group::default();
    let (old, new) = (open().await, open().await);
    let both = async {
        old.apply(&group, Epoch(1), &[Write::Put(record(1, 1, 5))]).await.or_violation(RULE)?;
        same(RULE, new.load(&group).await, Ok(vec![record(1, 1, 5)]))?;
        same(RULE, new.claim(&group, Epoch(2)).await, Ok(()))?;
        let fenced = StoreError::Fenced { ours: Epoch(1), current: Epoch(2) };
        let late = [Write::Put(record(1, 2, 5)), Write::Delete(record(1, 1, 5).id)];
        same(RULE, old.apply(&group, Epoch(1), &late).await, Err(fenced))?;
        same(RULE, old.epoch(&group).await, Ok(Epoch(2)))?;
        new.apply(&group, Epoch(2), &[Write::Delete(record(1, 1, 5).id)]).await.or_violation(RULE)?;
        same(RULE, old.load(&group).await, Ok(vec![]))
    };
    both.await.demanded_by("RequestStore::apply")
}

fn record(epoch: u64, number: u64, since: u64) -> Record {
    Record {
        id: RequestId { epoch: Epoch(epoch), number },
        caller: Appearance { device: device("phone-a"), line: line("", "1001") },
        called: line("inside", "1002"),
        dialled: dn("1002"),
        kind: Kind::Busy,
        since: Timestamp(since),
        expires: None,
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    }
}

/// Records that differ in every field, in every shape it can have; ordered as `load` gives them.
fn samples() -> Vec<Record> {
    let waiting = record(2, 9, 1_000);
    let untouched = Record {
        kind: Kind::NoAnswer,
        expires: Some(Timestamp(2_000)),
        origin: Some(CallId(u64::MAX)),
        cycle: Some(Cycle::Untouched),
        ..record(3, 1, 1_000)
    };
    let turn = |epoch, number, alerted| {
        let request = RequestId { epoch: Epoch(epoch), number };
        Phase::Turn { alert: AlertId { request, number: 3 }, until: Timestamp(21_000), alerted }
    };
    let in_turn = Record {
        phase: turn(1, 1, false),
        alerts: 3,
        notified: Some(Timestamp(1_000)),
        ..record(1, 1, 1_500)
    };
    let told = Record {
        caller: Appearance { device: device("Ä; DROP 'x' \"y\""), line: line("p/q", "10 01") },
        called: line("", "*7#"),
        dialled: dn("0*7#"),
        phase: turn(1, 2, true),
        cycle: Some(Cycle::OffHook),
        alerts: u32::MAX,
        ..record(1, 2, 1_500)
    };
    let lapsed =
        Record { phase: Phase::Lapsed, cycle: Some(Cycle::Complete), alerts: 1, ..record(1, 10, 1_500) };
    let dialing = Record { phase: Phase::Dialing { in_turn: true }, ..record(2, 1, 1_500) };
    let late = Record { phase: Phase::Dialing { in_turn: false }, ..record(1, 3, 1_767_621_600_000) };
    vec![waiting, untouched, in_turn, told, lapsed, dialing, late]
}

async fn records(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "load gives every record whole, ordered by since, then id";
    let group = Group::default();
    same(RULE, store.load(&group).await, Ok(vec![]))?;
    let writes: Vec<Write> = samples().into_iter().rev().map(Write::Put).collect();
    store.apply(&group, Epoch(3), &writes).await.or_violation(RULE)?;
    same(RULE, store.load(&group).await, Ok(samples()))
}

async fn repeated_writes(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a write can be repeated; Put overwrites; Delete of nothing is no error";
    let group = Group::default();
    let old = record(1, 1, 5);
    let new = Record { phase: Phase::Lapsed, alerts: 1, ..old.clone() };
    let put = |record: &Record| [Write::Put(record.clone())];
    for writes in [put(&old), put(&old), put(&new), put(&new)] {
        store.apply(&group, Epoch(1), &writes).await.or_violation(RULE)?;
    }
    same(RULE, store.load(&group).await, Ok(vec![new]))?;
    for _ in 0..2 {
        store.apply(&group, Epoch(1), &[Write::Delete(old.id)]).await.or_violation(RULE)?;
    }
    same(RULE, store.load(&group).await, Ok(vec![]))
}

async fn strange_records(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "every text and number that a record can hold is kept as it is";
    let group = group(&"g".repeat(Group::MAX_LEN));
    let mut records = Vec::new();
    for (number, text) in (1..).zip(strange_texts(50)) {
        let (number, since) = (number, 1_000 + number);
        let own = LineId::new(Partition::new(&text).or_violation(RULE)?, dn(&text));
        let caller = Appearance { device: device(&text), line: own.clone() };
        records.push(Record { caller, called: own, dialled: dn(&text), ..record(1, number, since) });
    }
    for (number, text) in (100..).zip(strange_texts(DeviceName::MAX_LEN)) {
        let caller = Appearance { device: device(&text), line: line("", "1") };
        records.push(Record { caller, ..record(1, number, 2_000) });
    }
    let most = i64::MAX.unsigned_abs();
    records.push(Record {
        expires: Some(Timestamp(most)),
        origin: Some(CallId(u64::MAX)),
        ..record(1, most, most)
    });
    let writes: Vec<Write> = records.iter().cloned().map(Write::Put).collect();
    store.apply(&group, Epoch(1), &writes).await.or_violation(RULE)?;
    let loaded = store.load(&group).await.or_violation(RULE)?;
    same(RULE, loaded.len(), records.len())?;
    for (saw, expected) in loaded.into_iter().zip(records) {
        same(RULE, saw, expected)?;
    }
    Ok(())
}

/// One copy follows every write, another lags, and who writes keeps a third: all become what `load` gives.
async fn copies(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a copy that has taken the news is what load gives";
    let (group, other) = (Group::default(), group("other"));
    let (mut close, mut lagging) = (RequestCopy::default(), RequestCopy::default());
    let mut own = RequestCopy::default();
    own.catch_up(store, &group).await.or_violation(RULE)?;
    for step in 0..40 {
        let number = |place: u64| step * 7 % 11 + place;
        let changed = Record { alerts: u32::try_from(step).unwrap_or(0), ..record(1, number(0), 5) };
        let mut writes = vec![Write::Put(changed), Write::Delete(record(1, number(3), 5).id)];
        if step % 3 == 0 {
            writes.extend([Write::Put(record(1, 99, step)), Write::Delete(record(1, 99, step).id)]);
            writes.extend([Write::Delete(record(1, 100, 5).id), Write::Put(record(1, 100, step))]);
        }
        let written = store.apply(&group, Epoch(1), &writes).await.or_violation(RULE)?;
        store.apply(&other, Epoch(1), &[Write::Put(record(1, step, 5))]).await.or_violation(RULE)?;
        let mut expected = store.load(&group).await.or_violation(RULE)?;
        expected.sort_by_key(|record| record.id);
        let copies = if step % 9 == 0 { vec![&mut close, &mut lagging] } else { vec![&mut close] };
        for copy in copies {
            let news = store.news(&group, copy.position()).await.or_violation(RULE)?;
            same(RULE, copy.take(news), true)?;
            same(RULE, copy.clone().records(), expected.clone())?;
        }
        let there = store.news(&group, None).await.or_violation(RULE)?.position;
        same("a write tells where the store stands then", written, there)?;
        if let Some(position) = written {
            same(RULE, (own.wrote(writes, position), own.records()), (true, expected))?;
        }
    }
    store.claim(&group, Epoch(2)).await.or_violation(RULE)?;
    let before = close.records();
    let news = store.news(&group, close.position()).await.or_violation(RULE)?;
    same(RULE, (close.take(news), close.records()), (true, before))
}

/// Positions of another store, or of one that was set back.
async fn strange_positions(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "whoever is at a position that the store never had is given everything";
    let group = Group::default();
    for number in 0..3 {
        store.apply(&group, Epoch(1), &[Write::Put(record(1, number, number))]).await.or_violation(RULE)?;
    }
    let Some(position) = store.news(&group, None).await.or_violation(RULE)?.position else { return Ok(()) };
    let Position { epoch, revision, mark } = position;
    for (strange, set_back) in [
        (Position { epoch, revision, mark: !mark }, true),
        (Position { epoch, revision: revision + 1, mark }, true),
        (Position { epoch, revision: u64::MAX, mark }, true),
        (Position { epoch: Epoch(0), revision: 0, mark: 0 }, false),
    ] {
        let news = store.news(&group, Some(strange)).await.or_violation(RULE)?;
        let all = store.load(&group).await.or_violation(RULE)?;
        let difference = Difference::All(all);
        let expected = News { position: Some(position), total: 3, difference, set_back };
        same(RULE, news, expected)?;
    }
    Ok(())
}

async fn hints(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "who waits for news is told that there may be some";
    let group = Group::default();
    store.apply(&group, Epoch(1), &[Write::Put(record(1, 1, 5))]).await.or_violation(RULE)?;
    let Some(position) = store.news(&group, None).await.or_violation(RULE)?.position else { return Ok(()) };
    store.newer(&group, None).await;
    store.apply(&group, Epoch(1), &[Write::Put(record(1, 2, 5))]).await.or_violation(RULE)?;
    let told = tokio::time::timeout(HINT_LIMIT, store.newer(&group, Some(position))).await;
    same(RULE, told, Ok(()))
}

async fn ends(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a request that has ended is gone, and no other";
    let group = Group::default();
    let mut left: Vec<Record> = (1..=3).flat_map(|e| (1..=3).map(move |n| record(e, n, 5))).collect();
    let writes: Vec<Write> = left.iter().cloned().map(Write::Put).collect();
    store.apply(&group, Epoch(3), &writes).await.or_violation(RULE)?;
    while !left.is_empty() {
        let ended = left.remove(left.len() / 2);
        store.apply(&group, Epoch(3), &[Write::Delete(ended.id)]).await.or_violation(RULE)?;
        same(RULE, store.load(&group).await, Ok(left.clone()))?;
    }
    Ok(())
}

/// More writes than any statement takes parameters.
const MANY: u64 = 5_000;

async fn large_batches(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "thousands of writes are one transaction, too";
    let group = Group::default();
    let writes: Vec<Write> = (0..MANY).map(|number| Write::Put(record(1, number, number))).collect();
    let count = async || store.load(&group).await.map(|records| records.len());
    for _ in 0..2 {
        store.apply(&group, Epoch(2), &writes).await.or_violation(RULE)?;
        same(RULE, count().await, Ok(writes.len()))?;
    }
    let deletes: Vec<Write> = (0..MANY).map(|number| Write::Delete(record(1, number, number).id)).collect();
    let fenced = StoreError::Fenced { ours: Epoch(1), current: Epoch(2) };
    same(RULE, store.apply(&group, Epoch(1), &deletes).await, Err(fenced))?;
    same(RULE, count().await, Ok(writes.len()))?;
    store.apply(&group, Epoch(2), &deletes[1..]).await.or_violation(RULE)?;
    same(RULE, store.load(&group).await, Ok(vec![record(1, 0, 0)]))
}

async fn claims(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a claim raises the epoch at once, and changes no record";
    let group = Group::default();
    let kept = record(1, 1, 5);
    store.apply(&group, Epoch(1), &[Write::Put(kept.clone())]).await.or_violation(RULE)?;
    for epoch in [2, 3, 1 << 40] {
        same(RULE, store.claim(&group, Epoch(epoch)).await, Ok(()))?;
        same(RULE, store.epoch(&group).await, Ok(Epoch(epoch)))?;
        let fenced = StoreError::Fenced { ours: Epoch(epoch - 1), current: Epoch(epoch) };
        same(
            RULE,
            store.apply(&group, Epoch(epoch - 1), &[Write::Delete(kept.id)]).await,
            Err(fenced.clone()),
        )?;
        same(RULE, store.claim(&group, Epoch(epoch - 1)).await, Err(fenced))?;
        same(RULE, store.apply(&group, Epoch(epoch), &[Write::Put(kept.clone())]).await.map(drop), Ok(()))?;
    }
    same(RULE, store.load(&group).await, Ok(vec![kept]))
}

/// Writes of an old epoch beside the claim of a new one: each comes before it and is there, or after it and is refused.
async fn races(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a write beside a claim is done before it, or refused and not done";
    let group = Group::default();
    for round in 0..20 {
        let (old, new) = (Epoch(round * 2 + 1), Epoch(round * 2 + 2));
        store.claim(&group, old).await.or_violation(RULE)?;
        let writes: Vec<[Write; 1]> = (0..8).map(|number| [Write::Put(record(old.0, number, 5))]).collect();
        let (before, after) = writes.split_at(4);
        let attempt = |write| store.apply(&group, old, write);
        let (first, claimed, last) = futures_util::future::join3(
            join_all(before.iter().map(|write| attempt(write))),
            store.claim(&group, new),
            join_all(after.iter().map(|write| attempt(write))),
        )
        .await;
        same(RULE, claimed, Ok(()))?;
        let loaded = store.load(&group).await.or_violation(RULE)?;
        for (result, number) in first.into_iter().chain(last).zip(0..) {
            let there = loaded.iter().any(|found| found.id == RequestId { epoch: old, number });
            let fenced = Err(StoreError::Fenced { ours: old, current: new });
            same(RULE, result.map(drop), if there { Ok(()) } else { fenced })?;
        }
    }
    Ok(())
}

async fn order_within_a_transaction(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "the writes of one call are carried out in their order";
    let group = Group::default();
    let (a, b) = (record(1, 1, 5), record(1, 2, 5));
    let writes = [
        Write::Put(a.clone()),
        Write::Delete(a.id),
        Write::Delete(b.id),
        Write::Put(Record { alerts: 7, ..b.clone() }),
        Write::Put(b.clone()),
    ];
    store.apply(&group, Epoch(1), &writes).await.or_violation(RULE)?;
    same(RULE, store.load(&group).await, Ok(vec![b]))
}

async fn epochs(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "epoch tells the highest ever claimed";
    let group = Group::default();
    same(RULE, store.epoch(&group).await, Ok(Epoch(0)))?;
    same(RULE, store.claim(&group, Epoch(7)).await, Ok(()))?;
    same(RULE, store.claim(&group, Epoch(7)).await, Ok(()))?;
    same(RULE, store.epoch(&group).await, Ok(Epoch(7)))?;
    same(RULE, store.apply(&group, Epoch(11), &[]).await.map(drop), Ok(()))?;
    same(RULE, store.epoch(&group).await, Ok(Epoch(11)))?;
    let fenced = StoreError::Fenced { ours: Epoch(10), current: Epoch(11) };
    same(RULE, store.claim(&group, Epoch(10)).await, Err(fenced))?;
    same(RULE, store.epoch(&group).await, Ok(Epoch(11)))
}

async fn fencing(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "a write or claim of an older epoch is refused and changes nothing";
    let group = Group::default();
    let kept = record(5, 1, 5);
    store.apply(&group, Epoch(5), &[Write::Put(kept.clone())]).await.or_violation(RULE)?;
    let fenced = StoreError::Fenced { ours: Epoch(4), current: Epoch(5) };
    let writes = [Write::Put(record(4, 1, 4)), Write::Delete(kept.id)];
    same(RULE, store.apply(&group, Epoch(4), &writes).await, Err(fenced.clone()))?;
    same(RULE, store.apply(&group, Epoch(4), &[]).await, Err(fenced.clone()))?;
    same(RULE, store.claim(&group, Epoch(4)).await, Err(fenced))?;
    same(RULE, store.load(&group).await, Ok(vec![kept.clone()]))?;
    store.claim(&group, Epoch(6)).await.or_violation(RULE)?;
    let fenced = StoreError::Fenced { ours: Epoch(5), current: Epoch(6) };
    same(RULE, store.apply(&group, Epoch(5), &[Write::Delete(kept.id)]).await, Err(fenced))?;
    same(RULE, store.load(&group).await, Ok(vec![kept]))
}

async fn groups(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "groups share neither records nor epochs";
    let (one, other) = (group("one"), group("other"));
    let a = record(1, 1, 5);
    let b = Record { alerts: 2, ..a.clone() };
    store.apply(&one, Epoch(9), &[Write::Put(a.clone())]).await.or_violation(RULE)?;
    store.apply(&other, Epoch(1), &[Write::Put(b.clone())]).await.or_violation(RULE)?;
    same(RULE, store.load(&one).await, Ok(vec![a.clone()]))?;
    same(RULE, store.load(&other).await, Ok(vec![b]))?;
    store.apply(&other, Epoch(1), &[Write::Delete(a.id)]).await.or_violation(RULE)?;
    same(RULE, store.load(&one).await, Ok(vec![a]))?;
    same(RULE, store.load(&other).await, Ok(vec![]))
}

async fn clock(store: &impl RequestStore) -> Result<(), Violation> {
    const RULE: &str = "the clock can be read and does not run backwards";
    let first = store.now().await.or_violation(RULE)?;
    let second = store.now().await.or_violation(RULE)?;
    if second < first { Err(Violation::new(RULE, format!("{first:?} or later"), second)) } else { Ok(()) }
}
