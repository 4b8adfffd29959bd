//! The service at a real PostgreSQL that fails: sessions ended, links reset, restarts, a standby that takes its place. There
//! is never a second active, running requests go on, and nothing that was confirmed is lost.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::election::Role;
use ringback::model::{DeviceName, Group};
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::{AlarmName, MemorySink};
use ringback::{Config, Handle, Ports, Service, Status};
use ringback_examples::stage::{PATIENCE, Stage, Store, phone, until};
use ringback_postgres_lab::{Durability, Postgres, Server, Signal};
use ringback_sim::{Action, CallManagerConfig};
use tokio::time::timeout;

/// One instance of the service in this process, at a call manager with the phones A to D.
struct Site {
    stage: Stage,
    handle: Handle,
    alarms: Arc<MemorySink>,
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a name")
}

impl Site {
    async fn new(folder: &Path, address: String) -> Self {
        let stage = Stage::set_up(folder, &Store::Database(address), None).await.expect("a database");
        for (name, number) in [("A", "1001"), ("B", "1002"), ("C", "1003"), ("D", "1004")] {
            let (device, line) = phone(name, number).expect("a phone");
            stage.add_phone(device, line).await.expect("a database");
        }
        let login = CallManagerConfig::default();
        let manager = Manager::new("cti1", stage.cti());
        let client = ClientConfig::new(vec![manager], login.user, login.password);
        let alarms = Arc::new(MemorySink::default());
        let database = &stage.database;
        let ports = Ports {
            provider: Box::new(ClientProvider::new(client, Arc::new(TcpConnector)).expect("a login")),
            directory: database.directory(),
            feed: Some(database.feed(&Group::default())),
            store: database.store(),
            registry: database.registry(),
            renderer: Arc::new(XmlRenderer::default()),
            alarms: alarms.clone(),
            on_parameters: None,
            on_settings: None,
        };
        let config = Config::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
        let (service, handle) = Service::new(config, ports).expect("a configuration");
        tokio::spawn(service.run());
        let site = Self { stage, handle, alarms };
        site.status(|status| status.role == Role::Active && status.ready).await;
        site
    }

    async fn status(&self, wanted: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.handle.watch();
        let found = timeout(PATIENCE, status.wait_for(wanted)).await;
        found.expect("waited in vain for a status").expect("the service has ended").clone()
    }

    fn act(&self, name: &str, action: Action) {
        self.stage.call_manager.act(&device(name), action).expect("it can do that");
    }

    fn screen(&self, name: &str) -> String {
        self.stage.call_manager.screen(&device(name)).map(|screen| screen.text).unwrap_or_default()
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let done = until(&self.stage.call_manager, what, holds).await;
        done.unwrap_or_else(|reason| {
            panic!("{reason}; A sees {:?}, {:?}", self.screen("A"), self.alarms.names())
        });
    }

    /// It hears busy, presses the key, is told so, and hangs up.
    async fn activates(&self, name: &str, called: &str) {
        let (_, line) = phone("X", called).expect("a number");
        self.act(name, Action::Calls { to: line.dn, on: None });
        let expected = format!("activated on {called}");
        let activated = async {
            // A key that is pressed before the CTIManager knows who acts is not active: it is pressed again.
            let again = Duration::from_secs(2);
            while !self.screen(name).contains(&expected) {
                self.act(name, Action::Presses("CallBack".to_owned()));
                let shown = self.until(&expected, || self.screen(name).contains(&expected));
                let _pressed_again = timeout(again, shown).await;
            }
        };
        timeout(PATIENCE, activated).await.unwrap_or_else(|_| panic!("not {expected}"));
        self.act(name, Action::HangsUp(None));
    }

    /// The called phone is put down, and the caller is told.
    async fn becomes_free(&self, called: &str, caller: &str) {
        self.act(called, Action::Replaces);
        self.is_told(caller).await;
    }

    async fn is_told(&self, caller: &str) {
        self.until("the screen", || self.screen(caller).contains("has become available")).await;
        self.until("the alert", || self.alerts(caller) > 0).await;
    }

    fn alerts(&self, name: &str) -> u64 {
        self.stage.call_manager.alerts(&device(name))
    }

