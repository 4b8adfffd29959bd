use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ringback_model::{Epoch, Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// Tells two runs of an instance at one address apart. Chosen anew at every start, different from every earlier
/// one (a random number will do); it is only ever compared for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// One run of an instance of the service. Printed as `ADDRESS#INCARNATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The address it is ranked by, and known to operators.
    pub address: IpAddr,
    /// Which run of it.
    pub incarnation: Incarnation,
    /// When it started, by its own clock: for people, nothing is decided by it.
    pub started: Timestamp,
}

impl Member {
    /// A run of the instance at this address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is taken as the
    /// IPv4 address that it is, so that no address ranks in two places.
    #[must_use]
    pub fn new(address: IpAddr, incarnation: Incarnation, started: Timestamp) -> Self {
        Self { address: address.to_canonical(), incarnation, started }
    }

    /// Whether both are the same run of the same instance.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.address == other.address && self.incarnation == other.incarnation
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.address, self.incarnation)
    }
}

/// What the registry knows of a live member. Times are the registry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Presence {
    /// Who.
    pub member: Member,
    /// When this run first reported.
    pub joined: Timestamp,
    /// Until when it counts as live if it does not report again.
    pub until: Timestamp,
    /// Whether it says that it could take over now.
    pub ready: bool,
}

/// The right to act for a group, until it expires. Times are the registry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// Whose it is.
    pub holder: Member,
    /// The term of office it was given for.
    pub epoch: Epoch,
    /// When it was given.
    pub granted: Timestamp,
    /// From this moment on it is over, and another may take it.
    pub expires: Timestamp,
    /// It ended because its holder gave it back, or was proven dead; not because time passed.
    pub released: bool,
}

/// What a registry answers: the whole state of a group at one moment of the registry's clock.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// The moment, by the registry's clock.
    pub at: Timestamp,
    /// Counts what others must hear of soon: joins, leaves, readiness, lease given or given back. Mere heartbeats,
    /// renewals and time passing do not count.
    pub revision: u64,
    /// The highest epoch ever given in this group.
    pub epoch: Epoch,
    /// The last lease given, even if it is over.
    pub lease: Option<Lease>,
    /// Who is live at that moment.
    pub members: BTreeMap<IpAddr, Presence>,
}

impl View {
    /// The lease, if it is in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| self.at < lease.expires)
    }

    /// How long the lease still is in force; zero if none is.
    #[must_use]
    pub fn remaining(&self) -> Millis {
        self.in_force().map_or(Millis::ZERO, |lease| lease.expires.since(self.at))
    }
}
