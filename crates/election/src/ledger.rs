use std::collections::BTreeMap;
use std::net::IpAddr;

use ringback_model::{Epoch, Millis, Timestamp};
use serde::{Deserialize, Serialize};

use crate::member::{Lease, Member, Presence, View};
use crate::planted::{Fault, Planted};
use crate::registry::{Intent, RegistryError, Report, Request};

/// One group in a registry, as a value: the rules of membership, lease and epoch without any storage. What
/// [`MemoryRegistry`](crate::MemoryRegistry) keeps, what a database can load and save, and what a model checker
/// can copy, compare and hash.
///
/// Time is an argument; one that steps back is held at the latest seen. An expired member or lease is as good as
/// gone: `at == until` is expired.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ledger {
    /// The latest moment seen.
    pub at: Timestamp,
    /// See [`View::revision`].
    pub revision: u64,
    /// The highest epoch ever given.
    pub epoch: Epoch,
    /// The last lease given.
    pub lease: Option<Lease>,
    /// Who has reported, and may have fallen silent since.
    pub members: BTreeMap<IpAddr, Presence>,
    #[serde(skip)]
    planted: Planted,
}

impl Ledger {
    /// Carries out one call.
    ///
    /// # Errors
    /// See [`RegistryError`]; never that it is unavailable.
    pub fn apply(&mut self, now: Timestamp, request: &Request) -> Result<View, RegistryError> {
        match request {
            Request::Tick(report) => self.tick(now, report),
            Request::Expel { dead, .. } => Ok(self.expel(now, dead)),
        }
    }

    /// See [`Registry::tick`](crate::Registry::tick).
    ///
    /// # Errors
    /// The lease to renew is over, the address is in use or was changed, or the length is zero.
    pub fn tick(&mut self, now: Timestamp, report: &Report) -> Result<View, RegistryError> {
        let now = self.advance(now);
        if report.length == Millis::ZERO {
            return Err(RegistryError::Invalid("a report must last longer than 0 ms".to_owned()));
        }
        self.check_address(now, &report.member)?;
        if report.intent == Intent::Leave {
            self.strike(now, &report.member);
            return Ok(self.view());
        }
        self.note(now, report);
        match report.intent {
            Intent::Watch | Intent::Leave => {}
            Intent::Acquire { seen, above } => self.acquire(now, report, seen, above),
            Intent::Renew { epoch } => self.renew(now, report, epoch)?,
            Intent::Release { epoch } => {
                let named = self.lease.as_ref().is_some_and(|lease| lease.epoch == epoch);
                if named || self.planted.has(Fault::ReleaseUnchecked) {
                    self.end_lease(now, &report.member);
                }
            }
        }
        Ok(self.view())
    }

    /// See [`Registry::expel`](crate::Registry::expel).
    pub fn expel(&mut self, now: Timestamp, dead: &Member) -> View {
        let now = self.advance(now);
        let there = self.members.get(&dead.address).map(|known| known.member);
        let dead = &there.filter(|_| self.planted.has(Fault::ExpelAnyRun)).unwrap_or(*dead);
        self.strike(now, dead);
        self.view()
    }

    /// See [`Registry::read`](crate::Registry::read).
    pub fn read(&mut self, now: Timestamp) -> View {
        self.advance(now);
        self.view()
    }

    /// The same state with every moment moved so that `origin` becomes zero (what lies before becomes zero, too):
    /// two states that differ only in when they happen become equal, which keeps a model checker's world finite.
    #[must_use]
    pub fn rebased(&self, origin: Timestamp) -> Self {
        let shift = |moment: Timestamp| Timestamp(moment.0.saturating_sub(origin.0));
        let mut moved = self.clone();
        moved.at = shift(moved.at);
        if let Some(lease) = &mut moved.lease {
            lease.granted = shift(lease.granted);
            lease.expires = shift(lease.expires);
        }
        for presence in moved.members.values_mut() {
            presence.joined = shift(presence.joined);
            presence.until = shift(presence.until);
        }
        moved
    }

