//! A group as it is in etcd, and what is to be written so that it is as the rules want it.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ringback_election::{Intent, Lease, Ledger, Member, RegistryError, Report, Request};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::Granted;
use crate::keys::{Entry, Head, Keys, Office, Place, Term};
use crate::wire::{KeyValue, LeaseId, delete, put, unchanged};

/// A key that ends with its lease of etcd.
#[derive(Debug, Clone)]
struct Leased<T> {
    lease: LeaseId,
    value: T,
}

/// A group as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// When the head was written last; zero: never.
    pub(crate) revision: i64,
    head: Head,
    office: Option<Leased<Office>>,
    members: BTreeMap<IpAddr, Leased<Entry>>,
}

/// What must be so that a call can be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing is to be written.
    Nothing,
    /// So many leases of etcd are needed first, and how long each is to last.
    Lease(u64),
    /// This is to be written, if the group still is as it was read.
    Write(Vec<Value>),
}

impl Loaded {
    /// `over`: leases that etcd has ended, though their keys may still be there for a moment.
    pub(crate) fn new(
        keys: &Keys,
        found: &[KeyValue],
        over: &HashSet<LeaseId>,
    ) -> Result<Self, RegistryError> {
        let mut loaded = Self { revision: 0, head: Head::default(), office: None, members: BTreeMap::new() };
        for key in found {
            let Some((_, place)) = keys.place(&key.key) else { continue };
            let lease = LeaseId(key.lease);
            let is_over = over.contains(&lease);
            match place {
                Place::Head => {
                    loaded.revision = key.mod_revision;
                    loaded.head = parse(key)?;
                }
                Place::Office if !is_over => loaded.office = Some(Leased { lease, value: parse(key)? }),
                Place::Member(address) if !is_over => {
                    loaded.members.insert(address, Leased { lease, value: parse(key)? });
                }
                Place::Office | Place::Member(_) | Place::Unknown => {}
            }
        }
        if let Some(office) = &loaded.office
            && !loaded.head.lease.as_ref().is_some_and(|term| term.is_of(&office.value))
        {
            let reason = "the keys `head` and `office` of a group do not fit together: delete `office`, and find out who \
                wrote it";
            return Err(RegistryError::Invalid(reason.to_owned()));
        }
        Ok(loaded)
    }

    /// As the rules see it at this moment.
    pub(crate) fn ledger(&self, now: Timestamp) -> Ledger {
        let now = now.max(Timestamp(self.head.at_ms));
        let mut ledger = Ledger::default();
        ledger.at = now;
        ledger.epoch = Epoch(self.head.epoch);
        let office = self.office.as_ref().map(|office| &office.value);
        ledger.lease = self.head.lease.as_ref().map(|term| term.lease(now, office));
        ledger.members = self
            .members
            .iter()
            .map(|(address, entry)| (*address, entry.value.presence(*address, now)))
            .collect();
        ledger
    }

