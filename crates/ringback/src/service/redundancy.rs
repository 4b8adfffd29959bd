//! In and out of office, as the redundancy manager says.

use std::collections::VecDeque;
use std::sync::Arc;

use ringback_cti::message::FeatureInvocation;
use ringback_cti::{Command, ProviderEvent};
use ringback_db::{RequestCopy, RequestStore, StoreError};
use ringback_election::{Alarm, Evidence, Input, Output, RegistryError};
use ringback_model::{Epoch, Group, Timestamp};
use ringback_serviceability::trace::target;
use tokio::task::yield_now;
use tokio::time::{Duration, sleep, timeout};

use super::Service;
use super::following::catch_up;
use super::jobs::{Done, Entry};
use super::office::{Claimed, Office, Term};
use super::outgoing::in_time;
use crate::phones::Phones;
use crate::writer::Writer;

/// How soon a store that could not be read is tried again by the one who needs it to begin.
const RETRY: Duration = Duration::from_millis(200);

impl Service {
    /// Reads the parameters, and the epoch and the time that the store knows, then joins the others.
    pub(super) async fn start(&mut self) {
        self.configured.first_reading();
        self.read_settings();
        let group = &self.config.group;
        let (parameters, epoch, now) = tokio::join!(
            self.lookup.parameters(),
            in_time(self.store.epoch(group)),
            in_time(self.store.now())
        );
        if let Ok(now) = now {
            self.surroundings.learn_time(now);
        }
        self.surroundings.service_started();
        self.parameters_read(parameters);
        if let Ok(epoch) = epoch {
            self.redundancy(Input::EpochSeen(epoch));
        }
        self.redundancy(Input::Ready(false));
        self.redundancy(Input::Tick);
        self.watch_registry();
        self.await_beat();
    }

