//! Instances of the real service, each in a task of its own, that can be killed, paused and cut off.

mod meeting;
mod outfit;
mod pausable;
mod reach;
mod severed;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ringback::cti_net::ClientConfig;
use ringback::db::RequestStore;
use ringback::election::{Evidence, Member, Registry};
use ringback::model::Millis;
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::{Alarm, AlarmSink};
use ringback::{Config, Handle, Ports, Service};
use ringback_sim::Cut;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::meeting::MeetingPlace;
pub use self::outfit::Outfit;
use self::pausable::{Gate, Pausable};
use self::reach::OverCti;
pub use self::reach::{Common, Link, Reach};
pub(crate) use self::severed::{Severed, SeveredFeed, Wire};
use crate::language::NodeAction;
use crate::runner::InstanceStatus;
use crate::world::Instances;

/// How long an orderly stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What is special about single instances.
pub trait Tuning: Send + Sync {
    /// Changes the configuration of an instance that is about to start.
    fn configure(&self, config: &mut Config, client: &mut ClientConfig);

    /// Puts something between this run of an instance and the request store.
    fn store(&self, member: Member, store: Arc<dyn RequestStore>) -> Arc<dyn RequestStore>;
}

/// The instances of one site.
pub struct Nodes {
    reach: Box<dyn Reach>,
    common: Common,
    registry: Arc<dyn MeetingPlace>,
    tuning: Option<Box<dyn Tuning>>,
    running: BTreeMap<IpAddr, Node>,
    seen: Arc<Seen>,
    started: u64,
    /// All addresses that ever ran.
    known: BTreeSet<IpAddr>,
    store_runs: bool,
}

struct Node {
    member: Member,
    handle: Handle,
    service: JoinHandle<()>,
    observer: JoinHandle<()>,
    gate: Gate,
    wire: Wire,
}

/// What happened, for whoever watches.
struct Seen {
    alarms: Mutex<Vec<String>>,
    changed: watch::Sender<u64>,
    also: Arc<dyn AlarmSink>,
}

impl Seen {
    fn change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl AlarmSink for Seen {
    fn alarm(&self, alarm: &Alarm) {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).push(alarm.name().to_string());
        self.change();
        self.also.alarm(alarm);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.service.abort();
        self.observer.abort();
    }
}

impl Nodes {
    /// Instances that reach their phones over CTIManagers. None runs yet.
    #[must_use]
    pub fn new(outfit: Outfit) -> Self {
        let (reach, common) = OverCti::new(outfit);
        Self::reaching(Box::new(reach), common)
    }

    /// Instances that reach their phones in this way. None runs yet.
    #[must_use]
    pub fn reaching(reach: Box<dyn Reach>, common: Common) -> Self {
        let seen = Arc::new(Seen {
            alarms: Mutex::default(),
            changed: watch::Sender::new(0),
            also: Arc::clone(&common.alarms),
        });
        let registry = Arc::new(common.registry.clone());
        Self {
            reach,
            common,
            registry,
            tuning: None,
            running: BTreeMap::new(),
            seen,
            started: 0,
            known: BTreeSet::new(),
            store_runs: true,
        }
    }

    /// The same, each instance tuned.
    #[must_use]
    pub fn tuned(mut self, tuning: Box<dyn Tuning>) -> Self {
        self.tuning = Some(tuning);
        self
    }

    /// The same, but they meet here.
    #[must_use]
    pub fn meeting_at(mut self, registry: Arc<dyn MeetingPlace>) -> Self {
        self.registry = registry;
        self
    }

    /// The handle to a running instance.
    #[must_use]
    pub fn handle(&self, node: IpAddr) -> Option<&Handle> {
        self.running.get(&node).map(|node| &node.handle)
    }

    fn start(&mut self, address: IpAddr) -> Result<(), String> {
        if self.running.get(&address).is_some_and(|node| !node.service.is_finished()) {
            return Ok(());
        }
        self.started += 1;
        let mut config = Config::new(address, self.started);
        config.group = self.common.group.clone();
        // A killed instance's run is known to be over: the world has killed it.
        config.exclusive = true;
        let member = config.member;
        let (gate, wire) = (Gate::default(), Wire::new("this instance is cut off"));
        let ports = self.ports(&mut config, &wire)?;
        let (service, handle) = Service::new(config, ports).map_err(|error| error.to_string())?;
        let service = tokio::spawn(Pausable::new(service.run(), gate.clone()));
        let (mut status, seen) = (handle.watch(), Arc::clone(&self.seen));
        let observer = tokio::spawn(async move {
            while status.changed().await.is_ok() {
                seen.change();
            }
            seen.change();
        });
        self.known.insert(address);
        self.lease_follows_the_store();
        self.running.insert(address, Node { member, handle, service, observer, gate, wire });
        self.seen.change();
        Ok(())
    }

