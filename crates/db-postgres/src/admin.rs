use std::collections::BTreeSet;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use ringback_db::{AdminError, DirectoryAdmin, PhoneConfig, Table};
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::connection::Role;
use crate::directory::{PostgresDirectory, checked, column, lines, settings_table, utc_offset};
use crate::error::{Effect, Fault};

type Result<T> = std::result::Result<T, Fault<AdminError>>;
type Done = std::result::Result<(), AdminError>;

const PHONE: &str = "INSERT INTO phone
        (group_name, device, locale, utc_offset_min, softkey_template, device_pool)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (group_name, device) DO UPDATE SET locale = excluded.locale,
        utc_offset_min = excluded.utc_offset_min, softkey_template = excluded.softkey_template,
        device_pool = excluded.device_pool";

const APPEARANCES: &str = "INSERT INTO appearance AS a (group_name, device, partition_name, dn, button)
    SELECT $1, $2, partition_name, dn, button
    FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS given (partition_name, dn, button)
    ON CONFLICT (group_name, device, partition_name, dn) DO UPDATE SET button = excluded.button
        WHERE a.button <> excluded.button";

const FORMER_APPEARANCES: &str = "DELETE FROM appearance WHERE group_name = $1 AND device = $2
    AND (partition_name, dn) NOT IN (SELECT p, d FROM unnest($3::text[], $4::text[]) AS given (p, d))";

const PHONES: &str = "SELECT device, locale, utc_offset_min, softkey_template, device_pool,
        ARRAY(SELECT partition_name FROM appearance AS a WHERE a.group_name = phone.group_name
            AND a.device = phone.device ORDER BY button, partition_name, dn),
        ARRAY(SELECT dn FROM appearance AS a WHERE a.group_name = phone.group_name
            AND a.device = phone.device ORDER BY button, partition_name, dn)
    FROM phone WHERE group_name = $1 ORDER BY device";

/// Takes the turn among all who write the directory: what is looked at from here on stays so until the commit.
const TURN: &str = "SELECT 1 FROM change_log_start FOR UPDATE";

type Values<'a> = [&'a (dyn ToSql + Sync)];

/// A transaction that writes the directory.
struct Change<'a>(&'a Transaction<'a>);

impl Change<'_> {
    /// Carries out a statement, and tells how many rows it changed.
    async fn execute(&self, sql: &str, values: &Values<'_>) -> Result<u64> {
        let statement = self.0.prepare_cached(sql).await.map_err(|error| fault(&error))?;
        self.0.execute(&statement, values).await.map_err(|error| fault(&error))
    }

    async fn exists(&self, sql: &str, values: &Values<'_>) -> Result<bool> {
        Ok(self.execute(sql, values).await? > 0)
    }

    async fn require_template(&self, group: &str, name: Option<&str>) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        let known = "SELECT 1 FROM softkey_template WHERE group_name = $1 AND name = $2";
        self.require("softkey template", known, &[&group, &name]).await
    }

    async fn require(&self, what: &'static str, known: &str, key: &Values<'_>) -> Result<()> {
        if self.exists(known, key).await? {
            return Ok(());
        }
        Err(Fault::Refused(AdminError::Unknown { what }))
    }
}

/// Of a statement before the commit: nothing was changed.
fn fault(error: &tokio_postgres::Error) -> Fault<AdminError> {
    Fault::of(Effect::None, error)
}

impl PostgresDirectory {
    async fn change(&self, change: impl AsyncFnOnce(Change<'_>) -> Result<()>) -> Done {
        let write = async |transaction: &Transaction<'_>| {
            let begun = Change(transaction);
            begun.execute(TURN, &[]).await?;
            change(begun).await
        };
        Ok(self.connections.transact(Role::Work, write).await?)
    }

    /// Sets one column of a line's settings.
    async fn set_line(&self, group: &Group, line: &LineId, name: &str, value: Option<&str>) -> Done {
        let (group, partition, dn) = (group.as_str(), line.partition.as_str(), line.dn.as_str());
        let upsert = format!(
            "INSERT INTO line_setting (group_name, partition_name, dn, {name}) VALUES ($1, $2, $3, $4)
             ON CONFLICT (group_name, partition_name, dn) DO UPDATE SET {name} = excluded.{name}"
        );
        self.change(async |change| {
            let known = "SELECT 1 FROM appearance WHERE group_name = $1 AND partition_name = $2 AND dn = $3";
            change.require("line", known, &[&group, &partition, &dn]).await?;
            change.execute(&upsert, &[&group, &partition, &dn, &value]).await.map(drop)
        })
        .await
    }
}

fn config(row: &Row) -> Result<PhoneConfig> {
    let device = checked("phone", "device", DeviceName::new(column::<String, _>(row, 0)?))?;
    Ok(PhoneConfig {
        locale: checked("phone", "locale", Locale::new(column::<String, _>(row, 1)?))?,
        utc_offset: utc_offset(row, 2)?,
        template: column(row, 3)?,
        pool: column(row, 4)?,
        ..PhoneConfig::new(device, lines(row, 5)?)
    })
}