    /// Waits until this alarm has been raised so often.
    async fn alarm(&self, name: AlarmName, times: usize) {
        let raised = async {
            while self.alarms.names().iter().filter(|found| **found == name).count() < times {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, raised).await.unwrap_or_else(|_| panic!("no {name}"));
    }

    fn pending(&self) -> usize {
        self.handle.status().pending
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_ended_and_a_server_that_restarts() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let server = Server::start_with(&postgres, Durability::Full, &[]).expect("a server");
    let folder = tempfile::tempdir().expect("a folder");
    let address = server.fresh_database().expect("a database");
    let site = Site::new(folder.path(), address.clone()).await;
    let epoch = site.handle.status().epoch;
    for name in ["B", "D"] {
        site.act(name, Action::Lifts);
    }
    site.activates("A", "1002").await;
    // Nobody else acts, and the lease goes on.
    for _ in 0..5 {
        server
            .sql(&address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'ringback/%'")
            .expect("a server");
    }
    site.activates("C", "1004").await;
    site.becomes_free("B", "A").await;
    assert_eq!((site.handle.status().epoch, site.pending()), (epoch, 2));

    server.stop(Signal::Kill).expect("a server");
    // The line is watched while the store is away.
    site.act("D", Action::Replaces);
    site.alarm(AlarmName::StoreLost, 1).await;
    server.start_again().expect("a server");
    site.is_told("C").await;
    site.alarm(AlarmName::StoreBack, 2).await;
    site.status(|status| status.role == Role::Active && status.ready && status.pending == 2).await;
    assert!(!site.alarms.names().contains(&AlarmName::StoreSetBack));
    assert_eq!((site.alerts("A"), site.alerts("C")), (1, 1));
}

/// A primary and its standby, and how both are reached.
struct Pair {
    primary: Server,
    standby: Server,
    address: String,
}

impl Pair {
    fn new(postgres: &Postgres, synchronous: bool) -> Self {
        let primary = Server::start(postgres).expect("a server");
        let standby = primary.standby().expect("a standby");
        primary.wait_for_standby(synchronous).expect("a standby");
        let database = primary.fresh_database().expect("a database");
        let (one, both) =
            (primary.address().to_string(), format!("{},{}", primary.address(), standby.address()));
        Self { primary, standby, address: database.replace(&one, &both) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_that_is_promoted_has_everything() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let pair = Pair::new(&postgres, true);
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site::new(folder.path(), pair.address.clone()).await;
    let epoch = site.handle.status().epoch;
    site.act("B", Action::Lifts);
    site.activates("A", "1002").await;
    pair.primary.stop(Signal::Kill).expect("a server");
    site.status(|status| status.role != Role::Active).await;
    pair.standby.promote().expect("a standby");
    let back = site.status(|status| status.role == Role::Active && status.ready).await;
    assert!(back.epoch > epoch, "{back:?}");
    assert_eq!(back.pending, 1);
    site.becomes_free("B", "A").await;
    assert!(!site.alarms.names().contains(&AlarmName::StoreSetBack));
    assert_eq!(site.alerts("A"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_standby_that_is_promoted_lacks_is_written_again_and_told() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let pair = Pair::new(&postgres, false);
    let folder = tempfile::tempdir().expect("a folder");
    let site = Site::new(folder.path(), pair.address.clone()).await;
    let epoch = site.handle.status().epoch;
    for name in ["B", "D"] {
        site.act(name, Action::Lifts);
    }
    site.activates("A", "1002").await;
    pair.standby.stop_copying().expect("a standby");
    // Confirmed by a server that is lost, and by nobody else.
    site.activates("C", "1004").await;
    pair.primary.stop(Signal::Kill).expect("a server");
    site.status(|status| status.role != Role::Active).await;
    pair.standby.promote().expect("a standby");
    let back = site.status(|status| status.role == Role::Active && status.ready).await;
    assert!(back.epoch > epoch, "{back:?}");
    assert_eq!(back.pending, 2);
    site.alarm(AlarmName::StoreSetBack, 1).await;
    site.becomes_free("B", "A").await;
    site.becomes_free("D", "C").await;
    assert_eq!((site.alerts("A"), site.alerts("C")), (1, 1));
}
