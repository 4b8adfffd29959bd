use ringback_model::Millis;

/// Which time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// Simulated time, on tokio's paused clock: see [`in_simulated_time`](super::in_simulated_time).
    Simulated,
    /// Real time: `expect never X for D` watches for [`LONGEST_WATCH`](Self::LONGEST_WATCH) at most, and says so; `expect X
    /// within D` waits as much longer as was not watched before (a minute at most), and for
    /// [`ALLOWANCE`](Self::ALLOWANCE).
    Real,
}

impl Pace {
    /// How long `expect never` watches at most in real time.
    pub const LONGEST_WATCH: Millis = Millis::from_secs(3);
    /// What a real machine that does other things besides is given in addition before an expectation fails.
    pub const ALLOWANCE: Millis = Millis::from_secs(5);
    /// How much of the time that was not watched an expectation waits for at most.
    pub const LONGEST_CREDIT: Millis = Millis::from_mins(1);
}

/// How far the time that really passed is behind the time that the scenario speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    pace: Pace,
    behind: Millis,
}

impl Timeline {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, behind: Millis::ZERO }
    }

    /// For how long something is really watched that must not happen for so long.
    pub(super) fn watch(&mut self, during: Millis) -> Millis {
        let watched = match self.pace {
            Pace::Simulated => during,
            Pace::Real => during.min(Pace::LONGEST_WATCH),
        };
        self.behind = Millis(self.behind.0.saturating_add(during.0 - watched.0));
        watched
    }

    /// For how long something is really waited for that must happen within this time.
    pub(super) fn limit(&self, within: Millis) -> Millis {
        match self.pace {
            Pace::Simulated => within,
            Pace::Real => {
                let credit = self.behind.min(Pace::LONGEST_CREDIT);
                Millis(within.0.saturating_add(Pace::ALLOWANCE.0 + credit.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_passes_as_the_scenario_says() {
        let mut timeline = Timeline::new(Pace::Simulated);
        assert_eq!(timeline.watch(Millis::from_mins(10)), Millis::from_mins(10));
        assert_eq!(timeline.limit(Millis::from_secs(1)), Millis::from_secs(1));
    }

    #[test]
    fn in_real_time_what_was_not_watched_is_waited_for() {
        let mut timeline = Timeline::new(Pace::Real);
        assert_eq!(timeline.limit(Millis::from_secs(1)), Millis::from_secs(6));
        assert_eq!(timeline.watch(Millis::from_secs(2)), Millis::from_secs(2));
        assert_eq!(timeline.limit(Millis::from_secs(1)), Millis::from_secs(6));
        assert_eq!(timeline.watch(Millis::from_secs(15)), Millis::from_secs(3));
        assert_eq!(timeline.limit(Millis::from_secs(10)), Millis::from_secs(10 + 12 + 5));
        assert_eq!(timeline.watch(Millis(u64::MAX)), Millis::from_secs(3));
        assert_eq!(timeline.limit(Millis::from_secs(1)), Millis::from_secs(1 + 60 + 5));
    }
}