#[async_trait]
impl DirectoryAdmin for PostgresDirectory {
    async fn put_phone(&self, group: &Group, phone: &PhoneConfig) -> Done {
        let wanted: BTreeSet<&LineId> = phone.lines.iter().collect();
        if wanted.len() < phone.lines.len() {
            return Err(AdminError::DuplicateLine);
        }
        let (group, device) = (group.as_str(), phone.device.as_str());
        let partitions: Vec<&str> = phone.lines.iter().map(|line| line.partition.as_str()).collect();
        let numbers: Vec<&str> = phone.lines.iter().map(|line| line.dn.as_str()).collect();
        let (locale, offset) = (phone.locale.as_str(), phone.utc_offset.minutes());
        self.change(async |change| {
            change.require_template(group, phone.template.as_deref()).await?;
            if let Some(pool) = &phone.pool {
                let known = "SELECT 1 FROM device_pool WHERE group_name = $1 AND name = $2";
                change.require("device pool", known, &[&group, pool]).await?;
            }
            let row: &Values<'_> = &[&group, &device, &locale, &offset, &phone.template, &phone.pool];
            change.execute(PHONE, row).await?;
            let lines: &Values<'_> = &[&group, &device, &partitions, &numbers];
            change.execute(APPEARANCES, lines).await?;
            // After the new ones: a line that stays must not lose its settings.
            change.execute(FORMER_APPEARANCES, lines).await.map(drop)
        })
        .await
    }

    async fn remove_phone(&self, group: &Group, device: &DeviceName) -> Done {
        self.change(async |change| {
            // Its lines go with it.
            let remove = "DELETE FROM phone WHERE group_name = $1 AND device = $2";
            change.execute(remove, &[&group.as_str(), &device.as_str()]).await.map(drop)
        })
        .await
    }

    async fn put_template(&self, group: &Group, name: &str, has_callback: bool) -> Done {
        self.change(async |change| {
            let put = "INSERT INTO softkey_template (group_name, name, has_callback) VALUES ($1, $2, $3)
                ON CONFLICT (group_name, name) DO UPDATE SET has_callback = excluded.has_callback";
            change.execute(put, &[&group.as_str(), &name, &has_callback]).await.map(drop)
        })
        .await
    }

    async fn remove_template(&self, group: &Group, name: &str) -> Done {
        let users = [
            ("phones", "SELECT 1 FROM phone WHERE group_name = $1 AND softkey_template = $2 LIMIT 1"),
            (
                "device pools",
                "SELECT 1 FROM device_pool WHERE group_name = $1 AND softkey_template = $2 LIMIT 1",
            ),
        ];
        let group = group.as_str();
        self.change(async |change| {
            for (used_by, query) in users {
                if change.exists(query, &[&group, &name]).await? {
                    return Err(Fault::Refused(AdminError::InUse { what: "softkey template", used_by }));
                }
            }
            let remove = "DELETE FROM softkey_template WHERE group_name = $1 AND name = $2";
            change.execute(remove, &[&group, &name]).await.map(drop)
        })
        .await
    }

    async fn put_pool(&self, group: &Group, name: &str, template: Option<&str>) -> Done {
        let group = group.as_str();
        self.change(async |change| {
            change.require_template(group, template).await?;
            let put = "INSERT INTO device_pool (group_name, name, softkey_template) VALUES ($1, $2, $3)
                ON CONFLICT (group_name, name) DO UPDATE SET softkey_template = excluded.softkey_template";
            change.execute(put, &[&group, &name, &template]).await.map(drop)
        })
        .await
    }

    async fn set_forward_all(&self, group: &Group, line: &LineId, to: Option<&DirectoryNumber>) -> Done {
        self.set_line(group, line, "forwards_all_to", to.map(DirectoryNumber::as_str)).await
    }

    async fn set_display_name(&self, group: &Group, line: &LineId, name: Option<&str>) -> Done {
        self.set_line(group, line, "display_name", name).await
    }

    async fn set_do_not_disturb(&self, group: &Group, device: &DeviceName, on: bool) -> Done {
        self.change(async |change| {
            let set = "UPDATE phone SET do_not_disturb = $3 WHERE group_name = $1 AND device = $2";
            match change.execute(set, &[&group.as_str(), &device.as_str(), &on]).await? {
                0 => Err(Fault::Refused(AdminError::Unknown { what: "phone" })),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn set_parameter(&self, group: &Group, name: &str, value: Option<&str>) -> Done {
        self.set_setting(group, Table::Parameter, name, value).await
    }

    async fn set_setting(&self, group: &Group, table: Table, name: &str, value: Option<&str>) -> Done {
        let Some(rows) = settings_table(table) else { return Err(AdminError::NoSettings(table)) };
        let group = group.as_str();
        let put = format!(
            "INSERT INTO {rows} (group_name, name, value) VALUES ($1, $2, $3)
             ON CONFLICT (group_name, name) DO UPDATE SET value = excluded.value"
        );
        let remove = format!("DELETE FROM {rows} WHERE group_name = $1 AND name = $2");
        self.change(async |change| {
            match value {
                Some(value) => change.execute(&put, &[&group, &name, &value]).await,
                None => change.execute(&remove, &[&group, &name]).await,
            }
            .map(drop)
        })
        .await
    }

    async fn phones(&self, group: &Group) -> std::result::Result<Vec<PhoneConfig>, AdminError> {
        let rows = self.read(PHONES, &[&group.as_str()]).await?;
        Ok(rows.iter().map(config).collect::<Result<_>>()?)
    }
}
