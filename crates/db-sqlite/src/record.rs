//! A request as a row. Column names are those of `migrations/V1__directory_and_requests.sql`.

use ringback_callback::{AlertId, Cycle, Kind, Phase, Record};
use ringback_db::StoreError;
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Partition, RequestId, TextError,
    Timestamp,
};
use rusqlite::{Connection, Row, named_params};

use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<StoreError>>;

const TABLE: &str = "request";

const PUT: &str = "INSERT OR REPLACE INTO request
    (group_name, id_epoch, id_number, caller_device, caller_partition, caller_dn, called_partition, called_dn,
     dialled_dn, kind, since_ms, expires_ms, origin_call, phase, turn_alert, turn_until_ms, turn_alerted,
     dialing_in_turn, cycle, alerts, notified_ms)
    VALUES (:group, :epoch, :number, :caller_device, :caller_partition, :caller_dn, :called_partition, :called_dn,
     :dialled, :kind, :since, :expires, :origin, :phase, :turn_alert, :turn_until, :turn_alerted,
     :dialing_in_turn, :cycle, :alerts, :notified)";

const LOAD: &str = "SELECT * FROM request WHERE group_name = ?1 ORDER BY since_ms, id_epoch, id_number";

const DELETE: &str = "DELETE FROM request WHERE group_name = ?1 AND id_epoch = ?2 AND id_number = ?3";

/// The columns that depend on the phase.
#[derive(Default)]
struct PhaseColumns {
    phase: &'static str,
    turn_alert: Option<u32>,
    turn_until: Option<i64>,
    turn_alerted: Option<bool>,
    dialing_in_turn: Option<bool>,
}

pub(crate) fn put(connection: &Connection, group: &Group, record: &Record) -> Result<()> {
    // Taken apart whole, so that a new field cannot be forgotten here.
    let Record { id, caller, called, dialled, kind, since, expires, origin, phase, cycle, alerts, notified } =
        record;
    let columns = phase_columns(*id, *phase)?;
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":group": group.as_str(),
        ":epoch": stored(TABLE, "id_epoch", id.epoch.0)?,
        ":number": stored(TABLE, "id_number", id.number)?,
        ":caller_device": caller.device.as_str(),
        ":caller_partition": caller.line.partition.as_str(),
        ":caller_dn": caller.line.dn.as_str(),
        ":called_partition": called.partition.as_str(),
        ":called_dn": called.dn.as_str(),
        ":dialled": dialled.as_str(),
        ":kind": match kind {
            Kind::Busy => "busy",
            Kind::NoAnswer => "no answer",
        },
        ":since": stored(TABLE, "since_ms", since.0)?,
        ":expires": expires.map(|at| stored(TABLE, "expires_ms", at.0)).transpose()?,
        ":origin": origin.map(|call| call.0.cast_signed()),
        ":phase": columns.phase,
        ":turn_alert": columns.turn_alert,
        ":turn_until": columns.turn_until,
        ":turn_alerted": columns.turn_alerted,
        ":dialing_in_turn": columns.dialing_in_turn,
        ":cycle": cycle.map(|cycle| match cycle {
            Cycle::Untouched => "untouched",
            Cycle::OffHook => "off hook",
            Cycle::Complete => "complete",
        }),
        ":alerts": alerts,
        ":notified": notified.map(|at| stored(TABLE, "notified_ms", at.0)).transpose()?,
    })?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, group: &Group, id: RequestId) -> Result<()> {
    let (epoch, number) = (stored(TABLE, "id_epoch", id.epoch.0)?, stored(TABLE, "id_number", id.number)?);
    connection.prepare_cached(DELETE)?.execute((group.as_str(), epoch, number))?;
    Ok(())
}

