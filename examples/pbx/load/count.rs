//! What the phones saw.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringback_examples::percentile::percentile;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::milliseconds;
use crate::stage::{Failure, PATIENCE};

/// Counted by all phones together.
#[derive(Default)]
pub(crate) struct Count {
    counted: Mutex<Counted>,
    /// Callers that wait now.
    waiting: watch::Sender<u32>,
}

#[derive(Default)]
struct Counted {
    calls: u32,
    /// Callees that became free while their caller waited and could be rung.
    free: u32,
    missed: u32,
    /// Recalls for nothing.
    wrong: u32,
    /// Steps of a phone that did not go as they should.
    failed: u32,
    latencies: Vec<Duration>,
}

impl Count {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone begins so many calls.
    pub(crate) fn begin_calls(&self, calls: u32) {
        self.counted().calls += calls;
    }

    /// A caller begins to wait, or waits no more.
    pub(crate) fn waits(&self, waits: bool) {
        self.waiting
            .send_modify(|waiting| *waiting = if waits { *waiting + 1 } else { waiting.saturating_sub(1) });
    }

    /// A callee became free, and its caller was rung after this time or not at all.
    pub(crate) fn free(&self, rung: Option<Duration>) {
        let mut counted = self.counted();
        counted.free += 1;
        counted.missed += u32::from(rung.is_none());
        counted.latencies.extend(rung);
    }

    /// A caller was rung though it was busy, or its callee was.
    pub(crate) fn wrong(&self) {
        self.counted().wrong += 1;
    }

    /// A phone could not do what it was to do.
    pub(crate) fn failed(&self) {
        self.counted().failed += 1;
    }

    pub(crate) fn calls(&self) -> u32 {
        self.counted().calls
    }

    pub(crate) fn is_good(&self) -> bool {
        let counted = self.counted();
        counted.free > 0 && counted.missed + counted.wrong + counted.failed == 0
    }

    pub(crate) fn latencies(&self) -> String {
        let latencies = self.counted().latencies.clone();
        let [p50, p99, longest] =
            [50, 99, 100].map(|percent| milliseconds(percentile(percent, latencies.iter().copied())));
        format!(
            "B is free -> A's phone rings: p50 {p50}, p99 {p99}, longest {longest}, n {}",
            latencies.len()
        )
    }

    /// Waits until so many callers wait: all of them at the start, none at the end.
    pub(crate) async fn until_waiting(&self, wanted: u32) -> Result<(), Failure> {
        let mut waiting = self.waiting.subscribe();
        let reached = waiting.wait_for(|waiting| *waiting == wanted);
        let reached = timeout(2 * PATIENCE, reached).await;
        let _seen = reached.map_err(|_| format!("not {wanted} callers wait; {self}"))?;
        Ok(())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted { calls, free, missed, wrong, failed, .. } = &*self.counted();
        write!(
            f,
            "{calls} calls, {free} callees became free, missed {missed}, rung wrongly {wrong}, failed steps {failed}"
        )
    }
}