    fn ports(&self, config: &mut Config, wire: &Wire) -> Result<Ports, String> {
        let common = &self.common;
        let tuning = self.tuning.as_deref();
        let Link { provider, directory, feed, on_parameters } = self.reach.link(config, tuning)?;
        let store = Arc::clone(&common.store);
        let store = match tuning {
            Some(tuning) => tuning.store(config.member, store),
            None => store,
        };
        let registry: Arc<dyn Registry> = Arc::<dyn MeetingPlace>::clone(&self.registry);
        Ok(Ports {
            provider,
            directory: Arc::new(Severed::new(directory, wire.clone())),
            feed: Some(Box::new(SeveredFeed::new(feed, wire))),
            store: Arc::new(Severed::new(store, wire.clone())),
            registry,
            renderer: Arc::new(XmlRenderer::new(common.dictionaries.clone())),
            alarms: Arc::clone(&self.seen) as Arc<dyn AlarmSink>,
            on_parameters,
            on_settings: None,
        })
    }

    fn node(&self, address: IpAddr) -> Result<&Node, String> {
        self.running.get(&address).ok_or_else(|| format!("no instance at {address}"))
    }

    /// The others see its links closed by the kernel.
    fn tell_of_death(&self, dead: Member) {
        for node in self.running.values().filter(|node| !node.gate.is_paused() && !node.wire.is_cut()) {
            node.handle.peer_died(dead, Evidence::LinkClosed);
        }
    }

    /// One instance alone keeps its lease on its own machine.
    fn lease_follows_the_store(&self) {
        self.registry.set_available(self.store_runs || self.known.len() < 2);
    }

    /// Cuts an instance off from registry, store and directory, one way or both, or heals the cut.
    ///
    /// # Errors
    /// There is no such instance.
    pub fn set_cut(&self, address: IpAddr, cut: Option<Cut>) -> Result<(), String> {
        let node = self.node(address)?;
        node.wire.set_cut(cut);
        self.registry.heal(address);
        match cut {
            Some(Cut::ToNode) => self.registry.lose_answers(address),
            Some(Cut::Both | Cut::FromNode) => self.registry.cut(address),
            None => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Instances for Nodes {
    async fn act(&mut self, address: IpAddr, action: NodeAction) -> Result<(), String> {
        match action {
            NodeAction::Start => self.start(address)?,
            NodeAction::Stop => {
                if let Some(mut node) = self.running.remove(&address) {
                    node.handle.stop();
                    let stopped = tokio::time::timeout(STOP_LIMIT, &mut node.service).await;
                    stopped
                        .map_err(|_| format!("{address} did not stop within {}", Millis::from(STOP_LIMIT)))?
                        .map_err(|error| error.to_string())?;
                }
            }
            NodeAction::Kill => {
                if let Some(node) = self.running.remove(&address) {
                    let (member, cut) = (node.member, node.wire.is_cut());
                    drop(node);
                    if cut {
                        self.registry.heal(address);
                    } else {
                        self.tell_of_death(member);
                    }
                }
            }
            NodeAction::Pause => self.node(address)?.gate.pause(),
            NodeAction::Resume => self.node(address)?.gate.resume(),
            NodeAction::Cut => self.set_cut(address, Some(Cut::Both))?,
            NodeAction::Heal => self.set_cut(address, None)?,
        }
        self.seen.change();
        Ok(())
    }

    fn store_runs(&mut self, running: bool) {
        self.store_runs = running;
        self.lease_follows_the_store();
    }

    fn statuses(&self) -> Vec<InstanceStatus> {
        let statuses = self.running.iter().map(|(address, node)| {
            let status = node.handle.status();
            InstanceStatus {
                address: *address,
                asked: !node.gate.is_paused() && !node.wire.is_cut(),
                active: status.rank.active,
                backups: status.rank.backups,
                ready: status.ready,
                registered: status.registered_at,
                database_up: status.directory_up,
            }
        });
        statuses.collect()
    }

    fn alarms(&self) -> Vec<String> {
        self.seen.alarms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.seen.changed.subscribe()
    }
}
