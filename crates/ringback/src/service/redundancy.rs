//! In and out of office, as the redundancy manager says.

use std::collections::VecDeque;
use std::sync::Arc;

use ringback_callback::Record;
use ringback_cti::Command;
use ringback_db::{RequestStore, StoreError};
use ringback_election::{Alarm, Evidence, Input, Output};
use ringback_model::{Epoch, Group, Timestamp};
use ringback_serviceability::trace::target;
use tokio::time::{Duration, sleep, timeout};

use super::Service;
use super::jobs::Done;
use super::office::{Office, Term};
use crate::phones::Phones;
use crate::writer::Writer;

/// How long the start waits for what it would like to know and can do without.
const PATIENCE: Duration = Duration::from_secs(2);

/// How soon a store that could not be read is tried again by the one who needs it to begin.
const RETRY: Duration = Duration::from_millis(200);

impl Service {
    /// Reads the parameters and the epoch that the store remembers, then joins the others.
    pub(super) async fn start(&mut self) {
        self.surroundings.service_started();
        let parameters = self.lookup.parameters().await;
        self.parameters_read(parameters);
        if let Ok(Ok(epoch)) = timeout(PATIENCE, self.store.epoch(&self.config.group)).await {
            self.redundancy(Input::EpochSeen(epoch));
        }
        self.redundancy(Input::Ready(false));
        self.redundancy(Input::Tick);
        self.watch_registry();
    }

    /// Tells the manager, and does what it says.
    pub(super) fn redundancy(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.manager.handle(self.local.now(), input) {
                match output {
                    Output::Call { number, request } => {
                        let (registry, group) = (Arc::clone(&self.registry), self.config.group.clone());
                        self.jobs.push(Box::pin(async move {
                            Done::Registry(number, request.send(&*registry, &group).await)
                        }));
                    }
                    Output::Activate { epoch } => self.enter(epoch, Duration::ZERO),
                    Output::Drain { .. } => self.set_draining(true),
                    Output::Resume { .. } => self.set_draining(false),
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
                        {
                            inputs.push_back(Input::PeerDied {
                                member: *other,
                                evidence: Evidence::ResourceFreed,
                            });
                        } else {
                            self.surroundings.election_alarm(&alarm);
                        }
                    }
                    Output::Stopped => self.stopped = true,
                    _ => {}
                }
            }
            if self.is_drained() {
                self.set_draining(false);
                inputs.push_back(Input::Drained);
            }
        }
    }

    fn set_draining(&mut self, draining: bool) {
        match &mut self.office {
            Office::Held(term) => term.draining = draining,
            // Nothing has been begun.
            Office::Entering { .. } if draining => self.office = Office::Vacant,
            _ => {}
        }
        self.drain_wanted = draining;
    }

    /// Whether the manager waits for what was begun, and all of that is done.
    fn is_drained(&self) -> bool {
        self.drain_wanted
            && match &self.office {
                Office::Held(term) => term.is_settled(),
                _ => true,
            }
    }

    /// To be asked whenever something that was begun is done.
    pub(super) fn tell_if_drained(&mut self) {
        if self.is_drained() {
            self.set_draining(false);
            self.redundancy(Input::Drained);
        }
    }

    /// Claims the store for the new epoch and reads it.
    fn enter(&mut self, epoch: Epoch, delay: Duration) {
        self.office = Office::Entering { epoch };
        let (store, group) = (Arc::clone(&self.store), self.config.group.clone());
        self.jobs.push(Box::pin(async move {
            sleep(delay).await;
            Done::Entered(epoch, claim_and_load(&*store, &group, epoch).await)
        }));
    }

    /// The store has been read: the engine goes on where the last one stopped.
    pub(super) fn entered(&mut self, epoch: Epoch, result: Result<(Timestamp, Vec<Record>), StoreError>) {
        match &self.office {
            Office::Entering { epoch: awaited } if *awaited == epoch => {}
            _ => return,
        }
        match result {
            Ok((now, records)) => {
                self.surroundings.set_time(now);
                self.surroundings.store_is_up();
                let writer = Writer::new(Arc::clone(&self.store), self.config.group.clone(), epoch);
                let phones = Phones::new(Arc::clone(&self.renderer));
                let parameters = self.surroundings.parameters().callback;
                let mut term = Term::new(self.config.group.clone(), epoch, now, parameters, writer, phones);
                tracing::info!(target: target::REDUNDANCY, %epoch, requests = records.len(), "enters office");
                let outputs = term.restore(records);
                self.office = Office::Held(Box::new(term));
                self.provider.submit(Command::Assume(epoch));
                self.carry_out(outputs);
            }
            Err(StoreError::Fenced { current, .. }) => self.redundancy(Input::EpochSeen(current)),
            Err(error) => {
                self.surroundings.store_is_down(&error);
                self.enter(epoch, RETRY);
            }
        }
    }

    /// Everything read in this term is forgotten; nothing more goes out.
    fn leave(&mut self) {
        self.office = Office::Vacant;
        self.drain_wanted = false;
        self.tags.clear();
        self.provider.submit(Command::Relinquish);
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

async fn claim_and_load(
    store: &dyn RequestStore,
    group: &Group,
    epoch: Epoch,
) -> Result<(Timestamp, Vec<Record>), StoreError> {
    // In this order: after the claim nobody else can change what is read.
    store.claim(group, epoch).await?;
    let records = store.load(group).await?;
    Ok((store.now().await?, records))
}
