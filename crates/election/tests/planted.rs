//! Each of these registries has one fault, and the suite of the port names it.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use ringback_election::planted::{Fault, Planted};
use ringback_election::{
    Evidence, Intent, Ledger, Member, MemoryRegistry, Registry, RegistryError, Report, View, conformance,
};
use ringback_model::{Epoch, Group, Millis, Timestamp};

/// Runs what never really waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn registry() -> (MemoryRegistry, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&time);
    (MemoryRegistry::new(move || Timestamp(clock.load(Ordering::Relaxed))), time)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// One of the ledger's rules is off.
    Rule(Fault),
    SharesGroups,
    ExpelsAnyRun,
    KeepsWhatIsReleased,
    KeepsWhoLeaves,
    ForgetsAbove,
    AllAreReady,
    CountsHeartbeats,
    LivesTooLong,
    ForgetsTheHeartbeatOfTheFenced,
    ForgetsTheEpochOfAnEmptyGroup,
    WhoLeavesTakesTheLeaseAlong,
    AnswersInReverse,
    StopsAtTheFirstRefusal,
    TellsChangesAlways,
    TheTimeOfTheFirstReport,
    CutsIncarnations,
}

struct WrongRegistry(MemoryRegistry, Wrong);

impl WrongRegistry {
    fn group(&self, group: &Group) -> Group {
        if self.1 == Wrong::SharesGroups { Group::default() } else { group.clone() }
    }

    fn twist(&self, group: &Group, mut view: View) -> View {
        match self.1 {
            Wrong::CountsHeartbeats => {
                let mut ledger = self.0.ledger(group);
                ledger.revision += 1;
                view.revision = ledger.revision;
                self.0.replace(group, ledger);
            }
            Wrong::TheTimeOfTheFirstReport => {
                let first = view.members.values().map(|known| known.joined).min();
                view.at = first.unwrap_or(view.at);
            }
            _ => {}
        }
        view
    }

    fn forget(&self, group: &Group) {
        let ledger = self.0.ledger(group);
        if self.1 == Wrong::ForgetsTheEpochOfAnEmptyGroup && ledger.members.is_empty() {
            self.0.replace(group, Ledger::default());
        }
    }
}

#[async_trait::async_trait]
impl Registry for WrongRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Result<View, RegistryError> {
        let group = &self.group(group);
        self.forget(group);
        let mut report = *report;
        let mut before = self.0.ledger(group);
        match (self.1, &mut report.intent) {
            (Wrong::Rule(fault), _) => {
                before.plant(Planted::only(fault));
                self.0.replace(group, before.clone());
            }
            (Wrong::KeepsWhatIsReleased, intent @ Intent::Release { .. })
            | (Wrong::KeepsWhoLeaves, intent @ Intent::Leave) => *intent = Intent::Watch,
            (Wrong::ForgetsAbove, Intent::Acquire { above, .. }) => *above = Epoch(0),
            (Wrong::AllAreReady, _) => report.ready = true,
            (Wrong::LivesTooLong, _) => report.length = Millis(report.length.0 * 2),
            (Wrong::CutsIncarnations, _) => report.member.incarnation.0 &= u64::from(u32::MAX),
            (Wrong::WhoLeavesTakesTheLeaseAlong, Intent::Leave) => {
                if let Some(lease) = &mut before.lease
                    && lease.holder != report.member
                {
                    lease.expires = before.at;
                }
                self.0.replace(group, before.clone());
            }
            _ => {}
        }
        let answer = self.0.tick(group, &report).await;
        if self.1 == Wrong::ForgetsTheHeartbeatOfTheFenced && answer.is_err() {
            self.0.replace(group, before);
        }
        answer.map(|view| self.twist(group, view))
    }

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Result<View, RegistryError>> {
        let mut answers: Vec<Result<View, RegistryError>> = Vec::new();
        for (group, report) in reports {
            let refused = answers.iter().find_map(|answer| answer.clone().err());
            let answer = match (self.1, refused) {
                (Wrong::StopsAtTheFirstRefusal, Some(error)) => Err(error),
                _ => self.tick(group, report).await,
            };
            answers.push(answer);
        }
        if self.1 == Wrong::AnswersInReverse {
            answers.reverse();
        }
        answers
    }

    async fn read(&self, group: &Group) -> Result<View, RegistryError> {
        let group = self.group(group);
        let view = self.0.read(&group).await?;
        self.forget(&group);
        Ok(self.twist(&group, view))
    }

    async fn expel(
        &self,
        group: &Group,
        by: &Member,
        dead: &Member,
        evidence: Evidence,
    ) -> Result<View, RegistryError> {
        let mut dead = *dead;
        if self.1 == Wrong::ExpelsAnyRun
            && let Some(known) = self.0.ledger(group).members.get(&dead.address)
        {
            dead = known.member;
        }
        self.0.expel(&self.group(group), by, &dead, evidence).await
    }

    async fn changed(&self, group: &Group, member: &Member, seen: u64) {
        if self.1 == Wrong::TellsChangesAlways {
            return ready(()).await;
        }
        self.0.changed(group, member, seen).await;
    }
}

