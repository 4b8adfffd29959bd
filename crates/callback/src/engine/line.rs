use std::collections::BTreeSet;

use ringback_model::{DeviceName, RequestId, Timestamp};

/// What a called line is doing, all its appearances taken together (R9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// None of its phones is registered.
    Away,
    /// No call on any appearance.
    Idle,
    /// Calls, but all of them only ring.
    Ringing,
    /// Off hook somewhere.
    InUse,
}

/// A line that requests wait for.
#[derive(Debug, Default)]
pub(super) struct CalledLine {
    /// The requests that wait, the longest first; also those whose acceptance is not durable yet.
    waiting: BTreeSet<(Timestamp, RequestId)>,
    /// The requests that have the turn.
    pub(super) turns: Vec<RequestId>,
    /// All requests for this line, whatever their phase: what the limit R35 counts.
    pub(super) members: u32,
    /// The phones it appears on; `None` while the directory has not said.
    pub(super) devices: Option<Vec<DeviceName>>,
    /// Whether it is open at the call manager.
    pub(super) open: bool,
    /// What it was doing when it was last seen, also across a lost link (R44).
    pub(super) last: Option<Condition>,
    /// What it is doing now; `None`: it cannot be seen.
    pub(super) present: Option<Condition>,
    /// How often it has become idle.
    pub(super) idles: u64,
    /// B has just been reached: until then, or until its line changes, an idle line is one that will ring.
    pub(super) reached_until: Timestamp,
    /// Since when it is idle.
    pub(super) idle_since: Timestamp,
    /// Its user does not want to be disturbed.
    pub(super) dnd: bool,
}

impl CalledLine {
    pub(super) fn queue(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.waiting.iter().map(|(_, id)| *id)
    }

    pub(super) fn enqueue(&mut self, place: (Timestamp, RequestId)) {
        self.waiting.insert(place);
    }

    pub(super) fn dequeue(&mut self, place: (Timestamp, RequestId)) {
        self.waiting.remove(&place);
    }

    pub(super) fn end_turn(&mut self, id: RequestId) {
        self.turns.retain(|turn| *turn != id);
    }

    /// Whether it has to be watched: somebody waits, or a turn runs.
    pub(super) fn is_needed(&self) -> bool {
        !self.waiting.is_empty() || !self.turns.is_empty()
    }
}
