use std::collections::BTreeMap;
use std::net::IpAddr;

use ringback_model::{Epoch, Millis, Timestamp};

use crate::manager::io::Rank;
use crate::member::{Member, View};
use crate::ranking::Order;

/// What a view said, told in local time. The registry's clock is only ever compared with itself; what it says will
/// happen is expected as late as it can be (counted from the receipt).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) received: Timestamp,
    pub(crate) revision: u64,
    pub(crate) epoch: Epoch,
    pub(crate) lease: Option<SeenLease>,
    pub(crate) members: BTreeMap<IpAddr, SeenMember>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SeenLease {
    pub(crate) holder: Member,
    pub(crate) epoch: Epoch,
    pub(crate) until: Timestamp,
    pub(crate) released: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SeenMember {
    pub(crate) member: Member,
    pub(crate) ready: bool,
    pub(crate) until: Timestamp,
    /// Until then it is waited for, though it has not said that it is ready.
    pub(crate) young_until: Timestamp,
}

impl Seen {
    pub(crate) fn new(now: Timestamp, view: &View, settle: Millis) -> Self {
        let local = |moment: Timestamp| now + moment.since(view.at);
        let lease = view.lease.map(|lease| SeenLease {
            holder: lease.holder,
            epoch: lease.epoch,
            until: local(lease.expires),
            released: lease.released,
        });
        let members = view.members.iter().map(|(address, presence)| {
            let seen = SeenMember {
                member: presence.member,
                ready: presence.ready,
                until: local(presence.until),
                young_until: local(presence.joined + settle),
            };
            (*address, seen)
        });
        Self { received: now, revision: view.revision, epoch: view.epoch, lease, members: members.collect() }
    }

    /// The lease, if it still is in force.
    pub(crate) fn in_force(&self, now: Timestamp) -> Option<&SeenLease> {
        self.lease.as_ref().filter(|lease| now < lease.until)
    }

    /// The moments at which somebody else may be to take the lease: its end, and once it is free, whenever one who goes
    /// first is not live, or not waited for, any more.
    pub(crate) fn changes(&self, now: Timestamp) -> Vec<Timestamp> {
        match self.in_force(now) {
            Some(lease) => vec![lease.until],
            None => self.members.values().flat_map(|member| [member.until, member.young_until]).collect(),
        }
    }

    /// The live candidates, in order.
    pub(crate) fn ordered(&self, now: Timestamp, order: Order<'_>) -> Vec<SeenMember> {
        let live = self.members.values().filter(|member| now < member.until);
        let mut ordered: Vec<SeenMember> =
            live.filter(|member| order.admits(member.member.address)).copied().collect();
        ordered.sort_by(|a, b| order.compare(a.member.address, b.member.address));
        ordered
    }

    /// Who is to take a free lease: the lowest who is ready or may be any moment; if there is none, the lowest.
    pub(crate) fn heir(&self, now: Timestamp, order: Order<'_>, me: &Member) -> Option<Member> {
        let ordered = self.ordered(now, order);
        let eligible = |known: &&SeenMember| known.ready || now < known.young_until || known.member.is(me);
        ordered.iter().find(eligible).or(ordered.first()).map(|known| known.member)
    }

    /// The lowest who is live, ready and before me.
    pub(crate) fn challenger(&self, now: Timestamp, order: Order<'_>, me: &Member) -> Option<Member> {
        let ordered = self.ordered(now, order);
        let mut before =
            ordered.iter().take_while(|known| order.compare(known.member.address, me.address).is_lt());
        before.find(|known| known.ready).map(|known| known.member)
    }

    pub(crate) fn rank(&self, now: Timestamp, order: Order<'_>, me: &Member, i_am_active: bool) -> Rank {
        let active = if i_am_active {
            Some(me.address)
        } else {
            let other = self.in_force(now).filter(|lease| !lease.holder.is(me));
            other.map(|lease| lease.holder.address)
        };
        let ordered = self.ordered(now, order).into_iter().map(|known| known.member.address);
        let backups: Vec<IpAddr> = ordered.filter(|address| Some(*address) != active).collect();
        let position = if i_am_active {
            Some(0)
        } else {
            backups.iter().position(|address| *address == me.address).map(|place| place + 1)
        };
        Rank { position, active, backups }
    }
}
