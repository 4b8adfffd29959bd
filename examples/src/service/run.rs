use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ringback::election::{Registry, Role};
use ringback::model::Group;
use ringback::screen::{Dictionaries, XmlRenderer};
use ringback::serviceability::alarm::{AlarmSink, FanOut, TracingSink};
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceError, TraceFiles, TraceHandle, TraceLevels, TraceOutput, TraceSettings,
    install, target,
};
use ringback::{Config, Handle, OnSettings, Ports, Service, SharedRegistry, put_in_force};
use ringback_db::tcp::SecretError;
use ringback_db_sqlite::{Presence, PresenceError};
use ringback_peer::{AddressError, PeerError, PeerLinks};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{Instrument, Span};

use super::call_manager::{CallManager, ToldOverTcp, call_manager};
use super::config::{ServiceConfig, TraceConfig};
use super::dictionaries::{LoadError, load_dictionaries};
use super::group::{GroupConfig, NoCandidate};
use super::secret::{SecretFileError, secret};
use super::status::answer;
use crate::asterisk::ConnectError;
use crate::database::{Database, OpenError, Options, Place};
use crate::instance::this_run;
use crate::peers::{Signs, tell_groups_of_deaths};

/// Why the service could not begin. Nothing was changed but for files that may have been made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file with a password or secret.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// A database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Another process is this instance.
    #[error(transparent)]
    Presence(#[from] PresenceError),
    /// The machine has no such address.
    #[error("[election.candidates]: {0}")]
    Address(#[from] AddressError),
    /// The instance may serve none of the groups.
    #[error(transparent)]
    NoCandidate(#[from] NoCandidate),
    /// One of several groups.
    #[error("group {group}: {problem}")]
    Group {
        /// Which.
        group: Group,
        /// What is wrong with it.
        problem: Box<RunError>,
    },
    /// The links with other instances.
    #[error("[peers]: {0}")]
    Peers(#[from] PeerError),
    /// The dictionaries.
    #[error(transparent)]
    Dictionaries(#[from] LoadError),
    /// The traces.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The secret of change notification.
    #[error("[change_notification] secret: {0}")]
    Secret(#[from] SecretError),
    /// What the CTI protocol cannot carry.
    #[error("[cti]: {0}")]
    Cti(#[from] ringback::cti_net::ConfigError),
    /// How an Asterisk is reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What the manager interface of an Asterisk cannot carry.
    #[error("[asterisk]: {0}")]
    Asterisk(#[from] ringback_cti_asterisk::session::ConfigError),
    /// Phones that show screens cannot be told so.
    #[error("[asterisk.push]: {0}")]
    Push(#[from] ringback_cti_asterisk::notify::push::StartError),
    /// What the service cannot do.
    #[error(transparent)]
    Service(#[from] ringback::ConfigError),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
}

/// Runs one instance until SIGTERM or SIGINT, then stops in good order. `ready` is told once for each group that it serves,
/// when it has joined the others there.
///
/// # Errors
/// It could not begin.
pub async fn run(config: ServiceConfig, mut ready: impl FnMut(String)) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    ringback::model::reveal_personal_data(config.traces.personal_data);
    let options = options(&config)?;
    let traces = trace(&config.traces, &options)?;
    let dictionaries = match &config.dictionaries {
        Some(folder) => {
            let (dictionaries, warnings) = load_dictionaries(folder)?;
            for warning in warnings {
                tracing::warn!(target: target::DICTIONARY, "{warning}");
            }
            dictionaries
        }
        None => Dictionaries::built_in(),
    };
    let store = Database::open(&config.database.store, &options).await?;
    let directory = match config.database.directory == config.database.store {
        true => store.clone(),
        false => Database::open(&config.database.directory, &options).await?,
    };

    let address = config.own_address()?;
    let served: Vec<&GroupConfig> = config.served_at(address).collect();
    if served.is_empty() {
        return Err(NoCandidate::new(&config, address).into());
    }
    let mut own = this_run(address);
    own.election = config.election.clone();
    // Taken before the first report: a former run at this address is dead, then, unless it may be on another machine.
    let folder = config.database.locks.clone().unwrap_or_else(|| PathBuf::from("."));
    let _presence = Presence::hold(&folder, &own.member)?;
    // Before the first report, too: whoever is found in the registry can be linked with.
    let links = match &config.peers {
        Some(peers) => Some(Arc::new(PeerLinks::open(own.member, peers.links()).await?)),
        None => None,
    };
    own.exclusive = matches!(config.database.store, Place::File(_));

    let alarms = Arc::new(FanOut::default().to("traces", config.alarms.traces, Arc::new(TracingSink)));
    let shared = Shared {
        own,
        registry: match served[..] {
            [_] => store.registry(),
            // Their reports go together.
            _ => Arc::new(SharedRegistry::new(store.registry(), SharedRegistry::GATHER)),
        },
        store,
        directory,
        told: ToldOverTcp::new(&config.change_notification)?,
        renderer: Arc::new(XmlRenderer::new(dictionaries)),
        alarms: Arc::clone(&alarms),
    };
    // There is one of each for all groups: two directories would contradict each other.
    let mut on_settings = Some(put_in_force(Some(traces), Some(alarms)));
    let are_several = config.groups.len() > 1;
    let (mut services, mut joining, mut handles) =
        (FuturesUnordered::new(), FuturesUnordered::new(), Vec::new());
    for group in served {
        let served = serve(group, &shared, on_settings.take()).await;
        let (service, handle) = served.map_err(|problem| match are_several {
            true => RunError::Group { group: group.name.clone(), problem: Box::new(problem) },
            false => problem,
        })?;
        let (span, before) = match are_several {
            true => (
                tracing::error_span!(target: target::ALARM, "group", name = %group.name),
                format!("{}: ", group.name),
            ),
            false => (Span::none(), String::new()),
        };
        services.push(service.run().instrument(span));
        let joined = joined(handle.clone());
        joining.push(async move { before + &joined.await });
        handles.push(handle);
    }
    let signs = Signs { locks: Some(folder.clone()), links: links.clone() };
    let deaths = tell_groups_of_deaths(signs, &handles);
    let status = answer(folder, address, handles.clone());
    tokio::pin!(deaths, status);
    loop {
        tokio::select! {
            ended = services.next() => if ended.is_none() { return Ok(()) },
            () = &mut deaths => {}
            () = &mut status => {}
            Some(line) = joining.next() => ready(line),
            _ = terminate.recv() => handles.iter().for_each(Handle::stop),
            _ = interrupt.recv() => handles.iter().for_each(Handle::stop),
        }
    }
}

/// What all groups of an instance have in common.
struct Shared {
    own: Config,
    registry: Arc<dyn Registry>,
    store: Database,
    directory: Database,
    told: Option<ToldOverTcp>,
    renderer: Arc<XmlRenderer>,
    alarms: Arc<FanOut>,
}

async fn serve(
    group: &GroupConfig,
    shared: &Shared,
    on_settings: Option<OnSettings>,
) -> Result<(Service, Handle), RunError> {
    let mut own = Config { group: group.name.clone(), ..shared.own.clone() };
    own.election.candidates = group.candidates(&own.election.candidates);
    let CallManager { provider, directory, feed, on_parameters } =
        call_manager(group, &shared.directory, shared.told.clone()).await?;
    let ports = Ports {
        provider,
        directory,
        feed: Some(feed),
        store: shared.store.store(),
        registry: Arc::clone(&shared.registry),
        renderer: Arc::clone(&shared.renderer) as _,
        alarms: Arc::clone(&shared.alarms) as Arc<dyn AlarmSink>,
        on_parameters: Some(on_parameters),
        on_settings,
    };
    Ok(Service::new(own, ports)?)
}

/// How the databases are used.
pub(super) fn options(config: &ServiceConfig) -> Result<Options, SecretFileError> {
    let mut options = Options::default();
    options.sqlite.busy_timeout = config.database.busy_timeout;
    options.sqlite.poll_interval = Some(config.database.poll_interval);
    options.postgres.write_timeout = config.database.busy_timeout;
    options.postgres.password = secret(None, config.database.password_file.as_deref())?;
    Ok(options)
}

/// Waits until the instance is active and ready, or a backup.
async fn joined(handle: Handle) -> String {
    let mut status = handle.watch();
    loop {
        let now = status.borrow_and_update().clone();
        match now.role {
            Role::Active if now.ready => return format!("{} is active in epoch {}", now.address, now.epoch),
            Role::Backup if now.rank.active.is_some_and(|active| active != now.address) => {
                let active = now.rank.active.map(|active| active.to_string()).unwrap_or_default();
                return format!("{} is a backup of {active}", now.address);
            }
            _ => {}
        }
        if status.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn trace(config: &TraceConfig, options: &Options) -> Result<TraceHandle, RunError> {
    let rotation = Rotation { lines: config.lines, files: config.files };
    let files = TraceFiles::open(&config.folder, "ringback", rotation)?;
    let levels = TraceLevels::all(config.level);
    let levels = config.levels.iter().fold(levels, |levels, (field, level)| levels.with(*field, *level));
    let clock = Arc::clone(&options.sqlite.clock);
    let clock = TraceClock::new(move || clock());
    Ok(install(TraceSettings { levels, output: TraceOutput::Files(files), clock })?)
}
