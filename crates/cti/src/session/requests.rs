use std::collections::{BTreeMap, VecDeque};

use ringback_model::{Appearance, DeviceName, Epoch, Millis, Timestamp};

use crate::provider::Tag;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    MakeCall(Tag),
    SendData(Tag),
    OpenDevice(DeviceName),
    CloseDevice(DeviceName),
    OpenLine(Appearance),
    CloseLine(Appearance),
    Assume(Epoch),
    RegisterFeature,
    AnswerFeature,
}

impl Purpose {
    /// The tag of a command whose outcome is wanted.
    pub(super) fn tag(&self) -> Option<Tag> {
        match self {
            Self::MakeCall(tag) | Self::SendData(tag) => Some(*tag),
            _ => None,
        }
    }

    /// Whether it belongs to the standing set, whose requests go out a window at a time.
    pub(super) fn is_standing(&self) -> bool {
        matches!(self, Self::OpenDevice(_) | Self::CloseDevice(_) | Self::OpenLine(_) | Self::CloseLine(_))
    }
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) purpose: Purpose,
    sent: Timestamp,
    /// How many bytes had been written on this link before it.
    pub(super) offset: u64,
}

/// The requests of one link that wait for their answers.
#[derive(Debug)]
pub(super) struct Requests {
    last: u32,
    pending: BTreeMap<u32, Pending>,
    /// In the order of sending; may hold some that have been answered.
    order: VecDeque<u32>,
    standing: usize,
}

impl Requests {
    pub(super) fn new(last: u32) -> Self {
        Self { last, pending: BTreeMap::new(), order: VecDeque::new(), standing: 0 }
    }

    /// How many requests of the standing set wait.
    pub(super) fn standing(&self) -> usize {
        self.standing
    }

    /// The next sequence number: never 0, never one that waits. It is used up by [`sent`](Self::sent).
    pub(super) fn number(&self) -> u32 {
        let mut number = self.last.wrapping_add(1);
        while number == 0 || self.pending.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        number
    }

    pub(super) fn sent(&mut self, now: Timestamp, sequence: u32, purpose: Purpose, offset: u64) {
        self.last = sequence;
        self.standing += usize::from(purpose.is_standing());
        self.pending.insert(sequence, Pending { purpose, sent: now, offset });
        self.order.push_back(sequence);
    }

    /// The request with this number has been answered. `None`: it was never sent, or answered or given up before.
    pub(super) fn answered(&mut self, sequence: u32) -> Option<Purpose> {
        let pending = self.pending.remove(&sequence)?;
        self.standing -= usize::from(pending.purpose.is_standing());
        self.tidy();
        Some(pending.purpose)
    }

    /// Forgets what the standing set waits for: its answers mean nothing any more.
    pub(super) fn forget_standing(&mut self) {
        self.pending.retain(|_, pending| !pending.purpose.is_standing());
        self.standing = 0;
        self.tidy();
    }

    pub(super) fn next_timeout(&self, timeout: Millis) -> Option<Timestamp> {
        self.order.front().and_then(|sequence| self.pending.get(sequence)).map(|first| first.sent + timeout)
    }

    /// Gives up the oldest request, if it has waited too long.
    pub(super) fn expired(&mut self, now: Timestamp, timeout: Millis) -> Option<(u32, Purpose)> {
        if self.next_timeout(timeout)? > now {
            return None;
        }
        let sequence = *self.order.front()?;
        self.answered(sequence).map(|purpose| (sequence, purpose))
    }

    /// All that wait, in the order of sending, when the link has gone.
    pub(super) fn into_pending(mut self) -> impl Iterator<Item = Pending> {
        self.order.into_iter().filter_map(move |sequence| self.pending.remove(&sequence))
    }

    fn tidy(&mut self) {
        while self.order.front().is_some_and(|sequence| !self.pending.contains_key(sequence)) {
            self.order.pop_front();
        }
    }
}
