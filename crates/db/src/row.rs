use std::fmt;

use ringback_callback::{AlertId, Cycle, Kind, Phase, Record};
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, LineId, Partition, RequestId, TextError,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a record is no row, or a row no record. Told without the value, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {reason}")]
pub struct RowError {
    /// Which column cannot be.
    pub column: &'static str,
    /// Why.
    pub reason: String,
}

impl RowError {
    fn new(column: &'static str, reason: impl ToString) -> Self {
        Self { column, reason: reason.to_string() }
    }
}

/// A request as the row of a table, for stores on a database: one column a field, whole numbers signed, times in
/// milliseconds. The group is a column of its own beside it.
///
/// It holds numbers and names as plain text, hence it prints its id only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the field of the record that is called so")]
pub struct RequestRow {
    pub id_epoch: i64,
    pub id_number: i64,
    pub caller_device: String,
    pub caller_partition: String,
    pub caller_dn: String,
    pub called_partition: String,
    pub called_dn: String,
    pub dialled_dn: String,
    /// `busy` or `no answer`.
    pub kind: String,
    pub since_ms: i64,
    pub expires_ms: Option<i64>,
    /// A bit pattern: it may be negative.
    pub origin_call: Option<i64>,
    /// `waiting`, `turn`, `lapsed` or `dialing`.
    pub phase: String,
    /// In phase `turn` only, as the next two.
    pub turn_alert: Option<i64>,
    pub turn_until_ms: Option<i64>,
    pub turn_alerted: Option<bool>,
    /// In phase `dialing` only.
    pub dialing_in_turn: Option<bool>,
    /// `untouched`, `off hook` or `complete`.
    pub cycle: Option<String>,
    pub alerts: i64,
    pub notified_ms: Option<i64>,
}

impl fmt::Debug for RequestRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRow")
            .field("id_epoch", &self.id_epoch)
            .field("id_number", &self.id_number)
            .finish_non_exhaustive()
    }
}

impl RequestRow {
    /// The row of a record.
    ///
    /// # Errors
    /// A number is above 2^63 - 1, or the phase is one that has no columns.
    pub fn of(record: &Record) -> Result<Self, RowError> {
        // Taken apart whole, so that a new field cannot be forgotten here.
        let Record {
            id,
            caller,
            called,
            dialled,
            kind,
            since,
            expires,
            origin,
            phase,
            cycle,
            alerts,
            notified,
        } = record;
        let (id_epoch, id_number) = Self::key(*id)?;
        let mut row = Self {
            id_epoch,
            id_number,
            caller_device: caller.device.as_str().to_owned(),
            caller_partition: caller.line.partition.as_str().to_owned(),
            caller_dn: caller.line.dn.as_str().to_owned(),
            called_partition: called.partition.as_str().to_owned(),
            called_dn: called.dn.as_str().to_owned(),
            dialled_dn: dialled.as_str().to_owned(),
            kind: match kind {
                Kind::Busy => "busy",
                Kind::NoAnswer => "no answer",
            }
            .to_owned(),
            since_ms: signed("since_ms", since.0)?,
            expires_ms: time("expires_ms", *expires)?,
            origin_call: origin.map(|call| call.0.cast_signed()),
            phase: String::new(),
            turn_alert: None,
            turn_until_ms: None,
            turn_alerted: None,
            dialing_in_turn: None,
            cycle: cycle.map(|cycle| {
                match cycle {
                    Cycle::Untouched => "untouched",
                    Cycle::OffHook => "off hook",
                    Cycle::Complete => "complete",
                }
                .to_owned()
            }),
            alerts: i64::from(*alerts),
            notified_ms: time("notified_ms", *notified)?,
        };
        row.set_phase(*id, *phase)?;
        Ok(row)
    }

    /// The columns `id_epoch` and `id_number` of a request.
    ///
    /// # Errors
    /// A number is above 2^63 - 1.
    pub fn key(id: RequestId) -> Result<(i64, i64), RowError> {
        Ok((signed("id_epoch", id.epoch.0)?, signed("id_number", id.number)?))
    }

