use ringback_model::{Millis, Timestamp};
use tokio::time::Instant;

/// The time of one client: milliseconds of tokio's clock since it began. Such times are only compared with each other.
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

    /// Sleeps until this moment.
    pub(crate) async fn sleep_until(self, moment: Timestamp) {
        match self.start.checked_add((moment - Timestamp(0)).to_duration()) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
