use std::process::Command;
use std::time::Duration;

use ringback_server_lab::LabError;

use crate::postgres::{SUPERUSER, output};
use crate::server::{Durability, Server};

/// A server that copies another one, and takes its place.
impl Server {
    /// Starts a standby of this server, and waits until it copies.
    ///
    /// # Errors
    /// It cannot be made, or does not start.
    pub fn standby(&self) -> Result<Self, LabError> {
        let postgres = &self.postgres;
        let standby = Self::launch(postgres, Durability::None, &[], |data| {
            let words = postgres.as_user(postgres.program("pg_basebackup"));
            let place = format!("postgres://{SUPERUSER}@{}", self.address());
            let options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"];
            let mut copy = Command::new(&words[0]);
            copy.args(&words[1..]).args(options).arg("--dbname").arg(place).arg("--pgdata").arg(data);
            output(&mut copy).map(drop)
        })?;
        self.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")?;
        Ok(standby)
    }

    /// From now on it confirms only what a standby has, too (`synchronous_standby_names`), or no more.
    ///
    /// # Errors
    /// What the server says.
    pub fn wait_for_standby(&self, waits: bool) -> Result<(), LabError> {
        let names = if waits { "*" } else { "" };
        self.set("synchronous_standby_names", names)?;
        let wanted = if waits { "sync" } else { "async" };
        self.until(&format!("SELECT bool_and(sync_state = '{wanted}') FROM pg_stat_replication"))
    }

    /// A standby copies no more, and does not know that it lags.
    ///
    /// # Errors
    /// What the server says.
    pub fn stop_copying(&self) -> Result<(), LabError> {
        self.set("primary_conninfo", "")?;
        self.until("SELECT count(*) = 0 FROM pg_stat_wal_receiver")
    }

    /// A standby becomes a server of its own.
    ///
    /// # Errors
    /// What the server says.
    pub fn promote(&self) -> Result<(), LabError> {
        self.sql(&self.database("postgres"), "SELECT pg_promote()").map(drop)
    }

    fn set(&self, name: &str, value: &str) -> Result<(), LabError> {
        let database = self.database("postgres");
        self.sql(&database, &format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.sql(&database, "SELECT pg_reload_conf()").map(drop)
    }

    /// Asks until it is so.
    fn until(&self, condition: &str) -> Result<(), LabError> {
        for _ in 0..3000 {
            if self.sql(&self.database("postgres"), condition)? == "t" {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(LabError::Program { program: "postgres".to_owned(), said: format!("never: {condition}") })
    }
}
