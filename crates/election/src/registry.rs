use std::future::pending;
use std::net::IpAddr;

use async_trait::async_trait;
use ringback_model::{Epoch, Group, Millis};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::member::{Incarnation, Member, View};

/// Why a registry did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It cannot be reached or cannot work now; nothing was changed. Asking again later does no harm.
    #[error("registry unavailable, nothing was changed: {0}")]
    NotDone(String),
    /// The answer did not come: what was asked may have been done or not. Asking again does no harm.
    #[error("registry did not answer, the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// The lease to be renewed is no longer the caller's: it ran out, or another epoch is in force. The heartbeat
    /// in the same call was taken, nothing else was changed. Stop acting at once.
    #[error(
        "the lease of epoch {ours} is over (latest epoch: {current}): stop acting and wait for the next election"
    )]
    Fenced {
        /// The epoch that was to be renewed.
        ours: Epoch,
        /// The highest epoch given.
        current: Epoch,
    },
    /// Another run of an instance with this address is live; nothing was changed.
    #[error(
        "address {address} is in use by another live instance (incarnation {}): give one of the two another \
         address, or stop it; after a restart wait {frees_in} until the former run no longer counts as live",
        other.incarnation
    )]
    AddressInUse {
        /// The address.
        address: IpAddr,
        /// Who uses it.
        other: Member,
        /// When that one stops counting as live if it is not heard again.
        frees_in: Millis,
    },
    /// A live member reported under another address than it joined with; nothing was changed.
    #[error(
        "instance {incarnation} joined as {was} and now calls itself {now}: an address cannot change while \
         running, restart the instance"
    )]
    AddressChanged {
        /// Which run.
        incarnation: Incarnation,
        /// The address it joined with.
        was: IpAddr,
        /// The address it reported now.
        now: IpAddr,
    },
    /// What the registry holds cannot be, or the report is malformed; nothing was changed. A person must look.
    #[error("registry invalid: {0}")]
    Invalid(String),
}

/// What a member wants together with its heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// Nothing but to be live and to see the others.
    Watch,
    /// The lease, if it is free or already the caller's own. Not getting it is no error: the view tells who has it.
    Acquire {
        /// The highest epoch the caller knows the registry to have given. If that has changed since, the claim is
        /// void: so a claim that was delayed on its way cannot succeed later.
        seen: Epoch,
        /// The new epoch is above this, too: an epoch the caller remembers from elsewhere (the request store, or
        /// this registry before it was restored from a copy).
        above: Epoch,
    },
    /// To keep the lease it holds in this epoch for another length.
    Renew {
        /// The epoch.
        epoch: Epoch,
    },
    /// To give back the lease it holds in this epoch; the lease expires now. No error if it is over already.
    Release {
        /// The epoch.
        epoch: Epoch,
    },
    /// To be gone: membership ends, and any lease of this very member expires now.
    Leave,
}

/// A heartbeat, and what is wanted with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Who reports. The first report joins.
    pub member: Member,
    /// Whether it could take over now. A member that has not heard an answer lately says no.
    pub ready: bool,
    /// How long, from the moment the registry handles this, the member counts as live without another report, and
    /// how long a lease given or renewed now lasts.
    pub length: Millis,
    /// What else is wanted.
    pub intent: Intent,
}

/// Why a member is certainly dead: the only thing that shortens a lease from outside. A time-out, a refused
/// connection or a lost database session proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Evidence {
    /// A link between instances that a living one never closes was closed by the kernel of the other machine.
    LinkClosed,
    /// The caller now holds what a living run at that address would still hold: its listening socket on the same
    /// machine, or a lock on the same file.
    ResourceFreed,
    /// Whoever started the process has seen it exit.
    ExitSeen,
}

/// One call to a registry, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Request {
    /// [`Registry::tick`].
    Tick(Report),
    /// [`Registry::expel`].
    Expel {
        /// Who says so.
        by: Member,
        /// Who is dead.
        dead: Member,
        /// How that is known.
        evidence: Evidence,
    },
}

impl Request {
    /// Makes the call.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn send(&self, registry: &dyn Registry, group: &Group) -> Result<View, RegistryError> {
        match self {
            Self::Tick(report) => registry.tick(group, report).await,
            Self::Expel { by, dead, evidence } => registry.expel(group, by, dead, *evidence).await,
        }
    }
}

