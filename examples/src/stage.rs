//! What the measurements with several processes have in common: a simulated call manager whose CTIManager is reached over
//! TCP, a database, and this program started again as an instance of the service.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use ringback::cti_net::bind;
use ringback::db::PhoneConfig;
use ringback::model::{DeviceName, DirectoryNumber, Group, LineId, Partition};
use ringback_postgres_lab::{Durability, Postgres, Server};
use ringback_sim::{CallManager, CallManagerConfig, PhoneSetup};
use tokio::time::timeout;

use crate::database::{Database, Options, Place};
use crate::instance::{Served, Terms};
use crate::network::Network;
use crate::witness::Witness;

/// Why a measurement cannot go on.
pub type Failure = Box<dyn std::error::Error>;

/// Only what hangs takes so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the directory, the requests and the lease of a measurement are kept.
#[derive(Debug, Clone)]
pub enum Store {
    /// `sqlite`: in one file.
    Sqlite,
    /// `postgres`: on a server of this machine that is started for this, as durable as in production.
    Postgres,
    /// `postgres://...`: in this database, which is empty.
    Database(String),
}

impl FromStr for Store {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (Place::from(text), text) {
            (Place::Server(address), _) => Ok(Self::Database(address)),
            (_, "sqlite") => Ok(Self::Sqlite),
            (_, "postgres") => Ok(Self::Postgres),
            _ => Err("expected sqlite, postgres, or an address: postgres://..."),
        }
    }
}

impl Store {
    fn place(&self, folder: &Path, network: Option<&Network>) -> Result<(Place, Option<Server>), Failure> {
        Ok(match self {
            Self::Sqlite if network.is_some() => return Err("a file is not shared by several hosts".into()),
            Self::Sqlite => (Place::File(folder.join("ringback.db")), None),
            Self::Database(address) => (Place::Server(address.clone()), None),
            Self::Postgres => {
                // Functions are counted for `Witness::lease_calls`.
                let settings = ["listen_addresses=*", "track_functions=pl"];
                let server = Server::start_with(&Postgres::find()?, Durability::Full, &settings)?;
                let mut database = server.fresh_database()?;
                if let Some(network) = network {
                    server.admit(&network.range())?;
                    database = database
                        .replace(&server.address().ip().to_string(), &network.own_address().to_string());
                }
                (Place::Server(database), Some(server))
            }
        })
    }
}

/// The call manager and the database.
pub struct Stage {
    folder: PathBuf,
    place: Place,
    /// Started for this.
    server: Option<Server>,
    cti: String,
    /// What instances serve, if it is more than the group without a name.
    groups: Vec<Served>,
    /// The port at which instances are linked, if they are thought to be on several machines.
    peers: Option<u16>,
    network: Option<Network>,
    /// As this process sees it.
    pub database: Database,
    /// It runs until the program ends.
    pub call_manager: CallManager,
}

impl Stage {
    /// An empty one, with this folder for what its instances share.
    ///
    /// # Errors
    /// The database or a port cannot be used.
    pub async fn set_up(folder: &Path, store: &Store, network: Option<Network>) -> Result<Self, Failure> {
        let host = network.as_ref().map_or(Ipv4Addr::LOCALHOST, Network::own_address);
        let (place, server) = store.place(folder, network.as_ref())?;
        let database = Database::open(&place, &Options::default()).await?;
        let (call_manager, cti) = call_manager(&database, host).await?;
        // Below the ports that the system gives to connections, and another for each measurement that goes on.
        let is_server = matches!(place, Place::Server(_));
        let peers = is_server.then(|| 20_000 + u16::try_from(std::process::id() % 10_000).unwrap_or(0));
        Ok(Self {
            folder: folder.to_owned(),
            place,
            server,
            cti,
            groups: Vec::new(),
            peers,
            network,
            database,
            call_manager,
        })
    }

    /// Where the CTIManager is.
    #[must_use]
    pub fn cti(&self) -> &str {
        &self.cti
    }

