//! What the rounds add up to.

use std::fmt;
use std::time::Duration;

use ringback_examples::percentile::{ms, percentile};

/// One round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Requests that are gone, or whose caller was not told that B is available.
    pub(crate) lost: u32,
    /// Alerts that a phone played a second time.
    pub(crate) doubled: u32,
    /// Alerts that were sent again under the same id, because it was not known whether they had been played.
    pub(crate) in_doubt: u32,
    /// From the last effect of the old active to the first possible one of the new.
    pub(crate) first: Duration,
    /// Until every needed line is watched.
    pub(crate) all: Duration,
    /// What the old one tried afterwards, and was let do.
    pub(crate) escaped: u32,
    /// The old one was paused in the middle of a write: nobody could take over before it went on.
    pub(crate) held: bool,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.held {
            f.write_str("held by the file lock of the paused one, ")?;
        }
        write!(
            f,
            "lost {}, doubled {}, in_doubt {}, escaped {}, first {:.1} ms, all {:.1} ms",
            self.lost,
            self.doubled,
            self.in_doubt,
            self.escaped,
            ms(self.first),
            ms(self.all)
        )
    }
}

/// All rounds.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rounds: Vec<Round>,
}

impl Figures {
    pub(crate) fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    pub(crate) fn nothing_lost_or_doubled(&self) -> bool {
        self.rounds.iter().all(|round| round.lost == 0 && round.doubled == 0 && round.escaped == 0)
    }

    /// Effects of instances that had been replaced.
    pub(crate) fn escaped(&self) -> u32 {
        self.sum(|round| round.escaped)
    }

    fn sum(&self, of: impl Fn(&Round) -> u32) -> u32 {
        self.rounds.iter().map(of).sum()
    }

    fn percentile(&self, percent: usize, of: impl Fn(&Round) -> Duration) -> f64 {
        percentile(percent, self.rounds.iter().filter(|round| !round.held).map(of))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.escaped();
        if escaped > 0 {
            writeln!(f, "escaped {escaped}: effects of an instance that had been replaced")?;
        }
        let held = self.rounds.iter().filter(|round| round.held).count();
        if held > 0 {
            writeln!(
                f,
                "held {held}: paused in the middle of a write, with the file locked; not in the times below"
            )?;
        }
        write!(
            f,
            "lost {}, doubled {}, in_doubt {}, first p50 {:.1} ms p99 {:.1} ms, all p50 {:.1} ms p99 {:.1} ms",
            self.sum(|round| round.lost),
            self.sum(|round| round.doubled),
            self.sum(|round| round.in_doubt),
            self.percentile(50, |round| round.first),
            self.percentile(99, |round| round.first),
            self.percentile(50, |round| round.all),
            self.percentile(99, |round| round.all),
        )
    }
}
