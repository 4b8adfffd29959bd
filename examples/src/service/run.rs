use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ringback::election::Role;
use ringback::screen::{Dictionaries, XmlRenderer};
use ringback::serviceability::alarm::{AlarmSink, FanOut, TracingSink};
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceError, TraceFiles, TraceHandle, TraceLevels, TraceOutput, TraceSettings,
    install,
};
use ringback::{Config, Handle, Ports, Service, put_in_force};
use ringback_db::tcp::SecretError;
use ringback_db_sqlite::{Presence, PresenceError};
use ringback_peer::{AddressError, PeerError, PeerLinks};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::call_manager::{CallManager, call_manager};
use super::config::{ServiceConfig, TraceConfig};
use super::dictionaries::{LoadError, load_dictionaries};
use super::secret::{SecretFileError, secret};
use super::status::answer;
use crate::asterisk::ConnectError;
use crate::database::{Database, OpenError, Options, Place};
use crate::instance::incarnation;
use crate::peers::{Signs, tell_of_deaths};

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

/// Runs one instance until SIGTERM or SIGINT, then stops in good order. `ready` is told once, when it has joined the
/// others.
///
/// # Errors
/// It could not begin.
pub async fn run(config: ServiceConfig, ready: impl FnOnce(String)) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    ringback::model::reveal_personal_data(config.traces.personal_data);
    let options = options(&config)?;
    let traces = trace(&config.traces, &options)?;
    let dictionaries = match &config.dictionaries {
        Some(folder) => {
            let (dictionaries, warnings) = load_dictionaries(folder)?;
            for warning in warnings {
                tracing::warn!(target: ringback::serviceability::trace::target::DICTIONARY, "{warning}");
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

    let mut own = Config::new(config.own_address()?, incarnation());
    own.group = config.group.clone();
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

    let registry = store.registry();
    let CallManager { provider, directory, feed, on_parameters } = call_manager(&config, &directory).await?;
    let alarms = Arc::new(FanOut::default().to("traces", config.alarms.traces, Arc::new(TracingSink)));
    let ports = Ports {
        provider,
        directory,
        feed: Some(feed),
        store: store.store(),
        registry: Arc::clone(&registry),
        renderer: Arc::new(XmlRenderer::new(dictionaries)),
        alarms: Arc::clone(&alarms) as Arc<dyn AlarmSink>,
        on_parameters: Some(on_parameters),
        on_settings: Some(put_in_force(Some(traces), Some(alarms))),
    };
    let (service, handle) = Service::new(own, ports)?;
    let locks = folder.clone();
    let signs = Signs { locks: Some(folder), links: links.clone() };
    let deaths = tell_of_deaths(signs, handle.clone());
    let (service, joined, status) = (service.run(), joined(handle.clone()), answer(locks, handle.clone()));
    tokio::pin!(service, deaths, joined, status);
    let mut ready = Some(ready);
    loop {
        tokio::select! {
            () = &mut service => return Ok(()),
            () = &mut deaths => {}
            () = &mut status => {}
            line = &mut joined, if ready.is_some() => if let Some(ready) = ready.take() { ready(line) },
            _ = terminate.recv() => handle.stop(),
            _ = interrupt.recv() => handle.stop(),
        }
    }
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
