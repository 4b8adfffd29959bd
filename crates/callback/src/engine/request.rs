use ringback_model::{CallId, RequestId, Timestamp};

use super::book::Named;
use super::{LineSlot, PhoneSlot};
use crate::output::SaveId;
use crate::policy::Candidate;
use crate::record::Record;

/// What a request waits for the store to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Its acceptance, before *Activated* is shown (R4).
    Acceptance,
    /// Its turn, before the alert: an alert is on record before it is sent.
    Turn,
    /// The press of Dial, before the call.
    Dial,
}

/// The call that Dial asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DialledCall {
    /// The call.
    pub(super) call: Option<CallId>,
    /// The link over which Dial went out; a reading of the line over a later one tells whether the call exists.
    pub(super) link: Option<u64>,
    /// How often B's line had become idle when Dial was pressed.
    pub(super) idles: u32,
}

/// One request: its record, and what need not survive a crash.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) record: Record,
    /// The caller's phone; it is known as long as it has a request.
    pub(super) phone: PhoneSlot,
    /// The called line; it is known as long as there is a request for it.
    pub(super) line: LineSlot,
    /// The acceptance is durable.
    pub(super) accepted: bool,
    /// The record has changed since it was given to the store to be accepted.
    pub(super) changed: bool,
    /// The latest write that was put out; writes count from 1.
    pub(super) written: SaveId,
    /// What is to happen when it is durable.
    pub(super) gate: Option<Gate>,
    /// B has become available for this request, and has not been used since.
    pub(super) due: bool,
    /// The called line has been read since the request joined those who wait for it.
    pub(super) seen: bool,
    /// The caller has been shown that B is there but does not want to be disturbed.
    pub(super) told_dnd: bool,
    /// It has been said that the caller is suspended.
    pub(super) told_suspended: bool,
    /// Since Dial was pressed.
    pub(super) dial: Option<Box<DialledCall>>,
    /// *Available* is to come back when the caller is idle (R21).
    pub(super) reshow: bool,
    /// The alert may have been lost, and is repeated under its id as soon as both phones can be seen.
    pub(super) in_doubt: bool,
    /// How often the present alert was repeated.
    pub(super) repeats: u8,
}

impl Named for Request {
    type Name = RequestId;
    fn name(&self) -> &RequestId {
        &self.record.id
    }
}

impl Request {
    pub(super) fn new(record: Record, phone: PhoneSlot, line: LineSlot) -> Self {
        Self {
            record,
            phone,
            line,
            accepted: false,
            changed: false,
            written: SaveId(0),
            gate: None,
            due: false,
            seen: false,
            told_dnd: false,
            told_suspended: false,
            dial: None,
            reshow: false,
            in_doubt: false,
            repeats: 0,
        }
    }

    /// As a queue policy sees it.
    pub(super) fn candidate(&self) -> Candidate {
        let Record { id, since, kind, alerts, .. } = self.record;
        Candidate { request: id, since, kind, alerts }
    }

    /// The place in the queue: kept for life (R20, R27).
    pub(super) fn place(&self) -> (Timestamp, RequestId) {
        (self.record.since, self.record.id)
    }
}
