//! How calls are carried out: leases of etcd are kept alive, then the groups are read, and only what changes is written.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use ringback_election::{Intent, RegistryError, Request, View};
use ringback_model::{Group, Millis, Timestamp};

use crate::client::Granted;
use crate::error::Fault;
use crate::group::{Loaded, Next};
use crate::registry::{Answer, Inner};
use crate::wire::{KeyValue, LeaseId, read};

/// How often a call is tried that collides with others. One of those that collide gets through each time.
const ATTEMPTS: usize = 100;

/// How many groups are read in one request: etcd takes up to 128 operations.
const AT_ONCE: usize = 100;

/// A group as etcd has it at a revision of its store.
struct Found {
    keys: Vec<KeyValue>,
    revision: i64,
}

/// What is known of leases of etcd since the call began.
#[derive(Default)]
struct Leases {
    kept: HashSet<LeaseId>,
    over: HashSet<LeaseId>,
    /// Whether any was to be kept: then the heartbeat may count.
    asked: bool,
}

impl Inner {
    /// Makes the calls; answers in their order.
    pub(crate) async fn carry_out(&self, calls: &[(Group, Request)]) -> Vec<Answer> {
        // The time of the answers: a lease that is kept alive from now on lasts its length from now at least.
        let begun = self.client.clock.now();
        let mut beginnings = Vec::with_capacity(calls.len());
        for (group, request) in calls {
            beginnings.push(self.begin(group, request));
        }
        let kept = join_all(beginnings).await;
        let mut wanted = Vec::with_capacity(calls.len());
        for ((group, _), kept) in calls.iter().zip(&kept) {
            if kept.is_ok() {
                wanted.push(group);
            }
        }
        let mut found = HashMap::new();
        let mut failure = None;
        for groups in wanted.chunks(AT_ONCE) {
            match self.find(groups).await {
                Ok(answers) => found.extend(groups.iter().copied().zip(answers)),
                Err(fault) => failure = Some(fault),
            }
        }
        let mut endings = Vec::with_capacity(calls.len());
        for ((group, request), kept) in calls.iter().zip(kept) {
            let started = kept.and_then(|leases| match (found.remove(group), &failure) {
                (None, Some(fault)) => Err(fault.clone().told(leases.asked)),
                (found, _) => Ok((leases, found)),
            });
            endings.push(self.finish(begun, group, request, started));
        }
        join_all(endings).await
    }

    /// The state of a group, without taking part.
    pub(crate) async fn look(&self, group: &Group) -> Answer {
        let begun = self.client.clock.now();
        let found = self.find_one(group).await.map_err(|fault| fault.told(false))?;
        let loaded = Loaded::new(&self.keys, &found.keys, &HashSet::new())?;
        let now = self.moment(begun, &loaded);
        let mut ledger = loaded.ledger(now);
        Ok(self.view(group, ledger.read(now), loaded.revision, found.revision))
    }

    /// Keeps alive what the caller is known to have.
    async fn begin(&self, group: &Group, request: &Request) -> Result<Leases, RegistryError> {
        if let Request::Tick(report) = request
            && report.length == Millis::ZERO
        {
            return Err(RegistryError::Invalid("a report must last longer than 0 ms".to_owned()));
        }
        let mut leases = Leases::default();
        self.keep(&self.to_keep(group, request), &mut leases).await?;
        Ok(leases)
    }

    async fn keep(&self, wanted: &[LeaseId], leases: &mut Leases) -> Result<(), RegistryError> {
        for lease in wanted {
            match self.client.keep_alive(*lease).await {
                Ok(true) => leases.kept.insert(*lease),
                Ok(false) => leases.over.insert(*lease),
                Err(fault) => {
                    let was_sent = !matches!(fault, Fault::NotSent(_) | Fault::Tls(_));
                    return Err(fault.told(leases.asked || was_sent));
                }
            };
            leases.asked = true;
        }
        self.forget(&leases.over);
        Ok(())
    }

    async fn finish(
        &self,
        begun: Timestamp,
        group: &Group,
        request: &Request,
        started: Result<(Leases, Option<Found>), RegistryError>,
    ) -> Answer {
        let (leases, found) = started?;
        self.settle(begun, group, request, leases, found).await
    }

