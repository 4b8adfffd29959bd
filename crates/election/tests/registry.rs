//! The in-memory registry: it conforms, and it can be switched off, cut and listened to.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_trait::async_trait;
use ringback_election::{
    Evidence, Incarnation, Intent, Ledger, Member, MemoryRegistry, Parameters, Registry, RegistryError,
    Report, View, conformance,
};
use ringback_model::{Epoch, Group, Millis, Timestamp};

/// Runs what never really waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn registry() -> (MemoryRegistry, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let clock = Arc::clone(&time);
    (MemoryRegistry::new(move || Timestamp(clock.load(Ordering::Relaxed))), time)
}

fn one() -> Member {
    Member::new(address(), Incarnation(7), Timestamp(0))
}

fn address() -> IpAddr {
    Ipv4Addr::new(10, 0, 0, 1).into()
}

fn report(intent: Intent) -> Report {
    Report { member: one(), ready: true, length: Millis(1000), intent }
}

const CLAIM: Intent = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };

#[test]
fn a_ledger_moved_in_time_differs_in_nothing_but_the_time() {
    let at = |start: u64| {
        let mut ledger = Ledger::default();
        ledger.tick(Timestamp(start), &report(CLAIM)).unwrap();
        ledger.tick(Timestamp(start + 10), &report(Intent::Renew { epoch: Epoch(1) })).unwrap();
        ledger
    };
    assert_eq!(at(5000).rebased(Timestamp(5000)), at(0));
    assert_ne!(at(5000), at(0));
}

#[test]
fn memory_conforms() {
    let (registry, time) = registry();
    let pass = async |span: Millis| {
        time.fetch_add(span.0, Ordering::Relaxed);
    };
    assert_eq!(now(conformance::registry(async || registry.clone(), pass)), Ok(()));
}

#[test]
fn a_clock_that_steps_back_is_held() {
    let (registry, time) = registry();
    let group = Group::default();
    let before = now(registry.tick(&group, &report(CLAIM))).unwrap();
    time.fetch_sub(5000, Ordering::Relaxed);
    let after = now(registry.tick(&group, &report(Intent::Renew { epoch: Epoch(1) }))).unwrap();
    assert_eq!((after.at, after.lease), (before.at, before.lease));
}

#[test]
fn switched_off_nothing_is_done() {
    let (registry, _) = registry();
    let group = Group::default();
    registry.set_available(false);
    let refused = now(registry.tick(&group, &report(CLAIM)));
    assert_eq!(refused, Err(RegistryError::NotDone("it is switched off".to_owned())));
    assert!(now(registry.read(&group)).is_err());
    registry.set_available(true);
    assert_eq!(now(registry.read(&group)).unwrap().lease, None);
}

#[test]
fn cut_off_nothing_is_done_and_without_answers_it_is() {
    let (registry, _) = registry();
    let group = Group::default();
    registry.cut(address());
    let refused = now(registry.tick(&group, &report(CLAIM)));
    assert_eq!(refused, Err(RegistryError::NotDone("10.0.0.1 is cut off".to_owned())));
    assert_eq!(now(registry.read(&group)).unwrap().lease, None);
    registry.heal(address());
    registry.lose_answers(address());
    let lost = now(registry.tick(&group, &report(CLAIM)));
    assert_eq!(lost, Err(RegistryError::OutcomeUnknown("answers to 10.0.0.1 are lost".to_owned())));
    assert_eq!(now(registry.read(&group)).unwrap().epoch, Epoch(1));
    registry.heal(address());
    assert!(now(registry.tick(&group, &report(Intent::Watch))).is_ok());
}

