//! The story of each request: what happened to it and when, for whoever asks why a phone did or did not ring.

mod event;
mod keeper;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;

use ringback_callback::{Kind, Record};
use ringback_model::{Appearance, DirectoryNumber, LineId, RequestId, Timestamp, UtcOffset};

pub use event::{LineUse, ScreenKind, StoryEvent};
pub(crate) use keeper::Stories;

/// So many entries of one request are kept; of a longer story the oldest go first.
const ENTRIES: usize = 128;

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: StoryEvent,
}

/// What happened to one request, as one instance saw it. `Display` tells it in sentences, in the local time of the
/// caller's phone, with the numbers: it is for people who may see them. `Debug` shows none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Which request.
    pub request: RequestId,
    /// The phone and line that activated.
    pub caller: Appearance,
    /// The line that is waited for.
    pub called: LineId,
    /// The number as it was dialled.
    pub dialled: DirectoryNumber,
    /// Busy or no answer at the activation.
    pub kind: Kind,
    /// What the clock of the caller's phone shows.
    pub offset: UtcOffset,
    /// What happened, in order.
    pub entries: VecDeque<StoryEntry>,
    /// How many entries before these were forgotten, because the story is long.
    pub forgotten: u64,
}

impl Story {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            request: record.id,
            caller: record.caller.clone(),
            called: record.called.clone(),
            dialled: record.dialled.clone(),
            kind: record.kind,
            offset: UtcOffset::default(),
            entries: VecDeque::new(),
            forgotten: 0,
        }
    }

    pub(crate) fn add(&mut self, at: Timestamp, what: StoryEvent) {
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(StoryEntry { at, what });
    }

    /// How the request ended, if it has.
    #[must_use]
    pub fn ending(&self) -> Option<ringback_callback::Ending> {
        self.entries.iter().rev().find_map(|entry| match entry.what {
            StoryEvent::Ended(how) => Some(how),
            _ => None,
        })
    }

    /// The same request as another instance saw it, before or after: both stories as one.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        let mut entries: Vec<StoryEntry> = self.entries.into_iter().chain(other.entries).collect();
        entries.sort_by_key(|entry| entry.at);
        self.entries = entries.into();
        self.forgotten += other.forgotten;
        if self.offset == UtcOffset::default() {
            self.offset = other.offset;
        }
        self
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = self.dialled.as_str();
        let (phone, line) = (self.caller.device.as_str(), self.caller.line.dn.as_str());
        let reason = match self.kind {
            Kind::Busy => "was busy",
            Kind::NoAnswer => "did not answer",
        };
        write!(f, "request {}: {phone} ({line}) called {called}, who {reason}", self.request)?;
        if self.forgotten > 0 {
            write!(f, "\n(the first {} entries are forgotten)", self.forgotten)?;
        }
        for entry in &self.entries {
            let time = LocalTime(entry.at, self.offset);
            write!(f, "\n{time} {}", entry.what.sentence(called, self.offset))?;
        }
        Ok(())
    }
}

/// A time of day as a phone shows it.
pub(crate) struct LocalTime(pub(crate) Timestamp, pub(crate) UtcOffset);

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        let east = i64::from(self.1.minutes()) * 60;
        let east = east.rem_euclid(86_400).unsigned_abs();
        let second = (self.0.0 / 1000 % DAY + east) % DAY;
        write!(f, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}
