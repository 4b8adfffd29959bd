use async_trait::async_trait;
use ringback_db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, Partition, TextError, UtcOffset};
use rusqlite::{Connection, OptionalExtension};

use crate::connection::Connections;
use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<DirectoryError>>;
type Answer<T> = std::result::Result<T, DirectoryError>;

/// The directory of a [`SqliteDatabase`](crate::SqliteDatabase); it can be read and written.
#[derive(Debug, Clone)]
pub struct SqliteDirectory {
    pub(crate) connections: Connections,
}

impl SqliteDirectory {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

/// The phone with both templates that could count: its own, and that of its pool.
const PHONE: &str = "SELECT phone.locale, phone.utc_offset_min, phone.do_not_disturb,
        phone.softkey_template, own.has_callback, phone.device_pool, device_pool.name,
        device_pool.softkey_template, pooled.has_callback
    FROM phone
    LEFT JOIN softkey_template AS own
        ON own.group_name = phone.group_name AND own.name = phone.softkey_template
    LEFT JOIN device_pool ON device_pool.group_name = phone.group_name AND device_pool.name = phone.device_pool
    LEFT JOIN softkey_template AS pooled
        ON pooled.group_name = phone.group_name AND pooled.name = device_pool.softkey_template
    WHERE phone.group_name = ?1 AND phone.device = ?2";

fn phone(connection: &Connection, group: &Group, device: &DeviceName) -> Result<Option<PhoneEntry>> {
    let mut statement = connection.prepare_cached(PHONE)?;
    let mut rows = statement.query((group.as_str(), device.as_str()))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let referred = |table, column, name: Option<String>, found: bool| match name {
        Some(_) if !found => Err(Fault::invalid(table, column, "it names what does not exist")),
        name => Ok(name.is_some()),
    };
    let own: Option<bool> = row.get(4)?;
    let pooled: Option<bool> = row.get(8)?;
    let has_own = referred("phone", "softkey_template", row.get(3)?, own.is_some())?;
    referred("phone", "device_pool", row.get(5)?, row.get::<_, Option<String>>(6)?.is_some())?;
    referred("device_pool", "softkey_template", row.get(7)?, pooled.is_some())?;
    let minutes: i16 = row.get(1)?;
    Ok(Some(PhoneEntry {
        device: device.clone(),
        lines: lines_of(connection, group, device)?,
        locale: checked("phone", "locale", Locale::new(row.get::<_, String>(0)?))?,
        utc_offset: UtcOffset::from_minutes(minutes)
            .ok_or_else(|| Fault::invalid("phone", "utc_offset_min", "it is a day or more"))?,
        has_callback_key: if has_own { own } else { pooled }.unwrap_or(true),
        do_not_disturb: row.get(2)?,
    }))
}

pub(crate) fn lines_of<E>(
    connection: &Connection,
    group: &Group,
    device: &DeviceName,
) -> std::result::Result<Vec<LineId>, Fault<E>> {
    let mut statement = connection.prepare_cached(
        "SELECT partition_name, dn FROM appearance WHERE group_name = ?1 AND device = ?2 ORDER BY button, rowid",
    )?;
    let mut rows = statement.query((group.as_str(), device.as_str()))?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let partition = checked("appearance", "partition_name", Partition::new(row.get::<_, String>(0)?))?;
        let dn = checked("appearance", "dn", DirectoryNumber::new(row.get::<_, String>(1)?))?;
        lines.push(LineId::new(partition, dn));
    }
    Ok(lines)
}

