use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ringback_model::Group;
use tokio::sync::watch;
use tokio::time::Instant;

use super::auth::SharedSecret;
use super::feed::TcpFeed;
use super::limits::TcpLimits;
use super::listener::{ChangeListener, ListenError};
use super::shared::SharedListeners;
use crate::feed::{Change, ChangeFeed, FeedError};

/// How soon a port that could not be opened is tried again.
const RETRY: Duration = Duration::from_secs(5);

const PARAMETER: &str = "CBB Change Notification TCP Port";

/// Moves the listener of a [`RebindingTcpFeed`]; clones move the same.
#[derive(Debug, Clone)]
pub struct TcpPort {
    wanted: watch::Sender<Option<u16>>,
    bound: watch::Receiver<Option<SocketAddr>>,
}

impl TcpPort {
    /// The listener is to be at this port: at first, and whenever *CBB Change Notification TCP Port* changes. Never
    /// waits; the feed does it when it is asked for the next change.
    pub fn set(&self, port: u16) {
        self.wanted.send_if_modified(|wanted| wanted.replace(port) != Some(port));
    }

    /// Where it listens now.
    #[must_use]
    pub fn bound(&self) -> Option<SocketAddr> {
        *self.bound.borrow()
    }
}

/// The changes of one group that are told over TCP, with a listener of its own that follows the service parameter, or with
/// one that it shares with the groups whose parameter is the same.
///
/// A new port is opened before the old one is closed. If it cannot be opened, that is told once, as
/// [`NotInForce`](FeedError::NotInForce) if the old one stays, as [`Lost`](FeedError::Lost) if there was none, and it
/// is tried again every 5 s. Connections to the old port end when the new one is open, unless another group is still told
/// of there; their clients reconnect.
#[derive(Debug)]
pub struct RebindingTcpFeed {
    group: Group,
    ip: IpAddr,
    listeners: SharedListeners,
    wanted: watch::Receiver<Option<u16>>,
    bound: watch::Sender<Option<SocketAddr>>,
    current: Option<Listening>,
    /// The port that could not be opened, and when it is tried again.
    failed: Option<(u16, Instant)>,
}

#[derive(Debug)]
struct Listening {
    port: u16,
    feed: TcpFeed,
    /// It listens as long as this lives.
    _listener: Arc<ChangeListener>,
}

impl RebindingTcpFeed {
    /// A feed that will listen at this address of the machine, as soon as it is told at which port.
    #[must_use]
    pub fn new(ip: IpAddr, secret: SharedSecret, limits: TcpLimits, group: Group) -> (Self, TcpPort) {
        Self::sharing(ip, SharedListeners::new(secret, limits), group)
    }

    /// The same with listeners that the feeds of other groups use, too.
    #[must_use]
    pub fn sharing(ip: IpAddr, listeners: SharedListeners, group: Group) -> (Self, TcpPort) {
        let (wanted, receiver) = watch::channel(None);
        let (bound, bound_at) = watch::channel(None);
        let feed = Self { group, ip, listeners, wanted: receiver, bound, current: None, failed: None };
        (feed, TcpPort { wanted, bound: bound_at })
    }

    /// The port that is to be opened now; `None` if the listener is where it shall be, or was tried in vain just now.
    fn port_to_open(&mut self) -> Option<u16> {
        let wanted = *self.wanted.borrow_and_update();
        let wanted = wanted.filter(|wanted| self.current.as_ref().map(|now| now.port) != Some(*wanted));
        if self.failed.is_some_and(|(port, _)| Some(port) != wanted) {
            self.failed = None;
        }
        wanted.filter(|_| self.failed.is_none_or(|(_, retry)| retry <= Instant::now()))
    }

    /// Opens the port. Dropped meanwhile, nothing has changed.
    async fn open(&mut self, port: u16) -> Result<(), ListenError> {
        let address = SocketAddr::new(self.ip, port);
        let listener = self.listeners.at(address).await?;
        self.bound.send_replace(Some(listener.address()));
        let feed = listener.feed(&self.group);
        self.current = Some(Listening { port, feed, _listener: listener });
        self.failed = None;
        Ok(())
    }

    /// What is told of a port that could not be opened: only the first time.
    fn not_opened(&mut self, port: u16, error: &ListenError) -> Option<FeedError> {
        let first = self.failed.replace((port, Instant::now() + RETRY)).is_none();
        let reason = error.to_string();
        first.then(|| match &self.current {
            Some(now) => FeedError::NotInForce {
                parameter: PARAMETER,
                value: port.to_string(),
                used: now.port.to_string(),
                reason,
            },
            None => FeedError::Lost(reason),
        })
    }
}

#[async_trait]
impl ChangeFeed for RebindingTcpFeed {
    async fn next(&mut self) -> Result<Change, FeedError> {
        loop {
            if let Some(port) = self.port_to_open() {
                match self.open(port).await {
                    Ok(()) => {}
                    Err(error) => match self.not_opened(port, &error) {
                        Some(told) => return Err(told),
                        None => continue,
                    },
                }
            }
            let retry = self.failed.map(|(_, at)| at);
            tokio::select! {
                biased;
                // The control may be gone: then the port stays.
                Ok(()) = self.wanted.changed() => {}
                () = sleep_until(retry) => {}
                told = next(&mut self.current) => return told,
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn next(current: &mut Option<Listening>) -> Result<Change, FeedError> {
    match current {
        Some(listening) => listening.feed.next().await,
        None => std::future::pending().await,
    }
}
