use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback::election::{Evidence, Member, Registry, RegistryError, Report, View};
use ringback_db_postgres::PostgresRegistry;
use ringback_model::Group;
use tokio::sync::watch;

use super::clock::Clocks;
use super::real::Real;
use crate::nodes::MeetingPlace;

/// The registry of one scenario, whatever it calls its group, by the clock of the simulation; it can be switched off, and cut
/// off from single members.
pub(super) struct SimulatedRegistry {
    real: Real,
    behind: PostgresRegistry,
    clocks: Clocks,
    group: Group,
    ways: Mutex<Ways>,
    /// The revision that all know of.
    revision: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ways {
    off: bool,
    cut: BTreeSet<IpAddr>,
    deaf: BTreeSet<IpAddr>,
}

impl Ways {
    fn reach(&self, member: Option<&Member>) -> Result<(), RegistryError> {
        if self.off {
            return Err(RegistryError::NotDone("it is switched off".to_owned()));
        }
        match member {
            Some(Member { address, .. }) if self.cut.contains(address) => {
                Err(RegistryError::NotDone(format!("{address} is cut off")))
            }
            _ => Ok(()),
        }
    }
}

type Answer = Result<View, RegistryError>;

impl SimulatedRegistry {
    pub(super) fn new(real: Real, behind: PostgresRegistry, clocks: Clocks, group: Group) -> Self {
        Self { real, behind, clocks, group, ways: Mutex::default(), revision: watch::Sender::new(0) }
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call at this moment of the simulation.
    fn call(&self, member: Option<&Member>, call: impl Future<Output = Answer>) -> Answer {
        self.ways().reach(member)?;
        let set = self.clocks.set();
        let answer = self.real.wait(async {
            let failed = |error: ringback_db::StoreError| RegistryError::NotDone(error.to_string());
            set.await.map_err(failed)?;
            call.await
        });
        self.hear(member, &answer);
        if member.is_some_and(|member| self.ways().deaf.contains(&member.address)) {
            return Err(RegistryError::OutcomeUnknown("the answer is lost".to_owned()));
        }
        answer
    }

    /// Lets no simulated time pass before all have heard of what the call has changed.
    fn hear(&self, member: Option<&Member>, answer: &Answer) {
        let known = *self.revision.borrow();
        let revision = match (answer, member) {
            (Ok(view), Some(member)) if view.revision > known => {
                self.real.wait(self.behind.changed(&self.group, member, view.revision - 1));
                view.revision
            }
            // The call was refused, and yet its heartbeat counts.
            (Err(_), _) => self.real.wait(self.behind.read(&self.group)).map_or(known, |view| view.revision),
            _ => known,
        };
        self.revision.send_if_modified(|told| {
            let is_news = revision > *told;
            *told = revision.max(*told);
            is_news
        });
    }

    fn change(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.ways());
        self.revision.send_modify(|_| {});
    }
}

impl MeetingPlace for SimulatedRegistry {
    fn set_available(&self, available: bool) {
        self.change(|ways| ways.off = !available);
    }

    fn cut(&self, address: IpAddr) {
        self.change(|ways| {
            ways.cut.insert(address);
        });
    }

    fn lose_answers(&self, address: IpAddr) {
        self.change(|ways| {
            ways.deaf.insert(address);
        });
    }

    fn heal(&self, address: IpAddr) {
        self.change(|ways| {
            ways.cut.remove(&address);
            ways.deaf.remove(&address);
        });
    }
}

#[async_trait]
impl Registry for SimulatedRegistry {
    async fn tick(&self, _group: &Group, report: &Report) -> Answer {
        self.call(Some(&report.member), self.behind.tick(&self.group, report))
    }

    async fn read(&self, _group: &Group) -> Answer {
        self.call(None, self.behind.read(&self.group))
    }

    async fn expel(&self, _group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.call(Some(by), self.behind.expel(&self.group, by, dead, evidence))
    }

    async fn changed(&self, _group: &Group, member: &Member, seen: u64) {
        let mut revision = self.revision.subscribe();
        let is_news = |revision: &u64| {
            let ways = self.ways();
            *revision != seen && ways.reach(Some(member)).is_ok() && !ways.deaf.contains(&member.address)
        };
        // Never an error: the sender lives here.
        drop(revision.wait_for(is_news).await);
    }
}
