//! Several feeds in one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use proptest::prelude::*;
use ringback_db::{Change, ChangeFeed, FeedError, MemoryDirectory, MergedFeed, Table, conformance};
use ringback_model::Group;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Report = Result<Change, FeedError>;

/// Tells what it is sent.
struct Sent(UnboundedReceiver<Report>);

#[async_trait]
impl ChangeFeed for Sent {
    async fn next(&mut self) -> Report {
        match self.0.recv().await {
            Some(report) => report,
            None => std::future::pending().await,
        }
    }
}

fn merged(count: usize) -> (MergedFeed, Vec<UnboundedSender<Report>>) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| unbounded_channel()).unzip();
    let feeds = receivers.into_iter().map(|receiver| Box::new(Sent(receiver)) as Box<dyn ChangeFeed>);
    (MergedFeed::new(feeds.collect()), senders)
}

fn row(seq: u64, key: &str) -> Report {
    Ok(Change::Row { seq, table: Table::Phone, key: key.to_owned() })
}

fn lost(reason: &str) -> Report {
    Err(FeedError::Lost(reason.to_owned()))
}

/// What can be told now; what waits is dropped and asked again the next time.
fn poll(feed: &mut MergedFeed) -> Option<Report> {
    let mut next = pin!(feed.next());
    match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(report) => Some(report),
        Poll::Pending => None,
    }
}

fn all(feed: &mut MergedFeed) -> Vec<Report> {
    std::iter::from_fn(|| poll(feed)).collect()
}

#[test]
fn every_feeds_reports_are_passed_on_numbered_anew() {
    let (mut feed, senders) = merged(2);
    assert_eq!(all(&mut feed), []);
    for (sender, report) in [
        (0, Ok(Change::Resync)),
        (1, Ok(Change::Resync)),
        (0, row(7, "a")),
        (1, row(3, "b")),
        (1, row(4, "c")),
    ] {
        senders[sender].send(report).unwrap();
    }
    let told = all(&mut feed);
    let resync = || Ok(Change::Resync);
    assert_eq!(told, [resync(), resync(), row(1, "a"), row(2, "b"), row(3, "c")]);
}

#[test]
fn the_last_word_is_lost_while_one_is_lost() {
    let (mut feed, senders) = merged(2);
    senders[0].send(lost("the database is away")).unwrap();
    senders[1].send(lost("the port is taken")).unwrap();
    assert_eq!(all(&mut feed), [lost("the database is away"), lost("the port is taken")]);
    senders[0].send(Ok(Change::Resync)).unwrap();
    senders[0].send(row(9, "a")).unwrap();
    assert_eq!(all(&mut feed), [Ok(Change::Resync), lost("the port is taken"), row(1, "a")]);
    senders[1].send(Ok(Change::Resync)).unwrap();
    assert_eq!(all(&mut feed), [Ok(Change::Resync)]);
}

#[test]
fn a_parameter_that_is_not_in_force_is_no_loss() {
    let (mut feed, senders) = merged(2);
    let kept = || {
        Err(FeedError::NotInForce {
            parameter: "P",
            value: "2".to_owned(),
            used: "1".to_owned(),
            reason: "it is taken".to_owned(),
        })
    };
    senders[0].send(kept()).unwrap();
    senders[1].send(Ok(Change::Resync)).unwrap();
    assert_eq!(all(&mut feed), [kept(), Ok(Change::Resync)]);
    assert_eq!(kept().unwrap_err().to_string(), "\"P\" cannot be 2: it is taken; 1 stays in force");
}

#[test]
fn a_feed_with_much_to_tell_lets_the_others_speak() {
    let (mut feed, senders) = merged(3);
    for number in 0..1000 {
        senders[1].send(row(number, "much")).unwrap();
    }
    senders[0].send(row(1, "little")).unwrap();
    senders[2].send(row(1, "little")).unwrap();
    let first = [poll(&mut feed), poll(&mut feed), poll(&mut feed)].map(Option::unwrap);
    for little in [row(1, "little"), row(3, "little")] {
        assert!(first.contains(&little), "{first:?}");
    }
    // The same when it comes in the middle.
    senders[2].send(row(2, "late")).unwrap();
    let next: Vec<Report> = (0..3).map(|_| poll(&mut feed).unwrap()).collect();
    let late = next.iter().any(|report| matches!(report, Ok(Change::Row { key, .. }) if key == "late"));
    assert!(late, "{next:?}");
}

#[test]
fn without_feeds_it_is_silent() {
    let (mut feed, _) = merged(0);
    assert_eq!(poll(&mut feed), None);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Tell(usize, u8),
    Poll,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![(0..3_usize, 0..4_u8).prop_map(|(feed, what)| Step::Tell(feed, what)), Just(Step::Poll)]
}

proptest! {
    /// However reading and telling interleave, and although most reads are dropped: nothing is missing, nothing comes
    /// twice, each feed keeps its order, numbers grow, and a loss that is not over is the last that was told of it.
    #[test]
    fn nothing_is_missed(steps in proptest::collection::vec(step(), 0..80)) {
        let (mut feed, senders) = merged(3);
        let mut sent: [Vec<String>; 3] = Default::default();
        let (mut resyncs, mut is_lost) = (0, [false; 3]);
        let mut told = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Poll => told.extend(poll(&mut feed)),
                Step::Tell(place, 0) => {
                    resyncs += 1;
                    is_lost[place] = false;
                    senders[place].send(Ok(Change::Resync)).unwrap();
                }
                Step::Tell(place, 1) => {
                    is_lost[place] = true;
                    let name = format!("{place} {number}");
                    senders[place].send(lost(&name)).unwrap();
                    sent[place].push(name);
                }
                Step::Tell(place, _) => {
                    let name = format!("{place} {number}");
                    senders[place].send(row(1, &name)).unwrap();
                    sent[place].push(name);
                }
            }
        }
        told.extend(all(&mut feed));

        prop_assert_eq!(told.iter().filter(|report| **report == Ok(Change::Resync)).count(), resyncs);
        let mut names: Vec<String> = Vec::new();
        let mut last = 0;
        for report in &told {
            match report {
                Ok(Change::Row { seq, key, .. }) => {
                    prop_assert!(*seq > last);
                    last = *seq;
                    prop_assert!(!names.contains(key));
                    names.push(key.clone());
                }
                // Told once more after another's Resync.
                Err(FeedError::Lost(name)) if names.contains(name) => {}
                Err(FeedError::Lost(name)) => names.push(name.clone()),
                _ => {}
            }
        }
        for (place, sent) in sent.iter().enumerate() {
            let of_this: Vec<&String> = names.iter().filter(|name| name.starts_with(&place.to_string())).collect();
            prop_assert_eq!(of_this, sent.iter().collect::<Vec<_>>());
        }
        let last_word = told.iter().rev().find(|report| !matches!(report, Ok(Change::Row { .. })));
        if let Some(last_word) = last_word {
            prop_assert_eq!(last_word.is_err(), is_lost.contains(&true));
        }
    }
}

#[tokio::test]
async fn it_conforms() -> Result<(), conformance::Violation> {
    conformance::feed(async |group: &Group| {
        let directory = MemoryDirectory::new();
        let (_, silent) = unbounded_channel();
        let feed = MergedFeed::new(vec![Box::new(directory.feed(group)), Box::new(Sent(silent))]);
        (directory, feed)
    })
    .await
}
