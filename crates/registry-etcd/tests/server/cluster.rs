//! Several instances in one group, as they would run: nobody acts beside another, whatever is lost.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_election::{Incarnation, Input, Manager, Member, Output, Parameters, Registry};
use ringback_etcd_lab::{Etcd, Server, Signal};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use ringback_registry_etcd::{EtcdRegistry, Options};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::proxy::Proxy;
use crate::site::{fresh, open, open_at_last, options, soon};

/// Longer than the default, as the machine may be busy.
fn parameters() -> Parameters {
    Parameters {
        lease: Millis(4000),
        margin: Millis(1000),
        call_timeout: Millis(2000),
        ..Parameters::default()
    }
}

/// The instances of a group on one machine, and what happened to them.
#[derive(Clone)]
struct Cluster {
    start: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Those that are not killed.
    living: Vec<Arc<Mutex<Manager>>>,
    /// Who began to act, in which epoch.
    terms: Vec<(u8, Epoch)>,
    runs: u64,
}

struct Instance {
    last: u8,
    manager: Arc<Mutex<Manager>>,
    orders: mpsc::UnboundedSender<Input>,
    task: JoinHandle<()>,
}

impl Cluster {
    fn new() -> Self {
        Self { start: Instant::now(), state: Arc::default() }
    }

