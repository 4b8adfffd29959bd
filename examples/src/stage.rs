//! What the measurements with several processes have in common: a simulated call manager whose CTIManager is reached over
//! TCP, a database file, and this program started again as an instance of the service.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ringback::cti_net::bind;
use ringback::db::{DirectoryAdmin, PhoneConfig, RequestStore};
use ringback::model::{DeviceName, DirectoryNumber, Group, LineId, Partition};
use ringback_db_sqlite::{Options, SqliteDatabase};
use ringback_sim::{CallManager, CallManagerConfig, PhoneSetup};
use tokio::time::timeout;

/// Why a measurement cannot go on.
pub type Failure = Box<dyn std::error::Error>;

/// Only what hangs takes so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The call manager and the database.
pub struct Stage {
    folder: PathBuf,
    cti: String,
    /// As this process sees it.
    pub database: SqliteDatabase,
    /// It runs until the program ends.
    pub call_manager: CallManager,
}

impl Stage {
    /// An empty one, with its database in this folder.
    ///
    /// # Errors
    /// The database or a port cannot be used.
    pub async fn set_up(folder: &Path) -> Result<Self, Failure> {
        let database = SqliteDatabase::open(folder.join("ringback.db"), Options::default()).await?;
        let start = database.store().now().await?;
        let call_manager = CallManager::new(CallManagerConfig { start, ..CallManagerConfig::default() });
        drop(call_manager.spawn_timers());
        let listener = bind("127.0.0.1:0").await?;
        let cti = listener.local_addr()?.to_string();
        let manager = call_manager.cti_manager("cti1");
        // It serves until the program ends.
        drop(tokio::spawn(async move { manager.listen(listener).await }));
        Ok(Self { folder: folder.to_owned(), cti, database, call_manager })
    }

    /// A phone in the database and at the call manager.
    ///
    /// # Errors
    /// It cannot be written, or exists.
    pub async fn add_phone(&self, device: DeviceName, line: LineId) -> Result<(), Failure> {
        let phone = PhoneConfig::new(device.clone(), vec![line.clone()]);
        self.database.directory().put_phone(&Group::default(), &phone).await?;
        self.call_manager.add_phone(PhoneSetup { device, lines: vec![line], calls_per_line: 1 })?;
        Ok(())
    }

    /// This program, to be started as an instance: `instance FOLDER ADDRESS CTIMANAGER`.
    ///
    /// # Errors
    /// The system does not tell where this program is.
    pub fn instance(&self, address: IpAddr) -> Result<Command, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("instance").arg(&self.folder).arg(address.to_string()).arg(&self.cti);
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// Waits for something that the call manager shows.
    ///
    /// # Errors
    /// It was waited for in vain.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
        let mut changed = self.call_manager.changed();
        let wait = async {
            while !holds() {
                // The call manager lives as long as this.
                let _ = changed.changed().await;
            }
        };
        timeout(PATIENCE, wait).await.map_err(|_| format!("waited in vain for {what}").into())
    }
}

/// A phone's name and its line.
///
/// # Errors
/// There can be no such phone.
pub fn phone(device: &str, number: &str) -> Result<(DeviceName, LineId), Failure> {
    Ok((DeviceName::new(device)?, LineId::new(Partition::default(), DirectoryNumber::new(number)?)))
}
