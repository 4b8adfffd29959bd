//! The service: carries events to the engine and outputs to the ports. It decides nothing itself.
//!
//! ```text
//!   provider ──┐                                              ┌─► provider   open, close, dial, screens, alerts
//!   feed ──────┤      ┌──────────┐  Input   ┌────────┐ Output │
//!   jobs ──────┼────► │ incoming │ ───────► │ Engine │ ───────┼─► writer     request store
//!   commands ──┤      └──────────┘          └────────┘        ├─► jobs       directory
//!   timers ────┘            ▲                                 └─► notices    traces, alarms
//!                           └── redundancy: Activate, StandDown (nothing is carried out without the lease)
//! ```

mod configured;
mod following;
mod incoming;
mod jobs;
mod office;
mod outgoing;
mod reading;
mod redundancy;
mod surroundings;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ringback_cti::{CtiProvider, ProviderEvent, Tag};
use ringback_db::{ChangeFeed, Directory, MergedFeed, RequestCopy, RequestStore, ServiceParameters};
use ringback_election::{Manager, Member, MemoryRegistry, Registry};
use ringback_model::{Group, Timestamp};
use ringback_screen::{ScreenRenderer, XmlRenderer};
use ringback_serviceability::alarm::{AlarmSink, TracingSink};
use ringback_serviceability::trace::target;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::configured::Configured;
use self::jobs::Job;
use self::office::Office;
use self::outgoing::Purpose;
use self::surroundings::Surroundings;
use crate::clock::Clock;
use crate::handle::{Command, Handle};
use crate::lookup::Lookup;
use crate::settings::OnSettings;
use crate::status::Status;
use crate::story::Stories;

/// What a service is told about itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// The group it serves.
    pub group: Group,
    /// This run of the instance: its address decides the rank.
    pub member: Member,
    /// How the instances of the group watch each other.
    pub election: ringback_election::Parameters,
    /// Only one process at a time can have what this one holds (a listening socket of this address, a lock on the
    /// database file): a former run at this address that the registry still counts as live is then known to be dead.
    pub exclusive: bool,
    /// Protections that are switched off.
    #[cfg(feature = "planted")]
    #[doc(hidden)]
    pub planted: ringback_election::planted::Planted,
    /// The language of the caller is lost on the recall.
    #[cfg(feature = "planted")]
    #[doc(hidden)]
    pub language_lost: bool,
}

impl Config {
    /// The defaults for the instance at this address. `incarnation` must differ from that of every other run; the
    /// time at which the process started, with its process id, will do.
    #[must_use]
    pub fn new(address: IpAddr, incarnation: u64) -> Self {
        Self {
            group: Group::default(),
            member: Member::new(address, ringback_election::Incarnation(incarnation), Timestamp(0)),
            election: ringback_election::Parameters::default(),
            exclusive: false,
            #[cfg(feature = "planted")]
            planted: ringback_election::planted::Planted::default(),
            #[cfg(feature = "planted")]
            language_lost: false,
        }
    }
}

/// What puts changed service parameters in force outside the engine: the provider's time-outs, for example.
pub type OnParameters = Box<dyn FnMut(&ServiceParameters) + Send>;

/// What a service works with. Each is a trait: take the implementations of the other crates, or your own.
pub struct Ports {
    /// The call manager.
    pub provider: Box<dyn CtiProvider>,
    /// The call manager's database.
    pub directory: Arc<dyn Directory>,
    /// What changes in it; several in one with `MergedFeed`. Without one, changes are seen when the service starts.
    pub feed: Option<Box<dyn ChangeFeed>>,
    /// Where requests are kept.
    pub store: Arc<dyn RequestStore>,
    /// Where the instances of the group meet. An instance that is alone uses `MemoryRegistry`.
    pub registry: Arc<dyn Registry>,
    /// How screens look.
    pub renderer: Arc<dyn ScreenRenderer>,
    /// Who is told of alarms.
    pub alarms: Arc<dyn AlarmSink>,
    /// Called with the parameters at the start, and whenever they change.
    pub on_parameters: Option<OnParameters>,
    /// Called with the settings of traces and alarms at the start, and whenever they change.
    pub on_settings: Option<OnSettings>,
}

impl Ports {
    /// These three, and for the rest what an instance that is alone needs: no feed, a registry of its own, screens as
    /// phone XML with the built-in dictionaries, alarms in the traces.
    #[must_use]
    pub fn new(
        provider: impl CtiProvider + 'static,
        directory: impl Directory + 'static,
        store: impl RequestStore + 'static,
    ) -> Self {
        let clock = Clock::anchored(Timestamp(0));
        Self {
            provider: Box::new(provider),
            directory: Arc::new(directory),
            feed: None,
            store: Arc::new(store),
            registry: Arc::new(MemoryRegistry::new(move || clock.now())),
            renderer: Arc::new(XmlRenderer::default()),
            alarms: Arc::new(TracingSink),
            on_parameters: None,
            on_settings: None,
        }
    }
}

