//! The server and the service are killed while requests wait.

mod office;
mod pbx;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use futures_util::future::try_join_all;
use ringback_pbx_lab::{Release, Server};
use tokio::time::{Instant, sleep};

use crate::office::{Office, Rules};
use crate::pair::{By, Pair, SOON};
use crate::say;
use crate::stage::{Failure, NOBODY, site, start};

/// So many callers wait in each round.
const PAIRS: u32 = 6;

/// How long a restarted server is not believed: as short as a round may be.
const PROOF: Duration = Duration::from_millis(1500);

/// The server, the service, and pairs of phones.
struct Bench {
    server: Server,
    office: Office,
    pairs: Vec<Pair>,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    /// Requests that are gone, or whose caller was not rung.
    lost: u32,
    /// Recalls beyond the first.
    doubled: u32,
    /// Alerts that were sent again, because it was not known whether they had arrived.
    in_doubt: u32,
    /// Recalls before the callee had been seen in use or the server had been up for long enough.
    unproven: u32,
}

impl Round {
    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.in_doubt += other.in_doubt;
        self.unproven += other.unproven;
    }

    fn is_good(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.unproven == 0
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, doubled, in_doubt, unproven } = self;
        write!(f, "lost {lost}, doubled {doubled}, in_doubt {in_doubt}, unproven {unproven}")
    }
}

pub(crate) async fn run(rounds: u32) -> Result<bool, Failure> {
    let names = |first: u32| (first..first + PAIRS).map(|number| number.to_string());
    let (callers, callees) = (names(1001), names(1101));
    let server = start(Release::V22, &site(callers.clone().chain(callees.clone()))).await?;
    let office = Office::open(&server, Rules { ring: Duration::from_secs(20), proof: PROOF }).await?;
    let mut pairs = Vec::new();
    for (a, b) in callers.zip(callees) {
        pairs.push(Pair::register(&server, By::Us, &a, &b).await?);
    }
    let mut bench = Bench { server, office, pairs };
    let mut of_office = Round::default();
    for number in 1..=rounds {
        let round = office::play(&mut bench, number).await?;
        say(format_args!("round {number}, service killed: {round}"));
        of_office.add(round);
    }
    let mut of_server = Round::default();
    for number in 1..=rounds {
        let round = pbx::play(&mut bench, number).await?;
        say(format_args!("round {number}, Asterisk killed: {round}"));
        of_server.add(round);
    }
    say(format_args!("| `kill -9` of | rounds | requests | lost | rung twice | in doubt | rung unproven |"));
    say("|---|---|---|---|---|---|---|");
    for (what, sum) in [("ringback", of_office), ("Asterisk", of_server)] {
        let Round { lost, doubled, in_doubt, unproven } = sum;
        let requests = rounds * PAIRS;
        say(format_args!(
            "| {what} | {rounds} | {requests} | {lost} | {doubled} | {in_doubt} | {unproven} |"
        ));
    }
    Ok(of_office.is_good() && of_server.is_good())
}

/// How long after one moment another was, or before it.
fn since(begin: Instant, at: Instant) -> String {
    let (later, earlier) = (at.saturating_duration_since(begin), begin.saturating_duration_since(at));
    if later.is_zero() { format!("-{earlier:.1?}") } else { format!("{later:.1?}") }
}

impl Bench {
    /// Every B is in a call, and its A waits for it.
    async fn all_wait(&mut self) -> Result<(), Failure> {
        try_join_all(self.pairs.iter_mut().map(async |pair| {
            pair.b_calls(NOBODY).await?;
            pair.a_asks().await?;
            pair.a.drain();
            Ok::<_, Failure>(())
        }))
        .await?;
        Ok(())
    }

    /// Waits until every A has been rung, and a moment longer. When each was, without those that were not.
    async fn all_rung(&mut self, already: &[Vec<Instant>]) -> Vec<Vec<Instant>> {
        let mut rung = Vec::new();
        for (pair, already) in self.pairs.iter_mut().zip(already) {
            let mut of_pair = already.clone();
            if of_pair.is_empty() {
                of_pair.extend(pair.recalled(SOON).await);
            }
            rung.push(of_pair);
        }
        sleep(Duration::from_millis(300)).await;
        for (pair, rung) in self.pairs.iter_mut().zip(&mut rung) {
            rung.extend(pair.recalls());
        }
        rung
    }

    /// What the rings of a round come to, and whether every request is still there. Whose callee may have been believed to be
    /// free before it used its phone may be alerted anew. What is wrong is told, with the times since the kill.
    async fn judge(
        &self,
        rung: &[Vec<Instant>],
        believed: &[bool],
        killed: Instant,
    ) -> Result<Round, Failure> {
        let mut round = Round::default();
        for ((pair, rung), believed) in self.pairs.iter().zip(rung).zip(believed) {
            let held = self.office.holds_request_of(pair.a.name()).await?;
            let alerts = self.office.take_alerts(pair.a.name());
            let different = alerts.iter().collect::<BTreeSet<_>>().len();
            let repeated = u32::try_from(alerts.len() - different)?;
            let again = u32::try_from(rung.len().saturating_sub(1))?;
            let lost = rung.is_empty() || !held;
            let anew = different > 1 && *believed;
            let doubled = again.saturating_sub(repeated + u32::from(anew));
            if lost || doubled > 0 {
                let when: Vec<String> = rung.iter().map(|at| since(killed, *at)).collect();
                let (name, when, alerts) = (pair.a.name(), when.join(", "), alerts.join(", "));
                say(format_args!("{name}: rung at [{when}], alerts [{alerts}], stored: {held}"));
            }
            round.lost += u32::from(lost);
            round.in_doubt += repeated;
            round.doubled += doubled;
        }
        Ok(round)
    }

    /// Every A gives up its request.
    async fn all_cancel(&mut self) -> Result<(), Failure> {
        for pair in &mut self.pairs {
            if self.office.holds_request_of(pair.a.name()).await? {
                pair.a_cancels(&self.office).await?;
            }
            // It may still ring for the server that is gone.
            let _none = pair.a.hang_up().await;
        }
        sleep(Duration::from_millis(50)).await;
        Ok(())
    }
}
