use std::collections::BTreeMap;

use ringback_callback::Record;
use ringback_db::{RequestStore, StoreError, Write};
use ringback_model::{Group, Millis, RequestId, Timestamp};
use tokio::time::{Duration, Instant, sleep_until};

use super::Plant;
use super::server::Strikes;
use super::store::FarStore;

/// After so long a server gives up what it cannot do.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(1);

/// The sessions at a database server, over which the instances write. All are lost at once; those since then have the next
/// number.
#[derive(Default)]
pub(super) struct Sessions {
    /// The last number of the sessions of each instance that have written.
    wrote: BTreeMap<String, u64>,
    /// What comes over sessions before this number is not done any more.
    ended: u64,
    /// What is under way over sessions before this number comes at this moment.
    late: Option<(u64, Instant)>,
    timing_out: bool,
    strikes: Strikes,
    /// What takes back what was written, the latest last; kept only if a standby lags behind.
    undo: Vec<(Timestamp, Undo)>,
}

/// What takes back a batch.
pub(super) struct Undo {
    group: Group,
    writes: Vec<Write>,
}

impl Sessions {
    /// Remembers what takes back these writes.
    pub(super) fn remember(&mut self, now: Timestamp, group: &Group, before: &[Record], writes: &[Write]) {
        let former = |id: RequestId| before.iter().find(|record| record.id == id);
        let writes = writes.iter().filter_map(|write| match write {
            Write::Put(record) => {
                Some(former(record.id).map_or(Write::Delete(record.id), |former| Write::Put(former.clone())))
            }
            Write::Delete(id) => former(*id).map(|former| Write::Put(former.clone())),
        });
        self.undo.push((now, Undo { group: group.clone(), writes: writes.collect() }));
    }
}

/// How sessions fail.
impl FarStore {
    pub(super) fn strike(&self, what: &'static str) {
        self.lock().sessions.strikes.count(what);
    }

    pub(super) fn strikes(&self) -> Strikes {
        self.lock().sessions.strikes.clone()
    }

    /// All sessions are lost; what is under way is done, or it is not.
    pub(super) fn end_sessions(&self) {
        if self.lock().rng.bool() {
            self.kill_sessions();
        } else {
            self.lost.send_modify(|number| *number += 1);
        }
    }

    /// All sessions are lost, and what is under way is not done.
    pub(super) fn kill_sessions(&self) {
        let next = *self.lost.borrow() + 1;
        self.lock().sessions.ended = next;
        self.lost.send_replace(next);
    }

    /// All sessions are lost for those who wait for answers; what is under way comes so much later.
    pub(super) fn reset_links(&self, late: Millis) {
        let next = *self.lost.borrow() + 1;
        self.lock().sessions.late = Some((next, Instant::now() + late.to_duration()));
        self.lost.send_replace(next);
    }

    /// Whether the server gives up what it is to write.
    pub(super) fn set_timing_out(&self, timing_out: bool) {
        self.lock().sessions.timing_out = timing_out;
    }

    pub(super) fn gives_up(&self) -> bool {
        self.lock().sessions.timing_out
    }

    /// The number of the sessions that there are now.
    pub(super) fn session(&self) -> u64 {
        *self.lost.borrow()
    }

    /// Waits until the session of this number is lost.
    pub(super) async fn loss_of(&self, session: u64) {
        let mut lost = self.lost.subscribe();
        // Never an error: the sender lives here.
        drop(lost.wait_for(|number| *number > session).await);
    }

    /// What whoever waits for an answer is told when the session is lost.
    pub(super) fn unknown(&self) -> StoreError {
        self.strike("answers that never came");
        StoreError::OutcomeUnknown("the connection is lost".to_owned())
    }

    /// Waits as long as what is under way over this session is held up.
    pub(super) async fn held_up(&self, session: u64) {
        let until = self.lock().sessions.late.filter(|(before, _)| session < *before);
        if let Some((_, until)) = until {
            sleep_until(until).await;
        }
    }

    /// Whether the server does what comes over this session.
    pub(super) fn admits(&self, instance: &str, session: u64) -> Result<(), StoreError> {
        let is_late = session < *self.lost.borrow();
        let fences = self.plant != Some(Plant::SessionFence);
        let sessions = &mut self.lock().sessions;
        if session < sessions.ended {
            sessions.strikes.count("writes that the server never did");
            return Err(StoreError::OutcomeUnknown("the session has ended".to_owned()));
        }
        if sessions.timing_out {
            sessions.strikes.count("writes that the server gave up");
            return Err(StoreError::Unavailable("it took too long".to_owned()));
        }
        let newest = sessions.wrote.entry(instance.to_owned()).or_default();
        if session < *newest && fences {
            sessions.strikes.count("late writes that were refused");
            return Err(StoreError::Unavailable("there is a newer session".to_owned()));
        }
        *newest = session.max(*newest);
        if is_late {
            sessions.strikes.count("writes done after their session was lost");
        }
        Ok(())
    }

    /// The server that takes the place of the one that is lost has not heard of what was written in the time before.
    pub(super) async fn fall_back(&self, behind: Millis) {
        if self.plant != Some(Plant::SynchronousStandby) {
            return;
        }
        let now = self.clock.now();
        let undone = {
            let undo = &mut self.lock().sessions.undo;
            let kept = undo.iter().take_while(|(at, _)| *at + behind <= now).count();
            undo.split_off(kept)
        };
        for (_, Undo { group, writes }) in undone.into_iter().rev() {
            let Ok(epoch) = self.behind.epoch(&group).await else { return };
            if self.behind.apply(&group, epoch, &writes).await.is_ok() {
                self.observer.set_back(now, &writes);
            }
        }
    }
}
