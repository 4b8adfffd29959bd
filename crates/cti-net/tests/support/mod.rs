//! A small CTIManager and a network of them, for the tests of this crate.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ringback_cti::message::{Activity, Answer, CtiError, DeviceStatus, Event, ProviderOpen, Request};
use ringback_cti::{Command, CtiProvider, LinkLoss, ProviderEvent};
use ringback_cti_net::{
    ClientConfig, ClientProvider, Connector, CtiServer, Link, LinkId, Manager, Reply, ServeError,
    ServerConfig, Stream, serve_connection,
};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch, LineId, Millis, Partition};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub const IDLE: DeviceStatus = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };

pub fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

pub fn line(name: &str, dn: &str) -> Appearance {
    let line = LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
    Appearance { device: device(name), line }
}

/// A CTIManager that answers everything at once, unless told to be mute.
#[derive(Default)]
pub struct Answering {
    pub links: Mutex<BTreeMap<LinkId, Link>>,
    pub requests: Mutex<Vec<String>>,
    pub kept: Mutex<Vec<Reply>>,
    pub mute: std::sync::atomic::AtomicBool,
    pub opened: Mutex<Vec<LinkId>>,
    pub closed: Mutex<Vec<LinkId>>,
}

impl Answering {
    pub fn link(&self) -> Link {
        self.links.lock().unwrap().values().next_back().cloned().unwrap()
    }

    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    fn reply(&self, reply: Reply, result: Result<Answer, CtiError>) {
        if self.mute.load(std::sync::atomic::Ordering::Relaxed) {
            self.kept.lock().unwrap().push(reply);
        } else {
            reply.send(result);
        }
    }
}

impl CtiServer for Answering {
    fn provider_open(&self, link: &Link, open: ProviderOpen, reply: Reply) {
        self.links.lock().unwrap().insert(link.id(), link.clone());
        self.opened.lock().unwrap().push(link.id());
        self.requests.lock().unwrap().push(format!("open {}", open.epoch));
        let result = if open.user == "nobody" {
            Err(CtiError::LoginFailed)
        } else {
            Ok(Answer::ProviderOpened { version: link.version(), heartbeat: open.heartbeat })
        };
        self.reply(reply, result);
    }

    fn request(&self, _link: &Link, request: Request, reply: Reply) {
        let (seen, answer) = match request {
            Request::DeviceOpen(device) if device.as_str() == "AWAY" => {
                ("device away".to_owned(), Err(CtiError::DeviceOutOfService))
            }
            Request::DeviceOpen(device) => {
                (format!("device {}", device.as_str()), Ok(Answer::DeviceOpened(IDLE)))
            }
            Request::LineOpen(at) => {
                (format!("line {}", at.line.dn.as_str()), Ok(Answer::LineOpened(vec![])))
            }
            Request::Assume(epoch) => (format!("assume {epoch}"), Ok(Answer::Done)),
            Request::FeatureRegister(_) => ("register".to_owned(), Ok(Answer::Done)),
            _ => ("other".to_owned(), Ok(Answer::Done)),
        };
        self.requests.lock().unwrap().push(seen);
        self.reply(reply, answer);
    }

    fn closed(&self, link: LinkId) {
        self.links.lock().unwrap().remove(&link);
        self.closed.lock().unwrap().push(link);
    }
}

/// One address of the simulated network.
pub struct Place {
    pub server: Arc<Answering>,
    pub freeze: watch::Sender<bool>,
    pub config: ServerConfig,
    pub up: bool,
    links: Vec<JoinHandle<Result<(), ServeError>>>,
}

/// Connects by `duplex` to CTIManagers by their addresses.
#[derive(Default)]
pub struct Network {
    pub places: Mutex<BTreeMap<String, Place>>,
}