    fn set_phase(&mut self, id: RequestId, phase: Phase) -> Result<(), RowError> {
        self.phase = match phase {
            Phase::Waiting => "waiting",
            Phase::Turn { alert, until, alerted } if alert.request == id => {
                self.turn_alert = Some(i64::from(alert.number));
                self.turn_until_ms = Some(signed("turn_until_ms", until.0)?);
                self.turn_alerted = Some(alerted);
                "turn"
            }
            Phase::Lapsed => "lapsed",
            Phase::Dialing { in_turn } => {
                self.dialing_in_turn = Some(in_turn);
                "dialing"
            }
            _ => {
                let reason =
                    format!("request {id} is in one that has no columns: this is a bug, please report it");
                return Err(RowError::new("phase", reason));
            }
        }
        .to_owned();
        Ok(())
    }

    /// The record of a row.
    ///
    /// # Errors
    /// A column holds what cannot be.
    pub fn record(self) -> Result<Record, RowError> {
        let id = RequestId {
            epoch: Epoch(unsigned("id_epoch", self.id_epoch)?),
            number: unsigned("id_number", self.id_number)?,
        };
        Ok(Record {
            id,
            phase: self.read_phase(id)?,
            caller: Appearance {
                device: text("caller_device", DeviceName::new(self.caller_device))?,
                line: LineId::new(
                    text("caller_partition", Partition::new(self.caller_partition))?,
                    text("caller_dn", DirectoryNumber::new(self.caller_dn))?,
                ),
            },
            called: LineId::new(
                text("called_partition", Partition::new(self.called_partition))?,
                text("called_dn", DirectoryNumber::new(self.called_dn))?,
            ),
            dialled: text("dialled_dn", DirectoryNumber::new(self.dialled_dn))?,
            kind: match self.kind.as_str() {
                "busy" => Kind::Busy,
                "no answer" => Kind::NoAnswer,
                _ => return Err(unknown("kind")),
            },
            since: Timestamp(unsigned("since_ms", self.since_ms)?),
            expires: moment("expires_ms", self.expires_ms)?,
            origin: self.origin_call.map(|call| CallId(call.cast_unsigned())),
            cycle: match self.cycle.as_deref() {
                None => None,
                Some("untouched") => Some(Cycle::Untouched),
                Some("off hook") => Some(Cycle::OffHook),
                Some("complete") => Some(Cycle::Complete),
                Some(_) => return Err(unknown("cycle")),
            },
            alerts: count("alerts", self.alerts)?,
            notified: moment("notified_ms", self.notified_ms)?,
        })
    }

    fn read_phase(&self, id: RequestId) -> Result<Phase, RowError> {
        let missing = |column| move || RowError::new(column, "it is null");
        Ok(match self.phase.as_str() {
            "waiting" => Phase::Waiting,
            "turn" => Phase::Turn {
                alert: AlertId {
                    request: id,
                    number: count("turn_alert", self.turn_alert.ok_or_else(missing("turn_alert"))?)?,
                },
                until: moment("turn_until_ms", self.turn_until_ms)?.ok_or_else(missing("turn_until_ms"))?,
                alerted: self.turn_alerted.ok_or_else(missing("turn_alerted"))?,
            },
            "lapsed" => Phase::Lapsed,
            "dialing" => {
                Phase::Dialing { in_turn: self.dialing_in_turn.ok_or_else(missing("dialing_in_turn"))? }
            }
            _ => return Err(unknown("phase")),
        })
    }
}

/// Whole numbers of databases are signed.
fn signed(column: &'static str, value: u64) -> Result<i64, RowError> {
    i64::try_from(value).map_err(|_| RowError::new(column, "the number is above 2^63 - 1"))
}

fn time(column: &'static str, at: Option<Timestamp>) -> Result<Option<i64>, RowError> {
    at.map(|at| signed(column, at.0)).transpose()
}

fn unsigned(column: &'static str, value: i64) -> Result<u64, RowError> {
    u64::try_from(value).map_err(|_| RowError::new(column, "it is negative"))
}

fn moment(column: &'static str, value: Option<i64>) -> Result<Option<Timestamp>, RowError> {
    value.map(|at| unsigned(column, at).map(Timestamp)).transpose()
}

fn count(column: &'static str, value: i64) -> Result<u32, RowError> {
    u32::try_from(value).map_err(|_| RowError::new(column, "it is no count"))
}

fn text<T>(column: &'static str, parsed: Result<T, TextError>) -> Result<T, RowError> {
    parsed.map_err(|error| RowError::new(column, error))
}

fn unknown(column: &'static str) -> RowError {
    RowError::new(column, "the word is unknown")
}