    /// Switches protections off.
    #[cfg(feature = "planted")]
    #[doc(hidden)]
    pub fn plant(&mut self, planted: Planted) {
        self.planted = planted;
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.at = self.at.max(now);
        let (at, before) = (self.at, self.members.len());
        self.members.retain(|_, presence| at < presence.until);
        if self.members.len() != before {
            self.revision += 1;
        }
        at
    }

    fn check_address(&self, now: Timestamp, member: &Member) -> Result<(), RegistryError> {
        if self.planted.has(Fault::DuplicateAddress) {
            return Ok(());
        }
        if let Some(known) = self.members.get(&member.address)
            && known.member.incarnation != member.incarnation
        {
            return Err(RegistryError::AddressInUse {
                address: member.address,
                other: known.member,
                frees_in: known.until.since(now),
            });
        }
        match self.members.values().find(|known| known.member.incarnation == member.incarnation) {
            Some(known) if known.member.address != member.address => Err(RegistryError::AddressChanged {
                incarnation: member.incarnation,
                was: known.member.address,
                now: member.address,
            }),
            _ => Ok(()),
        }
    }

    fn note(&mut self, now: Timestamp, report: &Report) {
        let until = now + report.length;
        let ready = report.ready;
        match self.members.get_mut(&report.member.address) {
            Some(known) if known.member.is(&report.member) => {
                if known.ready != ready {
                    self.revision += 1;
                }
                known.until = until;
                known.ready = ready;
            }
            _ => {
                self.revision += 1;
                let presence = Presence { member: report.member, joined: now, until, ready };
                self.members.insert(report.member.address, presence);
            }
        }
    }

    fn acquire(&mut self, now: Timestamp, report: &Report, seen: Epoch, above: Epoch) {
        let free = self.lease.as_ref().is_none_or(|lease| {
            now >= lease.expires && (lease.released || !self.planted.has(Fault::LeaseForever))
        });
        let own = self.lease.as_ref().is_some_and(|lease| lease.holder.is(&report.member));
        let free = free || self.planted.has(Fault::LeaseIgnored);
        let seen = if self.planted.has(Fault::DelayedClaim) { self.epoch } else { seen };
        if self.epoch != seen || !(free || own) {
            return;
        }
        let above = if self.planted.has(Fault::AboveIgnored) { self.epoch } else { above };
        let raised = self.epoch.max(above).next();
        let raised = if self.planted.has(Fault::EpochNotRaised) { self.epoch.max(Epoch(1)) } else { raised };
        self.epoch = raised;
        self.revision += 1;
        self.lease = Some(Lease {
            holder: report.member,
            epoch: raised,
            granted: now,
            expires: now + report.length,
            released: false,
        });
    }

    fn renew(&mut self, now: Timestamp, report: &Report, epoch: Epoch) -> Result<(), RegistryError> {
        let fenced = RegistryError::Fenced { ours: epoch, current: self.epoch };
        let Some(lease) = &mut self.lease else { return Err(fenced) };
        let own = lease.holder.is(&report.member) && lease.epoch == epoch && now < lease.expires;
        let own = own || self.planted.has(Fault::RenewUnchecked);
        if self.planted.has(Fault::HealedSplitOldMasterOnRecord) {
            (lease.holder, lease.epoch) = (report.member, epoch);
        } else if !own {
            return Err(fenced);
        }
        lease.expires = now + report.length;
        Ok(())
    }

    /// A member is gone for good: so is its lease.
    fn strike(&mut self, now: Timestamp, member: &Member) {
        if self.members.get(&member.address).is_some_and(|known| known.member.is(member)) {
            self.members.remove(&member.address);
            self.revision += 1;
        }
        self.end_lease(now, member);
    }

    fn end_lease(&mut self, now: Timestamp, holder: &Member) {
        if let Some(lease) = &mut self.lease
            && lease.holder.is(holder)
            && now < lease.expires
        {
            lease.expires = now;
            lease.released = true;
            self.revision += 1;
        }
    }

    fn view(&self) -> View {
        View {
            at: self.at,
            revision: self.revision,
            epoch: self.epoch,
            lease: self.lease,
            members: self.members.clone(),
        }
    }
}
