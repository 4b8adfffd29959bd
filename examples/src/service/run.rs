use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::db::{ChangeFeed, ServiceParameters};
use ringback::election::Role;
use ringback::screen::{Dictionaries, XmlRenderer};
use ringback::serviceability::alarm::{AlarmSink, FanOut, TracingSink};
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceError, TraceFiles, TraceHandle, TraceLevels, TraceOutput, TraceSettings,
    install,
};
use ringback::{Config, Handle, OnParameters, Ports, Service, client_parameters, put_in_force};
use ringback_db::MergedFeed;
use ringback_db::tcp::{RebindingTcpFeed, SecretError, SharedSecret, TcpLimits, TcpPort};
use ringback_db_sqlite::{Presence, PresenceError};
use secrecy::SecretString;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};

use super::config::{Secret, ServiceConfig, TraceConfig};
use super::dictionaries::{LoadError, load_dictionaries};
use crate::database::{Database, OpenError, Options, Place};
use crate::instance::incarnation;
use crate::peers::tell_of_deaths;

/// Why the service could not begin. Nothing was changed but for files that may have been made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file with a password or secret.
    #[error("{}: cannot be read: {reason}; name a file whose first line is the secret", path.display())]
    SecretFile {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// A database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// Another process is this instance.
    #[error(transparent)]
    Presence(#[from] PresenceError),
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
    let mut options = Options::default();
    options.sqlite.busy_timeout = config.database.busy_timeout;
    options.sqlite.poll_interval = Some(config.database.poll_interval);
    options.postgres.write_timeout = config.database.busy_timeout;
    options.postgres.password = secret(None, config.database.password_file.as_deref())?;
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

    let mut own = Config::new(config.address, incarnation());
    own.group = config.group.clone();
    own.election = config.election.clone();
    // Taken before the first report: a former run at this address is dead, then, unless it may be on another machine.
    let folder = config.database.locks.clone().unwrap_or_else(|| PathBuf::from("."));
    let _presence = Presence::hold(&folder, &own.member)?;
    own.exclusive = matches!(config.database.store, Place::File(_));

    let registry = store.registry();
    let (feed, port) = feed(&config, &directory)?;
    let (provider, on_parameters) = provider(&config, port)?;
    let alarms = Arc::new(FanOut::default().to("traces", config.alarms.traces, Arc::new(TracingSink)));
    let ports = Ports {
        provider: Box::new(provider),
        directory: directory.directory(),
        feed: Some(feed),
        store: store.store(),
        registry: Arc::clone(&registry),
        renderer: Arc::new(XmlRenderer::new(dictionaries)),
        alarms: Arc::clone(&alarms) as Arc<dyn AlarmSink>,
        on_parameters: Some(on_parameters),
        on_settings: Some(put_in_force(Some(traces), Some(alarms))),
    };
    let member = own.member;
    let (service, handle) = Service::new(own, ports)?;
    let deaths = tell_of_deaths(folder, registry, config.group, member, handle.clone());
    let (service, joined) = (service.run(), joined(handle.clone()));
    tokio::pin!(service, deaths, joined);
    let mut ready = Some(ready);
    loop {
        tokio::select! {
            () = &mut service => return Ok(()),
            () = &mut deaths => {}
            line = &mut joined, if ready.is_some() => if let Some(ready) = ready.take() { ready(line) },
            _ = terminate.recv() => handle.stop(),
            _ = interrupt.recv() => handle.stop(),
        }
    }
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

/// The client of the CTIManagers, and what puts changed parameters into force there.
fn provider(
    config: &ServiceConfig,
    port: Option<TcpPort>,
) -> Result<(ClientProvider, OnParameters), RunError> {
    let managers = config.cti.managers.iter().map(|manager| Manager::new(&manager.name, &manager.address));
    let password = secret(config.cti.password.as_ref(), config.cti.password_file.as_deref())?;
    let password = password.unwrap_or_else(|| SecretString::from(String::new()));
    let mut client = ClientConfig::new(managers.collect(), config.cti.user.clone(), password);
    client.group = config.group.clone();
    let provider = ClientProvider::new(client.clone(), Arc::new(TcpConnector))?;
    let mut at_client = client_parameters(provider.control(), client);
    let on_parameters = move |parameters: &ServiceParameters| {
        at_client(parameters);
        if let Some(port) = &port {
            port.set(parameters.change_notification_port);
        }
    };
    Ok((provider, Box::new(on_parameters)))
}

/// What the database tells of changes, and what others tell over TCP if there is a secret.
fn feed(
    config: &ServiceConfig,
    directory: &Database,
) -> Result<(Box<dyn ChangeFeed>, Option<TcpPort>), RunError> {
    let own = directory.feed(&config.group);
    let notified = &config.change_notification;
    let Some(secret) = secret(notified.secret.as_ref(), notified.secret_file.as_deref())? else {
        return Ok((own, None));
    };
    let (secret, limits) = (SharedSecret::new(secret)?, TcpLimits::default());
    let (told, port) = RebindingTcpFeed::new(notified.listen, secret, limits, config.group.clone());
    Ok((Box::new(MergedFeed::new(vec![own, Box::new(told)])), Some(port)))
}

fn secret(given: Option<&Secret>, file: Option<&Path>) -> Result<Option<SecretString>, RunError> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(secret.0.clone())),
        (None, Some(path)) => {
            let text = fs::read_to_string(path)
                .map_err(|reason| RunError::SecretFile { path: path.to_owned(), reason })?;
            Ok(Some(text.lines().next().unwrap_or_default().to_owned().into()))
        }
        (None, None) => Ok(None),
    }
}
