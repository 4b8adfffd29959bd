use std::net::IpAddr;

use ringback_model::Millis;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ranking::{Candidates, RankingError};

/// How the instances of a group watch each other. The defaults take over at most 2 s after the last sign of an
/// instance that cannot be proven dead, and at once from one that can.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Time between two reports of an instance to the registry. Default 300 ms. Shorter: more load on the
    /// registry; longer: fewer attempts to renew before a lease is over.
    pub interval: Millis,
    /// How long a lease, and being live, lasts without a report. Default 2000 ms. This is how long nobody acts after
    /// an unproven loss of the active. Must be at least `interval + call_timeout + margin`, so that one lost call
    /// does not cost the office.
    pub lease: Millis,
    /// How long before its lease is over an instance stops acting. Default 400 ms. It must cover the difference of
    /// two clocks over one lease, and the longest time from the check before an effect to the effect; at least
    /// 1 % of the lease.
    pub margin: Millis,
    /// How long an answer of the registry is waited for before asking again. Default 700 ms.
    pub call_timeout: Millis,
    /// How long a lower address must have been live and ready before the active hands over to it, and how long
    /// those who start at once wait for each other to be ready. Default 500 ms. It lets a whole cluster start with
    /// one hand-over at most.
    pub settle: Millis,
    /// How long an active that hands over or stops may finish what it has begun. Default 1000 ms; after that it
    /// stands down all the same, and gives the lease back when the margin is over, too.
    pub drain: Millis,
    /// How often the one who is handed over to looks whether it may begin. Default 25 ms, at most `interval`. Only for
    /// as long as a hand-over lasts, and only needed by registries that do not tell of changes.
    pub hand_over_poll: Millis,
    /// Whether an active hands over to a lower address that joins. Default yes; no: it stays until it goes. Should
    /// be the same on all instances.
    pub preempt: bool,
    /// Who takes part, and in which order. Must be the same on all instances.
    pub candidates: Candidates,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            interval: Millis(300),
            lease: Millis(2000),
            margin: Millis(400),
            call_timeout: Millis(700),
            settle: Millis(500),
            drain: Millis(1000),
            hand_over_poll: Millis(25),
            preempt: true,
            candidates: Candidates::default(),
        }
    }
}

/// Why parameters cannot be used. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// One that must be longer than no time is not.
    #[error("{name} is 0 ms: choose at least 1 ms")]
    Zero {
        /// The parameter.
        name: &'static str,
    },
    /// One lost call would cost the office.
    #[error(
        "lease {lease} is shorter than interval {interval} + call time-out {call_timeout} + margin {margin} = \
         {needed}: choose a lease of at least {needed}, or shorten the others"
    )]
    LeaseTooShort {
        /// As given.
        lease: Millis,
        /// As given.
        interval: Millis,
        /// As given.
        call_timeout: Millis,
        /// As given.
        margin: Millis,
        /// The shortest lease that fits.
        needed: Millis,
    },
    /// The margin does not cover what clocks differ by.
    #[error("margin {margin} is less than 1 % of lease {lease}: choose at least {needed}")]
    MarginTooShort {
        /// As given.
        margin: Millis,
        /// As given.
        lease: Millis,
        /// The shortest margin that fits.
        needed: Millis,
    },
    /// Looking often would be looking seldom.
    #[error("hand-over poll {poll} is longer than interval {interval}: choose at most {interval}")]
    PollTooLong {
        /// As given.
        poll: Millis,
        /// As given.
        interval: Millis,
    },
    /// The instance's own address may not take part.
    #[error("this instance cannot take part: {0}")]
    Address(#[from] RankingError),
}

impl Parameters {
    /// Checks them for the instance at this address.
    ///
    /// # Errors
    /// Which numbers do not fit, and which would.
    pub fn check(&self, address: IpAddr) -> Result<(), ParameterError> {
        let positive = [
            ("interval", self.interval),
            ("lease", self.lease),
            ("margin", self.margin),
            ("call time-out", self.call_timeout),
            ("drain", self.drain),
            ("hand-over poll", self.hand_over_poll),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == Millis::ZERO) {
            return Err(ParameterError::Zero { name });
        }
        let Self { interval, lease, margin, call_timeout, .. } = *self;
        let needed = Millis(interval.0.saturating_add(call_timeout.0).saturating_add(margin.0));
        if lease < needed {
            return Err(ParameterError::LeaseTooShort { lease, interval, call_timeout, margin, needed });
        }
        let needed = Millis(lease.0.div_ceil(100));
        if margin < needed {
            return Err(ParameterError::MarginTooShort { margin, lease, needed });
        }
        if self.hand_over_poll > interval {
            return Err(ParameterError::PollTooLong { poll: self.hand_over_poll, interval });
        }
        Ok(self.candidates.admit(address)?)
    }
}
