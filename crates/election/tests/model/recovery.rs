//! What becomes of a state once faults are over: the one story in which the paused go on, every message arrives, clocks
//! run together and nothing else happens.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use ringback_election::Input;

use crate::cluster::{Clocks, Cluster};
use crate::setup::{Budget, Setup};

/// The number of ticks after which the lowest acts for ever; nothing if that never comes.
pub(crate) type Ticks = Option<u16>;

/// Stories join each other and end in circles: each state is gone through once.
#[derive(Debug, Default)]
pub(crate) struct Recovery(Mutex<HashMap<u64, Ticks>>);

impl Recovery {
    pub(crate) fn ticks(&self, setup: &Setup, state: &Cluster) -> Ticks {
        let mut known = self.0.lock().unwrap();
        let mut story: Vec<(u64, bool)> = Vec::new();
        let mut state = calm(setup, state);
        let mut after = loop {
            let mut hasher = DefaultHasher::new();
            state.hash(&mut hasher);
            let key = hasher.finish();
            if let Some(ticks) = known.get(&key) {
                break *ticks;
            }
            if let Some(begin) = story.iter().position(|(met, _)| *met == key) {
                // For ever so.
                let ticks = story[begin..].iter().all(|(_, well)| *well).then_some(0);
                for (met, _) in story.drain(begin..) {
                    known.insert(met, ticks);
                }
                break ticks;
            }
            story.push((key, is_well(setup, &state)));
            state.pass(setup, Clocks::Together);
            settle(setup, &mut state);
        };
        for (met, well) in story.into_iter().rev() {
            after = match after {
                Some(0) if well => Some(0),
                Some(ticks) => Some(ticks + 1),
                None => None,
            };
            known.insert(met, after);
        }
        after
    }

    /// The longest that any took.
    pub(crate) fn longest(&self) -> Ticks {
        self.0.lock().unwrap().values().copied().flatten().max()
    }
}

/// Until the lowest acts, and the start is forgotten.
pub(crate) fn steady(setup: &Setup, state: &mut Cluster) {
    *state = calm(setup, state);
    for _ in 0..20 {
        state.pass(setup, Clocks::Together);
        settle(setup, state);
    }
    assert!(is_well(setup, state), "{state:?}");
}

fn calm(setup: &Setup, state: &Cluster) -> Cluster {
    let mut state = state.clone();
    state.left = Budget::NONE;
    state.broken = None;
    state.off = false;
    for at in 0..state.hosts.len() {
        if state.hosts[at].process.as_ref().is_some_and(|process| process.paused) {
            state.resume(at);
        }
        if state.hosts[at].process.as_ref().is_some_and(|process| !process.ready) {
            state.process(at).ready = true;
            state.input(at, Input::Ready(true));
        }
    }
    settle(setup, &mut state);
    state
}

/// All messages arrive. Nobody says that it has drained: the time for that must do.
fn settle(setup: &Setup, state: &mut Cluster) {
    while !state.ghosts.is_empty() {
        let request = state.ghosts.remove(0);
        let _ = state.apply(setup, &request);
    }
    for _ in 0..1000 {
        let mut busy = false;
        for at in 0..state.hosts.len() {
            let Some(process) = &mut state.hosts[at].process else { continue };
            if std::mem::take(&mut process.drowsy) {
                busy = true;
                state.input(at, Input::Tick);
            } else if !process.calls.is_empty() {
                busy = true;
                state.arrives(setup, at, 0);
            }
        }
        if !busy {
            return;
        }
    }
    panic!("calls without end: {state:?}");
}

/// The lowest acts, and nobody else.
fn is_well(setup: &Setup, state: &Cluster) -> bool {
    let running = || state.hosts.iter().zip(setup.addresses).filter(|(host, _)| host.process.is_some());
    let stays = |host: &&crate::cluster::Host| host.process.as_ref().is_some_and(|known| !known.stopping);
    let lowest = running().filter(|(host, _)| stays(host)).map(|(_, address)| address).min();
    let acting: Vec<&u8> =
        running().filter(|(host, _)| host.acts().is_some()).map(|(_, address)| address).collect();
    acting.iter().copied().eq(lowest)
}
