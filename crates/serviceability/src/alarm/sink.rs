use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::catalogue::AlarmName;
use super::model::Alarm;
use super::severity::Severity;

/// Where alarms go. Implement it to send them elsewhere (a mail, a trap, a chat).
pub trait AlarmSink: Send + Sync {
    /// Takes an alarm. Must not wait: whoever reported it is held up.
    fn alarm(&self, alarm: &Alarm);
}

/// Keeps the last alarms, for tests, prompts and status pages.
#[derive(Debug)]
pub struct MemorySink {
    capacity: usize,
    alarms: Mutex<VecDeque<Alarm>>,
}

impl MemorySink {
    /// Keeps so many, and forgets the oldest first.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, alarms: Mutex::default() }
    }

    /// The alarms, the oldest first.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        self.locked().iter().cloned().collect()
    }

    /// Their names, the oldest first.
    #[must_use]
    pub fn names(&self) -> Vec<AlarmName> {
        self.locked().iter().map(Alarm::name).collect()
    }

    /// Takes all alarms out.
    #[must_use]
    pub fn take(&self) -> Vec<Alarm> {
        self.locked().drain(..).collect()
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<Alarm>> {
        // A panic elsewhere cannot leave a half-pushed alarm.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySink {
    /// Keeps 1000.
    fn default() -> Self {
        Self::new(1000)
    }
}

impl AlarmSink for MemorySink {
    fn alarm(&self, alarm: &Alarm) {
        let mut alarms = self.locked();
        while alarms.len() >= self.capacity.max(1) {
            alarms.pop_front();
        }
        alarms.push_back(alarm.clone());
    }
}

/// Writes alarms into the traces, under [`target::ALARM`](crate::trace::target::ALARM).
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingSink;

impl AlarmSink for TracingSink {
    fn alarm(&self, alarm: &Alarm) {
        use crate::trace::target::ALARM;
        let Alarm { report, held_back, fluttering, .. } = alarm;
        let (severity, action) = (report.name.severity(), report.name.recommended_action());
        match severity {
            Severity::Emergency | Severity::Alert | Severity::Critical | Severity::Error => {
                tracing::error!(target: ALARM, %severity, held_back, fluttering, action, "{report}");
            }
            Severity::Warning => {
                tracing::warn!(target: ALARM, %severity, held_back, fluttering, action, "{report}");
            }
            Severity::Notice | Severity::Informational => {
                tracing::info!(target: ALARM, %severity, held_back, fluttering, action, "{report}");
            }
            Severity::Debug => {
                tracing::debug!(target: ALARM, %severity, held_back, fluttering, action, "{report}");
            }
        }
    }
}
