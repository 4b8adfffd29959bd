use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ringback_model::{LineId, RequestId, Timestamp};

/// What a timer is for. A timer is never cancelled: when it fires it names what it was set for, and if that is no
/// more so, it is stale and nothing happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The service duration of a request (R29).
    Expiry(RequestId),
    /// The turn of a request, by the number of its alert (R24).
    Turn(RequestId, u32),
    /// An acceptance that is not durable yet.
    Acceptance(RequestId),
    /// The idle guard of a line (R13). In a box: there are few of them, and timers are to be small.
    Guard(Box<LineId>),
}

/// Below this it is not worth looking for stale timers.
const FEW: usize = 64;

/// All timers, the next one first. Timers of the same moment fire in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Timer)>>,
    set: u64,
    /// About how many are stale.
    stale: usize,
}

impl Timers {
    pub(super) fn set(&mut self, at: Timestamp, timer: Timer) {
        self.set += 1;
        self.heap.push(Reverse((at, self.set, timer)));
    }

    /// The next timer that is due.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, timer))| timer)
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// So many timers have become stale.
    pub(super) fn add_stale(&mut self, timers: usize) {
        self.stale += timers;
    }

    /// A timer that was or has become stale has fired.
    pub(super) fn stale_is_gone(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// Whether most of them are stale: requests that ended long before their time would otherwise leave their timers
    /// here for hours.
    pub(super) fn are_mostly_stale(&self) -> bool {
        self.heap.len() > FEW && self.stale > self.heap.len() / 2
    }

    /// Forgets the stale ones.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&Timer) -> bool) {
        self.heap.retain(|Reverse((_, _, timer))| is_wanted(timer));
        self.stale = 0;
    }
}

#[cfg(test)]
mod tests {
    use ringback_model::{Epoch, RequestId, Timestamp};

    use super::{FEW, Timer, Timers};

    fn expiry(number: u64) -> Timer {
        Timer::Expiry(RequestId { epoch: Epoch(1), number })
    }

    #[test]
    fn stale_timers_are_forgotten_when_they_are_the_most() {
        let mut timers = Timers::default();
        let all = 4 * FEW as u64;
        (0..all).for_each(|number| timers.set(Timestamp(number / 2), expiry(number)));
        timers.add_stale(2 * FEW);
        assert!(!timers.are_mostly_stale(), "half of them are wanted");
        timers.add_stale(1);
        assert!(timers.are_mostly_stale());
        timers.stale_is_gone();
        assert!(!timers.are_mostly_stale(), "one has fired");
        timers.add_stale(1);
        timers.retain(|timer| matches!(timer, Timer::Expiry(id) if id.number % 2 == 0));
        assert!(!timers.are_mostly_stale());
        let fired: Vec<Timer> = std::iter::from_fn(|| timers.due(Timestamp(all))).collect();
        assert_eq!(
            fired,
            (0..all).step_by(2).map(expiry).collect::<Vec<_>>(),
            "in the order in which they were set"
        );
    }

    #[test]
    fn timers_of_the_same_moment_fire_in_the_order_in_which_they_were_set() {
        let mut timers = Timers::default();
        (0..3).rev().for_each(|number| timers.set(Timestamp(7), expiry(number)));
        assert_eq!(timers.due(Timestamp(6)), None);
        let fired: Vec<Timer> = std::iter::from_fn(|| timers.due(Timestamp(7))).collect();
        assert_eq!(fired, [2, 1, 0].map(expiry));
    }

    #[test]
    fn few_timers_are_left_alone() {
        let mut timers = Timers::default();
        (0..FEW as u64).for_each(|number| timers.set(Timestamp(number), expiry(number)));
        timers.add_stale(FEW);
        assert!(!timers.are_mostly_stale());
    }
}
