//! Work that takes time, done beside the service's loop, and what comes of it.

use futures_util::future::BoxFuture;
use ringback_callback::{AlertId, Record, Resolution, Ticket};
use ringback_db::{DirectoryError, News, PhoneEntry, Position, RequestCopy, StoreError};
use ringback_election::{CallNumber, RegistryError, View};
use ringback_model::{DeviceName, Epoch, LineId, Timestamp};

use super::following::SetBack;
use crate::settings::SettingRows;
use crate::writer::Transaction;

/// Work under way.
pub(super) type Job = BoxFuture<'static, Done>;

/// What a term of office begins with.
#[derive(Debug)]
pub(super) struct Entry {
    /// The store's time.
    pub(super) now: Timestamp,
    pub(super) records: Vec<Record>,
    pub(super) set_back: Option<SetBack>,
}

/// What came of it. What belongs to a term of office names its epoch: after that term it is of no use.
#[derive(Debug)]
pub(super) enum Done {
    /// The store has (or has not) written.
    Written(Epoch, Result<Transaction, StoreError>),
    /// The store told the highest epoch that was claimed, before this one is.
    EpochHeld(Epoch, Result<Epoch, StoreError>),
    /// The store was claimed and read, into this copy.
    Entered(Epoch, RequestCopy, Result<Entry, StoreError>),
    /// What the store had lost has been written again, by this copy of the active's.
    Repaired(Epoch, RequestCopy, Result<Option<SetBack>, StoreError>),
    /// What a term of office knew is forgotten.
    Left,
    /// What was written since a copy of the requests was at this position.
    News(Option<Position>, Result<News, StoreError>),
    /// The store was asked whether it works, and what time it is.
    StoreProbed(Result<Timestamp, StoreError>),
    /// The directory's answer to the key.
    Resolved {
        epoch: Epoch,
        ticket: Ticket,
        device: DeviceName,
        result: Result<(Option<Resolution>, Option<PhoneEntry>), DirectoryError>,
    },
    /// An alert cannot be drawn as a phone takes it.
    Undrawn(Epoch, AlertId),
    /// The directory's answer about called lines: the phones of each.
    Located(Epoch, Vec<LineId>, Result<Vec<Vec<DeviceName>>, DirectoryError>),
    /// The directory's answer about a phone.
    Phone(Epoch, DeviceName, Result<Option<PhoneEntry>, DirectoryError>),
    /// The directory's parameters.
    Parameters(Result<Vec<(String, String)>, DirectoryError>),
    /// The directory's settings of traces and alarms.
    Settings(Result<SettingRows, DirectoryError>),
    /// The directory was asked whether it works.
    DirectoryProbed(Result<(), DirectoryError>),
    /// The registry's answer.
    Registry(CallNumber, Result<View, RegistryError>),
    /// Something has changed in the registry since it was at this revision.
    RegistryChanged(u64),
    /// Another group of this process is about to report.
    Beat,
}
