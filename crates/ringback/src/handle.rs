use ringback_callback::Record;
use ringback_election::{Evidence, Member};
use ringback_model::{DeviceName, LineId, RequestId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::status::Status;
use crate::story::Story;

/// What can be asked of a running service.
#[derive(Debug)]
pub(crate) enum Command {
    /// The callers who wait for a line.
    Queue(LineId, oneshot::Sender<Vec<DeviceName>>),
    /// All requests.
    Records(oneshot::Sender<Vec<Record>>),
    /// What happened to a request.
    Story(RequestId, oneshot::Sender<Option<Story>>),
    /// The requests whose stories are known.
    Stories(oneshot::Sender<Vec<RequestId>>),
    /// Another instance is dead for certain.
    PeerDied(Member, Evidence),
    /// Stop in good order.
    Stop,
}

/// A handle to a running [`Service`](crate::Service); clones are handles to the same one. When the last is dropped the
/// service stops in good order. After the service has ended every question has the answer of an instance that is not
/// active, and what it is told has no effect.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<Status>,
    peers: watch::Receiver<Vec<Member>>,
}

impl Handle {
    pub(crate) fn new(
        commands: mpsc::UnboundedSender<Command>,
        status: watch::Receiver<Status>,
        peers: watch::Receiver<Vec<Member>>,
    ) -> Self {
        Self { commands, status, peers }
    }

    /// Whether it still runs: its [`run`](crate::Service::run) has neither returned nor been dropped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Waits until it has ended, for whatever reason.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    /// Its present status; the last one if it has ended. One that ended in good order has the role `Stopped`; one that was
    /// dropped had no time to say so: see [`is_running`](Self::is_running).
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Tells of every change of the status.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The runs of other instances of the group that are live, and every change of that: whoever can prove their deaths
    /// watches these.
    #[must_use]
    pub fn peers(&self) -> watch::Receiver<Vec<Member>> {
        self.peers.clone()
    }

    /// The callers who wait for a line and have not been notified, in the order of the queue; nobody if this instance is
    /// not active.
    pub async fn queue(&self, line: &LineId) -> Vec<DeviceName> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Queue(line.clone(), answer), answered).await
    }

    /// All requests it holds, in the order of their acceptance; none if it is not active.
    pub async fn records(&self) -> Vec<Record> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Records(answer), answered).await
    }

    /// What happened to a request, as this instance saw it. It knows every live request that it holds, and the latest
    /// ones that ended or that it handed over.
    pub async fn story(&self, request: RequestId) -> Option<Story> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Story(request, answer), answered).await
    }

    /// The requests whose stories it knows, oldest first.
    pub async fn stories(&self) -> Vec<RequestId> {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Stories(answer), answered).await
    }

    /// Tells it that a run of another instance is dead for certain, and how that is known: it need not wait for that
    /// one's lease to pass.
    pub fn peer_died(&self, member: Member, evidence: Evidence) {
        // If it is gone, it takes nothing over.
        let _gone = self.commands.send(Command::PeerDied(member, evidence));
    }

    /// Tells it to stop in good order: to finish what it has begun and to hand over. `run` returns when it has.
    pub fn stop(&self) {
        // If it is gone, it has stopped.
        let _gone = self.commands.send(Command::Stop);
    }

    async fn ask<T: Default>(&self, command: Command, answered: oneshot::Receiver<T>) -> T {
        match self.commands.send(command) {
            Ok(()) => answered.await.unwrap_or_default(),
            Err(_) => T::default(),
        }
    }
}
