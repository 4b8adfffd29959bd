use std::collections::BTreeSet;

use async_trait::async_trait;
use ringback_db::{AdminError, DirectoryAdmin, PhoneConfig, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, UtcOffset};
use rusqlite::{Connection, Params, Transaction};

use crate::directory::{SqliteDirectory, checked, lines_of, settings_table};
use crate::error::Fault;

type Result<T> = std::result::Result<T, Fault<AdminError>>;
type Done = std::result::Result<(), AdminError>;

const PHONE: &str = "INSERT INTO phone
        (group_name, device, locale, utc_offset_min, softkey_template, device_pool)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (group_name, device) DO UPDATE SET locale = excluded.locale,
        utc_offset_min = excluded.utc_offset_min, softkey_template = excluded.softkey_template,
        device_pool = excluded.device_pool";

const APPEARANCE: &str = "INSERT INTO appearance (group_name, device, partition_name, dn, button)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (group_name, device, partition_name, dn) DO UPDATE SET button = excluded.button
        WHERE button <> excluded.button";

impl SqliteDirectory {
    async fn change(&self, change: impl FnOnce(&Transaction<'_>) -> Result<()> + Send + 'static) -> Done {
        self.connections.write(change).await?;
        self.connections.directory_changed.send_replace(());
        Ok(())
    }
}

fn put_phone(connection: &Connection, group: &Group, phone: &PhoneConfig) -> Result<()> {
    let wanted: BTreeSet<(&str, &str)> =
        phone.lines.iter().map(|line| (line.partition.as_str(), line.dn.as_str())).collect();
    if wanted.len() < phone.lines.len() {
        return Err(Fault::Refused(AdminError::DuplicateLine));
    }
    check_template(connection, group, phone.template.as_deref())?;
    if let Some(pool) = &phone.pool {
        let known = "SELECT 1 FROM device_pool WHERE group_name = ?1 AND name = ?2";
        require(connection, "device pool", known, (group.as_str(), pool))?;
    }
    let device = phone.device.as_str();
    connection.prepare_cached(PHONE)?.execute((
        group.as_str(),
        device,
        phone.locale.as_str(),
        phone.utc_offset.minutes(),
        &phone.template,
        &phone.pool,
    ))?;
    for (button, (partition, dn)) in (1_u32..).zip(phone.lines.iter().map(|l| (&l.partition, &l.dn))) {
        let row = (group.as_str(), device, partition.as_str(), dn.as_str(), button);
        connection.prepare_cached(APPEARANCE)?.execute(row)?;
    }
    // After the new ones: a line that stays must not lose its settings.
    let mut statement = connection.prepare_cached(
        "SELECT rowid, partition_name, dn FROM appearance WHERE group_name = ?1 AND device = ?2",
    )?;
    let rows =
        statement.query_map((group.as_str(), device), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let present: Vec<(i64, String, String)> = rows.collect::<rusqlite::Result<_>>()?;
    for (rowid, partition, dn) in present {
        if !wanted.contains(&(partition.as_str(), dn.as_str())) {
            connection.prepare_cached("DELETE FROM appearance WHERE rowid = ?1")?.execute([rowid])?;
        }
    }
    Ok(())
}

fn phones(connection: &Connection, group: &Group) -> Result<Vec<PhoneConfig>> {
    let mut statement = connection.prepare_cached(
        "SELECT device, locale, utc_offset_min, softkey_template, device_pool FROM phone
         WHERE group_name = ?1 ORDER BY device",
    )?;
    let mut rows = statement.query([group.as_str()])?;
    let mut phones = Vec::new();
    while let Some(row) = rows.next()? {
        let device = checked("phone", "device", DeviceName::new(row.get::<_, String>(0)?))?;
        let lines = lines_of(connection, group, &device)?;
        phones.push(PhoneConfig {
            locale: checked("phone", "locale", Locale::new(row.get::<_, String>(1)?))?,
            utc_offset: UtcOffset::from_minutes(row.get(2)?)
                .ok_or_else(|| Fault::invalid("phone", "utc_offset_min", "it is a day or more"))?,
            template: row.get(3)?,
            pool: row.get(4)?,
            ..PhoneConfig::new(device, lines)
        });
    }
    Ok(phones)
}

fn remove_template(connection: &Connection, group: &Group, name: &str) -> Result<()> {
    let users = [
        ("phones", "SELECT 1 FROM phone WHERE group_name = ?1 AND softkey_template = ?2"),
        ("device pools", "SELECT 1 FROM device_pool WHERE group_name = ?1 AND softkey_template = ?2"),
    ];
    for (used_by, query) in users {
        if connection.prepare_cached(query)?.exists((group.as_str(), name))? {
            return Err(Fault::Refused(AdminError::InUse { what: "softkey template", used_by }));
        }
    }
    connection
        .prepare_cached("DELETE FROM softkey_template WHERE group_name = ?1 AND name = ?2")?
        .execute((group.as_str(), name))?;
    Ok(())
}

fn check_template(connection: &Connection, group: &Group, name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let known = "SELECT 1 FROM softkey_template WHERE group_name = ?1 AND name = ?2";
    require(connection, "softkey template", known, (group.as_str(), name))
}

fn require(connection: &Connection, what: &'static str, query: &str, key: impl Params) -> Result<()> {
    if connection.prepare_cached(query)?.exists(key)? {
        return Ok(());
    }
    Err(Fault::Refused(AdminError::Unknown { what }))
}

/// Sets one column of a line's settings.
fn set_line(
    connection: &Connection,
    group: &Group,
    line: &LineId,
    upsert: &str,
    value: Option<&str>,
) -> Result<()> {
    let (group, partition, dn) = (group.as_str(), line.partition.as_str(), line.dn.as_str());
    let known = "SELECT 1 FROM appearance WHERE group_name = ?1 AND partition_name = ?2 AND dn = ?3";
    require(connection, "line", known, (group, partition, dn))?;
    connection.prepare_cached(upsert)?.execute((group, partition, dn, value))?;
    Ok(())
}

#[async_trait]
impl DirectoryAdmin for SqliteDirectory {
    async fn put_phone(&self, group: &Group, phone: &PhoneConfig) -> Done {
        let (group, phone) = (group.clone(), phone.clone());
        self.change(move |connection| put_phone(connection, &group, &phone)).await
    }

    async fn remove_phone(&self, group: &Group, device: &DeviceName) -> Done {
        let (group, device) = (group.clone(), device.clone());
        self.change(move |connection| {
            // Its lines go by a trigger.
            connection
                .prepare_cached("DELETE FROM phone WHERE group_name = ?1 AND device = ?2")?
                .execute((group.as_str(), device.as_str()))?;
            Ok(())
        })
        .await
    }

    async fn put_template(&self, group: &Group, name: &str, has_callback: bool) -> Done {
        let (group, name) = (group.clone(), name.to_owned());
        self.change(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO softkey_template (group_name, name, has_callback) VALUES (?1, ?2, ?3)
                     ON CONFLICT (group_name, name) DO UPDATE SET has_callback = excluded.has_callback",
                )?
                .execute((group.as_str(), name, has_callback))?;
            Ok(())
        })
        .await
    }

