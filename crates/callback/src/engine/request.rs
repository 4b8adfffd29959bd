use ringback_model::{CallId, RequestId, Timestamp};

use crate::output::SaveId;
use crate::policy::Candidate;
use crate::record::Record;

/// What a request waits for the store to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Its acceptance, before *Activated* is shown (R4).
    Acceptance {
        /// The request whose place it takes.
        replaces: Option<RequestId>,
    },
    /// Its turn, before the alert: an alert is on record before it is sent.
    Turn,
    /// The press of Dial, before the call.
    Dial,
}

/// One request: its record, and what need not survive a crash.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) record: Record,
    /// The acceptance is durable.
    pub(super) accepted: bool,
    /// The record has changed since it was given to the store to be accepted.
    pub(super) changed: bool,
    /// The latest write that was put out.
    pub(super) written: Option<SaveId>,
    /// The write that is waited for.
    pub(super) gate: Option<(SaveId, Gate)>,
    /// B has become available for this request, and has not been used since.
    pub(super) due: bool,
    /// The caller has been shown that B is there but does not want to be disturbed.
    pub(super) told_dnd: bool,
    /// It has been said that the caller is suspended.
    pub(super) told_suspended: bool,
    /// The call of Dial.
    pub(super) dial: Option<CallId>,
    /// The link over which Dial went out; a reading of the line over a later one tells whether the call exists.
    pub(super) dialled_on: Option<u64>,
    /// How often B's line had become idle when Dial was pressed.
    pub(super) idles_at_dial: u64,
    /// *Available* is to come back when the caller is idle (R21).
    pub(super) reshow: bool,
    /// The alert may have been lost, and is repeated under its id as soon as both phones can be seen.
    pub(super) in_doubt: bool,
    /// How often the present alert was repeated.
    pub(super) repeats: u8,
}

impl Request {
    pub(super) fn new(record: Record) -> Self {
        Self {
            record,
            accepted: false,
            changed: false,
            written: None,
            gate: None,
            due: false,
            told_dnd: false,
            told_suspended: false,
            dial: None,
            dialled_on: None,
            idles_at_dial: 0,
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
