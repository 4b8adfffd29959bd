use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ringback_model::{LineId, RequestId, Timestamp};

use crate::output::SaveId;

/// What a timer is for. A timer is never cancelled: when it fires it names what it was set for, and if that is no
/// more so, it is stale and nothing happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The service duration of a request (R29).
    Expiry(RequestId),
    /// The turn of a request, by the number of its alert (R24).
    Turn(RequestId, u32),
    /// An acceptance that is not durable yet.
    Acceptance(RequestId, SaveId),
    /// The idle guard of a line (R13).
    Guard(LineId),
}

/// All timers, the next one first. Timers of the same moment fire in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Timer)>>,
    set: u64,
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
}
