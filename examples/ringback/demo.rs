//! The world of the demo: everything real but the phones and the switch.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ringback::callback::{Kind, Phase, Record};
use ringback::cti_net::{BindError, Connector, Manager, TcpConnector, bind};
use ringback::db::{ChangeFeed, RequestStore, StoreError};
use ringback::election::MemoryRegistry;
use ringback::model::{Group, Timestamp};
use ringback::screen::{Dictionaries, DictionaryErrors};
use ringback::serviceability::alarm::TracingSink;
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceError, TraceFiles, TraceLevels, TraceOutput, TraceSettings, install,
};
use ringback_db_sqlite::{OpenError, Options, SqliteDatabase};
use ringback_scenario::language::{Action, NodeAction, Setup};
use ringback_scenario::nodes::{Nodes, Outfit};
use ringback_scenario::world::{ActionFailure, Site, SiteError, World};
use ringback_scenario::{Names, SyntaxError, parse, parse_action};
use ringback_sim::{CallManager, CallManagerConfig};
use thiserror::Error;

/// The one instance.
const NODE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The phones at the start, as a scenario sets them up.
const PHONES: &str = "phone A 1001\nphone B 1002\nphone C 1003\n";

/// What passes after an action, so that its consequences can be shown with it.
const SETTLE: Duration = Duration::from_millis(250);

/// Why the demo cannot start.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    #[error("{}: the folder cannot be used: {error}; choose another with --data", path.display())]
    Folder { path: PathBuf, error: std::io::Error },
    #[error("{error}; or choose another port with --cti-port (0: any that is free)")]
    Port { error: BindError },
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error("the service did not become active: {0}")]
    Start(ActionFailure),
    #[error(transparent)]
    Dictionaries(#[from] DictionaryErrors),
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error("the built-in phones: {0}")]
    Phones(SyntaxError),
}

