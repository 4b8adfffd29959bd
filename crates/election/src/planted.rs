//! Protections that can be switched off, one by one: a test that does not fail then proves nothing.

use std::collections::BTreeSet;

/// A protection that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Manager: the lease is used to its very end.
    NoMargin,
    /// Manager: goes on acting though its lease is not confirmed.
    NoStandDown,
    /// Manager: counts the lease from the answer, not from the asking.
    CountFromAnswer,
    /// Ledger: a new holder gets the old epoch; manager: takes it.
    EpochNotRaised,
    /// Ledger: gives a lease that is in force to another.
    LeaseIgnored,
    /// Ledger: renews whatever lease there is for whoever asks.
    RenewUnchecked,
    /// Ledger: grants a claim made in view of an older epoch.
    DelayedClaim,
    /// Ledger: takes two runs at one address.
    DuplicateAddress,
}

/// The protections that are switched off; none by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Planted(BTreeSet<Fault>);

impl Planted {
    /// Just this one.
    #[must_use]
    pub fn only(fault: Fault) -> Self {
        Self(BTreeSet::from([fault]))
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}
