use std::time::Duration;

use ringback_model::Group;

use super::{Demanded, OrViolation, Violation, device, dn, group, line, same};
use crate::admin::{AdminError, DirectoryAdmin, PhoneConfig};
use crate::feed::{Change, ChangeFeed, FeedError, Table, line_key};

/// So long a change may take to be reported.
const LIMIT: Duration = Duration::from_secs(5);

/// Proves a [`ChangeFeed`] by what a [`DirectoryAdmin`] writes. `make` gives a new feed of the group each time, and the
/// directory it belongs to, of which nothing is demanded but that it is not written meanwhile. Needs a tokio timer.
///
/// # Errors
/// The first rule that it breaks.
pub async fn feed<D: DirectoryAdmin, F: ChangeFeed>(
    make: impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    every_write_is_reported(&make).await.demanded_by("ChangeFeed")?;
    order(&make).await.demanded_by("Change::Row::seq")?;
    lag(&make).await.demanded_by("Change::Resync")?;
    groups(&make).await.demanded_by("ChangeFeed")?;
    cancellation(&make).await.demanded_by("ChangeFeed::next")
}

/// Proves that two feeds of one group each tell everything. `make` gives them, and their directory.
///
/// # Errors
/// The first rule that they break.
pub async fn two_feeds<D: DirectoryAdmin, F: ChangeFeed, G: ChangeFeed>(
    make: impl AsyncFn(&Group) -> (D, F, G),
) -> Result<(), Violation> {
    two(make).await.demanded_by("ChangeFeed")
}

async fn two<D: DirectoryAdmin, F: ChangeFeed, G: ChangeFeed>(
    make: impl AsyncFn(&Group) -> (D, F, G),
) -> Result<(), Violation> {
    const RULE: &str = "every feed tells every change, whatever others have been told";
    let g = Group::default();
    let (d, mut one, mut other) = make(&g).await;
    same(RULE, next(RULE, &mut one).await?, Change::Resync)?;
    same(RULE, next(RULE, &mut other).await?, Change::Resync)?;
    let (mut seq_one, mut seq_other) = (0, 0);
    for round in 0..10 {
        let key = format!("t{round}");
        d.put_template(&g, &key, true).await.or_violation(RULE)?;
        seq_one = reported(RULE, &mut one, seq_one, (Table::Template, &key)).await?;
        if round % 3 == 2 {
            for seen in round - 2..=round {
                let key = format!("t{seen}");
                seq_other = reported(RULE, &mut other, seq_other, (Table::Template, &key)).await?;
            }
        }
    }
    Ok(())
}

/// Proves that a feed that was lost tells so, and says `Resync` before it goes on. `make` as for [`feed`]; `available` takes
/// the database away from the feed, and brings it back.
///
/// # Errors
/// The first rule that it breaks.
pub async fn feed_after_loss<D: DirectoryAdmin, F: ChangeFeed>(
    make: impl AsyncFn(&Group) -> (D, F),
    available: impl AsyncFn(&D, bool),
) -> Result<(), Violation> {
    after_loss(make, available).await.demanded_by("ChangeFeed::next")
}

async fn after_loss<D: DirectoryAdmin, F: ChangeFeed>(
    make: impl AsyncFn(&Group) -> (D, F),
    available: impl AsyncFn(&D, bool),
) -> Result<(), Violation> {
    const RULE: &str = "a lost feed says so, and Resync before it goes on";
    let g = Group::default();
    let (d, mut feed) = make(&g).await;
    same(RULE, next(RULE, &mut feed).await?, Change::Resync)?;
    let mut seq = 0;
    for round in ["a", "b", "c"] {
        d.put_template(&g, round, true).await.or_violation(RULE)?;
        seq = reported(RULE, &mut feed, seq, (Table::Template, round)).await?;
        // Not told when it is lost: it may be among what is passed over.
        d.put_template(&g, "missed", true).await.or_violation(RULE)?;
        available(&d, false).await;
        loop {
            match tokio::time::timeout(LIMIT, feed.next()).await {
                Ok(Err(FeedError::Lost(_))) => break,
                Ok(Ok(Change::Row { seq: new, .. })) if new > seq => seq = new,
                other => return Err(Violation::new(RULE, "Lost", other)),
            }
        }
        available(&d, true).await;
        loop {
            match tokio::time::timeout(LIMIT, feed.next()).await {
                // It may try in vain for a while.
                Ok(Err(FeedError::Lost(_))) => {}
                Ok(Ok(Change::Resync)) => break,
                other => return Err(Violation::new(RULE, "Resync", other)),
            }
        }
    }
    d.put_template(&g, "last", true).await.or_violation(RULE)?;
    reported(RULE, &mut feed, seq, (Table::Template, "last")).await.map(drop)
}

