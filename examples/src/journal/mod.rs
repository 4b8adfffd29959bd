//! What was done at a prompt and what was seen of it, with times, so that the story of a request can be written as a
//! scenario that replays it.

mod concerned;
mod state;
mod writer;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringback::Story;
use ringback::callback::Record;
use ringback::db::RequestStore;
use ringback::model::{Group, RequestId, Timestamp};
use ringback_scenario::language::{Action, PhoneSetup, Setting};
use ringback_scenario::world::WatchedStore;
use ringback_sim::CallManager;
use thiserror::Error;

use self::state::State;

/// So much is remembered; the oldest goes first.
const ENTRIES: usize = 20_000;

/// What follows from a change is seen with it.
const TOGETHER: Duration = Duration::from_millis(100);

/// Why a request cannot be written as a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotReplayable {
    /// It comes from the store.
    #[error(
        "request {0} was accepted before this program started: what its phones did then is not known; a request of this \
         run can be written"
    )]
    Older(RequestId),
    /// Too much has happened since.
    #[error("request {0} is too old: what its phones did then is forgotten; write a later one")]
    Forgotten(RequestId),
}

/// What there was when the program started.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// The phones, all idle.
    pub phones: Vec<PhoneSetup>,
    /// The service parameters that were set.
    pub settings: Vec<Setting>,
    /// Further set-up statements: instances and CTIManagers.
    pub others: Vec<String>,
}

#[derive(Debug, Clone)]
enum What {
    Did(Action),
    Saw(State),
}

#[derive(Debug, Clone)]
struct Entry {
    at: Timestamp,
    what: What,
}

/// The journal; clones are the same one.
#[derive(Debug, Clone)]
pub struct Journal {
    beginning: Arc<Beginning>,
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    entries: VecDeque<Entry>,
    forgotten: bool,
}

impl Journal {
    /// A journal that begins here.
    #[must_use]
    pub fn new(beginning: Beginning) -> Self {
        Self { beginning: Arc::new(beginning), written: Arc::default() }
    }

    /// An action is about to be carried out.
    pub fn acts(&self, at: Timestamp, action: &Action) {
        if !matches!(action, Action::Wait(_)) {
            self.locked().push(Entry { at, what: What::Did(action.clone()) });
        }
    }

    /// Looks at the phones and the requests, and notes what has changed.
    pub fn sees(&self, call_manager: &CallManager, records: &[Record]) {
        let state = State::of(call_manager, records);
        let at = call_manager.now();
        let mut written = self.locked();
        let last = written.entries.iter().rev().find_map(|entry| match &entry.what {
            What::Saw(state) => Some(state),
            What::Did(_) => None,
        });
        if last != Some(&state) {
            written.push(Entry { at, what: What::Saw(state) });
        }
    }

    /// Looks whenever something changes, until it is dropped.
    pub async fn follow(self, call_manager: CallManager, store: WatchedStore, group: Group) {
        let (mut phones, mut requests) = (call_manager.changed(), store.changed());
        loop {
            let seen = tokio::select! {
                seen = phones.changed() => seen,
                seen = requests.changed() => seen,
            };
            if seen.is_err() {
                return;
            }
            tokio::time::sleep(TOGETHER).await;
            // While the store is away there is nothing new to see of it.
            if let Ok(records) = store.load(&group).await {
                self.sees(&call_manager, &records);
            }
        }
    }

    /// The story as a scenario file that replays it.
    ///
    /// # Errors
    /// It is not known what its phones did.
    pub fn scenario(&self, story: &Story) -> Result<String, NotReplayable> {
        writer::write(&self.beginning, &self.locked(), story)
    }

    fn locked(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn push(&mut self, entry: Entry) {
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
            self.forgotten = true;
        }
        self.entries.push_back(entry);
    }
}
