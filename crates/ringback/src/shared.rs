//! Several groups in one process, with one exchange with their registry.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ringback_election::{Evidence, Intent, Member, Registry, RegistryError, Report, View};
use ringback_model::{Group, Millis};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

type Answer = Result<View, RegistryError>;

/// A registry for all groups that a process serves: their reports go out together, at most four times in an interval, be it
/// one group or a thousand. Give the same to the [`Ports`](crate::Ports) of each group's [`Service`](crate::Service).
///
/// When one group reports, the others are told ([`Registry::beat`]) and do so, too, if it is nearly time for them; after a
/// moment all that has come is sent with [`Registry::tick_all`]. What cannot wait (taking or giving back the lease, leaving) goes
/// at once, and takes along what is there. Exchanges are tasks of the tokio runtime, so that a group that gives up waiting
/// disturbs no other.
#[derive(Clone)]
pub struct SharedRegistry {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Arc<dyn Registry>,
    gather: Duration,
    waiting: Mutex<Vec<Waiting>>,
    beat: Notify,
    exchanges: AtomicU64,
}

struct Waiting {
    group: Group,
    report: Report,
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
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.is_empty() {
            return;
        }
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let (reports, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|waiting| ((waiting.group, waiting.report), waiting.answer)).unzip();
        let results = self.inner.tick_all(&reports).await;
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever has given up waiting has asked again.
            let _ = answer.send(result);
        }
    }
}

fn cannot_wait(report: &Report) -> bool {
    matches!(report.intent, Intent::Acquire { .. } | Intent::Release { .. } | Intent::Leave)
}

#[async_trait]
impl Registry for SharedRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Answer {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.shared.waiting();
            waiting.push(Waiting { group: group.clone(), report: *report, answer });
            waiting.len() == 1
        };
        let shared = Arc::clone(&self.shared);
        if cannot_wait(report) {
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

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Answer> {
        self.shared.exchanges.fetch_add(1, Ordering::Relaxed);
        self.shared.inner.tick_all(reports).await
    }

    async fn read(&self, group: &Group) -> Answer {
        self.shared.inner.read(group).await
    }

    async fn expel(&self, group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.shared.inner.expel(group, by, dead, evidence).await
    }

    async fn beat(&self) {
        self.shared.beat.notified().await;
    }

    async fn changed(&self, group: &Group, member: &Member, seen: u64) {
        self.shared.inner.changed(group, member, seen).await;
    }
}
