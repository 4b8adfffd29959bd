use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringback_model::Group;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use super::auth::SharedSecret;
use super::converse::{Desk, End, converse};
use super::feed::{Feeds, TcpFeed};
use super::limits::TcpLimits;

/// The trace field of change notification.
const TRACE: &str = "ringback::change_notification";

/// Why the port could not be opened. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another program listens there.
    #[error(
        "port {} of {} for change notifications is in use by another program: end that program, or set \"CBB Change \
         Notification TCP Port\" to another port",
        .0.port(), .0.ip()
    )]
    PortInUse(SocketAddr),
    /// This user may not.
    #[error(
        "port {} for change notifications may not be opened by this user: set \"CBB Change Notification TCP Port\" to \
         one above 1023",
        .0.port()
    )]
    NotPermitted(SocketAddr),
    /// The machine has no such address.
    #[error("{} is no address of this machine (port {} for change notifications): name one it has", .0.ip(), .0.port())]
    NoSuchAddress(SocketAddr),
    /// Anything else.
    #[error("{address} cannot be opened for change notifications: {reason}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
}

impl ListenError {
    fn new(address: SocketAddr, reason: io::Error) -> Self {
        match reason.kind() {
            ErrorKind::AddrInUse => Self::PortInUse(address),
            ErrorKind::PermissionDenied => Self::NotPermitted(address),
            ErrorKind::AddrNotAvailable => Self::NoSuchAddress(address),
            _ => Self::Other { address, reason },
        }
    }
}

/// Listens for change notifications until it is dropped; the connections end with it.
#[derive(Debug)]
pub struct ChangeListener {
    address: SocketAddr,
    feeds: Arc<Feeds>,
    task: AbortHandle,
}

impl ChangeListener {
    /// Opens the port. A notification for a group is taken from the moment on when a [`feed`](Self::feed) of it exists.
    ///
    /// # Errors
    /// The port cannot be opened; says which, and what to do.
    pub async fn bind(
        address: SocketAddr,
        secret: SharedSecret,
        limits: TcpLimits,
    ) -> Result<Self, ListenError> {
        let failed = |reason| ListenError::new(address, reason);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let feeds = Arc::new(Feeds::default());
        let seats = Arc::new(Semaphore::new(limits.connections));
        let desk = Desk { secret, limits, feeds: Arc::clone(&feeds), seats };
        let task = tokio::spawn(accept(listener, Arc::new(desk))).abort_handle();
        Ok(Self { address, feeds, task })
    }

    /// Where it listens: with the port it was given if it asked for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it is told about one group.
    #[must_use]
    pub fn feed(&self, group: &Group) -> TcpFeed {
        self.feeds.subscribe(group)
    }
}

impl Drop for ChangeListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    /// The system is short of something: it is given time.
    const PAUSE: Duration = Duration::from_millis(100);
    let waiting = Arc::new(Semaphore::new(desk.limits.connections));
    let mut conversations = JoinSet::new();
    let mut failing = false;
    loop {
        while conversations.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(reason) => {
                if !failing {
                    desk.feeds.lost(&format!("no connection can be taken: {reason}"));
                }
                failing = true;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        failing = false;
        let Ok(place) = Arc::clone(&waiting).try_acquire_owned() else {
            send_away(&stream);
            continue;
        };
        let desk = Arc::clone(&desk);
        conversations.spawn(async move {
            match converse(stream, &desk, place).await {
                End::Closed => tracing::debug!(target: TRACE, %peer, "has closed the connection"),
                End::Stranger => tracing::warn!(target: TRACE, %peer, "does not know the shared secret"),
                End::Told(why) => tracing::info!(target: TRACE, %peer, why, "was sent away"),
            }
        });
    }
}

/// Without waiting: it is told if that is possible at once.
fn send_away(stream: &TcpStream) {
    let _ = stream.try_write(b"ERR too many connections: try again later\n");
}
