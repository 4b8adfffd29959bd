use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_cti::message::{Answer, CtiError, ProviderOpen, Request};
use ringback_cti_net::{CtiServer, Link, LinkId, Reply, ServerConfig, serve_connection};
use ringback_model::Millis;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::call_manager::CallManager;
use crate::observe::Observation;

/// Whether a CTIManager runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagerState {
    /// It serves.
    Running,
    /// It is stopped: connections are refused.
    Stopped,
    /// It hangs: connections are made and stay open, nothing is answered.
    Frozen,
}

/// A handle on one CTIManager of a call manager; clones are the same one.
///
/// It is a [`CtiServer`], and serves a connection that [`serve`](Self::serve) is given, or those of a TCP port with
/// [`listen`](Self::listen).
#[derive(Clone)]
pub struct CtiManager {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    call_manager: CallManager,
    run: Mutex<Run>,
    /// What the toolkit looks at.
    freeze: watch::Sender<bool>,
}

struct Run {
    state: ManagerState,
    /// Dropped to close a connection, the oldest first: in the same order each time.
    connections: Vec<oneshot::Sender<()>>,
}

impl CtiManager {
    pub(crate) fn new(name: &str, call_manager: CallManager) -> Self {
        let run = Mutex::new(Run { state: ManagerState::Running, connections: Vec::new() });
        let freeze = watch::Sender::new(false);
        Self { shared: Arc::new(Shared { name: name.to_owned(), call_manager, run, freeze }) }
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.shared.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The call manager it belongs to.
    #[must_use]
    pub fn call_manager(&self) -> &CallManager {
        &self.shared.call_manager
    }

    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> ManagerState {
        self.run().state
    }

    /// Stops it: its connections are closed, new ones refused.
    pub fn stop(&self) {
        self.enter(ManagerState::Stopped, true);
    }

    /// Starts it. Ends a freeze, and closes the connections from before it. Does nothing if it runs.
    pub fn start(&self) {
        if self.state() != ManagerState::Running {
            self.enter(ManagerState::Running, true);
        }
    }

    /// Freezes it: connections stay open and can be made, nothing is answered. One that is stopped stays so.
    pub fn freeze(&self) {
        if self.state() == ManagerState::Running {
            self.enter(ManagerState::Frozen, false);
        }
    }

    fn enter(&self, state: ManagerState, close: bool) {
        self.shared.call_manager.applications(|desk| {
            desk.log.add(desk.now, &format!("{} is {state:?}", self.name()));
            if close {
                desk.applications.manager_gone(self.name());
            }
            desk.applications.set_frozen(self.name(), state == ManagerState::Frozen);
        });
        // Old connections are told to end before they are let go on: they must not serve what waited in them.
        let mut run = self.run();
        run.state = state;
        if close {
            run.connections.clear();
        }
        drop(run);
        self.shared.freeze.send_replace(state == ManagerState::Frozen);
    }

    /// The devices that applications have open here; none while it hangs.
    #[must_use]
    pub fn open_devices(&self) -> usize {
        self.shared.call_manager.look(|applications| applications.open_devices(Some(self.name())))
    }

    /// The lines that applications have open here; none while it hangs.
    #[must_use]
    pub fn open_lines(&self) -> usize {
        self.shared.call_manager.look(|applications| applications.open_lines(Some(self.name())))
    }

    /// The names of the applications whose provider is open here, in order of their opening; none while it hangs.
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        self.shared.call_manager.look(|applications| applications.names(self.name()))
    }

    /// How its links are served: it grants the heartbeat asked for.
    #[must_use]
    pub fn server_config(&self) -> ServerConfig {
        ServerConfig {
            heartbeat: (Millis(1), Millis::from_mins(24 * 60)),
            freeze: Some(self.shared.freeze.subscribe()),
            ..ServerConfig::default()
        }
    }

    /// Serves one connection to its end: until the application or this CTIManager closes it. Dropping the future
    /// closes it, too.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let (connection, closed) = oneshot::channel();
        {
            let mut run = self.run();
            if run.state == ManagerState::Stopped {
                return;
            }
            run.connections.retain(|connection| !connection.is_closed());
            run.connections.push(connection);
        }
        tokio::select! {
            biased;
            _ = closed => {}
            // How the link ended is the application's business; this side is ready for the next one.
            _ = serve_connection(stream, Arc::new(self.clone()), self.server_config()) => {}
        }
    }

    /// Serves every connection that `listener` accepts, until this future is dropped; then all of them are closed.
    pub async fn listen(&self, listener: TcpListener) {
        let mut links = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                    let manager = self.clone();
                    links.spawn(async move {
                        // Only the delay of small messages is at stake.
                        let _ = stream.set_nodelay(true);
                        manager.serve(stream).await;
                    });
                },
                Some(_ended) = links.join_next() => {}
            }
        }
    }
}

impl fmt::Debug for CtiManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtiManager").field("name", &self.name()).field("state", &self.state()).finish()
    }
}

impl CtiServer for CtiManager {
    fn provider_open(&self, link: &Link, open: ProviderOpen, reply: Reply) {
        self.shared.call_manager.applications(|desk| {
            let known =
                open.user == desk.user && open.password.expose_secret() == desk.password.expose_secret();
            let result = if known { Ok(()) } else { Err(CtiError::LoginFailed) };
            let result = result.and_then(|()| desk.applications.open(self.name(), link, &open));
            let outcome = match result {
                Ok(()) => format!("opens its provider in epoch {}", open.epoch),
                Err(error) => format!("may not open its provider: {error}"),
            };
            desk.log.add(desk.now, &format!("{} at {} {outcome}", open.application, self.name()));
            let version = link.version();
            reply.send(result.map(|()| Answer::ProviderOpened { version, heartbeat: open.heartbeat }));
        });
    }

    fn request(&self, link: &Link, request: Request, reply: Reply) {
        // The answer goes out before the events that follow from the request: those are told when this returns.
        self.shared.call_manager.applications(|desk| {
            let assumed = if let Request::Assume(epoch) = request { Some(epoch) } else { None };
            let asked = desk.observer.map(|_| (request.clone(), desk.applications.who(link.id())));
            let result = desk.applications.request(desk.now, desk.switch, link.id(), request);
            if let (Some(observer), Some((request, Some((application, epoch))))) = (desk.observer, &asked) {
                let (result, switch) = (&result, &*desk.switch);
                observer(
                    desk.now,
                    &Observation::Request { application, epoch: *epoch, request, result, switch },
                );
            }
            match (&result, assumed) {
                (Ok(_), Some(epoch)) => {
                    desk.log.add(desk.now, &format!("{}: epoch {epoch} acts", self.name()));
                }
                (Ok(_), None) => {}
                (Err(error), _) => desk.log.add(desk.now, &format!("{} refuses: {error}", self.name())),
            }
            reply.send(result);
        });
    }

    fn closed(&self, link: LinkId) {
        self.shared.call_manager.applications(|desk| {
            if let Some((application, manager)) = desk.applications.closed(link) {
                desk.log.add(desk.now, &format!("{application} at {manager} is gone"));
            }
        });
    }
}
