use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_model::Timestamp;

use super::model::Report;
use super::sink::AlarmSink;
use super::table::{AlarmTable, Damping};

/// An [`AlarmTable`] for many threads, with the sink that gets what is news, in the order in which it was reported.
pub struct Reporter {
    table: Mutex<AlarmTable>,
    sink: Arc<dyn AlarmSink>,
}

impl Reporter {
    /// A reporter to this sink.
    #[must_use]
    pub fn new(damping: Damping, sink: Arc<dyn AlarmSink>) -> Self {
        Self { table: Mutex::new(AlarmTable::new(damping)), sink }
    }

    /// Reports what happened at this time.
    pub fn report(&self, now: Timestamp, report: Report) {
        let mut table = self.locked();
        // Sent under the lock: two threads must not overtake each other between table and sink.
        if let Some(alarm) = table.report(now, report) {
            self.sink.alarm(&alarm);
        }
    }

    /// Sends what has settled. To be called when [`next_tick`](Self::next_tick) is due, or every few seconds.
    pub fn tick(&self, now: Timestamp) {
        let mut table = self.locked();
        for alarm in table.tick(now) {
            self.sink.alarm(&alarm);
        }
    }

    /// When [`tick`](Self::tick) has something to do; `None` while it has not.
    #[must_use]
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.locked().next_tick()
    }

    /// What is wrong now.
    #[must_use]
    pub fn standing(&self) -> Vec<Report> {
        self.locked().standing().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, AlarmTable> {
        // A sink that panicked has not touched the table.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("standing", &self.standing()).finish_non_exhaustive()
    }
}
