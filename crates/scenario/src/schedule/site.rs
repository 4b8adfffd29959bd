use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ringback::Config;
use ringback::cti_net::ClientConfig;
use ringback::db::{MemoryDirectory, MemoryStore, RequestStore};
use ringback::election::{Member, MemoryRegistry};
use ringback::serviceability::alarm::{Alarm, AlarmSink};
use ringback_cti::{Dedup, Fencing};
use ringback_model::{DeviceName, Group, Millis, Timestamp};
use ringback_sim::{CallManager, CallManagerConfig};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::observer::{Observer, name};
use super::plan::{Moment, Plan};
use super::store::FarStore;
use super::users::dn;
use super::{Options, Plant};
use crate::language::PhoneSetup;
use crate::nodes::{Nodes, Outfit, Tuning};
use crate::world::{Site, SiteError};

/// What every schedule sets, so that minutes pass in seconds.
const PARAMETERS: [(&str, &str); 5] = [
    ("HeartBeat Interval Time Out", "2s"),
    ("Connection Retry Time Out", "3s"),
    ("Provider Open Call Time Out", "3s"),
    ("Synchronous Request Time Out", "2s"),
    ("Call Back Recall Timer", "4s"),
];

/// Everything that a schedule is played on.
pub(super) struct Ground {
    pub(super) site: Site,
    pub(super) directory: MemoryDirectory,
    pub(super) phones: Vec<DeviceName>,
    /// The numbers of each phone's lines.
    pub(super) lines: Vec<Vec<u32>>,
    pub(super) nodes: Nodes,
    pub(super) registry: MemoryRegistry,
    pub(super) store: FarStore,
    pub(super) observer: Observer,
    /// How far the registry's clock has been stepped, in ms.
    pub(super) jumps: Arc<AtomicI64>,
    pub(super) moments: mpsc::UnboundedReceiver<Moment>,
}

impl Ground {
    /// Builds it. No instance runs yet.
    ///
    /// # Errors
    /// The plan contradicts itself.
    pub(super) async fn new(seed: u64, plan: &Plan, options: Options) -> Result<Self, SiteError> {
        let call_manager = CallManager::new(CallManagerConfig::default());
        let jumps = Arc::new(AtomicI64::new(0));
        let registry = MemoryRegistry::new(drifting(call_manager.now(), plan.drift, Arc::clone(&jumps)));
        let (sender, moments) = mpsc::unbounded_channel();
        let fifo = !plan.parameters.iter().any(|(_, value)| value == "all");
        let group = Group::default();
        let observer = Observer::new(registry.clone(), group.clone(), fifo, options.log, sender);
        let tap = observer.clone();
        call_manager.observe(Arc::new(move |now, observation| tap.at_switch(now, observation)));
        if options.plant == Some(Plant::AlertId) {
            call_manager.set_dedup(Dedup::None);
        }
        if options.plant == Some(Plant::Fencing) {
            call_manager.set_fencing(Fencing::LeaseOnly);
        }

        let clock = call_manager.clone();
        let memory = Arc::new(MemoryStore::new(Arc::new(move || clock.now())));
        let store = FarStore::new(
            Arc::clone(&memory),
            call_manager.clone(),
            observer.clone(),
            options.plant,
            (seed, plan.store_delay),
        );
        let directory = MemoryDirectory::new();
        let managers: Vec<String> = (1..=plan.managers).map(|number| format!("CTI{number}")).collect();
        let names = managers.iter().map(String::as_str);
        let site = Site::new(call_manager, names, Arc::new(directory.clone()), memory).await?;
        let phones = set_up(&site, plan).await?;
        let tuning = Instances { store: store.clone(), plant: options.plant };
        let outfit = Outfit {
            registry: registry.clone(),
            alarms: Arc::new(Nobody),
            ..Outfit::in_memory(&site, &directory)
        };
        let nodes = Nodes::new(outfit).tuned(Box::new(tuning));
        let lines = plan.phones.clone();
        Ok(Self { site, directory, phones, lines, nodes, registry, store, observer, jumps, moments })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.site.call_manager.now()
    }
}

/// A clock that is so many per mille too fast, and that is stepped now and then.
fn drifting(start: Timestamp, drift: i64, jumps: Arc<AtomicI64>) -> impl Fn() -> Timestamp + Send + Sync {
    let anchor = Instant::now();
    move || {
        let elapsed = Millis::from(anchor.elapsed()).0;
        let at = start + Millis(elapsed * 1000_u64.saturating_add_signed(drift) / 1000);
        Timestamp(at.0.saturating_add_signed(jumps.load(Ordering::Relaxed)))
    }
}

async fn set_up(site: &Site, plan: &Plan) -> Result<Vec<DeviceName>, SiteError> {
    let own = plan.parameters.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in PARAMETERS.into_iter().chain(own) {
        site.database.set_parameter(&site.group, name, Some(value)).await?;
    }
    let mut phones = Vec::new();
    for (number, lines) in plan.phones.iter().enumerate() {
        let name = device(number);
        site.add_phone(&PhoneSetup {
            name: name.clone(),
            lines: lines.iter().copied().map(dn).collect(),
            locale: None,
            template: None,
            pool: None,
            calls: Some(plan.calls_per_line),
            partition: None,
        })
        .await?;
        phones.push(name);
    }
    Ok(phones)
}

#[expect(clippy::expect_used, reason = "invariant: a letter and a number")]
fn device(number: usize) -> DeviceName {
    DeviceName::new(format!("P{number}")).expect("a letter and a number")
}

/// Nobody hears alarms here.
struct Nobody;

impl AlarmSink for Nobody {
    fn alarm(&self, _alarm: &Alarm) {}
}

/// Names each run of an instance towards the CTIManagers, and puts the far store before it.
struct Instances {
    store: FarStore,
    plant: Option<Plant>,
}

impl Tuning for Instances {
    fn configure(&self, config: &mut Config, client: &mut ClientConfig) {
        client.application = name(&config.member);
        // Else the first connection would be made with the defaults.
        client.heartbeat = Millis::from_secs(2);
        plant(self.plant, config);
    }

    fn store(&self, member: Member, _store: Arc<dyn RequestStore>) -> Arc<dyn RequestStore> {
        self.store.of(member)
    }
}

#[cfg(feature = "planted")]
fn plant(plant: Option<Plant>, config: &mut Config) {
    use ringback::election::planted::{Fault, Planted};
    config.planted = match plant {
        Some(Plant::LeaseMargin) => Planted::only(Fault::NoMargin),
        Some(Plant::StandDown) => Planted::only(Fault::NoStandDown),
        _ => Planted::default(),
    };
}

#[cfg(not(feature = "planted"))]
fn plant(_plant: Option<Plant>, _config: &mut Config) {}