#[test]
fn what_the_store_remembers_is_not_given_again() {
    let (registry, _) = registry();
    let group = Group::default();
    registry.remember(&group, Epoch(9));
    let claim = Intent::Acquire { seen: Epoch(9), above: Epoch(0) };
    assert_eq!(now(registry.tick(&group, &report(claim))).unwrap().epoch, Epoch(10));
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn changes_are_told_and_heartbeats_are_not() {
    let (registry, _) = registry();
    let group = Group::default();
    let revision = now(registry.tick(&group, &report(Intent::Watch))).unwrap().revision;
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    let who = one();
    let mut changed = pin!(registry.changed(&group, &who, revision));
    assert!(changed.as_mut().poll(&mut context).is_pending());
    now(registry.tick(&group, &report(Intent::Watch))).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    now(registry.tick(&group, &report(CLAIM))).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(changed.as_mut().poll(&mut context).is_ready());
    // One that is cut off is told when it is healed.
    registry.cut(address());
    let mut changed = pin!(registry.changed(&group, &who, revision));
    assert!(changed.as_mut().poll(&mut context).is_pending());
    registry.heal(address());
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert!(changed.as_mut().poll(&mut context).is_ready());
}

#[test]
fn the_revision_grows_when_a_member_falls_silent() {
    let mut ledger = Ledger::default();
    let joined = ledger.tick(Timestamp(0), &report(Intent::Watch)).unwrap();
    assert_eq!(ledger.read(Timestamp(999)).revision, joined.revision);
    assert_eq!(ledger.read(Timestamp(1000)).revision, joined.revision + 1);
}

#[test]
fn who_looks_into_the_memory_sees_the_lease_until_it_is_over() {
    let (registry, time) = registry();
    let group = Group::default();
    assert_eq!(registry.in_force(&group), None);
    now(registry.tick(&group, &report(CLAIM))).unwrap();
    let lease = registry.ledger(&group).lease.expect("it was given");
    assert_eq!((lease.epoch, lease.expires), (Epoch(1), Timestamp(1_001_000)));
    time.store(1_000_999, Ordering::Relaxed);
    assert_eq!(registry.in_force(&group), Some(lease));
    for over in [1_001_000, 1_001_001] {
        time.store(over, Ordering::Relaxed);
        assert_eq!(registry.in_force(&group), None, "at {over}");
    }
    assert!(format!("{registry:?}").starts_with("MemoryRegistry { groups: {"), "{registry:?}");
}

#[test]
fn a_member_is_printed_by_its_address_and_its_run() {
    assert_eq!(Member::new(address(), Incarnation(255), Timestamp(0)).to_string(), "10.0.0.1#ff");
}

/// Serves one group, and cannot tell of changes.
struct Plain;

#[async_trait]
impl Registry for Plain {
    async fn tick(&self, _: &Group, _: &Report) -> Result<View, RegistryError> {
        Err(RegistryError::NotDone("it is plain".to_owned()))
    }

    async fn read(&self, _: &Group) -> Result<View, RegistryError> {
        Err(RegistryError::NotDone("it is plain".to_owned()))
    }

    async fn expel(&self, _: &Group, _: &Member, _: &Member, _: Evidence) -> Result<View, RegistryError> {
        Err(RegistryError::NotDone("it is plain".to_owned()))
    }
}

#[test]
fn a_registry_that_knows_of_no_beats_and_no_changes_never_wakes_anybody() {
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(Plain.beat()).poll(&mut context).is_pending());
    assert!(pin!(Plain.changed(&Group::default(), &one(), 0)).poll(&mut context).is_pending());
}

#[test]
fn parameters_fit_up_to_the_last_millisecond() {
    let edge = Parameters {
        interval: Millis(300),
        call_timeout: Millis(680),
        margin: Millis(20),
        lease: Millis(1000),
        hand_over_poll: Millis(300),
        ..Parameters::default()
    };
    assert_eq!(edge.check(address()), Ok(()));
    let fails = |parameters: Parameters| parameters.check(address()).unwrap_err().to_string();
    assert_eq!(
        fails(Parameters { call_timeout: Millis(681), ..edge.clone() }),
        "lease 1000 ms is shorter than interval 300 ms + call time-out 681 ms + margin 20 ms = 1001 ms: choose a lease \
         of at least 1001 ms, or shorten the others"
    );
    assert_eq!(
        fails(Parameters { hand_over_poll: Millis(301), ..edge.clone() }),
        "hand-over poll 301 ms is longer than interval 300 ms: choose at most 300 ms"
    );
    // One per cent of the lease, no less.
    assert_eq!(Parameters { lease: Millis(2000), ..edge.clone() }.check(address()), Ok(()));
    assert_eq!(
        fails(Parameters { lease: Millis(2001), ..edge }),
        "margin 20 ms is less than 1 % of lease 2001 ms: choose at least 21 ms"
    );
}
