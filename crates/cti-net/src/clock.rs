use ringback_model::{Millis, Timestamp};
use tokio::time::Instant;

/// The time of one link as its session wants it: milliseconds of tokio's clock since the link began. Sessions only
/// compare such times with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Timestamp {
        Timestamp(0) + Millis::from(self.start.elapsed())
    }

    /// Sleeps until this moment of the session's time; for ever if there is none.
    pub(crate) async fn sleep_until(self, moment: Option<Timestamp>) {
        let instant = moment.and_then(|at| self.start.checked_add((at - Timestamp(0)).to_duration()));
        match instant {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
