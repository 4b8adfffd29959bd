use ringback_model::{DeviceName, LineId, RequestId, Timestamp};
use smallvec::SmallVec;

use super::book::Named;
use super::{RequestSlot, Slots};

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
#[derive(Debug)]
pub(super) struct CalledLine {
    pub(super) id: LineId,
    /// The requests that wait, the longest first; also those whose acceptance is not durable yet.
    waiting: Slots,
    /// The requests that have the turn.
    pub(super) turns: Slots,
    /// All requests for this line, whatever their phase: what the limit R35 counts.
    pub(super) members: u32,
    /// The phones it appears on; `None` while the directory has not said.
    pub(super) devices: Option<SmallVec<[DeviceName; 1]>>,
    /// Whether it is open at the call manager.
    pub(super) open: bool,
    /// What it was doing when it was last seen, also across a lost link (R44).
    pub(super) last: Option<Condition>,
    /// What it is doing now; `None`: it cannot be seen.
    pub(super) present: Option<Condition>,
    /// Somebody has joined those who wait since it was last read.
    pub(super) joined: bool,
    /// How often it has become idle.
    pub(super) idles: u32,
    /// B has just been reached: until then, or until its line changes, an idle line is one that will ring.
    pub(super) reached_until: Timestamp,
    /// Since when it is idle.
    pub(super) idle_since: Timestamp,
    /// Its user does not want to be disturbed.
    pub(super) dnd: bool,
}

impl Named for CalledLine {
    type Name = LineId;
    fn name(&self) -> &LineId {
        &self.id
    }
}

impl CalledLine {
    pub(super) fn new(id: LineId) -> Self {
        Self {
            id,
            waiting: Slots::new(),
            turns: Slots::new(),
            members: 0,
            devices: None,
            open: false,
            last: None,
            present: None,
            joined: false,
            idles: 0,
            reached_until: Timestamp::default(),
            idle_since: Timestamp::default(),
            dnd: false,
        }
    }

    pub(super) fn queue(&self) -> &[RequestSlot] {
        &self.waiting
    }

    /// Puts a request into its place among those that wait; `place` says which place the others have.
    pub(super) fn enqueue(
        &mut self,
        request: RequestSlot,
        place: impl Fn(RequestSlot) -> Option<(Timestamp, RequestId)>,
    ) {
        let own = place(request);
        if let Err(index) = self.waiting.binary_search_by_key(&own, |other| place(*other)) {
            self.waiting.insert(index, request);
        }
    }

    pub(super) fn dequeue(&mut self, request: RequestSlot) {
        self.waiting.retain(|waiting| *waiting != request);
    }

    pub(super) fn end_turn(&mut self, request: RequestSlot) {
        self.turns.retain(|turn| *turn != request);
    }

    /// Whether it has to be watched: somebody waits, or a turn runs.
    pub(super) fn is_needed(&self) -> bool {
        !self.waiting.is_empty() || !self.turns.is_empty()
    }
}
