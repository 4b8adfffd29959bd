//! Many groups on few instances: each group has its own election, all of an instance's groups share their exchanges with
//! the registry.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ringback::election::{
    Evidence, Intent, Member, MemoryRegistry, Registry, RegistryError, Report, Role, View,
};
use ringback::model::{Epoch, Group, Millis, Timestamp};
use ringback::{Config, Handle, Service, SharedRegistry};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::desk::{Desk, link_up, pass};

/// So many instances may serve a group.
const CANDIDATES: usize = 3;

/// Exchanges a second and instance: groups that report within a quarter of the interval (300 ms) of each other do so together.
const MOST: u64 = 4 * 1000 / 300 + 1;

fn address(instance: usize) -> IpAddr {
    IpAddr::from([10, 0, 0, u8::try_from(instance + 1).unwrap()])
}

fn group(number: usize) -> Group {
    Group::new(format!("group-{number}")).unwrap()
}

/// One instance, with its service for each group that it is a candidate for.
struct Instance {
    registry: SharedRegistry,
    services: BTreeMap<Group, (Handle, JoinHandle<()>)>,
}

struct Deployment {
    instances: Vec<Instance>,
    groups: usize,
}

/// The candidates for a group, lowest first.
fn candidates(number: usize, instances: usize) -> Vec<usize> {
    let mut candidates: Vec<usize> = (0..CANDIDATES).map(|nth| (number + nth) % instances).collect();
    candidates.sort_unstable();
    candidates
}

impl Deployment {
    async fn start(groups: usize, instances: usize) -> Self {
        let desk = Desk::new().await;
        let started = (0..instances).map(|instance| {
            let registry = SharedRegistry::new(Arc::new(desk.registry.clone()), SharedRegistry::GATHER);
            let mine = (0..groups).filter(|number| candidates(*number, instances).contains(&instance));
            let services = mine.map(|number| {
                let mut config = Config::new(address(instance), u64::try_from(instance).unwrap() + 1);
                config.group = group(number);
                config.election.candidates.networks = candidates(number, instances)
                    .into_iter()
                    .map(|candidate| address(candidate).into())
                    .collect();
                let (mut ports, board, _) = desk.ports();
                ports.registry = Arc::new(registry.clone());
                board.happens(link_up());
                let (service, handle) = Service::new(config, ports).unwrap();
                let task = tokio::spawn(async move {
                    // Kept for as long as the service runs.
                    let _board = board;
                    service.run().await;
                });
                (group(number), (handle, task))
            });
            let services = services.collect();
            Instance { registry, services }
        });
        Self { instances: started.collect(), groups }
    }

    /// Who is active in each group, and in which epoch; one each.
    fn active(&self) -> BTreeMap<Group, (IpAddr, Epoch)> {
        let mut active = BTreeMap::new();
        for (handle, task) in self.instances.iter().flat_map(|instance| instance.services.values()) {
            let status = handle.status();
            if !task.is_finished() && status.role == Role::Active {
                let other = active.insert(status.group, (status.address, status.epoch));
                assert_eq!(other, None);
            }
        }
        active
    }

    /// The lowest of each group's candidates but this one.
    fn expected(
        &self,
        epoch: impl Fn(&[usize]) -> Epoch,
        without: Option<usize>,
    ) -> BTreeMap<Group, (IpAddr, Epoch)> {
        let groups = (0..self.groups).map(|number| {
            let candidates = candidates(number, self.instances.len());
            let lowest = candidates.iter().copied().find(|candidate| Some(*candidate) != without).unwrap();
            (group(number), (address(lowest), epoch(&candidates)))
        });
        groups.collect()
    }

    /// How often an instance asked the registry in a second, at most.
    async fn exchanges_a_second(&self) -> u64 {
        const SECONDS: u64 = 10;
        let count = || self.instances.iter().map(|instance| instance.registry.exchanges());
        let before: Vec<u64> = count().collect();
        pass(SECONDS * 1000).await;
        count().zip(before).map(|(after, before)| (after - before).div_ceil(SECONDS)).max().unwrap()
    }
}

