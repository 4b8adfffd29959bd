//! What is checked: who there is, and which faults there may be how often.

use ringback_election::Parameters;
use ringback_election::planted::{Fault, Planted};
use ringback_model::Millis;

/// How often each thing may still happen in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Budget {
    /// An instance starts: for the first time, or again after a crash.
    pub(crate) starts: u8,
    /// An instance dies; what it has sent may still arrive.
    pub(crate) crashes: u8,
    /// Of these, the others get proof.
    pub(crate) proofs: u8,
    /// An instance sees nothing and does nothing until it is resumed; time goes on.
    pub(crate) pauses: u8,
    /// A call or its answer is lost.
    pub(crate) losses: u8,
    /// A call fails, and its caller knows that nothing was changed.
    pub(crate) refusals: u8,
    /// A call or its answer arrives at any later time, or never.
    pub(crate) delays: u8,
    /// A clock loses a tick, or makes up for it.
    pub(crate) drifts: u8,
    /// An instance is asked to stop.
    pub(crate) stops: u8,
    /// An instance says that it is not ready.
    pub(crate) moods: u8,
    /// The registry cannot be reached by anybody, for longer than anything lasts.
    pub(crate) outages: u8,
    /// The registry forgets everything.
    pub(crate) forgets: u8,
}

impl Budget {
    pub(crate) const NONE: Self = Self {
        starts: 0,
        crashes: 0,
        proofs: 0,
        pauses: 0,
        losses: 0,
        refusals: 0,
        delays: 0,
        drifts: 0,
        stops: 0,
        moods: 0,
        outages: 0,
        forgets: 0,
    };
}

/// One configuration.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The last number of each instance's address, lowest first. Two of the same are two runs at one address.
    pub(crate) addresses: &'static [u8],
    /// Who starts at the very beginning.
    pub(crate) started: &'static [usize],
    /// The story begins when all is settled: the lowest of the started acts.
    pub(crate) steady: bool,
    pub(crate) budget: Budget,
    /// The registry's hints reach all who run, at once.
    pub(crate) hints: bool,
    /// The most terms of office there may be.
    pub(crate) terms: u64,
    pub(crate) parameters: Parameters,
    pub(crate) planted: Planted,
}

/// In ticks: the shortest times that differ from each other where a difference matters. The margin covers one tick
/// by which clocks differ and one that an effect takes.
fn ticks() -> Parameters {
    Parameters {
        interval: Millis(1),
        call_timeout: Millis(1),
        margin: Millis(2),
        lease: Millis(4),
        settle: Millis(1),
        drain: Millis(1),
        hand_over_poll: Millis(1),
        ..Parameters::default()
    }
}

impl Setup {
    /// Three instances, all started.
    pub(crate) fn three(budget: Budget) -> Self {
        Self {
            addresses: &[8, 9, 10],
            started: &[0, 1, 2],
            steady: false,
            budget,
            hints: false,
            terms: u64::MAX,
            parameters: ticks(),
            planted: Planted::default(),
        }
    }

    pub(crate) fn steady(self) -> Self {
        Self { steady: true, ..self }
    }

    pub(crate) fn one(budget: Budget) -> Self {
        Self { addresses: &[8], started: &[0], ..Self::three(budget) }
    }

    pub(crate) fn two(budget: Budget) -> Self {
        Self { addresses: &[8, 9], started: &[0, 1], ..Self::three(budget) }
    }

    pub(crate) fn four(budget: Budget) -> Self {
        Self { addresses: &[8, 9, 10, 11], started: &[0, 1, 2, 3], ..Self::three(budget) }
    }

    /// Waits longer for answers: two of three calls may be lost in a row.
    pub(crate) fn patient(mut self) -> Self {
        self.parameters.call_timeout = Millis(2);
        self.parameters.lease = Millis(5);
        self
    }

    pub(crate) fn without(self, protection: Fault) -> Self {
        Self { planted: Planted::only(protection), ..self }
    }
}
