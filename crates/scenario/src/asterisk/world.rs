use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ringback::db::{AdminError, MemoryDirectory, MemoryStore};
use ringback::election::MemoryRegistry;
use ringback::screen::Dictionaries;
use ringback::serviceability::alarm::TracingSink;
use ringback_cti_asterisk::notify::push;
use ringback_cti_asterisk::{provider, session};
use ringback_db::StoreError;
use ringback_model::{DeviceName, Group, Millis, Timestamp};
use ringback_pbx_lab::{Asterisk, LabError, Server};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::desk::{Desk, Plan};
use super::front::Front;
use super::observe::AlertLog;
use super::outlet::{Outlets, Relays};
use super::reach::{Readings, ToPbx};
use super::server;
use super::tap::Counts;
use crate::language::{Action, NodeAction, PhoneSetup, Scenario, Setup, SetupStatement, StepStatement};
use crate::nodes::{Common, Nodes};
use crate::runner::{BackEnd, Hindrance, InstanceStatus};
use crate::world::{ActionFailure, Instances, WatchedStore, change, furnish, is_ready};

/// How long the service may take until one instance is active and ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// What passes at least after an action, as in the simulator.
const SETTLE: Duration = Duration::from_millis(250);
/// Nothing has happened for so long: all that an action caused has happened.
const QUIET: Duration = Duration::from_millis(150);
/// Where something happens all the time, no more is waited for.
const RESTLESS: Duration = Duration::from_secs(3);

/// Midnight in a year of the files: what a clock shows is not expected by any.
const EPOCH: Timestamp = Timestamp(1_767_621_600_000);

/// User and password that the displays accept.
const DISPLAY_LOGIN: (&str, &str) = ("ringback", "display-secret");

/// Why there is nothing to play on.
#[derive(Debug, Error)]
pub(super) enum WorldError {
    /// The server or a phone.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The set-up.
    #[error(transparent)]
    SetUp(#[from] AdminError),
    /// The request store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys cannot be pressed.
    #[error("a port at which keys are pressed: {0}")]
    Front(std::io::Error),
}

/// A server, its phones, and instances of the service.
pub(super) struct PbxWorld {
    pub(super) group: Group,
    pub(super) desks: Vec<Desk>,
    pub(super) nodes: Nodes,
    pub(super) store: WatchedStore,
    pub(super) furniture: MemoryDirectory,
    pub(super) counts: Counts,
    pub(super) readings: Readings,
    pub(super) alerts: AlertLog,
    pub(super) relays: Relays,
    pub(super) front: Front,
    changes: [watch::Receiver<u64>; 2],
    store_changes: watch::Receiver<()>,
    /// It ends last.
    pub(super) server: Server,
}

impl PbxWorld {
    /// Starts the server, plugs the phones in. No instance runs yet.
    pub(super) async fn open(asterisk: &Asterisk, scenario: &Scenario) -> Result<Self, WorldError> {
        let group = Group::default();
        let phones = phones(scenario);
        let numbers: BTreeSet<_> = phones.iter().map(|phone| phone.number.as_str().to_owned()).collect();
        let server = server::start(asterisk, numbers.into_iter().collect()).await?;
        let start = Instant::now();
        let now = move || EPOCH + Millis::from(start.elapsed());

        let furniture = MemoryDirectory::new();
        furnish(&furniture, &group, &scenario.setup.iter().map(by_number).collect::<Vec<_>>()).await?;
        let store = WatchedStore::new(Arc::new(MemoryStore::new(Arc::new(now))), group.clone()).await?;

        let changed = watch::Sender::new(0);
        let (user, password) = DISPLAY_LOGIN;
        let login = push::Login::new(user, password.to_owned().into());
        let here = server.address().into();
        let front = Front::start(here).await.map_err(WorldError::Front)?;
        let (mut desks, mut displays) = (Vec::new(), Vec::new());
        for phone in phones {
            let mut desk = Desk::plug_in(&server, &phone, DISPLAY_LOGIN).await?;
            if !phone.from_the_start {
                desk.goes(&server).await?;
            }
            forward(desk.phone.changed(), changed.clone());
            forward(desk.display.watch(), changed.clone());
            if let Some(device) = desk.device() {
                displays.push((device, desk.display.address().to_string()));
            }
            desks.push(desk);
        }

        let counts = Counts::new(changed.clone());
        let readings = Readings::default();
        let (user, secret) = server.login();
        let manager = scenario.names().ctimanagers().next().unwrap_or_default().to_owned();
        let relays = Relays::new(here, server.manager());
        let manager = session::Server::new(manager, server.manager(), user, secret.into());
        let config = provider::Config {
            // The server has just been started, and its phones are in no call that it would have forgotten.
            proof: Some(Millis::ZERO),
            ..provider::Config::new(session::Config::new(manager))
        };
        let reach = ToPbx {
            config,
            furniture: furniture.clone(),
            group: group.clone(),
            counts: counts.clone(),
            readings: readings.clone(),
        };
        let common = Common {
            group: group.clone(),
            store: Arc::new(store.clone()),
            registry: MemoryRegistry::new(now),
            dictionaries: Dictionaries::built_in(),
            alarms: Arc::new(TracingSink),
        };
        let outlets =
            Outlets { to_pbx: reach, relays: relays.clone(), front: front.clone(), login, displays };
        let nodes = Nodes::reaching(Box::new(outlets), common);
        let (changes, store_changes) = ([changed.subscribe(), nodes.changed()], store.changed());
        Ok(Self {
            group,
            desks,
            nodes,
            store,
            furniture,
            counts,
            readings,
            alerts: AlertLog::default(),
            changes,
            store_changes,
            relays,
            front,
            server,
        })
    }

