use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::member::{Incarnation, Member};
use crate::planted::{Fault, Planted};

/// Who may take part, and in which order: the election algorithm itself. Addresses are compared as numbers, IPv4
/// before IPv6 unless configured; the lowest live one is active, the next is its backup, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Candidates {
    /// Only addresses in one of these networks take part. Empty, the default: every address does.
    pub networks: Vec<IpNet>,
    /// IPv6 addresses rank before IPv4 ones. Default: no. Must be the same on all instances.
    pub ipv6_first: bool,
}

/// Why members cannot be ranked. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RankingError {
    /// Two live members have one address.
    #[error(
        "address {address} is used by two live instances ({first} and {second}): give one of them another \
         address, or stop it"
    )]
    Duplicate {
        /// The address.
        address: IpAddr,
        /// One of them.
        first: Incarnation,
        /// The other.
        second: Incarnation,
    },
    /// One member has two addresses.
    #[error(
        "instance {incarnation} was {was} and now calls itself {now}: an address cannot change while running, \
         restart the instance"
    )]
    Changed {
        /// Which.
        incarnation: Incarnation,
        /// Before.
        was: IpAddr,
        /// Now.
        now: IpAddr,
    },
    /// The address is in none of the configured networks.
    #[error(
        "address {address} is in none of the configured networks ({networks}): choose an address of this \
         machine that is, or add its network"
    )]
    Outside {
        /// The address.
        address: IpAddr,
        /// The networks.
        networks: String,
    },
    /// No instance can be reached at this address.
    #[error("address {0} names no single machine: choose one address of this machine")]
    NotAHost(IpAddr),
}

impl Candidates {
    /// The order of two addresses.
    #[must_use]
    pub fn compare(&self, a: IpAddr, b: IpAddr) -> Ordering {
        let family = |address: IpAddr| address.is_ipv6() != self.ipv6_first;
        let (a, b) = (a.to_canonical(), b.to_canonical());
        family(a).cmp(&family(b)).then(a.cmp(&b))
    }

    /// Whether this address may take part.
    ///
    /// # Errors
    /// It is no host's address, or lies in none of the networks.
    pub fn admit(&self, address: IpAddr) -> Result<(), RankingError> {
        let address = address.to_canonical();
        let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        if address.is_unspecified() || address.is_multicast() || broadcast {
            return Err(RankingError::NotAHost(address));
        }
        if self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        let networks = self.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(RankingError::Outside { address, networks })
    }

    /// The addresses that may take part, lowest first, each once.
    #[must_use]
    pub fn order(&self, addresses: impl IntoIterator<Item = IpAddr>) -> Vec<IpAddr> {
        let mut order: Vec<IpAddr> = addresses
            .into_iter()
            .map(|address| address.to_canonical())
            .filter(|address| self.admit(*address).is_ok())
            .collect();
        order.sort_by(|a, b| self.compare(*a, *b));
        order.dedup();
        order
    }

    /// Ranks the live members: the first is to be active, the second is its backup, and so on.
    ///
    /// # Errors
    /// One of them may not take part, two share an address, or one has two addresses.
    pub fn rank(&self, live: &[Member]) -> Result<Vec<Member>, RankingError> {
        let mut order: Vec<Member> = Vec::with_capacity(live.len());
        for member in live {
            self.admit(member.address)?;
            for known in &order {
                if known.address == member.address && known.incarnation != member.incarnation {
                    return Err(RankingError::Duplicate {
                        address: member.address,
                        first: known.incarnation,
                        second: member.incarnation,
                    });
                }
                if known.incarnation == member.incarnation && known.address != member.address {
                    return Err(RankingError::Changed {
                        incarnation: member.incarnation,
                        was: known.address,
                        now: member.address,
                    });
                }
            }
            if !order.iter().any(|known| known.is(member)) {
                order.push(*member);
            }
        }
        order.sort_by(|a, b| self.compare(a.address, b.address));
        Ok(order)
    }
}

/// The order as a manager keeps it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) candidates: &'a Candidates,
    pub(crate) planted: &'a Planted,
}

impl Order<'_> {
    pub(crate) fn compare(&self, a: IpAddr, b: IpAddr) -> Ordering {
        if self.planted.has(Fault::AddressesAsText) {
            return a.to_string().cmp(&b.to_string());
        }
        self.candidates.compare(a, b)
    }

    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.candidates.admit(address).is_ok()
    }
}