/// Why a service cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The parameters of the election contradict each other, or the address may not take part.
    #[error("election: {0}")]
    Election(#[from] ringback_election::ParameterError),
}

/// One instance of Call Back, for one group. [`run`](Self::run) is the whole of it: one future without tasks or threads
/// of its own, so that dropping it is a crash, and not polling it a pause.
pub struct Service {
    config: Config,
    provider: Box<dyn CtiProvider>,
    /// What it told while it was given the chance to send.
    early: VecDeque<Option<ProviderEvent>>,
    /// One that need not be begun anew each time something else comes first.
    feed: MergedFeed,
    lookup: Lookup,
    store: Arc<dyn RequestStore>,
    registry: Arc<dyn Registry>,
    renderer: Arc<dyn ScreenRenderer>,
    manager: Manager,
    /// The clock of the redundancy manager; it is compared with nothing else.
    local: Clock,
    office: Office,
    /// The latest claim of the store by this run, or what may be one.
    claimed: Option<office::Claimed>,
    /// The requests, as far as a backup has followed them, or the active has written them.
    copy: RequestCopy,
    /// News of them are being waited for.
    is_following: bool,
    /// A term of office was left at this time, and its stories have not ended yet.
    left: Option<Timestamp>,
    /// The redundancy manager waits for what was begun.
    drain_wanted: bool,
    /// A hint of the registry is being waited for.
    registry_watched: bool,
    surroundings: Surroundings,
    configured: Configured,
    stories: Stories,
    jobs: FuturesUnordered<Job>,
    /// What the commands with a tag were for.
    tags: HashMap<Tag, Purpose>,
    next_tag: u64,
    commands: mpsc::UnboundedReceiver<Command>,
    status: watch::Sender<Status>,
    peers: watch::Sender<Vec<Member>>,
    /// What the redundancy manager said last.
    election: ringback_election::Status,
    /// Since when it has its role.
    since: Timestamp,
    /// Every handle is gone.
    abandoned: bool,
    /// The provider has ended.
    provider_gone: bool,
    stopped: bool,
}

impl Service {
    /// A service that has done nothing yet, and the handle to it.
    ///
    /// # Errors
    /// The configuration contradicts itself.
    pub fn new(config: Config, ports: Ports) -> Result<(Self, Handle), ConfigError> {
        #[cfg_attr(not(feature = "planted"), expect(unused_mut, reason = "changed only to plant a fault"))]
        let mut manager = Manager::new(config.member, config.election.clone())?;
        #[cfg(feature = "planted")]
        manager.plant(config.planted.clone());
        let local = Clock::anchored(Timestamp(0));
        let lookup = Lookup::new(ports.directory, config.group.clone());
        let surroundings = Surroundings::new(config.group.clone(), config.member.address, ports.alarms);
        let configured = Configured::new(ports.on_parameters, ports.on_settings);
        let (status, watcher) = watch::channel(Status {
            group: config.group.clone(),
            address: config.member.address,
            role: ringback_election::Role::Joining,
            rank: ringback_election::Rank::default(),
            epoch: ringback_model::Epoch(0),
            since: Timestamp(0),
            ready: false,
            directory_up: false,
            store_up: false,
            registered_at: None,
            open_devices: 0,
            open_lines: 0,
            pending: 0,
            in_doubt: 0,
        });
        let (sender, commands) = mpsc::unbounded_channel();
        let (peers, others) = watch::channel(Vec::new());
        let election = manager.status();
        let service = Self {
            config,
            provider: ports.provider,
            early: VecDeque::new(),
            feed: MergedFeed::new(ports.feed.into_iter().collect()),
            lookup,
            store: ports.store,
            registry: ports.registry,
            renderer: ports.renderer,
            manager,
            local,
            office: Office::Vacant,
            claimed: None,
            copy: RequestCopy::default(),
            is_following: false,
            left: None,
            drain_wanted: false,
            registry_watched: false,
            surroundings,
            configured,
            stories: Stories::default(),
            jobs: FuturesUnordered::new(),
            tags: HashMap::new(),
            next_tag: 0,
            commands,
            status,
            peers,
            election,
            since: Timestamp(0),
            abandoned: false,
            provider_gone: false,
            stopped: false,
        };
        Ok((service, Handle::new(sender, watcher, others)))
    }

