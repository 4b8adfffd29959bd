use std::collections::VecDeque;

use ringback_model::{Millis, Timestamp};

/// The first delay between two attempts; each further one is twice as long, up to Connection Retry Time Out.
const FIRST_DELAY: Millis = Millis(500);

/// A link that held for so long was a good one: losing it starts the delays afresh.
const GOOD_LINK: Millis = Millis::from_secs(10);

/// Which CTIManager is tried next, and when (R44, R45).
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The managers still to be tried in this attempt.
    remaining: VecDeque<usize>,
    /// Whole attempts that failed since the last link.
    failures: u32,
    /// Links lost soon after they came up, in a row: a CTIManager that accepts and closes must not make us spin.
    short_links: u32,
}

/// What is to be done when a CTIManager could not be reached, or was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Try this one now.
    Connect(usize),
    /// Begin a new attempt with manager `first` after the delay of this step.
    Wait { step: u32, first: usize },
    /// There is none.
    Nothing,
}

impl Route {
    /// Begins an attempt: all managers in order, from `first` on.
    pub(super) fn begin(&mut self, first: usize, managers: usize) -> Next {
        self.remaining = (0..managers).map(|offset| (first + offset) % managers).collect();
        self.remaining.pop_front().map_or(Next::Nothing, Next::Connect)
    }

    /// The configured managers changed while `current` was being tried: those after it remain.
    pub(super) fn renumber(&mut self, current: usize, managers: usize) {
        self.remaining = (current + 1..managers).collect();
    }

    pub(super) fn failed(&mut self) -> Next {
        match self.remaining.pop_front() {
            Some(next) => Next::Connect(next),
            None => {
                self.failures = self.failures.saturating_add(1);
                Next::Wait { step: self.failures, first: 0 }
            }
        }
    }

    pub(super) fn opened(&mut self) {
        self.failures = 0;
    }

    /// The link to `manager` is lost: the next in order, at once unless links keep being lost as soon as they are up.
    pub(super) fn lost(&mut self, manager: usize, held: Millis, managers: usize) -> Next {
        if managers == 0 {
            return Next::Nothing;
        }
        self.short_links = if held >= GOOD_LINK { 0 } else { self.short_links.saturating_add(1) };
        let first = (manager + 1) % managers;
        let free = u32::try_from(managers).unwrap_or(u32::MAX);
        match self.short_links.saturating_sub(free) {
            0 => self.begin(first, managers),
            step => Next::Wait { step, first },
        }
    }
}

/// When the wait of this step that began at `since` is over.
pub(super) fn wait_over(since: Timestamp, step: u32, limit: Millis) -> Timestamp {
    let factor = 1_u64.checked_shl(step.saturating_sub(1)).unwrap_or(u64::MAX);
    since + Millis(FIRST_DELAY.0.saturating_mul(factor)).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_all_managers_in_order_and_delays_grow_to_the_limit() {
        let mut route = Route::default();
        assert_eq!(route.begin(0, 2), Next::Connect(0));
        assert_eq!(route.failed(), Next::Connect(1));
        assert_eq!(route.failed(), Next::Wait { step: 1, first: 0 });
        let limit = Millis(3000);
        let delays: Vec<_> = (1..=5).map(|step| wait_over(Timestamp(0), step, limit).0).collect();
        assert_eq!(delays, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(wait_over(Timestamp(0), 99, limit).0, 3000);
    }

    #[test]
    fn a_lost_manager_is_tried_last_and_short_links_are_slowed_down() {
        let mut route = Route::default();
        assert_eq!(route.lost(0, Millis::from_secs(60), 3), Next::Connect(1));
        assert_eq!(route.failed(), Next::Connect(2));
        assert_eq!(route.failed(), Next::Connect(0));
        let mut route = Route::default();
        assert_eq!(route.lost(0, Millis(5), 1), Next::Connect(0));
        assert_eq!(route.lost(0, Millis(5), 1), Next::Wait { step: 1, first: 0 });
        assert_eq!(route.lost(0, Millis(5), 1), Next::Wait { step: 2, first: 0 });
        assert_eq!(route.lost(0, GOOD_LINK, 1), Next::Connect(0));
        assert_eq!(route.lost(0, GOOD_LINK, 0), Next::Nothing);
    }
}
