//! What every [`Registry`] must do, as a suite that its implementer runs (feature `conformance`).
//!
//! ```
//! # use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//! # use ringback_election::{MemoryRegistry, conformance};
//! # use ringback_model::{Millis, Timestamp};
//! # async fn run() {
//! let time = Arc::new(AtomicU64::new(1_000_000));
//! let clock = Arc::clone(&time);
//! let registry = MemoryRegistry::new(move || Timestamp(clock.load(Ordering::Relaxed)));
//! let pass = async |span: Millis| {
//!     time.fetch_add(span.0, Ordering::Relaxed);
//! };
//! assert_eq!(conformance::registry(async || registry.clone(), pass).await, Ok(()));
//! # }
//! # let mut run = std::pin::pin!(run());
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # assert!(run.as_mut().poll(&mut context).is_ready());
//! ```

mod clock;
mod lease;
mod membership;

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::Poll;

use ringback_model::{Epoch, Group, Millis, Timestamp};
use thiserror::Error;

use crate::member::{Incarnation, Member, View};
use crate::registry::{Intent, Registry, RegistryError, Report};

/// A registry does not do what it must.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{check}: expected {expected}, saw {saw} (documentation of `{paragraph}`)")]
pub struct Violation {
    /// The rule, in words.
    pub check: &'static str,
    /// Where the documentation of the port demands it.
    pub paragraph: &'static str,
    /// What it demands.
    pub expected: String,
    /// What happened.
    pub saw: String,
}

impl Violation {
    fn new(check: &'static str, expected: impl Into<String>, saw: String) -> Self {
        Self { check, paragraph: "", expected: expected.into(), saw }
    }
}

trait Demanded {
    /// Names the paragraph that demands what was looked at.
    fn demanded_by(self, paragraph: &'static str) -> Self;
}

impl Demanded for Result<(), Violation> {
    fn demanded_by(self, paragraph: &'static str) -> Self {
        self.map_err(|violation| Violation { paragraph, ..violation })
    }
}

/// The length of leases in the suite: long enough for a slow registry, short enough to wait for.
const LENGTH: Millis = Millis(1000);

/// Runs the whole suite. `make` gives a handle on *one and the same* registry each time (best another connection);
/// the registry must not know the groups that the suite uses (`conformance-...`), so a fresh one is best. `pass` lets so
/// much of the registry's time pass, by waiting if need be (some 12 s in all).
///
/// # Errors
/// The first rule that is broken.
pub async fn registry<R: Registry>(
    make: impl AsyncFn() -> R,
    pass: impl AsyncFn(Millis),
) -> Result<(), Violation> {
    registry_with(LENGTH, make, pass).await
}

/// As [`registry`], with leases of this length instead of one second: for registries that count in seconds, and end a lease
/// somewhat late. `pass` then lets more time pass, so much that what is over by then has ended, too; at most by a third of
/// `length`.
///
/// # Errors
/// The first rule that is broken.
pub async fn registry_with<R: Registry>(
    length: Millis,
    make: impl AsyncFn() -> R,
    pass: impl AsyncFn(Millis),
) -> Result<(), Violation> {
    let one = make().await;
    let other = make().await;
    let bench = |name: &str| Bench::new(&one, &other, length, name);
    clock::it_is_the_registrys(&bench("clock"), &pass).await.demanded_by("Registry")?;
    membership::an_unknown_group_is_empty(&bench("empty")).await.demanded_by("Registry::read")?;
    membership::the_first_report_joins(&bench("join")).await.demanded_by("Report::member")?;
    membership::every_member_is_known_as_it_reported(&bench("kinds")).await.demanded_by("Report::member")?;
    membership::a_silent_member_is_gone_after_its_length(&bench("silent"), &pass)
        .await
        .demanded_by("Report::length")?;
    membership::an_address_has_one_live_run(&bench("duplicate"), &pass)
        .await
        .demanded_by("RegistryError::AddressInUse")?;
    membership::an_address_does_not_change(&bench("changed"))
        .await
        .demanded_by("RegistryError::AddressChanged")?;
    membership::who_leaves_is_gone(&bench("leave")).await.demanded_by("Intent::Leave")?;
    membership::groups_are_apart(&one, &bench("apart-1"), &bench("apart-2"))
        .await
        .demanded_by("Registry::tick_all")?;
    membership::many_groups_at_once(&one, length).await.demanded_by("Registry::tick_all")?;
    membership::many_calls_at_once(&one, length).await.demanded_by("Registry::call_all")?;
    membership::the_revision_counts_what_matters(&bench("revision")).await.demanded_by("View::revision")?;
    membership::a_report_without_length_is_refused(&bench("length"))
        .await
        .demanded_by("RegistryError::Invalid")?;
    membership::no_change_is_told_where_none_is(&bench("hint")).await.demanded_by("Registry::changed")?;
    lease::one_gets_it(&bench("acquire")).await.demanded_by("Intent::Acquire")?;
    lease::all_at_once_one_gets_it(&bench("race")).await.demanded_by("Intent::Acquire")?;
    lease::a_claim_in_view_of_an_older_epoch_is_void(&bench("delayed"), &pass)
        .await
        .demanded_by("Intent::Acquire::seen")?;
    lease::the_epoch_is_above_what_the_claimer_remembers(&bench("above"))
        .await
        .demanded_by("Intent::Acquire::above")?;
    lease::only_the_holder_in_its_epoch_renews(&bench("fence")).await.demanded_by("Intent::Renew")?;
    lease::the_holder_may_begin_anew(&bench("anew")).await.demanded_by("Intent::Acquire")?;
    lease::renewing_lengthens(&bench("renew"), &pass).await.demanded_by("Intent::Renew")?;
    lease::the_epoch_outlives_everybody(&bench("remember"), &pass).await.demanded_by("View::epoch")?;
    lease::who_is_late_is_fenced_and_still_live(&bench("late"), &pass)
        .await
        .demanded_by("RegistryError::Fenced")?;
    lease::released_is_over(&bench("release")).await.demanded_by("Intent::Release")?;
    lease::who_leaves_takes_no_other_lease_along(&bench("leave-lease")).await.demanded_by("Intent::Leave")?;
    lease::the_dead_are_struck_out(&bench("expel")).await.demanded_by("Registry::expel")
}

/// One group, seen through two handles.
struct Bench<'a, R> {
    one: &'a R,
    other: &'a R,
    group: Group,
    /// How long leases last.
    length: Millis,
}

