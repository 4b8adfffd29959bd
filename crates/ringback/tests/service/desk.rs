//! A group with three phones, and instances of the service that serve it.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringback::cti::message::{
    Activity, CallInfo, CallState, Cause, DeviceStatus, Feature, FeatureInvocation, InvocationId,
};
use ringback::cti::{LinkLoss, ProviderEvent};
use ringback::db::{DirectoryAdmin, MemoryDirectory, MemoryStore, PhoneConfig};
use ringback::election::MemoryRegistry;
use ringback::model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Group, LineId, Locale, Partition, Timestamp,
};
use ringback::serviceability::alarm::{AlarmName, MemorySink};
use ringback::{Config, Handle, Ports, Service, Status};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::ports::{Plain, Provider, Store, Switchboard};

/// 2026-01-05T14:00:00Z.
const START: u64 = 1_767_621_600_000;

pub(crate) fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

pub(crate) fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).unwrap()
}

pub(crate) fn line(number: &str) -> LineId {
    LineId::new(Partition::default(), dn(number))
}

pub(crate) fn at(name: &str, number: &str) -> Appearance {
    Appearance { device: device(name), line: line(number) }
}

/// Waits so long, which lets everything happen that happens until then; zero is this very moment.
pub(crate) async fn pass(milliseconds: u64) {
    tokio::task::yield_now().await;
    sleep(Duration::from_millis(milliseconds)).await;
}

/// What instances share. Phone A has line 1001 and speaks German, B has 1002, C has 1003.
pub(crate) struct Desk {
    pub(crate) directory: MemoryDirectory,
    pub(crate) store: Store,
    pub(crate) registry: MemoryRegistry,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let start = Instant::now();
        let now = move || Timestamp(START + u64::try_from(start.elapsed().as_millis()).unwrap());
        let directory = MemoryDirectory::new();
        for (name, number, locale) in [("A", "1001", "de_DE"), ("B", "1002", "en_US"), ("C", "1003", "en_US")]
        {
            let mut phone = PhoneConfig::new(device(name), vec![line(number)]);
            phone.locale = Locale::new(locale).unwrap();
            directory.put_phone(&Group::default(), &phone).await.unwrap();
        }
        Self {
            directory,
            store: Store::new(MemoryStore::new(Arc::new(now))),
            registry: MemoryRegistry::new(now),
        }
    }

    pub(crate) fn ports(&self) -> (Ports, Switchboard, Arc<MemorySink>) {
        let (provider, board) = Provider::new();
        let alarms = Arc::new(MemorySink::default());
        let ports = Ports {
            provider: Box::new(provider),
            directory: Arc::new(self.directory.clone()),
            feed: Some(Box::new(self.directory.feed(&Group::default()))),
            store: Arc::new(self.store.clone()),
            registry: Arc::new(self.registry.clone()),
            renderer: Arc::new(Plain),
            alarms: alarms.clone(),
            on_parameters: None,
            on_settings: None,
        };
        (ports, board, alarms)
    }

    /// An instance at `10.0.0.last`, linked, and whatever it becomes within two seconds.
    pub(crate) async fn instance(&self, last: u8) -> Instance {
        let instance = self.started(self.config(last), |_| {});
        instance.board.happens(link_up());
        pass(2000).await;
        instance
    }

    /// The same, alone and active; what it did so far is forgotten.
    pub(crate) async fn active(&self) -> Instance {
        let instance = self.instance(1).await;
        assert_eq!(instance.board.asked(), ["assume 1"]);
        instance
    }

    pub(crate) async fn set_parameter(&self, name: &str, value: &str) {
        self.directory.set_parameter(&Group::default(), name, Some(value)).await.unwrap();
    }

    pub(crate) fn config(&self, last: u8) -> Config {
        Config::new(IpAddr::from([10, 0, 0, last]), u64::from(last))
    }

    pub(crate) fn started(&self, config: Config, change: impl FnOnce(&mut Ports)) -> Instance {
        let (mut ports, board, alarms) = self.ports();
        change(&mut ports);
        let (service, handle) = Service::new(config, ports).unwrap();
        let gate = Gate::default();
        let task = tokio::spawn(Pausable { run: Box::pin(service.run()), gate: gate.clone() });
        Instance { handle, board, alarms, task, gate }
    }
}