    /// When it was changed last, by the registry's time.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp(self.head.at_ms)
    }

    /// The lease of etcd on which this run is a member.
    pub(crate) fn membership(&self, member: &Member) -> Option<LeaseId> {
        let entry = self.members.get(&member.address)?;
        (entry.value.incarnation == member.incarnation.0).then_some(entry.lease)
    }

    /// The lease of etcd on which this run holds the office in this epoch.
    pub(crate) fn office(&self, member: &Member, epoch: Epoch) -> Option<LeaseId> {
        let Office { address, incarnation, epoch: current, .. } = self.office.as_ref()?.value;
        let own = (address, incarnation, current) == (member.address, member.incarnation.0, epoch.0);
        self.office.as_ref().filter(|_| own).map(|office| office.lease)
    }

    /// What is to be written so that it is as in `after`, what the rules made of [`ledger`](Self::ledger) for `request`.
    /// `spare`: leases of etcd that can be used.
    pub(crate) fn towards(
        &self,
        keys: &Keys,
        group: &Group,
        request: &Request,
        after: &Ledger,
        spare: &[Granted],
    ) -> Next {
        let mut plan = Plan { writes: Vec::new(), spare, needed: None };
        let length = match request {
            Request::Tick(report) => report.length,
            Request::Expel { .. } => Millis::ZERO,
        };
        for address in self.members.keys().filter(|address| !after.members.contains_key(address)) {
            plan.writes.push(delete(&keys.member(group, *address)));
        }
        for (address, presence) in &after.members {
            let known = self.members.get(address);
            let own = matches!(request, Request::Tick(report) if report.member.is(&presence.member));
            let as_it_was = known.is_some_and(|known| {
                let Entry { ready, seconds, .. } = known.value;
                let long_enough = !own || lasts(seconds) >= length;
                ready == presence.ready
                    && long_enough
                    && known.value.incarnation == presence.member.incarnation.0
            });
            if as_it_was {
                continue;
            }
            let kept = known.filter(|known| lasts(known.value.seconds) >= length);
            let kept = kept.map(|known| Granted { id: known.lease, seconds: known.value.seconds });
            let Some(lease) = kept.or_else(|| plan.take(length)) else { continue };
            let entry = Entry {
                incarnation: presence.member.incarnation.0,
                started_ms: presence.member.started.0,
                joined_ms: presence.joined.0,
                ready: presence.ready,
                length_ms: length.0,
                seconds: lease.seconds,
            };
            plan.put(&keys.member(group, *address), &entry, Some(lease.id));
        }
        let term = self.lease_towards(keys, group, request, after, &mut plan);
        if let Some(seconds) = plan.needed {
            return Next::Lease(seconds);
        }
        if plan.writes.is_empty() {
            return Next::Nothing;
        }
        plan.put(&keys.head(group), &Head::new(after.at, after.epoch, term), None);
        Next::Write(plan.writes)
    }

    /// That the group is as it was read: everything that changes it writes the head.
    pub(crate) fn as_read(&self, keys: &Keys, group: &Group) -> Value {
        unchanged(&keys.head(group), self.revision)
    }

    fn lease_towards(
        &self,
        keys: &Keys,
        group: &Group,
        request: &Request,
        after: &Ledger,
        plan: &mut Plan<'_>,
    ) -> Option<Term> {
        let (known, lease) = (self.head.lease.clone(), after.lease?);
        let key = keys.office(group);
        if let Request::Tick(Report { length, .. }) = request
            && lease.epoch > Epoch(self.head.epoch)
        {
            if let Some(granted) = plan.take(*length) {
                plan.put(&key, &office(&lease, *length, granted), Some(granted.id));
            }
            return Some(Term::given(&lease));
        }
        let Some(current) = &self.office else { return known };
        if lease.released {
            plan.writes.push(delete(&key));
            return known.map(|term| term.ended(lease.expires));
        }
        if let Request::Tick(Report { member, length, intent: Intent::Renew { epoch }, .. }) = request
            && self.office(member, *epoch).is_some()
            && lasts(current.value.seconds) < *length
            && let Some(granted) = plan.take(*length)
        {
            // For longer than its lease of etcd lasts.
            plan.put(&key, &office(&lease, *length, granted), Some(granted.id));
        }
        known
    }
}

/// What is to be written, and of what.
struct Plan<'a> {
    writes: Vec<Value>,
    spare: &'a [Granted],
    needed: Option<u64>,
}

impl Plan<'_> {
    /// A lease that lasts so long, if there is one left; what is needed is noted otherwise.
    fn take(&mut self, length: Millis) -> Option<Granted> {
        match self.spare.split_first() {
            Some((granted, rest)) if lasts(granted.seconds) >= length => {
                self.spare = rest;
                Some(*granted)
            }
            _ => {
                self.needed = Some(length.0.div_ceil(1000));
                None
            }
        }
    }

    fn put(&mut self, key: &str, value: &impl serde::Serialize, lease: Option<LeaseId>) {
        // Numbers and texts can always be written.
        let value = serde_json::to_vec(value).unwrap_or_default();
        self.writes.push(put(key, &value, lease));
    }
}

fn office(lease: &Lease, length: Millis, granted: Granted) -> Office {
    Office {
        address: lease.holder.address,
        incarnation: lease.holder.incarnation.0,
        epoch: lease.epoch.0,
        length_ms: length.0,
        seconds: granted.seconds,
    }
}

const fn lasts(seconds: u64) -> Millis {
    Millis::from_secs(seconds)
}

fn parse<T: DeserializeOwned>(key: &KeyValue) -> Result<T, RegistryError> {
    serde_json::from_slice(&key.value).map_err(|error| {
        let name = String::from_utf8_lossy(&key.key);
        RegistryError::Invalid(format!(
            "the key {name} of etcd holds what cannot be ({error}): who wrote it?"
        ))
    })
}