    fn now(&self) -> Timestamp {
        Timestamp(u64::try_from(self.start.elapsed().as_millis()).unwrap())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Starts the instance 10.0.0.`last`, which reaches the registry at this address.
    async fn start(&self, last: u8, address: &str) -> Instance {
        self.start_with(last, address, options()).await
    }

    async fn start_with(&self, last: u8, address: &str, options: Options) -> Instance {
        let registry = open_at_last(address, &options).await;
        let run = {
            let mut state = self.state();
            state.runs += 1;
            state.runs
        };
        let me = Member::new(Ipv4Addr::new(10, 0, 0, last).into(), Incarnation(run), Timestamp(0));
        let manager = Arc::new(Mutex::new(Manager::new(me, parameters()).unwrap()));
        self.state().living.push(Arc::clone(&manager));
        let (orders, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(self.clone().run(last, registry, Arc::clone(&manager), received));
        Instance { last, manager, orders, task }
    }

    /// As `kill -9` does.
    fn kill(&self, instance: Instance) {
        instance.task.abort();
        self.state().living.retain(|manager| !Arc::ptr_eq(manager, &instance.manager));
    }

    /// Until this one acts, and nobody else does.
    async fn until_acts(&self, instance: &Instance) -> Epoch {
        soon(async {
            loop {
                let epoch = {
                    let manager = instance.manager.lock().unwrap();
                    manager.epoch().filter(|_| manager.may_act(self.now()))
                };
                if let Some(epoch) = epoch {
                    return epoch;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    /// Epochs have risen from term to term.
    fn epochs_rose(&self) {
        let terms = self.state().terms.clone();
        assert!(terms.is_sorted_by(|(_, one), (_, next)| one < next), "{terms:?}");
    }

    async fn run(
        self,
        last: u8,
        registry: EtcdRegistry,
        manager: Arc<Mutex<Manager>>,
        mut orders: mpsc::UnboundedReceiver<Input>,
    ) {
        let (group, me) = (Group::default(), *manager.lock().unwrap().member());
        let (sender, mut answers) = mpsc::unbounded_channel();
        let mut is_nudged = false;
        let mut input = Input::Tick;
        loop {
            let mut inputs = vec![input];
            while let Some(input) = inputs.pop() {
                is_nudged &= !matches!(input, Input::Answered { .. });
                let outputs = manager.lock().unwrap().handle(self.now(), input);
                for output in outputs {
                    match output {
                        Output::Call { number, request } => {
                            let (registry, group, sender) = (registry.clone(), group.clone(), sender.clone());
                            tokio::spawn(async move {
                                let result = request.send(&registry, &group).await;
                                let _ = sender.send(Input::Answered { number, result });
                            });
                        }
                        Output::Activate { epoch } => self.began(last, epoch, &manager),
                        Output::Drain { .. } => inputs.push(Input::Drained),
                        Output::Stopped => return,
                        _ => {}
                    }
                }
            }
            let (wakeup, revision) = {
                let manager = manager.lock().unwrap();
                (manager.next_wakeup().unwrap(), manager.revision())
            };
            input = tokio::select! {
                () = tokio::time::sleep(wakeup.since(self.now()).to_duration()) => Input::Tick,
                Some(answer) = answers.recv() => answer,
                Some(order) = orders.recv() => order,
                () = registry.changed(&group, &me, revision), if !is_nudged => {
                    is_nudged = true;
                    Input::Nudge
                }
            };
        }
    }

    fn began(&self, last: u8, epoch: Epoch, me: &Arc<Mutex<Manager>>) {
        let mut state = self.state();
        state.terms.push((last, epoch));
        for other in state.living.iter().filter(|other| !Arc::ptr_eq(other, me)) {
            let other = other.lock().unwrap();
            assert!(!other.may_act(self.now()), "{} acts beside 10.0.0.{last}", other.member());
        }
    }
}

#[tokio::test]
async fn three_instances_one_killed() {
    let Some(server) = Server::shared() else { return };
    let (cluster, address) = (Cluster::new(), fresh(server));
    let two = cluster.start(2, &address).await;
    let three = cluster.start(3, &address).await;
    let one = cluster.start(1, &address).await;
    cluster.until_acts(&one).await;
    cluster.kill(one);
    let killed = cluster.until_acts(&two).await;
    // It comes back, and is given the office in good order.
    let one = cluster.start(1, &address).await;
    assert!(cluster.until_acts(&one).await > killed);
    for instance in [&one, &two] {
        instance.orders.send(Input::StopRequested).unwrap();
    }
    let last = cluster.until_acts(&three).await;
    cluster.epochs_rose();
    assert!([one, two].into_iter().all(|stopped| stopped.last < 3));
    let view = open(&address).await.read(&Group::default()).await.unwrap();
    assert_eq!((view.epoch, view.in_force().map(|lease| lease.epoch)), (last, Some(last)));
    cluster.kill(three);
}

#[tokio::test]
async fn one_cut_off() {
    let Some(server) = Server::shared() else { return };
    let (cluster, address) = (Cluster::new(), fresh(server));
    let proxy = Proxy::start(server.address()).await;
    let prefix = address.rsplit('/').next().unwrap();
    let one = cluster.start(1, &format!("http://{}/{prefix}", proxy.address())).await;
    let first = cluster.until_acts(&one).await;
    let two = cluster.start(2, &address).await;
    proxy.cut();
    let second = cluster.until_acts(&two).await;
    assert!(second > first);
    proxy.heal();
    assert!(cluster.until_acts(&one).await > second);
    cluster.epochs_rose();
    cluster.kill(one);
    cluster.kill(two);
}

#[tokio::test]
async fn etcd_restarted() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start(&etcd).unwrap();
    let (cluster, address) = (Cluster::new(), fresh(&server));
    let one = cluster.start(1, &address).await;
    let two = cluster.start(2, &address).await;
    let mut last = cluster.until_acts(&one).await;
    for signal in [Signal::Kill, Signal::Terminate] {
        server.stop(signal).unwrap();
        // Longer than the lease: nobody may act then.
        soon(async {
            while one.manager.lock().unwrap().epoch().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        server.start_again().unwrap();
        let epoch = cluster.until_acts(&one).await;
        assert!(epoch > last, "{epoch} after {last}");
        last = epoch;
    }
    cluster.epochs_rose();
    let view = open(&address).await.read(&Group::default()).await.unwrap();
    assert!(view.epoch >= last);
    cluster.kill(one);
    cluster.kill(two);
}

/// Three servers of which one is lost after the other, each as the leader or not.
#[tokio::test]
async fn servers_of_etcd_lost() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let servers = Server::cluster(&etcd, 3).unwrap();
    let places: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
    let (cluster, address) = (Cluster::new(), format!("http://{}/ringback", places.join(",")));
    // Shorter than what an instance waits for an answer, as it is by default.
    let mut options = options();
    options.request_timeout = Millis(1500);
    let one = cluster.start_with(1, &address, options.clone()).await;
    let two = cluster.start_with(2, &address, options).await;
    cluster.until_acts(&one).await;
    for server in &servers {
        server.stop(Signal::Kill).unwrap();
        cluster.until_acts(&one).await;
        server.start_again().unwrap();
    }
    for server in &servers {
        server.pause().unwrap();
        cluster.until_acts(&one).await;
        server.resume().unwrap();
    }
    let last = cluster.until_acts(&one).await;
    cluster.epochs_rose();
    let epoch = open(&address).await.read(&Group::default()).await.unwrap().epoch;
    assert!(epoch >= last);
    cluster.kill(one);
    cluster.kill(two);
}
