//! Where phones reach this program.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ringback_model::DeviceName;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::address::Signer;
use super::answer::{self, Pressed};
use super::config::{Config, ConfigError, duration};
use super::table::Table;
use super::way::PushWay;
use crate::notify::{Place, Presses};

/// How long is waited after a connection could not be accepted: the machine has no room for it.
const NO_ROOM: std::time::Duration = std::time::Duration::from_millis(100);

/// The server has not started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be had.
    #[error("cannot listen at {address} for phones: {source}: end what uses it, or give another address")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// What all phones share.
pub(super) struct Desk {
    pub(super) config: Config,
    /// What phones are told of where this program is.
    pub(super) public: String,
    /// The same for keys.
    pub(super) keys: String,
    pub(super) signer: Signer,
    /// How many phones can be told something now.
    pub(super) phones: Semaphore,
    table: Mutex<Table>,
    /// Who takes the keys of a phone, whoever showed its screen; without a name: of all others.
    listeners: Mutex<BTreeMap<Option<DeviceName>, Vec<Presses>>>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    pub(super) fn listen(&self, phone: Option<&DeviceName>, presses: &Presses) {
        let mut listeners = lock(&self.listeners);
        let of_phone = listeners.entry(phone.cloned()).or_default();
        of_phone.retain(|presses| !presses.is_over());
        of_phone.push(presses.clone());
    }

    /// A place for a press of this phone at an instance that acts here.
    pub(super) fn reserve(&self, phone: &DeviceName) -> Option<Place> {
        let listeners = lock(&self.listeners);
        let of_phone = listeners.get(&Some(phone.clone())).into_iter().chain(listeners.get(&None));
        of_phone.flatten().find_map(Presses::reserve)
    }

    /// Whether an instance acts here.
    pub(super) fn acts(&self) -> bool {
        lock(&self.listeners).values().flatten().any(Presses::is_open)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Serves screens to phones, and takes their keys. It ends with this value, its clones, and the [`PushWay`]s that it gave:
/// then phones fetch nothing any more, and their keys do nothing.
#[derive(Debug, Clone)]
pub struct PushServer {
    pub(super) desk: Arc<Desk>,
    address: SocketAddr,
    _running: Arc<Running>,
}

#[derive(Debug)]
struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl PushServer {
    /// Begins to serve, in a task of the present runtime.
    ///
    /// # Errors
    /// The configuration cannot work, or the address cannot be had.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let address = config.listen;
        let listen = |source| StartError::Listen { address, source };
        Self::start_at(config, TcpListener::bind(address).await.map_err(listen)?)
    }

    /// The same at a socket that listens already, whatever the configuration says.
    ///
    /// # Errors
    /// The configuration cannot work, or the socket tells no address.
    pub fn start_at(config: Config, listener: TcpListener) -> Result<Self, StartError> {
        config.check()?;
        let listen = |source| StartError::Listen { address: config.listen, source };
        let address = listener.local_addr().map_err(listen)?;
        let public = config.public.clone().unwrap_or_else(|| address.to_string());
        let desk = Arc::new(Desk {
            keys: config.keys.clone().unwrap_or_else(|| public.clone()),
            signer: Signer::new(config.secret.as_ref(), &config.login),
            phones: Semaphore::new(config.phones),
            public,
            config,
            table: Mutex::default(),
            listeners: Mutex::default(),
        });
        let running = tokio::spawn(serve(Arc::clone(&desk), listener)).abort_handle();
        Ok(Self { desk, address, _running: Arc::new(Running(running)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to tell the phone at this host (and port, if that is not 80) something.
    ///
    /// # Errors
    /// That is no host.
    pub fn phone(&self, host: &str) -> Result<PushWay, ConfigError> {
        Config::check_phone(host)?;
        Ok(PushWay::new(self.clone(), host.to_owned(), self.desk.config.login.clone()))
    }
}

async fn serve(desk: Arc<Desk>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < desk.config.connections => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(Arc::clone(&desk), stream))),
                Err(error) => {
                    tracing::warn!(%error, "a phone's connection was not accepted");
                    sleep(NO_ROOM).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// How long a phone may take to close a connection whose answer it has read.
const READ: std::time::Duration = std::time::Duration::from_secs(1);

/// One request is answered; what was pressed is told once the phone has read that and closed the connection, so that it has
/// drawn the answer before anything that comes of it reaches it.
async fn connection(desk: Arc<Desk>, stream: TcpStream) {
    let pressed = Pressed::default();
    let answer = |request| {
        let (desk, pressed) = (Arc::clone(&desk), pressed.clone());
        async move { Ok::<_, Infallible>(answer::answer(&desk, &pressed, request).await) }
    };
    let mut http = http1::Builder::new();
    http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(duration(desk.config.connection));
    let serving = http.serve_connection(TokioIo::new(stream), service_fn(answer)).without_shutdown();
    match timeout(duration(desk.config.connection), serving).await {
        Ok(Ok(parts)) if pressed.is_some() => read_by_the_phone(parts.io.into_inner()).await,
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a phone's connection"),
        Err(_) => tracing::debug!("a phone's connection lasted too long"),
    }
    pressed.tell();
}

/// Waits until the far side has closed the connection, which it does when it has read all; if it does not, for so long only.
async fn read_by_the_phone(mut stream: TcpStream) {
    let closing = async {
        stream.shutdown().await?;
        while stream.read(&mut [0; 256]).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // It is gone, or slow.
    let _not_seen = timeout(READ, closing).await;
}