    async fn remove_template(&self, group: &Group, name: &str) -> Done {
        let (group, name) = (group.clone(), name.to_owned());
        self.change(move |connection| remove_template(connection, &group, &name)).await
    }

    async fn put_pool(&self, group: &Group, name: &str, template: Option<&str>) -> Done {
        let (group, name, template) = (group.clone(), name.to_owned(), template.map(str::to_owned));
        self.change(move |connection| {
            check_template(connection, &group, template.as_deref())?;
            connection
                .prepare_cached(
                    "INSERT INTO device_pool (group_name, name, softkey_template) VALUES (?1, ?2, ?3)
                     ON CONFLICT (group_name, name) DO UPDATE SET softkey_template = excluded.softkey_template",
                )?
                .execute((group.as_str(), name, template))?;
            Ok(())
        })
        .await
    }

    async fn set_forward_all(&self, group: &Group, line: &LineId, to: Option<&DirectoryNumber>) -> Done {
        let (group, line, to) = (group.clone(), line.clone(), to.cloned());
        let upsert = "INSERT INTO line_setting (group_name, partition_name, dn, forwards_all_to)
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT (group_name, partition_name, dn)
            DO UPDATE SET forwards_all_to = excluded.forwards_all_to";
        self.change(move |connection| {
            set_line(connection, &group, &line, upsert, to.as_ref().map(DirectoryNumber::as_str))
        })
        .await
    }

    async fn set_display_name(&self, group: &Group, line: &LineId, name: Option<&str>) -> Done {
        let (group, line, name) = (group.clone(), line.clone(), name.map(str::to_owned));
        let upsert = "INSERT INTO line_setting (group_name, partition_name, dn, display_name)
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT (group_name, partition_name, dn)
            DO UPDATE SET display_name = excluded.display_name";
        self.change(move |connection| set_line(connection, &group, &line, upsert, name.as_deref())).await
    }

    async fn set_do_not_disturb(&self, group: &Group, device: &DeviceName, on: bool) -> Done {
        let (group, device) = (group.clone(), device.clone());
        self.change(move |connection| {
            let changed = connection
                .prepare_cached("UPDATE phone SET do_not_disturb = ?3 WHERE group_name = ?1 AND device = ?2")?
                .execute((group.as_str(), device.as_str(), on))?;
            if changed == 0 { Err(Fault::Refused(AdminError::Unknown { what: "phone" })) } else { Ok(()) }
        })
        .await
    }

    async fn set_parameter(&self, group: &Group, name: &str, value: Option<&str>) -> Done {
        self.set_setting(group, Table::Parameter, name, value).await
    }

    async fn set_setting(&self, group: &Group, table: Table, name: &str, value: Option<&str>) -> Done {
        let Some(rows) = settings_table(table) else { return Err(AdminError::NoSettings(table)) };
        let (group, name, value) = (group.clone(), name.to_owned(), value.map(str::to_owned));
        self.change(move |connection| {
            let (put, remove) = (
                format!(
                    "INSERT INTO {rows} (group_name, name, value) VALUES (?1, ?2, ?3)
                     ON CONFLICT (group_name, name) DO UPDATE SET value = excluded.value"
                ),
                format!("DELETE FROM {rows} WHERE group_name = ?1 AND name = ?2"),
            );
            match value {
                Some(value) => connection.prepare_cached(&put)?.execute((group.as_str(), name, value))?,
                None => connection.prepare_cached(&remove)?.execute((group.as_str(), name))?,
            };
            Ok(())
        })
        .await
    }

    async fn phones(&self, group: &Group) -> std::result::Result<Vec<PhoneConfig>, AdminError> {
        let group = group.clone();
        Ok(self.connections.read(move |connection| phones(connection, &group)).await?)
    }
}