impl Network {
    pub fn with(addresses: &[&str]) -> Arc<Self> {
        let network = Self::default();
        for address in addresses {
            let freeze = watch::Sender::new(false);
            let config = ServerConfig { freeze: Some(freeze.subscribe()), ..ServerConfig::default() };
            let place = Place { server: Arc::default(), freeze, config, up: true, links: vec![] };
            network.places.lock().unwrap().insert((*address).to_owned(), place);
        }
        Arc::new(network)
    }

    pub fn at<T>(&self, address: &str, look: impl FnOnce(&mut Place) -> T) -> T {
        look(self.places.lock().unwrap().get_mut(address).unwrap())
    }

    pub fn server(&self, address: &str) -> Arc<Answering> {
        self.at(address, |place| Arc::clone(&place.server))
    }

    /// The CTIManager dies: its connections are closed by the kernel.
    pub fn stop(&self, address: &str) {
        self.at(address, |place| {
            place.up = false;
            place.links.drain(..).for_each(|link| link.abort());
        });
    }

    pub fn start(&self, address: &str) {
        self.at(address, |place| place.up = true);
    }
}

/// The network as a connector.
pub struct Way(pub Arc<Network>);

#[async_trait]
impl Connector for Way {
    async fn connect(&self, manager: &Manager) -> io::Result<Box<dyn Stream>> {
        self.0.at(&manager.address, |place| {
            if !place.up {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (near, far) = tokio::io::duplex(4096);
            let server: Arc<dyn CtiServer> = Arc::clone(&place.server) as _;
            place.links.push(tokio::spawn(serve_connection(far, server, place.config.clone())));
            Ok(Box::new(near) as Box<dyn Stream>)
        })
    }
}

pub fn config(addresses: &[&str]) -> ClientConfig {
    let managers = addresses.iter().map(|address| Manager::new(format!("{address}!"), *address)).collect();
    ClientConfig::new(managers, "user", "secret".into())
}

pub fn provider(network: &Arc<Network>, config: ClientConfig) -> ClientProvider {
    ClientProvider::new(config, Arc::new(Way(Arc::clone(network)))).unwrap()
}

/// A provider that acts and watches one line.
pub fn watching(network: &Arc<Network>, config: ClientConfig) -> ClientProvider {
    let mut provider = provider(network, config);
    provider.submit(Command::Assume(Epoch(1)));
    provider.submit(Command::OpenDevice(device("PHONE")));
    provider.submit(Command::OpenLine(line("PHONE", "1001")));
    provider
}

/// The reports of this span of time.
pub async fn during(provider: &mut ClientProvider, millis: u64) -> Vec<ProviderEvent> {
    let end = tokio::time::Instant::now() + Duration::from_millis(millis);
    let mut events = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout_at(end, provider.next()).await {
        events.push(event);
    }
    events
}

pub fn up(address: &str, failed_over: bool) -> ProviderEvent {
    ProviderEvent::LinkUp { manager: format!("{address}!"), failed_over }
}

pub fn lost(address: &str, reason: LinkLoss) -> ProviderEvent {
    ProviderEvent::LinkLost { manager: format!("{address}!"), reason }
}

pub fn failed(address: &str, reason: LinkLoss) -> ProviderEvent {
    ProviderEvent::LinkFailed { manager: format!("{address}!"), reason }
}

/// The two reports of `watching`.
pub fn read() -> [ProviderEvent; 2] {
    [
        ProviderEvent::Device { device: device("PHONE"), status: Some(IDLE) },
        ProviderEvent::LineOpened { at: line("PHONE", "1001"), calls: vec![] },
    ]
}

pub fn with_read(first: Vec<ProviderEvent>) -> Vec<ProviderEvent> {
    first.into_iter().chain(read()).collect()
}

pub fn seconds(secs: u64) -> Millis {
    Millis::from_secs(secs)
}

/// The event of a connection that was refused.
pub fn refused() -> LinkLoss {
    LinkLoss::Connect(io::Error::from(io::ErrorKind::ConnectionRefused).to_string())
}

pub fn in_service(name: &str) -> Event {
    Event::DeviceInService(device(name))
}
