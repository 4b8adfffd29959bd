use ringback_model::{Millis, Timestamp};
use tokio::time::Instant;

/// The service's time: a monotonic clock, anchored to the request store's when it took over, so that a moment can be
/// stored, compared with another instance's, and never steps back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    anchor: Timestamp,
}

impl Clock {
    /// A clock that shows `anchor` now.
    pub(crate) fn anchored(anchor: Timestamp) -> Self {
        Self { start: Instant::now(), anchor }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.anchor + Millis::from(self.start.elapsed())
    }

    /// When this clock will show `at`, rounded up so that it is not asked a moment too early.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        self.start + at.since(self.anchor).to_duration()
    }
}