    /// Another call manager, whose group is served by these instances; the group without a name is served no more.
    ///
    /// # Errors
    /// A port cannot be used.
    pub async fn add_group(&mut self, group: Group, candidates: Vec<IpAddr>) -> Result<CallManager, Failure> {
        let host = self.network.as_ref().map_or(Ipv4Addr::LOCALHOST, Network::own_address);
        let (call_manager, cti) = call_manager(&self.database, host).await?;
        self.groups.push(Served { group, cti, candidates });
        Ok(call_manager)
    }

    /// A phone in the database and at the call manager.
    ///
    /// # Errors
    /// It cannot be written, or exists.
    pub async fn add_phone(&self, device: DeviceName, line: LineId) -> Result<(), Failure> {
        self.add_phone_in(&Group::default(), &self.call_manager, device, line).await
    }

    /// The same in the group of another call manager.
    ///
    /// # Errors
    /// It cannot be written, or exists.
    pub async fn add_phone_in(
        &self,
        group: &Group,
        call_manager: &CallManager,
        device: DeviceName,
        line: LineId,
    ) -> Result<(), Failure> {
        let phone = PhoneConfig::new(device.clone(), vec![line.clone()]);
        self.database.admin().put_phone(group, &phone).await?;
        call_manager.add_phone(PhoneSetup { device, lines: vec![line], calls_per_line: 1 })?;
        Ok(())
    }

    /// What the server has seen; only one that was started for this tells.
    #[must_use]
    pub fn witness(&self) -> Option<Witness<'_>> {
        match (&self.server, &self.place) {
            (Some(server), Place::Server(database)) => Some(Witness { server, database }),
            _ => None,
        }
    }

    /// This program, to be started as an instance with its [`Terms`]; on a host of its own, if there is a network.
    ///
    /// # Errors
    /// The system does not tell where this program is.
    pub fn instance(&self, address: IpAddr) -> Result<Command, Failure> {
        let program = std::env::current_exe()?;
        let mut command = match &self.network {
            Some(network) => network.command(address, &program)?,
            None => Command::new(program),
        };
        let (folder, database) = (self.folder.clone(), self.place.clone());
        let serves = |served: &&Served| served.candidates.is_empty() || served.candidates.contains(&address);
        let groups = self.groups.iter().filter(serves).cloned().collect();
        let terms = Terms { folder, database, address, cti: self.cti.clone(), peers: self.peers, groups };
        command.arg("instance").args(terms.arguments()).stdin(Stdio::null());
        Ok(command)
    }

    /// The network between the instances and everything else, if there is one that can be cut.
    #[must_use]
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// Waits for something that the call manager shows.
    ///
    /// # Errors
    /// It was waited for in vain.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
        until(&self.call_manager, what, holds).await
    }
}

/// Waits for something that a call manager shows.
///
/// # Errors
/// It was waited for in vain.
pub async fn until(call_manager: &CallManager, what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
    let mut changed = call_manager.changed();
    let wait = async {
        while !holds() {
            // The call manager lives as long as this.
            let _ = changed.changed().await;
        }
    };
    timeout(PATIENCE, wait).await.map_err(|_| format!("waited in vain for {what}").into())
}

/// A call manager, and the address of its CTIManager. They run until the program ends.
async fn call_manager(database: &Database, host: Ipv4Addr) -> Result<(CallManager, String), Failure> {
    let start = database.store().now().await?;
    let call_manager = CallManager::new(CallManagerConfig { start, ..CallManagerConfig::default() });
    drop(call_manager.spawn_timers());
    let listener = bind(&format!("{host}:0")).await?;
    let cti = listener.local_addr()?.to_string();
    let manager = call_manager.cti_manager("cti1");
    drop(tokio::spawn(async move { manager.listen(listener).await }));
    Ok((call_manager, cti))
}

/// A phone's name and its line.
///
/// # Errors
/// There can be no such phone.
pub fn phone(device: &str, number: &str) -> Result<(DeviceName, LineId), Failure> {
    Ok((DeviceName::new(device)?, LineId::new(Partition::default(), DirectoryNumber::new(number)?)))
}