impl<'a, R: Registry> Bench<'a, R> {
    fn new(one: &'a R, other: &'a R, length: Millis, name: &str) -> Self {
        // The names are those above: letters and hyphens.
        let group = Group::new(format!("conformance-{name}")).unwrap_or_default();
        Self { one, other, group, length }
    }

    /// Through the one handle for odd addresses, through the other for even ones.
    async fn tick(&self, member: &Member, intent: Intent) -> Result<View, RegistryError> {
        let report = Report { member: *member, ready: true, length: self.length, intent };
        let odd = matches!(member.address, IpAddr::V4(v4) if v4.octets()[3] % 2 == 1);
        let registry = if odd { self.one } else { self.other };
        registry.tick(&self.group, &report).await
    }

    async fn must(&self, check: &'static str, member: &Member, intent: Intent) -> Result<View, Violation> {
        let answer = self.tick(member, intent).await;
        answer.map_err(|error| Violation::new(check, "an answer", error.to_string()))
    }

    async fn read(&self, check: &'static str) -> Result<View, Violation> {
        let answer = self.other.read(&self.group).await;
        answer.map_err(|error| Violation::new(check, "an answer", error.to_string()))
    }
}

/// Run `run` of the instance at 10.0.0.`last`.
fn member(last: u8, run: u64) -> Member {
    let incarnation = Incarnation(run * 1000 + u64::from(last));
    Member::new(Ipv4Addr::new(10, 0, 0, last).into(), incarnation, Timestamp(0))
}

fn first() -> Intent {
    Intent::Acquire { seen: Epoch(0), above: Epoch(0) }
}

fn same<T: PartialEq + Debug>(check: &'static str, saw: T, expected: T) -> Result<(), Violation> {
    if saw == expected {
        return Ok(());
    }
    Err(Violation::new(check, format!("{expected:?}"), format!("{saw:?}")))
}

/// Who holds the lease that is in force, and in which epoch.
fn holder(view: &View) -> Option<(Member, Epoch)> {
    view.in_force().map(|lease| (lease.holder, lease.epoch))
}

/// Awaits all of them, each making progress whenever any may.
async fn together<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<Pin<Box<_>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, result) in running.iter_mut().zip(&mut done) {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
