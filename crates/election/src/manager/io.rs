use std::net::IpAddr;

use ringback_model::{Epoch, Timestamp};
use serde::{Deserialize, Serialize};

use crate::member::{Member, View};
use crate::registry::{Evidence, RegistryError, Request};

/// Names a call to the registry, so that its answer is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallNumber(pub u64);

/// What happens to a [`Manager`](crate::Manager).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input {
    /// Time has passed: the first input of all, and at every
    /// [`next_wakeup`](crate::Manager::next_wakeup). More often does no harm.
    Tick,
    /// Look at the registry now: it, or a peer, hinted at a change.
    Nudge,
    /// Another group is about to report: report along with it if it is due within a quarter of the interval, so that
    /// one exchange ([`Registry::tick_all`](crate::Registry::tick_all)) serves many groups. Never needed.
    Beat,
    /// A call came back. Answers to calls that have been given up are ignored.
    Answered {
        /// Which.
        number: CallNumber,
        /// How.
        result: Result<View, RegistryError>,
    },
    /// Whether the service could take over now (its dictionaries read, a CTIManager reached, ...). It counts as ready
    /// until it says otherwise. Readiness only decides who is handed over to, and who goes first when several start;
    /// an instance that is alone acts even if it is not ready.
    Ready(bool),
    /// The service is to end in good order: drain, give the lease back, leave.
    StopRequested,
    /// The answer to [`Output::Drain`]: what was begun is done, every effect is out.
    Drained,
    /// A peer seems to be gone. Proves nothing: the registry is looked at.
    PeerSuspected(IpAddr),
    /// That very run of a peer is dead for certain.
    PeerDied {
        /// Who.
        member: Member,
        /// How that is known.
        evidence: Evidence,
    },
    /// An epoch that something outside the registry has seen in use (the request store, a CTIManager). Epochs up to
    /// this one are of no use any more. Say it before the first tick if the store remembers one; say it when a write
    /// is refused as fenced.
    EpochSeen(Epoch),
}

/// What a [`Manager`](crate::Manager) wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// Call the registry, and come back with [`Input::Answered`]. The lease is counted from the moment this was put
    /// out, so send it without delay. At most one answer is waited for at a time; do not queue behind an old call.
    Call {
        /// For the answer.
        number: CallNumber,
        /// The call.
        request: Request,
    },
    /// Act from now on, in this epoch: claim the store, load, watch. Ask
    /// [`may_act`](crate::Manager::may_act) immediately before every effect.
    Activate {
        /// The term of office; higher than every earlier one.
        epoch: Epoch,
    },
    /// Begin nothing new, finish what has begun, then say [`Input::Drained`]. Effects are still allowed.
    Drain {
        /// Who is to take over; nobody in particular if the service stops.
        to: Option<IpAddr>,
    },
    /// The hand-over is off (the one to take over is gone): go on as before, in the same epoch.
    Resume {
        /// The epoch.
        epoch: Epoch,
    },
    /// Act no more: no further effect, not even one that has been begun. Forget everything read in this epoch.
    StandDown {
        /// The epoch that is over.
        epoch: Epoch,
        /// Why.
        reason: Reason,
    },
    /// The order of the instances is another now.
    Rank(Rank),
    /// Something an operator wants to know.
    Alarm(Alarm),
    /// After a stop was requested: everything is given back. Nothing more will come.
    Stopped,
}

/// Why an active stands down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// The lease could not be confirmed in time (the registry was out of reach, or this instance was paused).
    Unconfirmed,
    /// A later epoch is in force, or the lease was ended: another instance has taken over, or may.
    Fenced {
        /// The highest epoch known.
        current: Epoch,
    },
    /// A lower address takes over.
    HandOver {
        /// Which.
        to: IpAddr,
    },
    /// It was asked to stop.
    Stopping,
    /// Another run of an instance lives at this address.
    AddressConflict,
}

/// The order of the live instances, as this one knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Rank {
    /// This instance's place: 0 is active, 1 the first backup, ...; nothing while it is no member.
    pub position: Option<usize>,
    /// Who is active, if anybody is.
    pub active: Option<IpAddr>,
    /// The others, the next to take over first.
    pub backups: Vec<IpAddr>,
}

/// What an operator wants to know; the service gives it a name, a severity and words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alarm {
    /// This instance acts now.
    BecameActive {
        /// In this epoch.
        epoch: Epoch,
    },
    /// This instance is a backup now.
    BecameBackup {
        /// Of this one.
        active: IpAddr,
    },
    /// This instance was active, did not know that it was replaced, and does now. Nothing it tried since was taken.
    FencedOff {
        /// Its epoch.
        ours: Epoch,
        /// The epoch in force.
        current: Epoch,
    },
    /// An instance from which this one took over, because nothing was heard of it, is back: it had been cut off or
    /// paused, not dead.
    SplitDetected {
        /// Who.
        other: IpAddr,
        /// The epoch in force: ours.
        epoch: Epoch,
    },
    /// Another run of an instance lives at our address: this one cannot take part.
    AddressConflict {
        /// Who.
        other: Member,
        /// What to do.
        error: RegistryError,
    },
    /// That is over.
    AddressConflictOver,
    /// The registry knows only an older epoch than it once gave: it was restored from a copy, or a server that lagged
    /// behind took over. The next epoch will be above both.
    EpochWentBack {
        /// The highest epoch known.
        remembered: Epoch,
        /// What the registry says.
        found: Epoch,
    },
    /// The registry does not answer, or not as it should.
    RegistryLost {
        /// Why.
        error: RegistryError,
    },
    /// It does again.
    RegistryBack,
}

/// What an instance is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// It has not seen the group yet, or cannot take part.
    Joining,
    /// Another one is active, or the lease is about to be claimed.
    Backup,
    /// It acts.
    Active,
    /// It acts no more than to finish what it has begun.
    Draining,
    /// It gives its lease back, or leaves.
    Leaving,
    /// It has left.
    Stopped,
}

/// A manager at a glance, for monitoring.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Status {
    /// What it is.
    pub role: Role,
    /// Since when, by the local clock.
    pub since: Timestamp,
    /// Its epoch while it acts, otherwise the highest it knows.
    pub epoch: Epoch,
    /// The order of the instances.
    pub rank: Rank,
    /// Whether the last call to the registry was answered.
    pub registry_reachable: bool,
}
