use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use ringback::election::Member;
use ringback_callback::Record;
use ringback_db::{MemoryStore, News, Position, RequestStore, StoreError, Write};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use ringback_sim::CallManager;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::Plant;
use super::observer::{Observer, name};
use super::sessions::{GIVEN_UP, Sessions};

/// How late a write is that was confirmed before it was done.
const CARELESS: Duration = Duration::from_millis(300);

/// A request store at the end of a wire: a write takes its time to arrive, and once it is under way it arrives, whatever
/// has become of its sender; its answer takes its time, too, or is lost. Clones are the same one.
#[derive(Clone)]
pub(super) struct FarStore {
    pub(super) behind: Arc<MemoryStore>,
    pub(super) clock: CallManager,
    pub(super) observer: Observer,
    pub(super) plant: Option<Plant>,
    state: Arc<Mutex<State>>,
    /// Counts the losses of all sessions: the number of the sessions since.
    pub(super) lost: watch::Sender<u64>,
}

pub(super) struct State {
    pub(super) rng: Rng,
    stopped: bool,
    lossy: bool,
    delay: Millis,
    slow: Millis,
    /// What was confirmed and not done, with the instance that has it in its memory.
    careless: Vec<(String, AbortHandle)>,
    pub(super) sessions: Sessions,
}

impl FarStore {
    pub(super) fn new(
        behind: Arc<MemoryStore>,
        clock: CallManager,
        observer: Observer,
        plant: Option<Plant>,
        (seed, delay): (u64, Millis),
    ) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            stopped: false,
            lossy: false,
            delay,
            slow: Millis::ZERO,
            careless: Vec::new(),
            sessions: Sessions::default(),
        };
        let lost = watch::Sender::new(0);
        Self { behind, clock, observer, plant, state: Arc::new(Mutex::new(state)), lost }
    }

    /// The store as one run of an instance reaches it.
    pub(super) fn of(&self, member: Member) -> Arc<dyn RequestStore> {
        Arc::new(Path { store: self.clone(), instance: name(&member) })
    }

    pub(super) fn set_running(&self, running: bool) {
        self.lock().stopped = !running;
    }

    /// Whether answers are lost.
    pub(super) fn set_lossy(&self, lossy: bool) {
        self.lock().lossy = lossy;
    }

    /// Everything takes so much longer.
    pub(super) fn set_slow(&self, slow: Millis) {
        self.lock().slow = slow;
    }

    /// A run of an instance is dead: what it only had in its memory is lost.
    pub(super) fn forget(&self, address: std::net::IpAddr) {
        let prefix = format!("{address}#");
        self.lock().careless.retain(|(instance, write)| {
            let its = instance.starts_with(&prefix);
            if its {
                write.abort();
            }
            !its
        });
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Result<(), StoreError> {
        if self.lock().stopped { Err(StoreError::Unavailable("stopped".to_owned())) } else { Ok(()) }
    }

    /// How long the next message is under way.
    fn delay(&self) -> Duration {
        let mut state = self.lock();
        let (longest, slow) = (state.delay.0, state.slow);
        Millis(state.rng.u64(0..=longest) + slow.0).to_duration()
    }

    /// What reaches the store in which epoch: the sender's, if the store looks at it at all.
    async fn admitted(&self, group: &Group, epoch: Epoch) -> Result<Epoch, StoreError> {
        match self.plant {
            Some(Plant::Fencing) => Ok(self.behind.epoch(group).await?.max(epoch)),
            _ => Ok(epoch),
        }
    }

    async fn write(
        &self,
        (who, session): (&str, u64),
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.admits(who, session)?;
        self.running()?;
        let before = match self.plant {
            Some(Plant::SynchronousStandby) => Some(self.behind.load(group).await?),
            _ => None,
        };
        let admitted = self.admitted(group, epoch).await?;
        let result = self.behind.apply(group, admitted, writes).await;
        match &result {
            Ok(_) => {
                if let Some(before) = before {
                    self.lock().sessions.remember(self.clock.now(), group, &before, writes);
                }
                self.observer.wrote(self.clock.now(), who, epoch, writes);
            }
            Err(error) => self.observer.say(self.clock.now(), || format!("{who} cannot write: {error}")),
        }
        result
    }
}

/// The way of one run of an instance to the store.
struct Path {
    store: FarStore,
    instance: String,
}

impl Path {
    /// The way there. A short one takes no time at all: even that happens.
    async fn travel(&self) {
        let delay = self.store.delay();
        if !delay.is_zero() {
            sleep(delay).await;
        }
    }

    /// The way back, over the session of this number.
    async fn answer<T>(&self, session: u64, result: Result<T, StoreError>) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            () = self.travel() => {}
            () = self.store.loss_of(session) => return Err(self.store.unknown()),
        }
        if self.store.lock().lossy && result.is_ok() {
            return Err(StoreError::OutcomeUnknown("the answer was lost".to_owned()));
        }
        result
    }
}

#[async_trait]
impl RequestStore for Path {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.store.running()?;
        self.store.behind.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        let session = self.store.session();
        tokio::select! {
            biased;
            () = self.travel() => {}
            () = self.store.loss_of(session) => return Err(self.store.unknown()),
        }
        self.store.running()?;
        let admitted = self.store.admitted(group, epoch).await?;
        let result = self.store.behind.claim(group, admitted).await;
        self.store.observer.say(self.store.clock.now(), || {
            format!("{} claims the store for epoch {epoch}: {result:?}", self.instance)
        });
        self.answer(session, result).await
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        self.store.running()?;
        let session = self.store.session();
        let result = self.store.behind.load(group).await;
        self.answer(session, result).await
    }

    async fn news(&self, group: &Group, since: Option<Position>) -> Result<News, StoreError> {
        self.store.running()?;
        let session = self.store.session();
        let result = self.store.behind.news(group, since).await;
        self.answer(session, result).await
    }

    async fn newer(&self, group: &Group, since: Option<Position>) {
        self.store.behind.newer(group, since).await;
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        let (store, instance) = (self.store.clone(), self.instance.clone());
        store.observer.issued(store.clock.now(), &instance, epoch);
        let (group, writes) = (group.clone(), writes.to_vec());
        let session = store.session();
        if store.plant == Some(Plant::Durability) {
            let late = {
                let store = store.clone();
                let instance = instance.clone();
                tokio::spawn(async move {
                    sleep(CARELESS).await;
                    // Nobody hears of what becomes of it.
                    let _lost = store.write((&instance, session), &group, epoch, &writes).await;
                })
            };
            store.lock().careless.push((instance, late.abort_handle()));
            return Ok(None);
        }
        let delay = store.delay();
        let result = if delay.is_zero() {
            store.write((&instance, session), &group, epoch, &writes).await
        } else {
            // It arrives even if whoever sent it is gone by then.
            let under_way = tokio::spawn(async move {
                sleep(delay).await;
                store.held_up(session).await;
                store.write((&instance, session), &group, epoch, &writes).await
            });
            tokio::select! {
                biased;
                () = self.store.loss_of(session) => Err(self.store.unknown()),
                done = under_way => done.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string()))),
            }
        };
        if self.store.gives_up() {
            sleep(GIVEN_UP).await;
        }
        self.answer(session, result).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.store.running()?;
        self.store.behind.now().await
    }
}
