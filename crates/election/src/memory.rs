use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use ringback_model::{Epoch, Group, Timestamp};

use crate::ledger::Ledger;
use crate::member::{Lease, Member, View};
use crate::registry::{Evidence, Registry, RegistryError, Report, Request};

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// A registry in memory, for the instances of one process: a service that runs alone, an embedded one, and
/// simulations. Clones share one state. It can be switched off, and cut off from single members.
#[derive(Clone)]
pub struct MemoryRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<Group, Ledger>,
    off: bool,
    cut: BTreeSet<IpAddr>,
    deaf: BTreeSet<IpAddr>,
    waiting: Vec<Waker>,
}

impl State {
    fn wake(&mut self) {
        for waker in self.waiting.drain(..) {
            waker.wake();
        }
    }

    fn reach(&self, member: Option<IpAddr>) -> Result<(), RegistryError> {
        if self.off {
            return Err(RegistryError::NotDone("it is switched off".to_owned()));
        }
        match member {
            Some(address) if self.cut.contains(&address) => {
                Err(RegistryError::NotDone(format!("{address} is cut off")))
            }
            _ => Ok(()),
        }
    }
}

impl MemoryRegistry {
    /// An empty registry with this clock, which may be anything that does not step back.
    #[must_use]
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { inner: Arc::new(Inner { clock: Box::new(clock), state: Mutex::default() }) }
    }

    /// Gives no epoch up to this one in the group: for a registry that forgets beside a store that does not.
    pub fn remember(&self, group: &Group, epoch: Epoch) {
        let mut state = self.state();
        let ledger = state.groups.entry(group.clone()).or_default();
        ledger.epoch = ledger.epoch.max(epoch);
    }

    /// Switches it off for all, or on again.
    pub fn set_available(&self, available: bool) {
        let mut state = self.state();
        state.off = !available;
        state.wake();
    }

    /// Cuts the member at this address off: its calls are not done.
    pub fn cut(&self, address: IpAddr) {
        self.state().cut.insert(address.to_canonical());
    }

    /// Cuts the way back to the member at this address: its calls are done, but it is never answered.
    pub fn lose_answers(&self, address: IpAddr) {
        self.state().deaf.insert(address.to_canonical());
    }

    /// Undoes [`cut`](Self::cut) and [`lose_answers`](Self::lose_answers).
    pub fn heal(&self, address: IpAddr) {
        let mut state = self.state();
        state.cut.remove(&address.to_canonical());
        state.deaf.remove(&address.to_canonical());
        state.wake();
    }

    /// A copy of the state of a group.
    #[must_use]
    pub fn ledger(&self, group: &Group) -> Ledger {
        self.state().groups.get(group).cloned().unwrap_or_default()
    }

    /// The lease that is in force in a group now, however the registry can be reached.
    #[must_use]
    pub fn in_force(&self, group: &Group) -> Option<Lease> {
        let now = (self.inner.clock)();
        self.state().groups.get(group)?.lease.filter(|lease| now < lease.expires)
    }

    /// Changes the state of a group behind everybody's back: set-up for tests, a restored copy.
    #[doc(hidden)]
    pub fn replace(&self, group: &Group, ledger: Ledger) {
        self.state().groups.insert(group.clone(), ledger);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, group: &Group, by: &Member, request: &Request) -> Result<View, RegistryError> {
        let now = (self.inner.clock)();
        let mut state = self.state();
        state.reach(Some(by.address))?;
        let ledger = state.groups.entry(group.clone()).or_default();
        let before = ledger.revision;
        let answer = ledger.apply(now, request);
        if ledger.revision != before {
            state.wake();
        }
        if state.deaf.contains(&by.address) {
            return Err(RegistryError::OutcomeUnknown(format!("answers to {} are lost", by.address)));
        }
        answer
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Result<View, RegistryError> {
        self.apply(group, &report.member, &Request::Tick(*report))
    }

    async fn read(&self, group: &Group) -> Result<View, RegistryError> {
        let now = (self.inner.clock)();
        let mut state = self.state();
        state.reach(None)?;
        Ok(state.groups.entry(group.clone()).or_default().read(now))
    }

    async fn expel(
        &self,
        group: &Group,
        by: &Member,
        dead: &Member,
        evidence: Evidence,
    ) -> Result<View, RegistryError> {
        self.apply(group, by, &Request::Expel { by: *by, dead: *dead, evidence })
    }

    async fn changed(&self, group: &Group, member: &Member, seen: u64) {
        poll_fn(|context| {
            let mut state = self.state();
            let deaf = state.deaf.contains(&member.address);
            let revision = state.groups.get(group).map_or(0, |ledger| ledger.revision);
            if revision != seen && !deaf && state.reach(Some(member.address)).is_ok() {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for MemoryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRegistry").field("groups", &self.state().groups).finish_non_exhaustive()
    }
}