    /// Tells the manager, and does what it says.
    pub(super) fn redundancy(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.manager.handle(self.local.now(), input) {
                match output {
                    Output::Call { number, request } => {
                        let (registry, group) = (Arc::clone(&self.registry), self.config.group.clone());
                        // The manager has long given up then, and asked again.
                        let patience = 2 * self.config.election.call_timeout.to_duration();
                        self.jobs.push(Box::pin(async move {
                            let answer = timeout(patience, request.send(&*registry, &group)).await;
                            let silent = |_| Err(RegistryError::OutcomeUnknown("no answer".to_owned()));
                            Done::Registry(number, answer.unwrap_or_else(silent))
                        }));
                    }
                    Output::Activate { epoch } => self.enter(epoch, Duration::ZERO),
                    Output::Drain { .. } => self.drain(),
                    Output::Resume { epoch } => self.resume(epoch),
                    Output::StandDown { epoch, reason } => {
                        tracing::info!(target: target::REDUNDANCY, %epoch, ?reason, "stands down");
                        self.leave();
                    }
                    Output::Rank(rank) => {
                        tracing::info!(target: target::REDUNDANCY, ?rank, "rank");
                    }
                    Output::Alarm(alarm) => {
                        if let Alarm::AddressConflict { other, .. } = &alarm
                            && self.config.exclusive
                            && !other.is(&self.config.member)
                        {
                            inputs.push_back(Input::PeerDied {
                                member: *other,
                                evidence: Evidence::ResourceFreed,
                            });
                        } else {
                            self.surroundings.election_alarm(&alarm, &self.manager.status().rank);
                        }
                    }
                    Output::Stopped => self.stopped = true,
                    _ => {}
                }
            }
            if self.is_drained() {
                self.drained();
                inputs.push_back(Input::Drained);
            }
        }
        self.note_role();
    }

    /// The role, and since when by the service's clock.
    fn note_role(&mut self) {
        let status = self.manager.status();
        if status.role != self.election.role || status.since != self.election.since {
            let ago = self.local.now().since(status.since);
            self.since = Timestamp(self.surroundings.now().0.saturating_sub(ago.0));
        }
        self.election = status;
        let others = self.manager.others();
        self.peers.send_if_modified(|peers| {
            let modified = *peers != others;
            *peers = others;
            modified
        });
        self.follow(Duration::ZERO);
    }

    fn drain(&mut self) {
        match &mut self.office {
            Office::Held(term) => term.draining = true,
            // Nothing has been begun.
            _ => self.office = Office::Vacant,
        }
        self.drain_wanted = true;
    }

    /// Whether the manager waits for what was begun, and all of that is done.
    fn is_drained(&self) -> bool {
        self.drain_wanted
            && match &self.office {
                Office::Held(term) => term.is_settled(),
                _ => true,
            }
    }

    /// To be asked whenever something that was begun may be done.
    pub(super) fn tell_if_drained(&mut self) {
        if self.is_drained() {
            self.drained();
            self.redundancy(Input::Drained);
        }
    }

    /// Everything begun is done. Who pressed the key meanwhile is told to press it again.
    fn drained(&mut self) {
        self.drain_wanted = false;
        let may_act = self.may_act();
        let Some(term) = self.office.term() else { return };
        for event in term.held_back.extract_if(.., |event| matches!(event, ProviderEvent::FeatureInvoked(_)))
        {
            if let ProviderEvent::FeatureInvoked(FeatureInvocation { invocation, .. }) = event
                && may_act
            {
                self.provider.submit(Command::AnswerFeature { invocation, accepted: false });
            }
        }
    }

    /// The hand-over is off.
    fn resume(&mut self, epoch: Epoch) {
        self.drain_wanted = false;
        let Some(term) = self.office.term() else { return self.enter(epoch, Duration::ZERO) };
        term.draining = false;
        for event in std::mem::take(&mut term.held_back) {
            self.engine_event(event);
        }
    }

    /// Claims the store for the new epoch and reads it; before the first claim it asks whose the epoch is.
    fn enter(&mut self, epoch: Epoch, delay: Duration) {
        self.office = Office::Entering { epoch };
        let (store, group) = (Arc::clone(&self.store), self.config.group.clone());
        let before = self.claimed.filter(|claimed| claimed.epoch == epoch).map(|claimed| claimed.before);
        let mut copy = if before.is_some() { std::mem::take(&mut self.copy) } else { RequestCopy::default() };
        self.jobs.push(Box::pin(async move {
            sleep(delay).await;
            match before {
                Some(before) => {
                    let entry = claim_and_read(&*store, &group, epoch, before, &mut copy).await;
                    Done::Entered(epoch, copy, entry)
                }
                None => Done::EpochHeld(epoch, in_time(store.epoch(&group)).await),
            }
        }));
    }

    /// A registry that has forgotten can give an epoch a second time. The store would take it, and what is accepted now
    /// would be put on record under the numbers of what was accepted then.
    pub(super) fn epoch_held(&mut self, epoch: Epoch, held: Result<Epoch, StoreError>) {
        match &self.office {
            Office::Entering { epoch: awaited } if *awaited == epoch => {}
            _ => return,
        }
        match held {
            Ok(held) if held < epoch => {
                self.claimed = Some(Claimed { epoch, before: held });
                self.enter(epoch, Duration::ZERO);
            }
            // An epoch that is used up: the next one must be above it.
            Ok(held) => self.redundancy(Input::EpochSeen(held.max(epoch.next()))),
            Err(error) => {
                self.surroundings.store_is_down(&error);
                self.enter(epoch, RETRY);
            }
        }
    }

    /// The store has been read: the engine goes on where the last one stopped.
    pub(super) fn entered(&mut self, epoch: Epoch, copy: RequestCopy, result: Result<Entry, StoreError>) {
        match &self.office {
            Office::Entering { epoch: awaited } if *awaited == epoch => self.copy = copy,
            _ => return,
        }
        match result {
            // The lease may have run out while the store was read.
            Ok(_) if !self.may_act() => self.redundancy(Input::Tick),
            Ok(Entry { now, records, set_back }) => {
                let latest =
                    records.iter().map(|record| record.notified.unwrap_or_default().max(record.since));
                let now = self.surroundings.set_time(latest.fold(now, Timestamp::max));
                self.surroundings.store_is_up();
                if let Some(set_back) = set_back {
                    self.surroundings.store_set_back(&set_back);
                }
                let writer = Writer::new(Arc::clone(&self.store), self.config.group.clone(), epoch);
                #[cfg_attr(
                    not(feature = "planted"),
                    expect(unused_mut, reason = "changed only to plant a fault")
                )]
                let mut phones = Phones::new(Arc::clone(&self.renderer));
                #[cfg(feature = "planted")]
                phones.lose_language(self.config.language_lost);
                let parameters = self.configured.parameters().callback;
                let (group, lines) = (self.config.group.clone(), self.lookup.lines_at_once());
                let mut term = Term::new(group, epoch, now, parameters, writer, phones, lines);
                tracing::info!(target: target::REDUNDANCY, %epoch, requests = records.len(), "enters office");
                self.forget();
                let restored = ringback_callback::Input::Restored(records);
                self.stories.heard(now, epoch, &restored);
                let outputs = term.handle(restored);
                self.office = Office::Held(Box::new(term));
                self.provider.submit(Command::Assume(epoch));
                self.flush();
                self.carry_out(outputs);
            }
            Err(StoreError::Fenced { current, .. }) => self.redundancy(Input::EpochSeen(current)),
            Err(error) => {
                self.surroundings.store_is_down(&error);
                self.enter(epoch, RETRY);
            }
        }
    }

    /// Nothing more goes out. What was known in this term is forgotten a moment later: who takes over waits for what is told
    /// now, and to forget many requests takes its time.
    fn leave(&mut self) {
        self.drain_wanted = false;
        self.tags.clear();
        self.provider.submit(Command::Relinquish);
        self.flush();
        if let Office::Held(term) = std::mem::replace(&mut self.office, Office::Vacant) {
            self.left = Some(term.clock.now());
            self.jobs.push(Box::pin(async move {
                yield_now().await;
                drop(term);
                Done::Left
            }));
        }
    }

    /// The stories of the term that was left end, if they have not.
    pub(super) fn forget(&mut self) {
        if let Some(at) = self.left.take() {
            self.stories.left(at);
        }
    }

    /// Waits for a hint that the registry knows something new.
    pub(super) fn watch_registry(&mut self) {
        if self.registry_watched {
            return;
        }
        self.registry_watched = true;
        let (registry, group) = (Arc::clone(&self.registry), self.config.group.clone());
        let (member, revision) = (self.config.member, self.manager.revision());
        self.jobs.push(Box::pin(async move {
            registry.changed(&group, &member, revision).await;
            Done::RegistryChanged(revision)
        }));
    }

    /// Waits until other groups of this process report.
    fn await_beat(&mut self) {
        let registry = Arc::clone(&self.registry);
        self.jobs.push(Box::pin(async move {
            registry.beat().await;
            Done::Beat
        }));
    }

    /// Other groups report.
    pub(super) fn beat(&mut self) {
        self.redundancy(Input::Beat);
        self.await_beat();
    }

    /// The hint. What the manager has seen already is no news; what it has not, the next answer brings, and only then
    /// is waiting for a newer hint of use.
    pub(super) fn registry_changed(&mut self, seen: u64) {
        self.registry_watched = false;
        if seen == self.manager.revision() {
            self.redundancy(Input::Nudge);
        } else {
            self.watch_registry();
        }
    }
}

async fn claim_and_read(
    store: &dyn RequestStore,
    group: &Group,
    epoch: Epoch,
    before: Epoch,
    copy: &mut RequestCopy,
) -> Result<Entry, StoreError> {
    // In this order: after the claim nobody else can change what is read.
    in_time(store.claim(group, epoch)).await?;
    let (read, now) = tokio::join!(catch_up(store, group, epoch, before, copy), in_time(store.now()));
    let set_back = read?;
    Ok(Entry { now: now?, records: copy.records(), set_back })
}
