use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::Laboratory;
use crate::language::Scenario;
use crate::report::Outcome;

impl Laboratory {
    /// Plays all of these, `jobs` at the same time, each on a server of its own: most of the time is waiting. `told` is
    /// given every outcome, in the order of the scenarios, as soon as those before it are known.
    ///
    /// # Errors
    /// There are no resources for one of them. Nothing is told of it and of those after it.
    pub fn play_all(
        &self,
        scenarios: &[&Scenario],
        jobs: usize,
        mut told: impl FnMut(usize, Outcome),
    ) -> io::Result<()> {
        let (next, (sender, played)) = (AtomicUsize::new(0), mpsc::channel());
        thread::scope(|scope| {
            for _ in 0..jobs.max(1) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(scenario) = scenarios.get(place) else { return };
                        // Once one could not be played nobody wants to know of the others.
                        if sender.send((place, self.play(scenario))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let (mut waiting, mut due) = (BTreeMap::new(), 0);
            for (place, outcome) in played {
                waiting.insert(place, outcome?);
                while let Some(outcome) = waiting.remove(&due) {
                    told(due, outcome);
                    due += 1;
                }
            }
            Ok(())
        })
    }
}
