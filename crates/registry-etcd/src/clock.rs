use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use ringback_model::Timestamp;
use tokio::time::Instant;

/// The registry's time, as it is told: what etcd's servers say (the seconds with which each answer is dated, and the moments
/// on record), counted on in between. It never steps back, and decides nothing: whether a lease is over is known from
/// etcd having ended it.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// The registry's time at the origin.
    base: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), base: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.base.load(Ordering::Relaxed).saturating_add(self.elapsed()))
    }

    /// It is at least so late.
    pub(crate) fn learn(&self, moment: Timestamp) {
        self.base.fetch_max(moment.0.saturating_sub(self.elapsed()), Ordering::Relaxed);
    }

    /// From the date of an answer.
    pub(crate) fn learn_date(&self, date: &str) {
        let moment = DateTime::parse_from_rfc2822(date).ok().map(|date| date.timestamp_millis());
        if let Some(moment) = moment.and_then(|moment| u64::try_from(moment).ok()) {
            self.learn(Timestamp(moment));
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_follows_what_is_told_and_never_steps_back() {
        let clock = Clock::new();
        clock.learn_date("Mon, 05 Jan 2026 14:00:00 GMT");
        assert_eq!(clock.now(), Timestamp(1_767_621_600_000));
        advance(Duration::from_millis(700)).await;
        clock.learn_date("Mon, 05 Jan 2026 14:00:00 GMT");
        assert_eq!(clock.now(), Timestamp(1_767_621_600_700));
        advance(Duration::from_millis(200)).await;
        clock.learn_date("Mon, 05 Jan 2026 14:00:01 GMT");
        assert_eq!(clock.now(), Timestamp(1_767_621_601_000));
        clock.learn_date("Mon, 05 Jan 2026 13:00:00 GMT");
        clock.learn_date("yesterday");
        clock.learn(Timestamp(5));
        assert_eq!(clock.now(), Timestamp(1_767_621_601_000));
        clock.learn(Timestamp(1_767_621_700_000));
        assert_eq!(clock.now(), Timestamp(1_767_621_700_000));
    }
}
