//! One instance of the service as a process, for one group or several.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::election::{Member, Registry};
use ringback::model::{Group, Millis, Timestamp};
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::TracingSink;
use ringback::{Config, Handle, OnParameters, Ports, Service, SharedRegistry};
use ringback_db_sqlite::Presence;
use ringback_peer::{Credentials, PeerError, PeerLinks, Security};
use ringback_sim::CallManagerConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::database::{Database, Options, Place};
use crate::peers::{Signs, tell_groups_of_deaths};
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
    /// A group that is served, once for each; without one it is the one without a name, at the CTIManager above.
    #[arg(long = "group")]
    pub groups: Vec<Served>,
}

/// A group that an instance serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The group.
    pub group: Group,
    /// The CTIManager of its call manager.
    pub cti: String,
    /// The instances that serve it; none: all.
    pub candidates: Vec<IpAddr>,
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.group.as_str(), self.cti)?;
        self.candidates.iter().try_for_each(|candidate| write!(f, ",{candidate}"))
    }
}

impl FromStr for Served {
    type Err = String;

    /// `GROUP,CTI-MANAGER,CANDIDATE,...`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(',');
        let (Some(group), Some(cti)) = (parts.next(), parts.next()) else {
            return Err("expected GROUP,CTI-MANAGER,CANDIDATE,...".to_owned());
        };
        let address = |text: &str| text.parse().map_err(|_| format!("{text} is no IP address"));
        let candidates = parts.map(address).collect::<Result<_, _>>()?;
        let group = Group::new(group).map_err(|error| error.to_string())?;
        Ok(Self { group, cti: cti.to_owned(), candidates })
    }
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
        arguments.extend(self.groups.iter().map(|served| format!("--group={served}").into()));
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
pub async fn run(terms: Terms, mut on_parameters: Option<OnParameters>) -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    let database = Database::open(&terms.database, &Options::default()).await?;
    let mut config = this_run(terms.address);
    // Before the first report: whoever is found in the registry can be watched.
    let links = terms.links(config.member).await?.map(Arc::new);
    let presence = match &links {
        Some(_) => None,
        // A former run at this address is dead.
        None => Some(Presence::hold(&terms.folder, &config.member)?),
    };
    config.exclusive = true;

    let alone = Served { group: Group::default(), cti: terms.cti, candidates: Vec::new() };
    let served = if terms.groups.is_empty() { vec![alone] } else { terms.groups };
    let registry = match served.as_slice() {
        [_] => database.registry(),
        // Their heartbeats go together.
        _ => Arc::new(SharedRegistry::new(database.registry(), SharedRegistry::GATHER)),
    };
    let (mut services, mut handles) = (JoinSet::new(), Vec::new());
    for served in served {
        let (service, handle) = serve(served, &config, &database, &registry, on_parameters.take())?;
        services.spawn(service.run());
        handles.push(handle);
    }
    let signs = Signs { locks: presence.is_some().then_some(terms.folder), links: links.clone() };
    let deaths = tell_groups_of_deaths(signs, &handles);
    tokio::pin!(deaths);
    loop {
        tokio::select! {
            ended = services.join_next() => match ended {
                Some(ended) => ended?,
                None => break,
            },
            () = &mut deaths => {}
            _ = terminated.recv() => handles.iter().for_each(Handle::stop),
        }
    }
    // It has stopped acting: to the others, this is its death.
    drop((presence, links));
    Ok(())
}

fn serve(
    served: Served,
    config: &Config,
    database: &Database,
    registry: &Arc<dyn Registry>,
    on_parameters: Option<OnParameters>,
) -> Result<(Service, Handle), Failure> {
    let Served { group, cti, candidates } = served;
    let mut config = Config { group: group.clone(), ..config.clone() };
    config.election.candidates.networks = candidates.into_iter().map(Into::into).collect();
    let login = CallManagerConfig::default();
    let mut client = ClientConfig::new(vec![Manager::new("cti1", cti)], login.user, login.password);
    // Paused again and again, it sees links lost soon after they came up, and would try ever later.
    client.retry_limit = Millis(1000);
    let ports = Ports {
        provider: Box::new(ClientProvider::new(client, Arc::new(TcpConnector))?),
        directory: database.directory(),
        feed: Some(database.feed(&group)),
        store: database.store(),
        registry: Arc::clone(registry),
        renderer: Arc::new(XmlRenderer::default()),
        alarms: Arc::new(TracingSink),
        on_parameters,
        on_settings: None,
    };
    Ok(Service::new(config, ports)?)
}

/// What this run begins with at this address: no two runs there start in the same nanosecond.
#[expect(clippy::disallowed_methods, reason = "names a run, and decides nothing")]
pub(crate) fn this_run(address: IpAddr) -> Config {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanoseconds = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let mut config = Config::new(address, nanoseconds ^ u64::from(std::process::id()).rotate_left(40));
    config.member.started = Timestamp(nanoseconds / 1_000_000);
    config
}
