//! What is seen during a schedule, as it is told to those who judge it.

use std::collections::{BTreeMap, BTreeSet};

use ringback_callback::Record;
use ringback_cti::DataId;
use ringback_model::{DeviceName, Epoch, Millis, RequestId, Timestamp};
use ringback_sim::SwitchEvent;

/// So long after a link was held up, what it held up may still come.
const BACKLOG: Millis = Millis::from_secs(1);

/// What messages that cross on their way may take where nothing is held up.
pub(super) const CROSSING: Millis = Millis(50);

/// What is seen, as invariants are told of it.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// Something happened at the switch.
    Switch(&'a SwitchEvent),
    /// An instance has begun to write; whether it had the lease at that moment.
    Issued { instance: &'a str, lease: Result<(), &'a str> },
    /// The store has written.
    Wrote { instance: &'a str, epoch: Epoch },
    /// The store holds this record now.
    Stored(&'a Record),
    /// The store does not hold this record any more.
    Gone(&'a Record),
    /// A phone has taken data.
    Data {
        instance: &'a str,
        epoch: Epoch,
        device: &'a DeviceName,
        /// It is the screen that says that this request is activated.
        activated: Option<RequestId>,
        lease: Result<(), &'a str>,
    },
    /// An instance has made a call.
    Dialled { instance: &'a str, epoch: Epoch, lease: Result<(), &'a str> },
    /// A phone has played an alert.
    Alert { device: &'a DeviceName, id: DataId, idle: bool },
}

/// What is known to whoever sees everything.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// What the store holds.
    pub(super) records: BTreeMap<RequestId, Record>,
    /// What the store held before.
    pub(super) gone: BTreeMap<RequestId, Record>,
    /// The requests whose phones have shown that they are activated.
    pub(super) activated: BTreeSet<RequestId>,
    /// The queue policy is `fifo`.
    pub(super) fifo: bool,
    held_up: u32,
    held_up_until: Timestamp,
}

impl Facts {
    /// Nothing has been seen yet.
    pub(super) fn new(fifo: bool) -> Self {
        Self { fifo, ..Self::default() }
    }

    /// Whether an instance may be late to see, or to be heard.
    pub(super) fn is_disturbed(&self) -> bool {
        self.held_up > 0 || self.now < self.held_up_until
    }

    /// Links are held up from now on, or one less is.
    pub(super) fn held_up(&mut self, held_up: bool) {
        self.held_up = if held_up { self.held_up + 1 } else { self.held_up.saturating_sub(1) };
        self.held_up_until = self.now + BACKLOG;
    }

    /// The request that has taken the place of this one.
    pub(super) fn successor(&self, record: &Record) -> Option<&Record> {
        let later = |other: &&Record| {
            other.caller.device == record.caller.device && (other.since, other.id) > (record.since, record.id)
        };
        self.records.values().find(later)
    }
}

/// The request that an alert with this id belongs to.
pub(super) fn request_of(id: DataId) -> RequestId {
    const BITS_48: u128 = (1 << 48) - 1;
    let part = |shift: u32| u64::try_from(id.0 >> shift & BITS_48).unwrap_or(u64::MAX);
    RequestId { epoch: Epoch(part(80)), number: part(32) }
}