    /// Carries out one call, again and again until nobody else changes the group meanwhile.
    async fn settle(
        &self,
        begun: Timestamp,
        group: &Group,
        request: &Request,
        mut leases: Leases,
        mut found: Option<Found>,
    ) -> Answer {
        let mut spare: Vec<Granted> = Vec::new();
        for _ in 0..ATTEMPTS {
            let found = match found.take() {
                Some(found) => found,
                None => self.find_one(group).await.map_err(|fault| fault.told(leases.asked))?,
            };
            let loaded = Loaded::new(&self.keys, &found.keys, &leases.over)?;
            let (membership, office) = own(&loaded, request);
            let unkept: Vec<LeaseId> =
                membership.into_iter().chain(office).filter(|lease| !leases.kept.contains(lease)).collect();
            if !unkept.is_empty() {
                // Only what is there *after* it was kept alive is confirmed.
                self.keep(&unkept, &mut leases).await?;
                continue;
            }
            let now = self.moment(begun, &loaded);
            let mut ledger = loaded.ledger(now);
            let answer = ledger.apply(now, request);
            let writes = loop {
                match loaded.towards(&self.keys, group, request, &ledger, &spare) {
                    Next::Lease(seconds) => {
                        let granted = self.client.grant(seconds).await;
                        let granted = granted.map_err(|fault| fault.told(leases.asked))?;
                        if granted.seconds < seconds {
                            return Err(RegistryError::NotDone(format!(
                                "etcd grants leases of {} s only, {seconds} s are needed",
                                granted.seconds
                            )));
                        }
                        spare.push(granted);
                    }
                    Next::Nothing => {
                        if let Request::Tick(report) = request {
                            self.remember(group, report, membership, office);
                        }
                        let told = |view| self.view(group, view, loaded.revision, found.revision);
                        return answer.map(told);
                    }
                    Next::Write(writes) => break writes,
                }
            };
            let as_read = loaded.as_read(&self.keys, group);
            match self.client.transaction(&[as_read], &writes).await {
                Ok(done) if done.succeeded => {
                    let revision = done.header.revision;
                    return answer.map(|view| self.view(group, view, revision, revision));
                }
                // Somebody was quicker.
                Ok(_) => {}
                // One of the leases has ended meanwhile.
                Err(fault) if fault.is_lease_gone() => spare.clear(),
                Err(fault) => {
                    let was_sent = !matches!(fault, Fault::NotSent(_) | Fault::Tls(_));
                    return Err(fault.told(leases.asked || was_sent));
                }
            }
        }
        Err(RegistryError::NotDone("it collided with others again and again: try again".to_owned()))
    }

    async fn find_one(&self, group: &Group) -> Result<Found, Fault> {
        let found = self.find(&[group]).await?.into_iter().next();
        found.ok_or_else(|| Fault::Invalid("etcd gave no answer".to_owned()))
    }

    /// Reads groups as they are at one revision, confirmed by a majority of the servers.
    async fn find(&self, groups: &[&Group]) -> Result<Vec<Found>, Fault> {
        let operations: Vec<_> = groups.iter().map(|group| read(&self.keys.of(group))).collect();
        let answer = self.client.transaction(&[], &operations).await?;
        if answer.responses.len() != groups.len() {
            return Err(Fault::Invalid("etcd gave another number of answers than was asked for".to_owned()));
        }
        let revision = answer.header.revision;
        let found = answer.responses.into_iter();
        Ok(found.map(|done| Found { keys: done.response_range.kvs, revision }).collect())
    }

    fn moment(&self, begun: Timestamp, loaded: &Loaded) -> Timestamp {
        self.client.clock.learn(loaded.at());
        begun.max(loaded.at())
    }

    /// `written`: when the head of the group was written; `read`: the revision at which the group was read.
    fn view(&self, group: &Group, view: View, written: i64, read: i64) -> View {
        // That etcd has ended a lease is written nowhere, but heard.
        let heard = self.watcher.revision(group.as_str()).min(read);
        View { revision: u64::try_from(written.max(heard)).unwrap_or_default(), ..view }
    }
}

/// The leases of etcd on which the caller is a member, and holds the office that it renews.
fn own(loaded: &Loaded, request: &Request) -> (Option<LeaseId>, Option<LeaseId>) {
    let Request::Tick(report) = request else { return (None, None) };
    let office = match report.intent {
        Intent::Leave => return (None, None),
        Intent::Renew { epoch } => loaded.office(&report.member, epoch),
        Intent::Watch | Intent::Acquire { .. } | Intent::Release { .. } => None,
    };
    (loaded.membership(&report.member), office)
}
