//! A group of the registry as rows. Column names are those of `migrations/V2__registry.sql`.

use std::net::IpAddr;

use ringback_election::{Incarnation, Lease, Ledger, Member, Presence, RegistryError};
use ringback_model::{Epoch, Group, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::error::Fault;
use crate::record::stored;

type Result<T> = std::result::Result<T, Fault<RegistryError>>;

const GROUP: &str = "registry_group";
const MEMBER: &str = "registry_member";

const SAVE_GROUP: &str = "INSERT OR REPLACE INTO registry_group
    (group_name, at_ms, revision, epoch, lease_address, lease_incarnation, lease_started_ms, lease_epoch,
     lease_granted_ms, lease_expires_ms, lease_released)
    VALUES (:group, :at, :revision, :epoch, :address, :incarnation, :started, :lease_epoch, :granted, :expires,
     :released)";

const SAVE_MEMBER: &str = "INSERT INTO registry_member
    (group_name, address, incarnation, started_ms, joined_ms, until_ms, ready)
    VALUES (:group, :address, :incarnation, :started, :joined, :until, :ready)";

pub(crate) fn load(connection: &Connection, group: &Group) -> Result<Ledger> {
    let mut ledger = connection
        .prepare_cached("SELECT * FROM registry_group WHERE group_name = ?1")?
        .query_row([group.as_str()], |row| Ok(head(row)))
        .optional()?
        .transpose()?
        .unwrap_or_default();
    let mut statement = connection.prepare_cached("SELECT * FROM registry_member WHERE group_name = ?1")?;
    let mut rows = statement.query([group.as_str()])?;
    while let Some(row) = rows.next()? {
        let member = Member {
            address: address(MEMBER, "address", &row.get::<_, String>("address")?)?,
            incarnation: Incarnation(row.get::<_, i64>("incarnation")?.cast_unsigned()),
            started: moment(MEMBER, "started_ms", row.get("started_ms")?)?,
        };
        let presence = Presence {
            member,
            joined: moment(MEMBER, "joined_ms", row.get("joined_ms")?)?,
            until: moment(MEMBER, "until_ms", row.get("until_ms")?)?,
            ready: row.get("ready")?,
        };
        ledger.members.insert(member.address, presence);
    }
    Ok(ledger)
}

/// All but the members.
fn head(row: &Row<'_>) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    ledger.at = moment(GROUP, "at_ms", row.get("at_ms")?)?;
    ledger.revision = number(GROUP, "revision", row.get("revision")?)?;
    ledger.epoch = Epoch(number(GROUP, "epoch", row.get("epoch")?)?);
    let Some(holder) = row.get::<_, Option<String>>("lease_address")? else { return Ok(ledger) };
    ledger.lease = Some(Lease {
        holder: Member {
            address: address(GROUP, "lease_address", &holder)?,
            incarnation: Incarnation(row.get::<_, i64>("lease_incarnation")?.cast_unsigned()),
            started: moment(GROUP, "lease_started_ms", row.get("lease_started_ms")?)?,
        },
        epoch: Epoch(number(GROUP, "lease_epoch", row.get("lease_epoch")?)?),
        granted: moment(GROUP, "lease_granted_ms", row.get("lease_granted_ms")?)?,
        expires: moment(GROUP, "lease_expires_ms", row.get("lease_expires_ms")?)?,
        released: row.get("lease_released")?,
    });
    Ok(ledger)
}

/// What the file still holds as it was before is not written again.
pub(crate) fn save(connection: &Connection, group: &Group, before: &Ledger, ledger: &Ledger) -> Result<()> {
    save_head(connection, group, ledger)?;
    for (address, presence) in &before.members {
        if ledger.members.get(address) != Some(presence) {
            connection
                .prepare_cached("DELETE FROM registry_member WHERE group_name = ?1 AND address = ?2")?
                .execute((group.as_str(), address.to_string()))?;
        }
    }
    for (address, presence) in &ledger.members {
        if before.members.get(address) == Some(presence) {
            continue;
        }
        // Taken apart whole, so that a new field cannot be forgotten here.
        let Presence { member: Member { address, incarnation, started }, joined, until, ready } = presence;
        connection.prepare_cached(SAVE_MEMBER)?.execute(named_params! {
            ":group": group.as_str(),
            ":address": address.to_string(),
            ":incarnation": incarnation.0.cast_signed(),
            ":started": stored(MEMBER, "started_ms", started.0)?,
            ":joined": stored(MEMBER, "joined_ms", joined.0)?,
            ":until": stored(MEMBER, "until_ms", until.0)?,
            ":ready": ready,
        })?;
    }
    Ok(())
}

fn save_head(connection: &Connection, group: &Group, ledger: &Ledger) -> Result<()> {
    let lease = ledger.lease.as_ref();
    let time = |column, at: Option<Timestamp>| at.map(|at| stored(GROUP, column, at.0)).transpose();
    connection.prepare_cached(SAVE_GROUP)?.execute(named_params! {
        ":group": group.as_str(),
        ":at": stored(GROUP, "at_ms", ledger.at.0)?,
        ":revision": stored(GROUP, "revision", ledger.revision)?,
        ":epoch": stored(GROUP, "epoch", ledger.epoch.0)?,
        ":address": lease.map(|lease| lease.holder.address.to_string()),
        ":incarnation": lease.map(|lease| lease.holder.incarnation.0.cast_signed()),
        ":started": time("lease_started_ms", lease.map(|lease| lease.holder.started))?,
        ":lease_epoch": lease.map(|lease| stored(GROUP, "lease_epoch", lease.epoch.0)).transpose()?,
        ":granted": time("lease_granted_ms", lease.map(|lease| lease.granted))?,
        ":expires": time("lease_expires_ms", lease.map(|lease| lease.expires))?,
        ":released": lease.map(|lease| lease.released),
    })?;
    Ok(())
}

fn address(table: &str, column: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Fault::invalid(table, column, "it is no IP address"))
}

fn number(table: &str, column: &str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Fault::invalid(table, column, "it is negative"))
}

pub(crate) fn moment(table: &str, column: &str, value: i64) -> Result<Timestamp> {
    number(table, column, value).map(Timestamp)
}