/// Membership, lease and epoch of groups, in one place that all instances of a group reach. Time is the registry's
/// own clock, which never steps back; every answer carries it. A clock that steps *forward* by more than the margin
/// ends leases before their holders can know: let the registry's machine slew its clock, not step it.
///
/// **What it must not forget.** The highest epoch given in a group outlives members, lease and restarts of the registry:
/// keep it as durably as the requests, best in the same database, and restore both from one copy. Members and lease may be
/// forgotten, but then nobody may be answered for the longest lease that was given: until that is over the holder acts.
/// A registry that does forget the epoch (in memory; restored from an older copy) gives epochs a second time, unless
/// each instance that runs has learnt the latest one, from an earlier answer or from
/// [`Input::EpochSeen`](crate::Input::EpochSeen), and says so with [`Intent::Acquire::above`](Intent). An instance that
/// never looked, or looked before the latest one was given, does not know it. What follows then:
///
/// - *It gets a lower epoch than the store has:* the store refuses its claim as fenced, it tells its manager, and the
///   next epoch is above.
/// - *It gets the very epoch that the store has:* a store cannot tell two runs in one epoch apart and takes the claim.
///   The former holder may act beside it until its next renewal is refused, at most until its own lease would be over,
///   and ids that are made of the epoch are given twice, so that one record replaces another. Therefore, whoever drives a
///   manager asks the store's epoch once before the first claim of a term, and treats an equal one as used up:
///   `EpochSeen` with the next. That leaves only claims that are made at the same moment.
///
/// *For the operator:* a group of several instances needs a registry that is on disk. Before it is emptied or restored
/// from a copy, stop all instances of the group, and start them again when the store can be reached.
///
/// The rules are those of [`Ledger`](crate::Ledger). An implementation can load a group into a ledger, apply the
/// call and save it, all in one transaction; or say the same in its own language. Either way the suite behind the
/// feature `conformance` proves it in one line, with a way to let the registry's time pass:
///
/// ```
/// # #[cfg(feature = "conformance")] mod proof {
/// # use ringback_election::Registry;
/// # use ringback_election::conformance::{self, Violation};
/// # use ringback_model::Millis;
/// # async fn proof<R: Registry>(
/// #     my_registry: impl AsyncFn() -> R, pass: impl AsyncFn(Millis),
/// # ) -> Result<(), Violation> {
/// conformance::registry(my_registry, pass).await
/// # }
/// # }
/// ```
#[async_trait]
pub trait Registry: Send + Sync {
    /// Heartbeat (the first one joins) and intent in one exchange, carried out as a whole or not at all, except
    /// that the heartbeat counts even if the intent is answered by [`RegistryError::Fenced`].
    async fn tick(&self, group: &Group, report: &Report) -> Result<View, RegistryError>;

    /// Several groups in one exchange, answers in the order of the reports. Groups are independent: one may fail
    /// and the next succeed. The default does one after the other.
    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Result<View, RegistryError>> {
        let mut answers = Vec::with_capacity(reports.len());
        for (group, report) in reports {
            answers.push(self.tick(group, report).await);
        }
        answers
    }

    /// The same for calls of any kind.
    async fn call_all(&self, calls: &[(Group, Request)]) -> Vec<Result<View, RegistryError>> {
        let mut answers = Vec::with_capacity(calls.len());
        for (group, request) in calls {
            answers.push(match request {
                Request::Tick(report) => self.tick(group, report).await,
                Request::Expel { by, dead, evidence } => self.expel(group, by, dead, *evidence).await,
            });
        }
        answers
    }

    /// The state of a group, without taking part.
    async fn read(&self, group: &Group) -> Result<View, RegistryError>;

    /// Strikes a dead member out and ends its lease now. Only that very run: nothing happens if another
    /// incarnation lives at the address, or the member is gone already.
    async fn expel(
        &self,
        group: &Group,
        by: &Member,
        dead: &Member,
        evidence: Evidence,
    ) -> Result<View, RegistryError>;

    /// Returns when another group of this process is about to report, so that this one may report along with it
    /// ([`Input::Beat`](crate::Input::Beat)). A registry that serves one group never returns, which is the default.
    /// Cancel-safe.
    async fn beat(&self) {
        pending::<()>().await;
    }

    /// Returns soon after the group's revision is another than `seen`, as far as `member` can know. A hint that
    /// makes hand-over quick; nothing relies on it, and a registry that cannot tell never returns, which is the
    /// default. It does not return while the registry cannot be reached. Cancel-safe.
    async fn changed(&self, group: &Group, member: &Member, seen: u64) {
        let _ = (group, member, seen);
        pending::<()>().await;
    }
}