async fn next(rule: &'static str, feed: &mut impl ChangeFeed) -> Result<Change, Violation> {
    match tokio::time::timeout(LIMIT, feed.next()).await {
        Ok(change) => change.or_violation(rule),
        Err(_) => Err(Violation::new(rule, "a report", "nothing for 5 s")),
    }
}

/// Reads on until this change is reported; its number must be higher than `after`, and is returned.
async fn reported(
    rule: &'static str,
    feed: &mut impl ChangeFeed,
    after: u64,
    wanted: (Table, &str),
) -> Result<u64, Violation> {
    let mut last = after;
    loop {
        match next(rule, feed).await? {
            Change::Row { seq, table, key } if seq > last => {
                last = seq;
                if (table, key.as_str()) == wanted {
                    return Ok(seq);
                }
            }
            other => {
                let expected = format!("a change of {} with a number above {last}", wanted.0.name());
                return Err(Violation::new(rule, expected, other));
            }
        }
    }
}

async fn every_write_is_reported<D: DirectoryAdmin, F: ChangeFeed>(
    make: &impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    const FIRST: &str = "the first report is Resync";
    const RULE: &str = "every write is reported after it, with growing numbers";
    let g = Group::default();
    let (d, mut feed) = make(&g).await;
    same(FIRST, next(FIRST, &mut feed).await?, Change::Resync)?;
    let (one, two) = (line("p", "1001"), line("", "1002"));
    let (key_one, key_two) = (line_key(&one), line_key(&two));
    let mut config = PhoneConfig::new(device("a"), vec![one.clone()]);
    let mut seq = 0;
    let done = |result: Result<(), AdminError>| result.or_violation(RULE);

    done(d.put_template(&g, "t", true).await)?;
    seq = reported(RULE, &mut feed, seq, (Table::Template, "t")).await?;
    done(d.put_template(&g, "t", false).await)?;
    seq = reported(RULE, &mut feed, seq, (Table::Template, "t")).await?;
    done(d.put_pool(&g, "p", Some("t")).await)?;
    seq = reported(RULE, &mut feed, seq, (Table::Pool, "p")).await?;
    for wanted in [(Table::Phone, "a"), (Table::Line, key_one.as_str())] {
        // In either order: each is looked for by a write of its own.
        done(d.remove_phone(&g, &config.device).await)?;
        done(d.put_phone(&g, &config).await)?;
        done(d.put_pool(&g, "p", None).await)?;
        seq = reported(RULE, &mut feed, seq, wanted).await?;
        seq = reported(RULE, &mut feed, seq, (Table::Pool, "p")).await?;
    }
    done(d.set_do_not_disturb(&g, &config.device, true).await)?;
    seq = reported(RULE, &mut feed, seq, (Table::Phone, "a")).await?;
    for to in [Some(dn("9")), None] {
        done(d.set_forward_all(&g, &one, to.as_ref()).await)?;
        seq = reported(RULE, &mut feed, seq, (Table::Line, &key_one)).await?;
    }
    for name in [Some("x"), None] {
        done(d.set_display_name(&g, &one, name).await)?;
        seq = reported(RULE, &mut feed, seq, (Table::Line, &key_one)).await?;
    }
    for value in [Some("1"), Some("2"), None] {
        done(d.set_parameter(&g, "A", value).await)?;
        seq = reported(RULE, &mut feed, seq, (Table::Parameter, "A")).await?;
    }
    for table in [Table::Trace, Table::Alarm] {
        for value in [Some("1"), Some("2"), None] {
            done(d.set_setting(&g, table, "A", value).await)?;
            seq = reported(RULE, &mut feed, seq, (table, "A")).await?;
        }
    }
    for (lines, key) in [(vec![one.clone(), two], &key_two), (vec![one], &key_two)] {
        config.lines = lines;
        done(d.put_phone(&g, &config).await)?;
        seq = reported(RULE, &mut feed, seq, (Table::Line, key)).await?;
    }
    done(d.remove_phone(&g, &config.device).await)?;
    seq = reported(RULE, &mut feed, seq, (Table::Line, &key_one)).await?;
    done(d.remove_template(&g, "t").await)?;
    reported(RULE, &mut feed, seq, (Table::Template, "t")).await.map(drop)
}

