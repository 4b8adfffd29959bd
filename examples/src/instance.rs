//! One instance of the service as a process.

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::election::Member;
use ringback::model::{Group, Millis};
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::TracingSink;
use ringback::{Config, OnParameters, Ports, Service};
use ringback_db_sqlite::Presence;
use ringback_peer::{Credentials, PeerError, PeerLinks, Security};
use ringback_sim::CallManagerConfig;
use tokio::signal::unix::{SignalKind, signal};

use crate::database::{Database, Options, Place};
use crate::peers::{Signs, tell_of_deaths};
use crate::stage::Failure;

/// What an instance is told when it is started.
#[derive(Debug, Args)]
pub struct Terms {
    /// The folder that the instances of this machine share.
    pub folder: PathBuf,
    /// The database: a file, or `postgres://...`.
    #[arg(value_parser = |text: &str| Ok::<_, Infallible>(Place::from(text)))]
    pub database: Place,
    /// The instance's address.
    pub address: IpAddr,
    /// The CTIManager.
    pub cti: String,
    /// The port at which the instances are linked; without it they see each other's locks in the folder. At an address
    /// that other machines reach, the folder has their certificates (`Terms::credentials`).
    #[arg(long)]
    pub peers: Option<u16>,
}

impl Terms {
    /// These terms as the arguments that they are read from.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let database = match &self.database {
            Place::File(path) => path.clone().into_os_string(),
            Place::Server(server) => server.into(),
        };
        let mut arguments = vec![
            self.folder.clone().into(),
            database,
            self.address.to_string().into(),
            self.cti.clone().into(),
        ];
        arguments.extend(self.peers.map(|port| format!("--peers={port}").into()));
        arguments
    }

    /// Where the certificate of the instance at this address is, and what goes with it.
    #[must_use]
    pub fn credentials(folder: &Path, address: IpAddr) -> Credentials {
        Credentials {
            authority: folder.join("authority.pem"),
            certificate: folder.join(format!("{address}.pem")),
            key: folder.join(format!("{address}.key")),
        }
    }

    async fn links(&self, me: Member) -> Result<Option<PeerLinks>, PeerError> {
        let Some(port) = self.peers else { return Ok(None) };
        let mut config = ringback_peer::Config::default();
        config.port = port;
        if !self.address.is_loopback() {
            config.security = Security::MutualTls(Self::credentials(&self.folder, self.address));
        }
        PeerLinks::open(me, config).await.map(Some)
    }
}

/// Runs until SIGTERM, then stops in good order.
///
/// # Errors
/// It cannot begin; says why.
pub async fn run(terms: Terms, on_parameters: Option<OnParameters>) -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    let database = Database::open(&terms.database, &Options::default()).await?;
    let mut config = Config::new(terms.address, incarnation());
    // Before the first report: whoever is found in the registry can be watched.
    let links = terms.links(config.member).await?.map(Arc::new);
    let presence = match &links {
        Some(_) => None,
        // A former run at this address is dead.
        None => Some(Presence::hold(&terms.folder, &config.member)?),
    };
    config.exclusive = true;

    let group = Group::default();
    let login = CallManagerConfig::default();
    let mut client = ClientConfig::new(vec![Manager::new("cti1", terms.cti)], login.user, login.password);
    // Paused again and again, it sees links lost soon after they came up, and would try ever later.
    client.retry_limit = Millis(1000);
    let registry = database.registry();
    let ports = Ports {
        provider: Box::new(ClientProvider::new(client, Arc::new(TcpConnector))?),
        directory: database.directory(),
        feed: Some(database.feed(&group)),
        store: database.store(),
        registry: Arc::clone(&registry),
        renderer: Arc::new(XmlRenderer::default()),
        alarms: Arc::new(TracingSink),
        on_parameters,
        on_settings: None,
    };
    let (service, handle) = Service::new(config, ports)?;
    let signs = Signs { locks: presence.is_some().then_some(terms.folder), links: links.clone() };
    let deaths = tell_of_deaths(signs, handle.clone());
    let service = service.run();
    tokio::pin!(service, deaths);
    loop {
        tokio::select! {
            () = &mut service => break,
            () = &mut deaths => {}
            _ = terminated.recv() => handle.stop(),
        }
    }
    // It has stopped acting: to the others, this is its death.
    drop((presence, links));
    Ok(())
}

/// Different for every run: two runs at one address do not start in the same nanosecond.
#[expect(clippy::disallowed_methods, reason = "names a run, and decides nothing")]
pub(crate) fn incarnation() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) ^ u64::from(std::process::id()).rotate_left(40)
}