/// The groups are spread over the instances, one of which dies; what each asks the registry does not grow with the groups.
#[expect(clippy::print_stdout, reason = "figures that are asked for by `--nocapture`")]
async fn spread(groups: usize, instances: usize) {
    let mut deployment = Deployment::start(groups, instances).await;
    pass(10_000).await;
    assert_eq!(deployment.active(), deployment.expected(|_| Epoch(1), None));
    let exchanges = deployment.exchanges_a_second().await;
    println!("{groups} groups on {instances} instances: at most {exchanges} exchanges a second and instance");
    assert!(exchanges <= MOST, "{exchanges}");

    // Killed: no word to anybody.
    for (_, task) in deployment.instances[0].services.values() {
        task.abort();
    }
    pass(5_000).await;
    let epoch = |candidates: &[usize]| Epoch(if candidates[0] == 0 { 2 } else { 1 });
    assert_eq!(deployment.active(), deployment.expected(epoch, Some(0)));
    let exchanges = deployment.exchanges_a_second().await;
    println!("after the death of one: at most {exchanges}");
    assert!(exchanges <= MOST, "{exchanges}");
    deployment.instances.clear();
}

#[tokio::test(start_paused = true)]
async fn groups_are_spread_over_the_instances_and_share_their_exchanges() {
    spread(40, 5).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "long: cargo test --release -p ringback --test service -- --ignored --nocapture a_thousand_groups"]
async fn a_thousand_groups_on_ten_instances() {
    spread(1000, 10).await;
}

fn registry() -> MemoryRegistry {
    let start = Instant::now();
    MemoryRegistry::new(move || Timestamp(1000 + u64::try_from(start.elapsed().as_millis()).unwrap()))
}

fn report(intent: Intent) -> Report {
    let member = Member::new(address(0), ringback::election::Incarnation(7), Timestamp(0));
    Report { member, ready: true, length: Millis(2000), intent }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_wait_goes_at_once_and_takes_along_what_is_there() {
    let shared = SharedRegistry::new(Arc::new(registry()), Millis(50));
    let (one, two) = (group(1), group(2));
    let acquire = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };
    let begun = Instant::now();
    let (watch, acquire) = (report(Intent::Watch), report(acquire));
    let answers = tokio::join!(shared.tick(&one, &watch), shared.tick(&two, &acquire));
    let epoch = |answer: &Result<View, RegistryError>| answer.as_ref().unwrap().epoch;
    assert_eq!((epoch(&answers.0), epoch(&answers.1)), (Epoch(0), Epoch(1)));
    assert_eq!((shared.exchanges(), begun.elapsed().as_millis()), (1, 0));
    // Alone it waits for others, and tells them.
    let (answer, ()) = tokio::join!(shared.tick(&one, &watch), shared.beat());
    assert_eq!(answer.unwrap().members.len(), 1);
    assert_eq!((shared.exchanges(), begun.elapsed().as_millis()), (2, 50));
}

#[tokio::test(start_paused = true)]
async fn each_group_has_its_own_answer() {
    let registry = registry();
    let shared = SharedRegistry::new(Arc::new(registry.clone()), Millis(5));
    let renewed = report(Intent::Renew { epoch: Epoch(3) });
    let (one, two) = (group(1), group(2));
    let watch = report(Intent::Watch);
    let (refused, done) = tokio::join!(shared.tick(&one, &renewed), shared.tick(&two, &watch));
    assert_eq!(refused, Err(RegistryError::Fenced { ours: Epoch(3), current: Epoch(0) }));
    assert_eq!(done, shared.read(&two).await);
    registry.set_available(false);
    let off = shared.tick(&one, &watch).await;
    assert_eq!(off, Err(RegistryError::NotDone("it is switched off".to_owned())));
}

/// An instance of many groups has died: all of them are told in one exchange, each has its own answer.
#[tokio::test(start_paused = true)]
async fn deaths_go_together() {
    let registry = registry();
    let shared = SharedRegistry::new(Arc::new(registry.clone()), Millis(5));
    let dead = Member::new(address(1), ringback::election::Incarnation(3), Timestamp(0));
    let acquire = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };
    for number in 0..20 {
        registry.tick(&group(number), &Report { member: dead, ..report(acquire) }).await.unwrap();
    }
    let me = report(Intent::Watch).member;
    let groups: Vec<Group> = (0..21).map(group).collect();
    let told = groups.iter().map(|group| shared.expel(group, &me, &dead, Evidence::LinkClosed));
    let answers = futures_util::future::join_all(told).await;
    assert_eq!(shared.exchanges(), 1);
    for (answer, number) in answers.into_iter().zip(0..) {
        let view = answer.unwrap();
        assert!(view.members.is_empty() && view.in_force().is_none());
        assert_eq!(view.epoch, Epoch(u64::from(number < 20)));
    }
}