pub(crate) struct Instance {
    pub(crate) handle: Handle,
    pub(crate) board: Switchboard,
    pub(crate) alarms: Arc<MemorySink>,
    pub(crate) task: JoinHandle<()>,
    gate: Gate,
}

impl Instance {
    pub(crate) fn status(&self) -> Status {
        self.handle.status()
    }

    pub(crate) fn alarm_names(&self) -> Vec<AlarmName> {
        self.alarms.take().iter().map(ringback::serviceability::alarm::Alarm::name).collect()
    }

    /// A presses CallBack in a call to this number.
    pub(crate) fn press(&self, id: u64, called: &str, state: CallState) {
        self.press_at(at("A", "1001"), id, called, state);
    }

    pub(crate) fn press_at(&self, from: Appearance, id: u64, called: &str, state: CallState) {
        self.board.happens(ProviderEvent::FeatureInvoked(FeatureInvocation {
            invocation: InvocationId(id),
            feature: Feature::CallBack,
            from,
            call: Some(CallId(id)),
            state,
            cause: Cause::NONE,
            called: Some(dn(called)),
        }));
    }

    /// A busy B is waited for by A: request 1-1.
    pub(crate) async fn activate(&self) {
        self.b_talks();
        self.press(1, "1002", CallState::Busy);
        pass(10).await;
        self.board.happens(ProviderEvent::Call { at: at("B", "1002"), info: call(7, CallState::Connected) });
        pass(10).await;
        assert_eq!(self.board.asked().last().unwrap(), "A <- Activated 1002 [de_DE] 1-1");
    }

    /// B has a call as soon as its line is opened.
    pub(crate) fn b_talks(&self) {
        self.board.with(|manners| {
            manners.calls.insert(at("B", "1002"), vec![call(7, CallState::Connected)]);
        });
    }

    /// B hangs up.
    pub(crate) async fn b_is_free(&self) {
        self.board.with(|manners| manners.calls.clear());
        self.board.happens(ProviderEvent::Call { at: at("B", "1002"), info: call(7, CallState::Idle) });
        pass(10).await;
    }

    pub(crate) fn activity(&self, name: &str, activity: Activity) {
        let status = Some(DeviceStatus { activity, do_not_disturb: false });
        self.board.happens(ProviderEvent::Device { device: device(name), status });
    }

    /// A softkey of ours, as the phone sends it.
    pub(crate) fn key(&self, name: &str, content: &str) {
        self.board.happens(ProviderEvent::DeviceData { device: device(name), content: content.to_owned() });
    }

    /// It does not run for so long; the world does.
    pub(crate) async fn pause(&self, milliseconds: u64) {
        self.gate.close();
        pass(milliseconds).await;
        self.gate.open();
    }

    /// It ends within three seconds.
    pub(crate) async fn ends(self) {
        timeout(Duration::from_secs(3), self.task).await.expect("the service ends").unwrap();
    }
}

pub(crate) fn call(id: u64, state: CallState) -> CallInfo {
    CallInfo { call: CallId(id), state, cause: Cause::NONE, called: None, peer: None }
}

pub(crate) fn link_up() -> ProviderEvent {
    ProviderEvent::LinkUp { manager: "cti1".to_owned(), failed_over: false }
}

pub(crate) fn link_lost() -> ProviderEvent {
    ProviderEvent::LinkLost { manager: "cti1".to_owned(), reason: LinkLoss::Closed }
}

/// Holds a future back.
#[derive(Clone, Default)]
struct Gate {
    closed: Arc<AtomicBool>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Gate {
    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn open(&self) {
        self.closed.store(false, Ordering::Relaxed);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }
}

struct Pausable {
    run: Pin<Box<dyn Future<Output = ()> + Send>>,
    gate: Gate,
}

impl Future for Pausable {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        *self.gate.waker.lock().unwrap() = Some(context.waker().clone());
        if self.gate.closed.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        self.run.as_mut().poll(context)
    }
}