pub(crate) fn load(connection: &Connection, group: &Group) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(LOAD)?;
    let mut rows = statement.query([group.as_str()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

fn phase_columns(id: RequestId, phase: Phase) -> Result<PhaseColumns> {
    Ok(match phase {
        Phase::Waiting => PhaseColumns { phase: "waiting", ..PhaseColumns::default() },
        Phase::Turn { alert, until, alerted } if alert.request == id => PhaseColumns {
            phase: "turn",
            turn_alert: Some(alert.number),
            turn_until: Some(stored(TABLE, "turn_until_ms", until.0)?),
            turn_alerted: Some(alerted),
            ..PhaseColumns::default()
        },
        Phase::Lapsed => PhaseColumns { phase: "lapsed", ..PhaseColumns::default() },
        Phase::Dialing { in_turn } => {
            PhaseColumns { phase: "dialing", dialing_in_turn: Some(in_turn), ..PhaseColumns::default() }
        }
        _ => {
            let reason =
                "the request is in a phase that has no columns here: this is a bug, please report it";
            return Err(Fault::Invalid(format!("request {id}: {reason}")));
        }
    })
}

fn record(row: &Row<'_>) -> Result<Record> {
    let id = RequestId { epoch: Epoch(number(row, "id_epoch")?), number: number(row, "id_number")? };
    let line = |partition, dn| -> Result<LineId> {
        Ok(LineId::new(text(row, partition, Partition::new)?, text(row, dn, DirectoryNumber::new)?))
    };
    let time = |column| -> Result<_> { Ok(optional_number(row, column)?.map(Timestamp)) };
    Ok(Record {
        id,
        caller: Appearance {
            device: text(row, "caller_device", DeviceName::new)?,
            line: line("caller_partition", "caller_dn")?,
        },
        called: line("called_partition", "called_dn")?,
        dialled: text(row, "dialled_dn", DirectoryNumber::new)?,
        kind: match row.get::<_, String>("kind")?.as_str() {
            "busy" => Kind::Busy,
            "no answer" => Kind::NoAnswer,
            _ => return Err(unknown("kind")),
        },
        since: Timestamp(number(row, "since_ms")?),
        expires: time("expires_ms")?,
        origin: row.get::<_, Option<i64>>("origin_call")?.map(|call| CallId(call.cast_unsigned())),
        phase: phase(row, id)?,
        cycle: match row.get::<_, Option<String>>("cycle")?.as_deref() {
            None => None,
            Some("untouched") => Some(Cycle::Untouched),
            Some("off hook") => Some(Cycle::OffHook),
            Some("complete") => Some(Cycle::Complete),
            Some(_) => return Err(unknown("cycle")),
        },
        alerts: row.get("alerts")?,
        notified: time("notified_ms")?,
    })
}

fn phase(row: &Row<'_>, id: RequestId) -> Result<Phase> {
    Ok(match row.get::<_, String>("phase")?.as_str() {
        "waiting" => Phase::Waiting,
        "turn" => Phase::Turn {
            alert: AlertId { request: id, number: row.get("turn_alert")? },
            until: Timestamp(number(row, "turn_until_ms")?),
            alerted: row.get("turn_alerted")?,
        },
        "lapsed" => Phase::Lapsed,
        "dialing" => Phase::Dialing { in_turn: row.get("dialing_in_turn")? },
        _ => return Err(unknown("phase")),
    })
}

/// SQLite's integers are signed.
pub(crate) fn stored<E>(table: &str, column: &str, value: u64) -> std::result::Result<i64, Fault<E>> {
    i64::try_from(value).map_err(|_| Fault::invalid(table, column, "the number is above 2^63 - 1"))
}

fn number(row: &Row<'_>, column: &str) -> Result<u64> {
    optional_number(row, column)?.ok_or_else(|| Fault::invalid(TABLE, column, "it is null"))
}

fn optional_number(row: &Row<'_>, column: &str) -> Result<Option<u64>> {
    row.get::<_, Option<i64>>(column)?
        .map(|value| u64::try_from(value).map_err(|_| Fault::invalid(TABLE, column, "it is negative")))
        .transpose()
}

fn text<T>(row: &Row<'_>, column: &str, parse: fn(String) -> std::result::Result<T, TextError>) -> Result<T> {
    parse(row.get(column)?).map_err(|error| Fault::invalid(TABLE, column, error))
}

fn unknown(column: &str) -> Fault<StoreError> {
    Fault::invalid(TABLE, column, "the word is unknown")
}
