use std::sync::OnceLock;
use std::time::SystemTime;

use ringback_election::RegistryError;
use ringback_model::{Millis, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::error::Fault;
use crate::ledger::moment;
use crate::record::stored;

type Result<T> = std::result::Result<T, Fault<RegistryError>>;

/// How long the machine has run. All its processes measure it alike, it stands still with them while the machine sleeps,
/// and nobody can set it.
#[derive(Debug, Clone, Copy)]
struct Uptime {
    /// Which run of the machine.
    boot: &'static str,
    ms: i64,
}

#[cfg(target_os = "linux")]
fn uptime() -> Option<Uptime> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let boot = BOOT.get_or_init(|| read().map(|id| id.trim().to_owned())).as_deref()?;
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Some(Uptime { boot, ms: time.tv_sec.checked_mul(1000)?.checked_add(time.tv_nsec / 1_000_000)? })
}

#[cfg(not(target_os = "linux"))]
fn uptime() -> Option<Uptime> {
    None
}

const ANCHOR: &str = "SELECT boot_id, uptime_ms, at_ms FROM registry_clock";

const LATEST: &str = "SELECT max(at) FROM (SELECT max(at_ms) AS at FROM registry_group
    UNION ALL SELECT max(at_ms) FROM registry_clock)";

/// What the time is by the registry's own clock: what it was when the file was first used in this run of the machine, and
/// what has passed since.
pub(crate) fn now(connection: &Connection) -> Result<Timestamp> {
    let Some(uptime) = uptime() else { return anew(connection) };
    let anchor: Option<(String, i64, i64)> = connection
        .prepare_cached(ANCHOR)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match anchor {
        Some((boot, since, at)) if boot == uptime.boot => {
            moment("registry_clock", "at_ms", at.saturating_add(uptime.ms.saturating_sub(since).max(0)))
        }
        _ => anew(connection),
    }
}

/// As [`now`], and makes all later ones follow from it.
pub(crate) fn anchored(connection: &Connection) -> Result<Timestamp> {
    let now = now(connection)?;
    if let Some(uptime) = uptime() {
        connection
            .prepare_cached(
                "INSERT INTO registry_clock (only_row, boot_id, uptime_ms, at_ms) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (only_row) DO UPDATE
                 SET boot_id = excluded.boot_id, uptime_ms = excluded.uptime_ms, at_ms = excluded.at_ms
                 WHERE boot_id <> excluded.boot_id",
            )?
            .execute((uptime.boot, uptime.ms, stored("registry_clock", "at_ms", now.0)?))?;
    }
    Ok(now)
}

/// The wall clock, but not before the latest moment seen.
fn anew(connection: &Connection) -> Result<Timestamp> {
    let latest: Option<i64> = connection.prepare_cached(LATEST)?.query_row([], |row| row.get(0))?;
    Ok(wall_clock().max(moment("registry_group", "at_ms", latest.unwrap_or_default())?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::connection::Connections;

    /// The time is one for all connections, goes on from the latest moment after a restart of the machine, and never goes
    /// back.
    #[tokio::test]
    async fn it_goes_on_from_the_latest_moment() {
        let connections = Connections::open_in_memory().unwrap();
        let anchor = |sql: &'static str| {
            connections.write(move |connection| {
                connection.execute_batch(sql)?;
                anchored(connection)
            })
        };
        let first = anchor("").await.unwrap();
        assert!(first >= Timestamp(1_600_000_000_000), "{first}");
        let far = Timestamp(99_000_000_000_000);
        // The wall clock is behind what the file has seen, as after a restart with an empty battery.
        let restarted = "UPDATE registry_clock SET boot_id = 'former', at_ms = 99000000000000";
        let second = anchor(restarted).await.unwrap();
        assert!(second >= far, "{second}");
        let third = connections.read(|connection| now(connection)).await.unwrap();
        assert!(third >= second && third.since(second).0 < 60_000, "{second} {third}");
    }
}

/// The one place where time comes from: SQLite has no clock of its own that would be better.
#[expect(clippy::disallowed_methods, reason = "the clock of the store, to which every other is anchored")]
pub(crate) fn wall_clock() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(Millis::from(since_1970).0)
}