    /// Runs until it has been told to stop and has handed everything over.
    pub async fn run(mut self) {
        self.start().await;
        while !self.stopped {
            self.tell_if_drained();
            self.begin_writes();
            self.begin_lookups();
            self.publish();
            let wakeup = self.next_wakeup();
            // In this order, so that a simulation repeats itself, and what is known already is taken first.
            tokio::select! {
                biased;
                () = lease_over(&self.manager, &self.local), if self.office.is_taken() => self.tick(),
                Some(done) = self.jobs.next(), if !self.jobs.is_empty() => self.job_done(done),
                event = next_event(&mut self.early, &mut *self.provider), if !self.provider_gone => match event {
                    Some(event) => self.provider_event(event),
                    None => self.provider_is_gone(),
                },
                change = self.feed.next() => self.change(change),
                command = self.commands.recv(), if !self.abandoned => self.command(command),
                () = sleep_until_some(wakeup) => self.tick(),
            }
        }
        self.surroundings.service_stopped(self.provider_gone);
        self.publish();
    }

    /// Nothing can be done without a call manager: as if told to stop.
    fn provider_is_gone(&mut self) {
        tracing::error!(target: target::CTI, "the provider has ended: the service stops");
        self.provider_gone = true;
        self.redundancy(ringback_election::Input::StopRequested);
    }

    /// Whether an effect may go out at this moment.
    fn may_act(&self) -> bool {
        self.manager.may_act(self.local.now())
    }

    fn next_wakeup(&self) -> Option<Instant> {
        let manager = self.manager.next_wakeup().map(|at| self.local.instant(at));
        let office = self.office.next_wakeup();
        let probe = Some(self.surroundings.next_probe());
        [manager, office, probe].into_iter().flatten().min()
    }

    fn tick(&mut self) {
        self.redundancy(ringback_election::Input::Tick);
        self.surroundings.settle_alarms();
        self.probe_if_due();
        self.settle_doubtful_calls();
        self.engine_tick();
    }

    /// Something asked through the handle.
    fn command(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Queue(line, answer)) => {
                let queue = self.office.engine().map(|engine| {
                    engine.queue(&line).map(|record| record.caller.device.clone()).collect::<Vec<_>>()
                });
                // Who asked may have gone.
                let _gone = answer.send(queue.unwrap_or_default());
            }
            Some(Command::Records(answer)) => {
                let mut records: Vec<_> = self
                    .office
                    .engine()
                    .map(|engine| engine.records().cloned().collect())
                    .unwrap_or_default();
                records.sort_by_key(|record: &ringback_callback::Record| (record.since, record.id));
                let _gone = answer.send(records);
            }
            Some(Command::Story(request, answer)) => {
                let _gone = answer.send(self.stories.story(request));
            }
            Some(Command::Stories(answer)) => {
                let _gone = answer.send(self.stories.known());
            }
            Some(Command::PeerDied(member, evidence)) => {
                self.redundancy(ringback_election::Input::PeerDied { member, evidence });
            }
            Some(Command::Stop) => self.redundancy(ringback_election::Input::StopRequested),
            // Nobody could ever stop it.
            None => {
                self.abandoned = true;
                self.redundancy(ringback_election::Input::StopRequested);
            }
        }
    }

    /// Called at every turn: compares, and copies only what has changed.
    fn publish(&mut self) {
        let ready = self.may_act() && self.surroundings.is_linked() && self.office.is_ready();
        let opened = self.office.opened().map_or((0, 0), |opened| (opened.devices(), opened.lines()));
        let pending = self.office.engine().map_or(0, ringback_callback::Engine::pending);
        let (election, surroundings, since) = (&self.election, &self.surroundings, self.since);
        self.status.send_if_modified(|status| {
            let mut modified = set(&mut status.role, &election.role);
            modified |= set(&mut status.rank, &election.rank);
            modified |= set(&mut status.epoch, &election.epoch);
            modified |= set(&mut status.since, &since);
            modified |= set(&mut status.ready, &ready);
            modified |= set(&mut status.directory_up, &surroundings.directory_up());
            modified |= set(&mut status.store_up, &surroundings.store_up());
            modified |= set(&mut status.registered_at, surroundings.registered_at());
            modified |= set(&mut status.open_devices, &opened.0);
            modified |= set(&mut status.open_lines, &opened.1);
            modified |= set(&mut status.pending, &pending);
            modified | set(&mut status.in_doubt, &surroundings.in_doubt())
        });
    }
}

/// Makes a field what it is to be; whether it was not.
fn set<T: Clone + PartialEq>(field: &mut T, value: &T) -> bool {
    let modified = *field != *value;
    if modified {
        field.clone_from(value);
    }
    modified
}

/// Comes when nothing may go out any more. Polled before all else, so that after a pause the office is left before
/// the provider sends what it still has.
async fn lease_over(manager: &Manager, local: &Clock) {
    poll_fn(|_| if manager.may_act(local.now()) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// What has come, what comes.
async fn next_event(
    early: &mut VecDeque<Option<ProviderEvent>>,
    provider: &mut dyn CtiProvider,
) -> Option<ProviderEvent> {
    match early.pop_front() {
        Some(event) => event,
        None => provider.next().await,
    }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Service {
    fn provider_event(&mut self, event: ProviderEvent) {
        if let Some(event) = self.note_link(event) {
            self.engine_event(event);
        }
    }
}
