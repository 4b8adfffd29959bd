//! Several groups in one process, with one exchange with their registry.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ringback_election::{Evidence, Intent, Member, Registry, RegistryError, Report, Request, View};
use ringback_model::{Group, Millis};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::sleep;

type Answer = Result<View, RegistryError>;

/// A registry for all groups that a process serves: their reports go out together, at most four times in an interval, be it
/// one group or a thousand. Give the same to the [`Ports`](crate::Ports) of each group's [`Service`](crate::Service).
///
/// When one group reports, the others are told ([`Registry::beat`]) and do so, too, if it is nearly time for them; after a
/// moment all that has come is sent with [`Registry::tick_all`]. What cannot wait (taking or giving back the lease, leaving, a
/// death) goes at once, and takes along what is there; what comes while two exchanges are under way goes with the next, so
/// that the groups of an instance that has died are taken over in a few exchanges. Exchanges are tasks of the tokio runtime,
/// so that a group that gives up waiting disturbs no other.
#[derive(Clone)]
pub struct SharedRegistry {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Arc<dyn Registry>,
    gather: Duration,
    waiting: Mutex<Vec<Waiting>>,
    beat: Notify,
    /// Held by an exchange.
    turns: Semaphore,
    exchanges: AtomicU64,
}

/// So many exchanges at a time: one that is not answered does not hold the others up.
const AT_A_TIME: usize = 2;

struct Waiting {
    group: Group,
    request: Request,
    answer: oneshot::Sender<Answer>,
}

impl SharedRegistry {
    /// How long a report waits for those of other groups, unless said otherwise.
    pub const GATHER: Millis = Millis(5);

    /// Shares this registry. A report waits for `gather` at most for those of other groups: far less than the margin of the
    /// lease; [`GATHER`](Self::GATHER) will do.
    #[must_use]
    pub fn new(inner: Arc<dyn Registry>, gather: Millis) -> Self {
        let shared = Shared {
            inner,
            gather: gather.to_duration(),
            waiting: Mutex::default(),
            beat: Notify::new(),
            turns: Semaphore::new(AT_A_TIME),
            exchanges: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How many exchanges there have been, whatever the number of groups.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.shared.exchanges.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for SharedRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRegistry").field("exchanges", &self.exchanges()).finish_non_exhaustive()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what has come. Nothing, if another exchange has taken it along.
    async fn exchange(&self) {
        // Never an error: it is not closed.
        let _turn = self.turns.acquire().await;
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return;
        }
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let (calls, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|waiting| ((waiting.group, waiting.request), waiting.answer)).unzip();
        let report = |(group, request): &(Group, Request)| match request {
            Request::Tick(report) => Some((group.clone(), *report)),
            Request::Expel { .. } => None,
        };
        let reports: Option<Vec<_>> = calls.iter().map(report).collect();
        let results = match reports {
            Some(reports) => self.inner.tick_all(&reports).await,
            None => self.inner.call_all(&calls).await,
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever has given up waiting has asked again.
            let _ = answer.send(result);
        }
    }
}

fn cannot_wait(request: &Request) -> bool {
    match request {
        Request::Tick(report) => {
            matches!(report.intent, Intent::Acquire { .. } | Intent::Release { .. } | Intent::Leave)
        }
        Request::Expel { .. } => true,
    }
}

impl SharedRegistry {
    async fn call(&self, group: &Group, request: Request) -> Answer {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.shared.waiting();
            waiting.push(Waiting { group: group.clone(), request, answer });
            waiting.len() == 1
        };
        let shared = Arc::clone(&self.shared);
        if cannot_wait(&request) {
            tokio::spawn(async move { shared.exchange().await });
        } else if is_first {
            tokio::spawn(async move {
                shared.beat.notify_waiters();
                sleep(shared.gather).await;
                shared.exchange().await;
            });
        }
        let given_up = |_| Err(RegistryError::OutcomeUnknown("the exchange was given up".to_owned()));
        answered.await.unwrap_or_else(given_up)
    }
}

#[async_trait]
impl Registry for SharedRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Answer {
        self.call(group, Request::Tick(*report)).await
    }

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Answer> {
        self.shared.exchanges.fetch_add(1, Ordering::Relaxed);
        self.shared.inner.tick_all(reports).await
    }

    async fn call_all(&self, calls: &[(Group, Request)]) -> Vec<Answer> {
        self.shared.exchanges.fetch_add(1, Ordering::Relaxed);
        self.shared.inner.call_all(calls).await
    }

    async fn read(&self, group: &Group) -> Answer {
        self.shared.inner.read(group).await
    }

    async fn expel(&self, group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.call(group, Request::Expel { by: *by, dead: *dead, evidence }).await
    }

    async fn beat(&self) {
        self.shared.beat.notified().await;
    }

    async fn changed(&self, group: &Group, member: &Member, seen: u64) {
        self.shared.inner.changed(group, member, seen).await;
    }
}
