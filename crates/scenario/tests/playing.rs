//! The player: how time passes, when expectations end, and what is said when one fails. The phones are those of the
//! simulator; the service is one that says it is ready and does nothing.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use ringback_scenario::language::NodeAction;
use ringback_scenario::runner::{InstanceStatus, Pace, in_simulated_time, play};
use ringback_scenario::world::{Instances, Site, World};
use ringback_scenario::{Failure, Outcome, parse};
use tokio::sync::watch;
use tokio::time::Instant;

/// One instance that is ready a second after its start.
struct Idle {
    started: Option<(IpAddr, Instant)>,
    changed: watch::Sender<u64>,
}

impl Idle {
    fn new() -> Self {
        Self { started: None, changed: watch::Sender::new(0) }
    }
}

const START: Duration = Duration::from_secs(1);

#[async_trait]
impl Instances for Idle {
    async fn act(&mut self, node: IpAddr, action: NodeAction) -> Result<(), String> {
        match action {
            NodeAction::Start => {
                self.started = Some((node, Instant::now()));
                let changed = self.changed.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(START).await;
                    changed.send_modify(|count| *count += 1);
                });
                Ok(())
            }
            NodeAction::Kill => {
                self.started = None;
                Ok(())
            }
            _ => Err("an instance that only starts and dies".to_owned()),
        }
    }

    fn store_runs(&mut self, _: bool) {}

    fn statuses(&self) -> Vec<InstanceStatus> {
        let status = self.started.map(|(address, since)| InstanceStatus {
            address,
            asked: true,
            active: Some(address),
            backups: Vec::new(),
            ready: since.elapsed() >= START,
            registered: None,
            database_up: true,
        });
        status.into_iter().collect()
    }

    fn alarms(&self) -> Vec<String> {
        Vec::new()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// Plays the text; gives the outcome and how long it took after the start.
fn played(text: &str, pace: Pace) -> (Outcome, Duration) {
    let scenario = parse(text).unwrap();
    in_simulated_time(async {
        let (site, _directory) =
            Site::in_memory(&scenario.setup, scenario.names().ctimanagers()).await.unwrap();
        let mut world = World::new(site, Idle::new());
        let start = Instant::now();
        let outcome = play(&scenario, &mut world, pace).await;
        (outcome, start.elapsed() - START)
    })
    .unwrap()
}

fn passes(text: &str, took: Duration) {
    assert_eq!(played(text, Pace::Simulated), (Outcome::Passed { notes: vec![] }, took), "{text}");
}

fn fails(text: &str, line: usize, statement: &str, expected: &str, saw: &str) {
    let failure =
        Failure { line, statement: statement.to_owned(), expected: expected.to_owned(), saw: saw.to_owned() };
    assert_eq!(played(text, Pace::Simulated).0, Outcome::Failed(failure), "{text}");
}

const PHONES: &str = "phone A 1001\nphone B 1002\nphone C 1003\n";

fn with_phones(steps: &str) -> String {
    format!("{PHONES}{steps}")
}

#[test]
fn an_action_takes_250_ms_a_wait_its_time_and_an_expectation_that_holds_none() {
    let steps = "A calls 1002\nexpect A hears ringback\nexpect B rings from 1001\nwait 3s\nB answers\nexpect A connected to 1002";
    passes(&with_phones(steps), Duration::from_millis(250 + 3000 + 250));
}

#[test]
fn an_expectation_ends_at_the_moment_it_holds() {
    // Nobody answers for 180 s: reorder. The first 250 ms have passed by then.
    passes(
        &with_phones("A calls 1002\nexpect A hears reorder within 5m\nexpect B idle"),
        Duration::from_secs(180),
    );
}

#[test]
fn never_takes_the_whole_time_and_fails_at_the_first_moment() {
    passes(&with_phones("A calls 1002\nexpect never A hears busy for 1m"), Duration::from_millis(60_250));
    fails(
        &with_phones("A calls 1002\nexpect never A hears reorder for 10m"),
        5,
        "expect never A hears reorder for 10m",
        "never A hears reorder for 10m",
        "A hears reorder after 179750ms",
    );
}

#[test]
fn what_failed_is_told_with_what_was_seen() {
    fails(
        &with_phones("# a comment\n\nA calls 1002\nexpect  A hears busy # or not"),
        7,
        "expect A hears busy",
        "A hears busy within 1s",
        "A hears ringback",
    );
    fails(
        &with_phones("expect pending 1 within 5s"),
        4,
        "expect pending 1 within 5s",
        "pending 1 within 5s",
        "pending 0",
    );
}

#[test]
fn an_impossible_action_fails_and_one_that_changes_nothing_does_not() {
    passes(&with_phones("A hangs up\nA replaces\nkill node 10.0.0.1"), Duration::from_millis(750));
    fails(&with_phones("A answers"), 4, "A answers", "this to be possible", "no call rings at the phone");
    fails(
        &with_phones("pause node 10.0.0.1"),
        4,
        "pause node 10.0.0.1",
        "an instance that can do this",
        "an instance that only starts and dies",
    );
}

#[test]
fn in_real_time_never_is_watched_for_3_s_and_says_so() {
    let (outcome, took) = played(&with_phones("A calls 1002\nexpect never A hears busy for 1m"), Pace::Real);
    let note = "never A hears busy: watched for 3s, not 1m".to_owned();
    assert_eq!(outcome, Outcome::Passed { notes: vec![note] });
    assert_eq!(took, Duration::from_millis(3250));
}

#[test]
fn set_up_and_changes_reach_switch_and_directory() {
    passes(
        "template T\npool P softkeys T\nphone A 1001 pool P\nphone B 1002 partition Lab calls 2\nset \"Call Back Idle Guard\" = 5s\n\
         set \"Call Back Idle Guard\" = 1s\nB forwards all to 1001\nB forwards nothing\nB dnd on\nB dnd off\n\
         remove phone B\nadd phone B 1004\nA calls 1004\nexpect B rings",
        Duration::from_millis(7 * 250),
    );
    fails(
        &with_phones("stop database\nA forwards all to 1002"),
        5,
        "A forwards all to 1002",
        "this to be possible",
        "directory database unavailable, nothing was written: switched off",
    );
}
