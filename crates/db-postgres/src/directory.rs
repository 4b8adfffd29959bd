use async_trait::async_trait;
use ringback_db::{Directory, DirectoryError, LineEntry, PhoneEntry, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, Partition, TextError, UtcOffset};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::connection::{Connections, Role};
use crate::error::{Effect, Fault};

type Result<T> = std::result::Result<T, Fault<DirectoryError>>;
type Answer<T> = std::result::Result<T, DirectoryError>;

/// The directory of a [`PostgresDatabase`](crate::PostgresDatabase); it can be read and written. Each look is one exchange
/// with the server.
#[derive(Debug, Clone)]
pub struct PostgresDirectory {
    pub(crate) connections: Connections,
}

impl PostgresDirectory {
    pub(crate) fn new(connections: Connections) -> Self {
        Self { connections }
    }

    pub(crate) async fn read<E>(
        &self,
        query: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> std::result::Result<Vec<Row>, Fault<E>> {
        self.connections.query(Role::Work, Effect::None, query, values).await
    }
}

/// A phone with its lines, and whether the template that counts has the key.
const PHONE: &str = "SELECT phone.locale, phone.utc_offset_min, phone.do_not_disturb,
        coalesce(own.has_callback, pooled.has_callback, true),
        ARRAY(SELECT partition_name FROM appearance AS a WHERE a.group_name = phone.group_name
            AND a.device = phone.device ORDER BY button, partition_name, dn),
        ARRAY(SELECT dn FROM appearance AS a WHERE a.group_name = phone.group_name
            AND a.device = phone.device ORDER BY button, partition_name, dn)
    FROM phone
    LEFT JOIN softkey_template AS own
        ON own.group_name = phone.group_name AND own.name = phone.softkey_template
    LEFT JOIN device_pool ON device_pool.group_name = phone.group_name AND device_pool.name = phone.device_pool
    LEFT JOIN softkey_template AS pooled
        ON pooled.group_name = phone.group_name AND pooled.name = device_pool.softkey_template
    WHERE phone.group_name = $1 AND phone.device = $2";

/// A line in the partition that counts, and the phones it appears on. The argument chooses the partition.
macro_rules! line_in {
    ($partition:literal) => {
        concat!(
            "SELECT chosen.partition_name, setting.display_name, setting.forwards_all_to,
                ARRAY(SELECT device FROM appearance AS a WHERE a.group_name = $1 AND a.dn = $2
                    AND a.partition_name = chosen.partition_name ORDER BY device)
            FROM (SELECT partition_name FROM appearance WHERE group_name = $1 AND dn = $2 ",
            $partition,
            " LIMIT 1) AS chosen
            LEFT JOIN line_setting AS setting ON setting.group_name = $1 AND setting.dn = $2
                AND setting.partition_name = chosen.partition_name"
        )
    };
}

const LINE: &str = line_in!("AND partition_name = $3");

/// Each of these lines that appears on a phone, with its place among them.
const LINES: &str =
    "SELECT asked.partition_name, setting.display_name, setting.forwards_all_to, found.devices,
        asked.dn, asked.place
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS asked (dn, partition_name, place)
    CROSS JOIN LATERAL (SELECT array_agg(device ORDER BY device) AS devices FROM appearance AS a
        WHERE a.group_name = $1 AND a.dn = asked.dn AND a.partition_name = asked.partition_name) AS found
    LEFT JOIN line_setting AS setting ON setting.group_name = $1 AND setting.dn = asked.dn
        AND setting.partition_name = asked.partition_name
    WHERE found.devices IS NOT NULL";

const DIALLED: &str = line_in!("ORDER BY partition_name <> $3, partition_name <> '', partition_name");

pub(crate) fn column<'a, T: FromSql<'a>, E>(row: &'a Row, index: usize) -> std::result::Result<T, Fault<E>> {
    row.try_get(index).map_err(|error| Fault::of(Effect::None, &error))
}

pub(crate) fn checked<T, E>(
    table: &str,
    column: &str,
    value: std::result::Result<T, TextError>,
) -> std::result::Result<T, Fault<E>> {
    value.map_err(|error| Fault::invalid(table, column, error))
}

/// The lines of two columns of arrays: partitions, and numbers.
pub(crate) fn lines<E>(row: &Row, index: usize) -> std::result::Result<Vec<LineId>, Fault<E>> {
    let (partitions, numbers): (Vec<String>, Vec<String>) = (column(row, index)?, column(row, index + 1)?);
    partitions
        .into_iter()
        .zip(numbers)
        .map(|(partition, dn)| {
            let partition = checked("appearance", "partition_name", Partition::new(partition))?;
            Ok(LineId::new(partition, checked("appearance", "dn", DirectoryNumber::new(dn))?))
        })
        .collect()
}

pub(crate) fn utc_offset<E>(row: &Row, index: usize) -> std::result::Result<UtcOffset, Fault<E>> {
    UtcOffset::from_minutes(column(row, index)?)
        .ok_or_else(|| Fault::invalid("phone", "utc_offset_min", "it is a day or more"))
}

fn phone(device: &DeviceName, row: &Row) -> Result<PhoneEntry> {
    Ok(PhoneEntry {
        device: device.clone(),
        lines: lines(row, 4)?,
        locale: checked("phone", "locale", Locale::new(column::<String, _>(row, 0)?))?,
        utc_offset: utc_offset(row, 1)?,
        has_callback_key: column(row, 3)?,
        do_not_disturb: column(row, 2)?,
    })
}

fn line(dn: &DirectoryNumber, row: &Row) -> Result<LineEntry> {
    let partition = checked("appearance", "partition_name", Partition::new(column::<String, _>(row, 0)?))?;
    let devices: Vec<String> = column(row, 3)?;
    let forwards_all_to: Option<String> = column(row, 2)?;
    Ok(LineEntry {
        line: LineId::new(partition, dn.clone()),
        devices: devices
            .into_iter()
            .map(|device| checked("appearance", "device", DeviceName::new(device)))
            .collect::<Result<_>>()?,
        display_name: column(row, 1)?,
        forwards_all_to: forwards_all_to
            .map(|number| checked("line_setting", "forwards_all_to", DirectoryNumber::new(number)))
            .transpose()?,
    })
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

#[async_trait]
impl Directory for PostgresDirectory {
    async fn phone(&self, group: &Group, device: &DeviceName) -> Answer<Option<PhoneEntry>> {
        let rows = self.read(PHONE, &[&group.as_str(), &device.as_str()]).await?;
        Ok(rows.first().map(|row| phone(device, row)).transpose()?)
    }

    async fn line(&self, group: &Group, id: &LineId) -> Answer<Option<LineEntry>> {
        let rows = self.read(LINE, &[&group.as_str(), &id.dn.as_str(), &id.partition.as_str()]).await?;
        Ok(rows.first().map(|row| line(&id.dn, row)).transpose()?)
    }

    async fn lines(&self, group: &Group, lines: &[LineId]) -> Answer<Vec<Option<LineEntry>>> {
        let (numbers, partitions): (Vec<&str>, Vec<&str>) =
            lines.iter().map(|line| (line.dn.as_str(), line.partition.as_str())).unzip();
        let rows = self.read(LINES, &[&group.as_str(), &numbers, &partitions]).await?;
        let mut found = vec![None; lines.len()];
        for row in &rows {
            let dn = checked("appearance", "dn", DirectoryNumber::new(column::<String, _>(row, 4)?))?;
            // Counted from 1.
            let place = usize::try_from(column::<i64, _>(row, 5)? - 1).unwrap_or(usize::MAX);
            if let Some(found) = found.get_mut(place) {
                *found = Some(line(&dn, row)?);
            }
        }
        Ok(found)
    }

    fn lines_at_once(&self) -> usize {
        256
    }

    async fn dialled(&self, group: &Group, from: &LineId, dn: &DirectoryNumber) -> Answer<Option<LineEntry>> {
        let rows = self.read(DIALLED, &[&group.as_str(), &dn.as_str(), &from.partition.as_str()]).await?;
        Ok(rows.first().map(|row| line(dn, row)).transpose()?)
    }

    async fn parameters(&self, group: &Group) -> Answer<Vec<(String, String)>> {
        self.settings(group, Table::Parameter).await
    }

    async fn settings(&self, group: &Group, table: Table) -> Answer<Vec<(String, String)>> {
        let Some(table) = settings_table(table) else { return Ok(Vec::new()) };
        let query = format!("SELECT name, value FROM {table} WHERE group_name = $1 ORDER BY name");
        let rows = self.read(&query, &[&group.as_str()]).await?;
        let pair = |row: &Row| -> Result<_> { Ok((column(row, 0)?, column(row, 1)?)) };
        Ok(rows.iter().map(pair).collect::<Result<_>>()?)
    }

    async fn probe(&self) -> Answer<()> {
        self.read("SELECT 1 FROM phone LIMIT 1", &[]).await?;
        Ok(())
    }
}
