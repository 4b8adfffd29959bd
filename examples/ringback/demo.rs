//! The world of the demo: everything real but the phones and the switch.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ringback::callback::{Kind, Phase, Record};
use ringback::cti_net::{BindError, Connector, TcpConnector};
use ringback::db::{ChangeFeed, RequestStore, StoreError};
use ringback::election::MemoryRegistry;
use ringback::model::{Group, RequestId, Timestamp};
use ringback::screen::Dictionaries;
use ringback::serviceability::alarm::TracingSink;
use ringback::serviceability::trace::TraceError;
use ringback::{Handle, Status, Story};
use ringback_db_sqlite::OpenError;
use ringback_examples::journal::Journal;
use ringback_examples::service::{LoadError, load_dictionaries};
use ringback_scenario::language::{Action, NodeAction};
use ringback_scenario::nodes::{Nodes, Outfit};
use ringback_scenario::world::{ActionFailure, SiteError, World};
use ringback_scenario::{Names, SyntaxError, parse_action};
use ringback_sim::{CallManager, CallManagerConfig};
use thiserror::Error;

use crate::site::Around;

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
    Dictionaries(#[from] LoadError),
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
    #[error("not possible here: the service runs in processes of its own; stop and start those")]
    Elsewhere,
}

/// The running demo: a simulated call manager, and the instances of the service that run in this process.
pub(crate) struct Demo {
    world: World<Nodes>,
    names: Names,
    store: Arc<dyn RequestStore>,
    journal: Journal,
    /// As instances told them that are gone.
    told: HashMap<RequestId, Story>,
    introduction: String,
    is_simulator: bool,
}

impl Demo {
    /// With these instances; without any, the service runs elsewhere.
    pub(crate) async fn start(
        folder: &Path,
        group: &Group,
        listen: &[SocketAddr],
        instances: &[IpAddr],
        dictionaries: Option<&Path>,
    ) -> Result<Self, DemoError> {
        let (dictionaries, warnings) = match dictionaries {
            Some(folder) => load_dictionaries(folder)?,
            None => (Dictionaries::built_in(), Vec::new()),
        };
        warnings.iter().for_each(|warning| println!("{warning}"));
        let around = Around::open(folder, group, listen, instances).await?;
        let introduction = introduction(folder, &around, instances);
        let Around { site, database, directory, store, managers, phones, journal } = around;
        let mut names = Names::new();
        for phone in &phones {
            names.add_phone(phone.name.clone(), 0);
        }
        for manager in &managers {
            names.add_ctimanager(&manager.name);
        }
        let (clock, group) = (site.call_manager.clone(), site.group.clone());
        let outfit = Outfit {
            group: site.group.clone(),
            managers,
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
        if !instances.is_empty() {
            world.start(instances).await.map_err(DemoError::Start)?;
            instances.iter().for_each(|address| names.join_node(*address));
        }
        let is_simulator = instances.is_empty();
        Ok(Self { world, names, store, journal, told: HashMap::new(), introduction, is_simulator })
    }

    pub(crate) fn call_manager(&self) -> &CallManager {
        &self.world.site().call_manager
    }

    pub(crate) fn introduction(&self) -> &str {
        &self.introduction
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Carries out a line of the scenario language.
    pub(crate) async fn act(&mut self, line: &str) -> Result<(), LineError> {
        let mut names = self.names.clone();
        let Some(action) = parse_action(line, &mut names)? else { return Ok(()) };
        if self.is_simulator && matches!(action, Action::Node { .. } | Action::Store(_)) {
            return Err(LineError::Elsewhere);
        }
        if let Action::Node { address, fault: NodeAction::Kill | NodeAction::Stop } = &action {
            self.keep_stories(*address).await;
        }
        self.journal.acts(self.call_manager().now(), &action);
        self.world.act(&action).await?;
        self.names = names;
        if !matches!(action, Action::Wait(_)) {
            tokio::time::sleep(SETTLE).await;
        }
        if let Ok(records) = self.store.load(&self.world.site().group).await {
            self.journal.sees(self.call_manager(), &records);
        }
        Ok(())
    }

    fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.names.nodes().iter().filter_map(|node| self.world.instances().handle(*node))
    }

    /// What every running instance says of itself.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.handles().map(Handle::status).collect()
    }

    /// An instance is about to go, and its stories with it.
    async fn keep_stories(&mut self, address: IpAddr) {
        let Some(handle) = self.world.instances().handle(address).cloned() else { return };
        for request in handle.stories().await {
            if let Some(story) = handle.story(request).await {
                let whole = match self.told.remove(&request) {
                    Some(earlier) => story.joined(earlier),
                    None => story,
                };
                self.told.insert(request, whole);
            }
        }
    }

    /// What happened to a request, whichever instance saw it.
    pub(crate) async fn story(&self, request: RequestId) -> Option<Story> {
        let mut whole = self.told.get(&request).cloned();
        for handle in self.handles() {
            if let Some(story) = handle.story(request).await {
                whole = Some(match whole {
                    Some(earlier) => story.joined(earlier),
                    None => story,
                });
            }
        }
        whole
    }

    /// The requests whose stories are known, oldest first.
    pub(crate) async fn stories(&self) -> Vec<Story> {
        let mut known: Vec<RequestId> = self.told.keys().copied().collect();
        for handle in self.handles() {
            known.extend(handle.stories().await);
        }
        known.sort_unstable();
        known.dedup();
        let mut stories = Vec::new();
        for request in known {
            stories.extend(self.story(request).await);
        }
        stories
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

    pub(crate) async fn stop(mut self) {
        // The backups first, so that nobody takes over what is stopped next.
        let nodes: Vec<IpAddr> = self.names.nodes().iter().rev().copied().collect();
        for address in nodes {
            let stop = Action::Node { address, fault: NodeAction::Stop };
            if let Err(error) = self.world.act(&stop).await {
                println!("the service did not stop in good order: {error}");
            }
        }
    }
}

fn introduction(folder: &Path, around: &Around, instances: &[IpAddr]) -> String {
    let file = folder.join("ringback.db");
    let managers: Vec<String> =
        around.managers.iter().map(|manager| format!("{} on {}", manager.name, manager.address)).collect();
    let phones: Vec<String> = around
        .phones
        .iter()
        .map(|phone| format!("{} {}", phone.name.as_str(), phone.lines.first().map_or("", |dn| dn.as_str())))
        .collect();
    let who = match instances {
        [] if around.site.group != Group::default() => {
            format!(
                "The call manager of {} is simulated, its database is {}",
                around.site.group,
                file.display()
            )
        }
        [] => format!("The call manager is simulated, its database is {}", file.display()),
        [_] => format!("Call Back is active. Requests are kept in {}, traces beside it", file.display()),
        [first, .., last] => format!(
            "Call Back is active: {} instances, {first} to {last}. Requests are kept in {}, traces beside it",
            instances.len(),
            file.display()
        ),
    };
    format!(
        "{who}; CTIManagers: {}.\nPhones: {}. Try: C calls 1002, B answers, A calls 1002, A presses CallBack.\n\
         Type `help` for more, `exit` to leave.",
        managers.join(", "),
        phones.join(", "),
    )
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
