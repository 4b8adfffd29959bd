//! Protections that can be switched off, one by one: a test that does not fail then proves nothing. Without the feature
//! `planted` all of them are on, and this is nothing at run time.

#[cfg(feature = "planted")]
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
    /// Manager: takes the answer to a call that it has given up for that to its latest one.
    OldAnswerTaken,
    /// Manager: waits for an answer for ever.
    NoCallTimeout,
    /// Manager: gives the lease back before it has stood down.
    ReleaseFirst,
    /// Manager: gives the lease back before what it has begun is out.
    ReleaseAtOnce,
    /// Manager: hands over to a lower one as soon as it is seen.
    NoSettle,
    /// Manager: hands over only when it is told that it has drained.
    DrainForever,
    /// Manager: says that it is ready before it has heard the registry.
    DeafIsReady,
    /// Manager: leaves while a heartbeat is under way.
    LeaveAtOnce,
    /// Manager: claims as soon as the registry is back, whoever else was there before.
    NoPatience,
    /// Manager: addresses are compared as text, so that 10.0.0.10 comes before 10.0.0.9.
    AddressesAsText,
    /// Manager: every backup claims as soon as the lease is free, whoever goes first.
    AllClaimAtOnce,
    /// Ledger: a new holder gets the old epoch; manager: takes it.
    EpochNotRaised,
    /// Ledger: the new epoch need not be above what the claimer remembers.
    AboveIgnored,
    /// Ledger: gives a lease that is in force to another.
    LeaseIgnored,
    /// Ledger: a lease ends only when it is given back.
    LeaseForever,
    /// Ledger: renews whatever lease there is for whoever asks.
    RenewUnchecked,
    /// Ledger: a former active that is heard again after a split is put on record as the active, with its old epoch.
    HealedSplitOldMasterOnRecord,
    /// Ledger: takes a lease back by the word of its holder about another epoch.
    ReleaseUnchecked,
    /// Ledger: grants a claim made in view of an older epoch.
    DelayedClaim,
    /// Ledger: takes two runs at one address.
    DuplicateAddress,
    /// Ledger: the death of one run ends whatever run is at its address.
    ExpelAnyRun,
}

/// The protections that are switched off; none by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Planted(#[cfg(feature = "planted")] BTreeSet<Fault>);

impl Planted {
    /// Just this one.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn only(fault: Fault) -> Self {
        Self(BTreeSet::from([fault]))
    }

    #[cfg(feature = "planted")]
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    #[cfg(not(feature = "planted"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) const fn has(&self, _fault: Fault) -> bool {
        false
    }
}
