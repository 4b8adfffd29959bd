//! What the call manager sees of the instances: who acts, in which epoch, and what reaches the phones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback::cti::DataId;
use ringback::cti::message::{Answer, CtiError, Request};
use ringback::model::{Epoch, Timestamp};
use ringback_sim::{CallManager, Observation};
use tokio::sync::watch;
use tokio::time::Instant;

/// The offices seen so far. Clones are the same.
#[derive(Clone)]
pub(crate) struct Offices {
    seen: Arc<Mutex<Seen>>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Seen {
    newest: Epoch,
    /// When the newest epoch began.
    began: Option<Instant>,
    /// When an instance last did something in the epoch before, or gave it up.
    last_of_former: Option<Instant>,
    last: Option<Instant>,
    lines: u32,
    wanted_lines: u32,
    /// When all wanted lines were open.
    all_open: Option<Instant>,
    alerts: BTreeMap<DataId, u32>,
    escaped: u32,
}

/// What is known of the newest office.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Office {
    pub(crate) began: Instant,
    pub(crate) last_of_former: Option<Instant>,
    pub(crate) all_open: Instant,
}

impl Offices {
    /// Observes this call manager, where so many lines are wanted in all.
    pub(crate) fn observe(call_manager: &CallManager, wanted_lines: u32) -> Self {
        let seen = Arc::new(Mutex::new(Seen { wanted_lines, ..Seen::default() }));
        let offices = Self { seen, changed: watch::Sender::new(0) };
        let observed = offices.clone();
        call_manager.observe(Arc::new(move |_: Timestamp, observation: &Observation<'_>| {
            if let Observation::Request { epoch, request, result, .. } = observation {
                observed.request(*epoch, request, result);
            }
        }));
        offices
    }

    fn request(&self, epoch: Epoch, request: &Request, result: &Result<Answer, CtiError>) {
        let now = Instant::now();
        let mut seen = self.seen();
        // A link that was lost meanwhile, and made anew, says so when it is opened: then the first request tells.
        let newest = if let Request::Assume(assumed) = request { *assumed } else { epoch };
        if newest > seen.newest && result.is_ok() {
            seen.newest = newest;
            seen.last_of_former = seen.last;
            seen.began = Some(now);
            seen.lines = 0;
            seen.all_open = None;
        }
        match request {
            Request::Assume(_) => {}
            _ if result.is_err() => return,
            _ if epoch < seen.newest && epoch != Epoch(0) => seen.escaped += 1,
            Request::LineOpen(_) => seen.lines += 1,
            Request::LineClose(_) => seen.lines = seen.lines.saturating_sub(1),
            Request::DeviceData { id: Some(id), .. } => *seen.alerts.entry(*id).or_default() += 1,
            _ => {}
        }
        seen.last = Some(now);
        if seen.lines == seen.wanted_lines && seen.all_open.is_none() {
            seen.all_open = Some(now);
        }
        drop(seen);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Waits for an office later than `epoch` in which every needed line has been open.
    pub(crate) async fn after(&self, epoch: Epoch) -> Office {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            {
                let seen = self.seen();
                if seen.newest > epoch
                    && let (Some(began), Some(all_open)) = (seen.began, seen.all_open)
                {
                    return Office { began, last_of_former: seen.last_of_former, all_open };
                }
            }
            // The sender lives in what this borrows.
            let _ = changed.changed().await;
        }
    }

    /// The epoch in which somebody acts now.
    pub(crate) fn newest(&self) -> Epoch {
        self.seen().newest
    }

    /// How many alerts came more than once under their id, and how many effects of replaced instances were let through,
    /// both since the last time.
    pub(crate) fn take_counts(&self) -> (u32, u32) {
        let mut seen = self.seen();
        let repeated = seen.alerts.values().map(|count| count - 1).sum();
        seen.alerts.clear();
        (repeated, std::mem::take(&mut seen.escaped))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
