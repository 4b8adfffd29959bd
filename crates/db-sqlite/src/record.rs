//! A request as a row. Column names are those of `migrations/V1__directory_and_requests.sql`.

use ringback_callback::Record;
use ringback_db::{RequestRow, RowError, StoreError};
use ringback_model::{Group, RequestId};
use rusqlite::{Connection, Row, named_params};

use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<StoreError>>;

const TABLE: &str = "request";

/// Changed in its place: `REPLACE` would delete it and append another, and with it rewrite the index.
const PUT: &str = "INSERT INTO request
    (group_name, id_epoch, id_number, caller_device, caller_partition, caller_dn, called_partition, called_dn,
     dialled_dn, kind, since_ms, expires_ms, origin_call, phase, turn_alert, turn_until_ms, turn_alerted,
     dialing_in_turn, cycle, alerts, notified_ms)
    VALUES (:group, :epoch, :number, :caller_device, :caller_partition, :caller_dn, :called_partition, :called_dn,
     :dialled, :kind, :since, :expires, :origin, :phase, :turn_alert, :turn_until, :turn_alerted,
     :dialing_in_turn, :cycle, :alerts, :notified)
    ON CONFLICT (group_name, id_epoch, id_number) DO UPDATE SET
     caller_device = excluded.caller_device, caller_partition = excluded.caller_partition,
     caller_dn = excluded.caller_dn, called_partition = excluded.called_partition, called_dn = excluded.called_dn,
     dialled_dn = excluded.dialled_dn, kind = excluded.kind, since_ms = excluded.since_ms,
     expires_ms = excluded.expires_ms, origin_call = excluded.origin_call, phase = excluded.phase,
     turn_alert = excluded.turn_alert, turn_until_ms = excluded.turn_until_ms, turn_alerted = excluded.turn_alerted,
     dialing_in_turn = excluded.dialing_in_turn, cycle = excluded.cycle, alerts = excluded.alerts,
     notified_ms = excluded.notified_ms";

const LOAD: &str = "SELECT * FROM request WHERE group_name = ?1 ORDER BY since_ms, id_epoch, id_number";

const DELETE: &str = "DELETE FROM request WHERE group_name = ?1 AND id_epoch = ?2 AND id_number = ?3";

pub(crate) fn put(connection: &Connection, group: &Group, record: &Record) -> Result<()> {
    let row = RequestRow::of(record).map_err(invalid)?;
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":group": group.as_str(),
        ":epoch": row.id_epoch,
        ":number": row.id_number,
        ":caller_device": row.caller_device,
        ":caller_partition": row.caller_partition,
        ":caller_dn": row.caller_dn,
        ":called_partition": row.called_partition,
        ":called_dn": row.called_dn,
        ":dialled": row.dialled_dn,
        ":kind": row.kind,
        ":since": row.since_ms,
        ":expires": row.expires_ms,
        ":origin": row.origin_call,
        ":phase": row.phase,
        ":turn_alert": row.turn_alert,
        ":turn_until": row.turn_until_ms,
        ":turn_alerted": row.turn_alerted,
        ":dialing_in_turn": row.dialing_in_turn,
        ":cycle": row.cycle,
        ":alerts": row.alerts,
        ":notified": row.notified_ms,
    })?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, group: &Group, id: RequestId) -> Result<()> {
    let (epoch, number) = RequestRow::key(id).map_err(invalid)?;
    connection.prepare_cached(DELETE)?.execute((group.as_str(), epoch, number))?;
    Ok(())
}

pub(crate) fn load(connection: &Connection, group: &Group) -> Result<Vec<Record>> {
    let mut statement = connection.prepare_cached(LOAD)?;
    let mut rows = statement.query([group.as_str()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?.record().map_err(invalid)?);
    }
    Ok(records)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RequestRow> {
    Ok(RequestRow {
        id_epoch: row.get("id_epoch")?,
        id_number: row.get("id_number")?,
        caller_device: row.get("caller_device")?,
        caller_partition: row.get("caller_partition")?,
        caller_dn: row.get("caller_dn")?,
        called_partition: row.get("called_partition")?,
        called_dn: row.get("called_dn")?,
        dialled_dn: row.get("dialled_dn")?,
        kind: row.get("kind")?,
        since_ms: row.get("since_ms")?,
        expires_ms: row.get("expires_ms")?,
        origin_call: row.get("origin_call")?,
        phase: row.get("phase")?,
        turn_alert: row.get("turn_alert")?,
        turn_until_ms: row.get("turn_until_ms")?,
        turn_alerted: row.get("turn_alerted")?,
        dialing_in_turn: row.get("dialing_in_turn")?,
        cycle: row.get("cycle")?,
        alerts: row.get("alerts")?,
        notified_ms: row.get("notified_ms")?,
    })
}

/// SQLite's integers are signed.
pub(crate) fn stored<E>(table: &str, column: &str, value: u64) -> std::result::Result<i64, Fault<E>> {
    i64::try_from(value).map_err(|_| Fault::invalid(table, column, "the number is above 2^63 - 1"))
}

fn invalid(error: RowError) -> Fault<StoreError> {
    Fault::invalid(TABLE, error.column, error.reason)
}
