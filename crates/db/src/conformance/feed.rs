use std::time::Duration;

use ringback_model::Group;

use super::{OrViolation, Violation, device, dn, group, line, same};
use crate::admin::{AdminError, DirectoryAdmin, PhoneConfig};
use crate::feed::{Change, ChangeFeed, Table, line_key};

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
    every_write_is_reported(&make).await?;
    groups(&make).await?;
    cancellation(&make).await
}

async fn next(rule: &'static str, feed: &mut impl ChangeFeed) -> Result<Change, Violation> {
    match tokio::time::timeout(LIMIT, feed.next()).await {
        Ok(change) => change.or_violation(rule),
        Err(_) => Err(Violation::new(rule, "nothing for 5 s")),
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
            other => return Err(Violation::new(rule, (wanted.0, other))),
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
        other => Err(Violation::new(RULE, other)),
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
    for name in ["t1", "t2", "t3"] {
        drop(tokio::time::timeout(Duration::from_millis(1), feed.next()).await.map(drop));
        d.put_template(&g, name, true).await.or_violation(RULE)?;
        seq = reported(RULE, &mut feed, seq, (Table::Template, name)).await?;
    }
    Ok(())
}