#[test]
fn registries() {
    const RENEW: &str = "only the holder renews, and only in the epoch of its lease";
    const APART: &str = "groups have nothing in common, also when asked together";
    let cases = [
        (
            Wrong::Rule(Fault::EpochNotRaised),
            "a lease that ran out is given in a higher epoch",
            "Intent::Acquire::seen",
        ),
        (
            Wrong::Rule(Fault::LeaseIgnored),
            "a free lease is given for its length in a new epoch, and to nobody else while in force",
            "Intent::Acquire",
        ),
        (Wrong::Rule(Fault::RenewUnchecked), RENEW, "Intent::Renew"),
        (Wrong::Rule(Fault::HealedSplitOldMasterOnRecord), RENEW, "Intent::Renew"),
        (
            Wrong::Rule(Fault::DelayedClaim),
            "a claim made in view of an older epoch is void, though the lease is free",
            "Intent::Acquire::seen",
        ),
        (
            Wrong::Rule(Fault::DuplicateAddress),
            "another run at an address is refused while the former is live, and changes nothing",
            "RegistryError::AddressInUse",
        ),
        (
            Wrong::Rule(Fault::ReleaseUnchecked),
            "a lease given back is over at once; only its holder gives it back, in its epoch",
            "Intent::Release",
        ),
        (
            Wrong::Rule(Fault::LeaseForever),
            "a lease that ran out is given in a higher epoch",
            "Intent::Acquire::seen",
        ),
        (Wrong::SharesGroups, "a group nobody has joined is empty", "Registry::read"),
        (
            Wrong::ExpelsAnyRun,
            "who is proven dead is no member and holds no lease; another run there is left alone",
            "Registry::expel",
        ),
        (
            Wrong::KeepsWhatIsReleased,
            "the revision grows with joins, leaves, readiness, and a lease given or given back",
            "View::revision",
        ),
        (Wrong::KeepsWhoLeaves, "who leaves is no member any more, and its lease is over", "Intent::Leave"),
        (
            Wrong::ForgetsAbove,
            "a new epoch is above the registry's own and above the one the claimer remembers",
            "Intent::Acquire::above",
        ),
        (
            Wrong::AllAreReady,
            "the revision grows with joins, leaves, readiness, and a lease given or given back",
            "View::revision",
        ),
        (
            Wrong::CountsHeartbeats,
            "the revision does not grow with heartbeats and renewals",
            "View::revision",
        ),
        (Wrong::LivesTooLong, "the first report joins, and the next keeps what is known", "Report::member"),
        (
            Wrong::ForgetsTheHeartbeatOfTheFenced,
            "a lease that ran out cannot be renewed; the heartbeat with it counts all the same",
            "RegistryError::Fenced",
        ),
        (
            Wrong::ForgetsTheEpochOfAnEmptyGroup,
            "the highest epoch given is remembered when lease and members are long gone",
            "View::epoch",
        ),
        (Wrong::WhoLeavesTakesTheLeaseAlong, "who leaves gives back its own lease only", "Intent::Leave"),
        (Wrong::AnswersInReverse, APART, "Registry::tick_all"),
        (Wrong::StopsAtTheFirstRefusal, APART, "Registry::tick_all"),
        (
            Wrong::TellsChangesAlways,
            "changed does not return while the revision is the one seen",
            "Registry::changed",
        ),
        (
            Wrong::TheTimeOfTheFirstReport,
            "every answer carries the time of the registry, which goes on and never back",
            "Registry",
        ),
        (
            Wrong::CutsIncarnations,
            "a member is told as it reported itself, whatever its address and run",
            "Report::member",
        ),
    ];
    let mut wrong = Vec::new();
    for (fault, rule, paragraph) in cases {
        let (registry, time) = registry();
        let pass = async |span: Millis| {
            time.fetch_add(span.0, Ordering::Relaxed);
        };
        let told = now(conformance::registry(async || WrongRegistry(registry.clone(), fault), pass));
        let told = told.map_err(|violation| (violation.check, violation.paragraph));
        if told != Err((rule, paragraph)) {
            wrong.push(format!("{fault:?}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