    pub(super) fn statuses(&self) -> Vec<InstanceStatus> {
        self.nodes.statuses()
    }

    /// Where the phone of this name is: one that is in the directory, if there is one.
    pub(super) fn place(&self, name: &DeviceName) -> Option<usize> {
        let named =
            |there: bool| self.desks.iter().position(|desk| desk.name == *name && (desk.is_there || !there));
        named(true).or_else(|| named(false))
    }

    /// The phone of this name.
    pub(super) fn desk(&self, name: &DeviceName) -> Option<&Desk> {
        self.desks.get(self.place(name)?)
    }

    async fn next_change(&mut self) {
        let [phones, nodes] = &mut self.changes;
        tokio::select! {
            () = change(phones) => {}
            () = change(nodes) => {}
            () = change(&mut self.store_changes) => {}
        }
        self.tidy();
    }

    pub(super) fn tidy(&mut self) {
        self.desks.iter_mut().for_each(Desk::tidy);
    }

    /// Waits until this holds, or for too long: then the next expectation says what is wrong.
    pub(super) async fn until(&mut self, within: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + within;
        while !holds(self) {
            if timeout_at(end, self.next_change()).await.is_err() {
                return;
            }
        }
    }
}

#[async_trait(?Send)]
impl BackEnd for PbxWorld {
    async fn start(&mut self, nodes: &[IpAddr]) -> Result<(), ActionFailure> {
        for address in nodes {
            self.at_node(*address, NodeAction::Start).await?;
        }
        self.until(START_LIMIT, |world| is_ready(&world.statuses())).await;
        if is_ready(&self.statuses()) {
            return Ok(());
        }
        Err(ActionFailure::new("one instance active and ready", format!("{:?}", self.statuses())))
    }

    async fn act(&mut self, action: &Action) -> Result<(), Hindrance> {
        self.carry_out(action).await
    }

    async fn settle(&mut self) {
        let restless = Instant::now() + RESTLESS;
        sleep(SETTLE).await;
        while Instant::now() < restless && timeout(QUIET, self.next_change()).await.is_ok() {}
        self.tidy();
    }

    async fn changed(&mut self) {
        self.next_change().await;
    }
}

/// The phones of a scenario: those of the set-up, and those that are added later.
fn phones(scenario: &Scenario) -> Vec<Plan> {
    let of_setup = scenario.setup.iter().filter_map(|setup| match &setup.what {
        SetupStatement::Phone(PhoneSetup { name, lines, calls, .. }) => Some(Plan {
            name: name.clone(),
            number: lines.first()?.clone(),
            limit: usize::try_from(calls.unwrap_or(1)).unwrap_or(usize::MAX),
            from_the_start: true,
        }),
        _ => None,
    });
    let mut phones: Vec<Plan> = of_setup.collect();
    for step in &scenario.steps {
        if let StepStatement::Action(Action::AddPhone { name, dn }) = &step.what
            && !phones.iter().any(|phone| phone.name == *name && phone.number == *dn)
        {
            let (name, number) = (name.clone(), dn.clone());
            phones.push(Plan { name, number, limit: 1, from_the_start: false });
        }
    }
    phones
}

/// The set-up with phones named as the PBX names them: by their numbers.
fn by_number(setup: &Setup) -> Setup {
    let mut setup = setup.clone();
    if let SetupStatement::Phone(phone) = &mut setup.what
        && let Some(name) = phone.lines.first().and_then(|dn| DeviceName::new(dn.as_str()).ok())
    {
        phone.name = name;
    }
    setup
}

/// Tells `to` of every change.
fn forward<T: Send + Sync + 'static>(mut from: watch::Receiver<T>, to: watch::Sender<u64>) {
    tokio::spawn(async move {
        while from.changed().await.is_ok() {
            to.send_modify(|count| *count += 1);
        }
    });
}
