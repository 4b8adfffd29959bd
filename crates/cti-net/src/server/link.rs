use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ringback_cti::message::{Answer, CtiError, Event, Version};
use tokio::sync::Notify;

/// Names a link; unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u64);

impl LinkId {
    fn fresh() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// What waits to be sent on a link.
#[derive(Debug)]
pub(super) enum Outgoing {
    Answer { sequence: u32, result: Result<Answer, CtiError> },
    Event(Event),
    Close(CtiError),
}

/// What the link's queue gives next.
#[derive(Debug)]
pub(super) enum Taken {
    Message(Outgoing),
    Overflow,
}

struct Queue {
    waiting: VecDeque<Outgoing>,
    room: usize,
    overflow: bool,
    done: bool,
}

struct Shared {
    id: LinkId,
    version: OnceLock<Version>,
    queue: Mutex<Queue>,
    news: Notify,
}

/// A served link: where events are sent. Clones are the same link; on a closed one everything is ignored.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

impl Link {
    pub(super) fn new(room: usize) -> Self {
        let queue = Queue { waiting: VecDeque::new(), room, overflow: false, done: false };
        Self(Arc::new(Shared {
            id: LinkId::fresh(),
            version: OnceLock::new(),
            queue: Mutex::new(queue),
            news: Notify::new(),
        }))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> LinkId {
        self.0.id
    }

    /// The protocol version agreed on.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version.get().copied().unwrap_or(Version(0))
    }

    /// Sends an event, after all answers and events given before.
    pub fn send(&self, event: Event) {
        self.push(Outgoing::Event(event));
    }

    /// Tells the application that its provider is closed, after all that was given before, and closes the link.
    pub fn close(&self, reason: CtiError) {
        self.push(Outgoing::Close(reason));
    }

    pub(super) fn agreed(&self, version: Version) {
        let _ = self.0.version.set(version);
    }

    pub(super) fn reply(&self, sequence: u32) -> Reply {
        Reply { link: Some(self.clone()), sequence }
    }

    /// Waits for the next message to send, or, while there is no `room` for one, only for the queue to overflow.
    /// Dropping the future loses none.
    pub(super) async fn take(&self, room: bool) -> Taken {
        loop {
            let news = self.0.news.notified();
            {
                let mut queue = self.queue();
                if queue.overflow {
                    return Taken::Overflow;
                }
                if room && let Some(message) = queue.waiting.pop_front() {
                    return Taken::Message(message);
                }
            }
            news.await;
        }
    }

    /// Ends the queue: what is pushed from now on is ignored.
    pub(super) fn end(&self) {
        let mut queue = self.queue();
        queue.done = true;
        queue.waiting = VecDeque::new();
    }

    fn push(&self, message: Outgoing) {
        {
            let mut queue = self.queue();
            if queue.done || queue.overflow {
                return;
            }
            if queue.waiting.len() >= queue.room {
                queue.overflow = true;
                queue.waiting = VecDeque::new();
            } else {
                queue.waiting.push_back(message);
            }
        }
        self.0.news.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0.id.0).finish()
    }
}

/// The answer to one request, still to be given. Dropped without an answer it answers `CtiError::Timeout`.
#[derive(Debug)]
#[must_use = "a dropped reply refuses the request"]
pub struct Reply {
    link: Option<Link>,
    sequence: u32,
}

impl Reply {
    /// Answers, after all answers and events given to this link before.
    pub fn send(mut self, result: Result<Answer, CtiError>) {
        self.answer(result);
    }

    fn answer(&mut self, result: Result<Answer, CtiError>) {
        if let Some(link) = self.link.take() {
            link.push(Outgoing::Answer { sequence: self.sequence, result });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(Err(CtiError::Timeout));
    }
}