/// Why a typed line was not carried out.
#[derive(Debug, Error)]
pub(crate) enum LineError {
    #[error("{0} (type `help` for what can be said)")]
    Syntax(#[from] SyntaxError),
    #[error("not possible now: {0}")]
    Impossible(#[from] ActionFailure),
}

/// The running demo.
pub(crate) struct Demo {
    world: World<Nodes>,
    names: Names,
    store: Arc<dyn RequestStore>,
    folder: PathBuf,
    address: String,
}

impl Demo {
    pub(crate) async fn start(
        folder: &Path,
        cti_port: u16,
        dictionaries: Option<&Path>,
    ) -> Result<Self, DemoError> {
        let unusable = |error| DemoError::Folder { path: folder.to_owned(), error };
        fs::create_dir_all(folder).map_err(unusable)?;
        let dictionaries = match dictionaries {
            Some(folder) => load_dictionaries(folder)?,
            None => Dictionaries::built_in(),
        };
        let listener =
            bind(&format!("127.0.0.1:{cti_port}")).await.map_err(|error| DemoError::Port { error })?;
        let address = listener.local_addr().map_err(unusable)?.to_string();
        let database = SqliteDatabase::open(folder.join("ringback.db"), Options::default()).await?;
        let store: Arc<dyn RequestStore> = Arc::new(database.store());
        let now = store.now().await?;

        let call_manager = CallManager::new(CallManagerConfig { start: now, ..CallManagerConfig::default() });
        trace_to(folder, call_manager.clone())?;
        let directory = Arc::new(database.directory());
        let site = Site::new(call_manager, ["cti1"], Arc::clone(&directory) as _, Arc::clone(&store)).await?;
        let phones = parse(PHONES).map_err(DemoError::Phones)?;
        set_up(&site, &phones.setup).await?;
        for manager in site.managers.clone() {
            // It serves until the program ends; there is one, and one listener for it.
            drop(tokio::spawn(async move { manager.listen(listener).await }));
            break;
        }

        let (clock, group) = (site.call_manager.clone(), Group::default());
        let outfit = Outfit {
            group: site.group.clone(),
            managers: vec![Manager::new("cti1", address.clone())],
            login: (CallManagerConfig::default().user, CallManagerConfig::default().password),
            connector: Box::new(|_| Arc::new(TcpConnector) as Arc<dyn Connector>),
            directory,
            feed: Box::new(move || Box::new(database.feed(&group)) as Box<dyn ChangeFeed>),
            store: Arc::new(site.store.clone()),
            registry: MemoryRegistry::new(move || clock.now()),
            dictionaries,
            alarms: Arc::new(TracingSink),
        };
        let mut world = World::new(site, Nodes::new(outfit));
        world.start(&[NODE]).await.map_err(DemoError::Start)?;
        let mut names = phones.names();
        names.join_node(NODE);
        Ok(Self { world, names, store, folder: folder.to_owned(), address })
    }

    pub(crate) fn call_manager(&self) -> &CallManager {
        &self.world.site().call_manager
    }

    pub(crate) fn introduction(&self) -> String {
        format!(
            "Call Back is active. Requests are kept in {}, traces beside it; the CTIManager listens on {}.\n\
             Three phones: A 1001, B 1002, C 1003. Try: C calls 1002, B answers, A calls 1002, A presses CallBack.\n\
             Type `help` for more, `exit` to leave.",
            self.folder.join("ringback.db").display(),
            self.address,
        )
    }

    /// Carries out a line of the scenario language.
    pub(crate) async fn act(&mut self, line: &str) -> Result<(), LineError> {
        let mut names = self.names.clone();
        let Some(action) = parse_action(line, &mut names)? else { return Ok(()) };
        self.world.act(&action).await?;
        self.names = names;
        if !matches!(action, Action::Wait(_)) {
            tokio::time::sleep(SETTLE).await;
        }
        Ok(())
    }

    /// The requests that the store holds, for a person.
    pub(crate) async fn requests(&self) -> String {
        let (records, now) = match (self.store.load(&self.world.site().group).await, self.store.now().await) {
            (Ok(records), Ok(now)) => (records, now),
            (Err(error), _) | (_, Err(error)) => return error.to_string(),
        };
        if records.is_empty() {
            return "no requests".to_owned();
        }
        let mut text = String::new();
        for record in records {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", request_line(&record, now));
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// What the instance is and whom it reaches.
    pub(crate) fn status(&self) -> String {
        let Some(status) = self.world.instances().handle(NODE).map(ringback::Handle::status) else {
            return "the service does not run: `start node 127.0.0.1` starts it".to_owned();
        };
        format!(
            "{:?} in epoch {}, directory {}, store {}, CTI {}, {} devices and {} lines open, {} pending",
            status.role,
            status.epoch,
            if status.directory_up { "up" } else { "down" },
            if status.store_up { "up" } else { "down" },
            status.registered_at.map_or("not registered".to_owned(), |name| format!("registered at {name}")),
            status.open_devices,
            status.open_lines,
            status.pending,
        )
    }

    pub(crate) async fn stop(mut self) {
        let stop = Action::Node { address: NODE, fault: NodeAction::Stop };
        if let Err(error) = self.world.act(&stop).await {
            println!("the service did not stop in good order: {error}");
        }
    }
}

/// Phones that are in the database from the last time are simply written again.
async fn set_up(site: &Site, setup: &[Setup]) -> Result<(), SiteError> {
    site.set_up(setup).await
}

fn request_line(record: &Record, now: Timestamp) -> String {
    let kind = match record.kind {
        Kind::Busy => "was busy",
        Kind::NoAnswer => "did not answer",
    };
    let phase = match record.phase {
        Phase::Waiting => "waiting",
        Phase::Turn { .. } => "notified, has the turn",
        Phase::Lapsed => "notified, turn over",
        Phase::Dialing { .. } => "dialling",
        _ => "unknown",
    };
    let left = record.expires.map_or("no limit".to_owned(), |at| {
        let seconds = at.since(now).0 / 1000;
        format!("{}:{:02}:{:02} left", seconds / 3600, seconds / 60 % 60, seconds % 60)
    });
    format!(
        "{}  {} ({}) for {}, who {kind}: {phase}, {left}",
        record.id,
        record.caller.device.as_str(),
        record.caller.line.dn.as_str(),
        record.dialled.as_str(),
    )
}

fn load_dictionaries(folder: &Path) -> Result<Dictionaries, DemoError> {
    let unusable = |error| DemoError::Folder { path: folder.to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unusable)? {
        let path = entry.map_err(unusable)?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, fs::read(&path).map_err(unusable)?));
        }
    }
    files.sort();
    let loaded = Dictionaries::load(&files)?;
    for warning in &loaded.warnings {
        println!("{warning}");
    }
    Ok(loaded.dictionaries)
}

fn trace_to(folder: &Path, clock: CallManager) -> Result<(), DemoError> {
    let files = TraceFiles::open(&folder.join("traces"), "ringback", Rotation::default())?;
    let settings = TraceSettings {
        levels: TraceLevels::default(),
        output: TraceOutput::Files(files),
        clock: TraceClock::new(move || clock.now()),
    };
    // The levels stay as they are in this program.
    let _handle = install(settings)?;
    Ok(())
}