fn line(connection: &Connection, group: &Group, line: &LineId) -> Result<Option<LineEntry>> {
    let key = (group.as_str(), line.partition.as_str(), line.dn.as_str());
    let mut statement = connection.prepare_cached(
        "SELECT device FROM appearance
         WHERE group_name = ?1 AND partition_name = ?2 AND dn = ?3 ORDER BY device",
    )?;
    let mut rows = statement.query(key)?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        devices.push(checked("appearance", "device", DeviceName::new(row.get::<_, String>(0)?))?);
    }
    if devices.is_empty() {
        return Ok(None);
    }
    let setting: Option<(Option<String>, Option<String>)> = connection
        .prepare_cached(
            "SELECT display_name, forwards_all_to FROM line_setting
             WHERE group_name = ?1 AND partition_name = ?2 AND dn = ?3",
        )?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (display_name, forwards_all_to) = setting.unwrap_or_default();
    let forwards_all_to = forwards_all_to
        .map(|number| checked("line_setting", "forwards_all_to", DirectoryNumber::new(number)))
        .transpose()?;
    Ok(Some(LineEntry { line: line.clone(), devices, display_name, forwards_all_to }))
}

fn dialled(
    connection: &Connection,
    group: &Group,
    from: &LineId,
    dn: &DirectoryNumber,
) -> Result<Option<LineEntry>> {
    // The partition without a name is the first in the order of names.
    let partition: Option<String> = connection
        .prepare_cached(
            "SELECT partition_name FROM appearance WHERE group_name = ?1 AND dn = ?2
             ORDER BY partition_name <> ?3, partition_name LIMIT 1",
        )?
        .query_row((group.as_str(), dn.as_str(), from.partition.as_str()), |row| row.get(0))
        .optional()?;
    let Some(partition) = partition else { return Ok(None) };
    let partition = checked("appearance", "partition_name", Partition::new(partition))?;
    line(connection, group, &LineId::new(partition, dn.clone()))
}

/// Which table of the schema holds these settings, if any does.
pub(crate) fn settings_table(table: Table) -> Option<&'static str> {
    match table {
        Table::Parameter => Some("service_parameter"),
        Table::Trace => Some("trace_setting"),
        Table::Alarm => Some("alarm_setting"),
        _ => None,
    }
}

fn settings(connection: &Connection, group: &Group, table: Table) -> Result<Vec<(String, String)>> {
    let Some(table) = settings_table(table) else { return Ok(Vec::new()) };
    let query = format!("SELECT name, value FROM {table} WHERE group_name = ?1 ORDER BY name");
    let mut statement = connection.prepare_cached(&query)?;
    let rows = statement.query_map([group.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn checked<T, E>(
    table: &str,
    column: &str,
    value: std::result::Result<T, TextError>,
) -> std::result::Result<T, Fault<E>> {
    value.map_err(|error| Fault::invalid(table, column, error))
}

#[async_trait]
impl Directory for SqliteDirectory {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Answer<Option<PhoneEntry>> {
        let (group, device) = (group.clone(), device.clone());
        Ok(self.connections.read(move |connection| phone(connection, &group, &device)).await?)
    }

    async fn line(&self, group: &Group, id: &LineId) -> Answer<Option<LineEntry>> {
        let (group, id) = (group.clone(), id.clone());
        Ok(self.connections.read(move |connection| line(connection, &group, &id)).await?)
    }

    async fn dialled(&self, group: &Group, from: &LineId, dn: &DirectoryNumber) -> Answer<Option<LineEntry>> {
        let (group, from, dn) = (group.clone(), from.clone(), dn.clone());
        Ok(self.connections.read(move |connection| dialled(connection, &group, &from, &dn)).await?)
    }

    async fn parameters(&self, group: &Group) -> Answer<Vec<(String, String)>> {
        self.settings(group, Table::Parameter).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Answer<Vec<(String, String)>> {
        let group = group.clone();
        Ok(self.connections.read(move |connection| settings(connection, &group, table)).await?)
    }

    async fn probe(&self) -> Answer<()> {
        let probe = |connection: &rusqlite::Transaction<'_>| {
            connection.prepare_cached("SELECT 1 FROM phone LIMIT 1")?.query([])?.next()?;
            Ok(())
        };
        Ok(self.connections.read(probe).await?)
    }
}