/// A burst that no feed lags behind is told in the order of the writes.
async fn order<D: DirectoryAdmin, F: ChangeFeed>(
    make: &impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    const RULE: &str = "changes are told in the order in which they were made";
    let g = Group::default();
    let (d, mut feed) = make(&g).await;
    same(RULE, next(RULE, &mut feed).await?, Change::Resync)?;
    // Not in the order of their names.
    let keys: Vec<String> = (0..50).map(|number| format!("t{}", number * 37 % 50)).collect();
    for key in &keys {
        d.put_template(&g, key, true).await.or_violation(RULE)?;
    }
    let mut told: Vec<String> = Vec::new();
    while told.last() != keys.last() {
        match next(RULE, &mut feed).await? {
            Change::Row { table: Table::Template, key, .. } if !told.contains(&key) => told.push(key),
            Change::Row { table: Table::Template, .. } => {}
            other => return Err(Violation::new(RULE, "the changes of this burst", other)),
        }
    }
    same(RULE, told, keys)
}

/// More changes than any feed keeps at hand.
const BURST: usize = 3_000;

/// A feed that lags may pass over changes, but says `Resync` then.
async fn lag<D: DirectoryAdmin, F: ChangeFeed>(
    make: &impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    const RULE: &str = "a feed that lags tells every change, or Resync in place of those it passes over";
    let g = Group::default();
    let (d, mut feed) = make(&g).await;
    same(RULE, next(RULE, &mut feed).await?, Change::Resync)?;
    let key = |number: usize| format!("t{number}");
    for number in 0..BURST {
        d.put_template(&g, &key(number), true).await.or_violation(RULE)?;
    }
    let (mut told, mut after_resync) = (0, false);
    // The last one ends it.
    while told < BURST {
        match next(RULE, &mut feed).await? {
            // Everything before it may be among what was passed over.
            Change::Resync => after_resync = true,
            Change::Row { table: Table::Template, key: saw, .. } => {
                match (told..BURST).find(|number| key(*number) == saw) {
                    Some(number) if number == told || after_resync => {
                        (told, after_resync) = (number + 1, false);
                    }
                    // Once more.
                    None => {}
                    Some(_) => return Err(Violation::new(RULE, key(told), saw)),
                }
            }
            other => return Err(Violation::new(RULE, key(told), other)),
        }
        if after_resync && told < BURST {
            // Nothing may be left to tell: something is, then.
            d.put_template(&g, &key(BURST - 1), true).await.or_violation(RULE)?;
        }
    }
    Ok(())
}

async fn groups<D: DirectoryAdmin, F: ChangeFeed>(
    make: &impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    const RULE: &str = "changes of another group are not reported";
    let (one, other) = (group("one"), group("other"));
    let (d, mut feed) = make(&one).await;
    same(RULE, next(RULE, &mut feed).await?, Change::Resync)?;
    d.put_template(&other, "x", true).await.or_violation(RULE)?;
    d.put_template(&one, "y", true).await.or_violation(RULE)?;
    match next(RULE, &mut feed).await? {
        Change::Row { table: Table::Template, key, .. } if key == "y" => Ok(()),
        other => Err(Violation::new(RULE, "the change in its own group", other)),
    }
}

async fn cancellation<D: DirectoryAdmin, F: ChangeFeed>(
    make: &impl AsyncFn(&Group) -> (D, F),
) -> Result<(), Violation> {
    const RULE: &str = "next can be dropped and called again without losing a change";
    let g = Group::default();
    let (d, mut feed) = make(&g).await;
    same(RULE, next(RULE, &mut feed).await?, Change::Resync)?;
    let mut seq = 0;
    for (round, millis) in [0, 0, 1, 0, 1].into_iter().enumerate() {
        let limit = Duration::from_millis(millis);
        let name = format!("t{round}");
        // While nothing is there, and while something is.
        drop(tokio::time::timeout(limit, feed.next()).await.map(drop));
        d.put_template(&g, &name, true).await.or_violation(RULE)?;
        let mut told = false;
        for _ in 0..5 {
            match tokio::time::timeout(limit, feed.next()).await {
                Err(_) => {}
                Ok(Ok(Change::Row { seq: new, key, .. })) if new > seq => {
                    seq = new;
                    told |= key == name;
                }
                Ok(other) => return Err(Violation::new(RULE, name, other)),
            }
        }
        if !told {
            seq = reported(RULE, &mut feed, seq, (Table::Template, &name)).await?;
        }
    }
    Ok(())
}
