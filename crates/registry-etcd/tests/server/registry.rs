//! The same rules as in memory, one holder however many ask, and changes that are heard.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ringback_election::{
    Evidence, Incarnation, Intent, Member, MemoryRegistry, Registry, RegistryError, Report, Request, View,
};
use ringback_etcd_lab::Server;
use ringback_model::{Epoch, Group, Millis, Timestamp};

use crate::site::{CLAIM, fresh, member, open, report, soon, stored, write};

#[tokio::test]
async fn what_was_told_is_there_after_reopening() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let group = Group::default();
    let before = open(&address).await;
    let odd = Member::new("2001:db8::1".parse().unwrap(), Incarnation(u64::MAX), Timestamp(9));
    before.tick(&group, &report(odd, CLAIM)).await.unwrap();
    let told = before.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap();
    drop(before);
    let read = open(&address).await.read(&group).await.unwrap();
    assert!(read.at >= told.members[&member(1, 1).address].joined);
    assert_eq!((read.epoch, read.lease), (Epoch(1), told.lease));
    let known = |view: &View| -> Vec<_> {
        view.members.values().map(|known| (known.member, known.joined, known.ready)).collect()
    };
    assert_eq!(known(&read), known(&told));
}

/// An instance that comes back with a new connection keeps what it has.
#[tokio::test]
async fn a_lease_is_renewed_over_another_connection() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let (group, me) = (Group::default(), member(1, 1));
    open(&address).await.tick(&group, &report(me, CLAIM)).await.unwrap();
    let renewing = report(me, Intent::Renew { epoch: Epoch(1) });
    let registry = open(&address).await;
    for _ in 0..3 {
        let view = registry.tick(&group, &renewing).await.unwrap();
        assert_eq!(view.in_force().map(|lease| lease.expires), Some(view.at + renewing.length));
    }
}

/// Longer than the lease of etcd lasts that it had so far.
#[tokio::test]
async fn a_lease_is_renewed_for_longer_than_before() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let registry = open(&address).await;
    let (group, me) = (Group::default(), member(1, 1));
    let call = |seconds, intent| Report { length: Millis::from_secs(seconds), ..report(me, intent) };
    registry.tick(&group, &call(60, CLAIM)).await.unwrap();
    let renew = Intent::Renew { epoch: Epoch(1) };
    for seconds in [60, 120, 120, 30, 600] {
        let view = registry.tick(&group, &call(seconds, renew)).await.unwrap();
        let told = view.in_force().map(|lease| (lease.epoch, lease.expires));
        assert_eq!(told, Some((Epoch(1), view.at + Millis::from_secs(seconds))));
    }
    let (_, kept) = stored(server, &address, "default/office");
    assert_eq!((kept["seconds"].as_u64(), kept["length_ms"].as_u64()), (Some(600), Some(600_000)));
}

#[tokio::test]
async fn a_change_by_another_process_is_told() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let group = Group::default();
    let (here, there) = (open(&address).await, open(&address).await);
    let seen = here.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap().revision;
    let join = async {
        there.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap();
    };
    let me = member(1, 1);
    soon(async { tokio::join!(here.changed(&group, &me, seen), join) }).await;
    // At once if it happened before, also to one that begins to listen afterwards.
    soon(there.changed(&group, &member(2, 1), seen)).await;
    soon(open(&address).await.changed(&group, &me, seen)).await;
}

/// That nobody did, and that is written nowhere.
#[tokio::test]
async fn the_end_of_a_lease_is_told_once() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let (group, me) = (Group::default(), member(1, 1));
    let (here, there) = (open(&address).await, open(&address).await);
    let brief = Report { length: Millis(1000), ..report(member(2, 1), CLAIM) };
    there.tick(&group, &brief).await.unwrap();
    let mut seen = here.tick(&group, &report(me, Intent::Watch)).await.unwrap();
    while !seen.members.is_empty() && seen.members.len() != 1 || seen.in_force().is_some() {
        soon(here.changed(&group, &me, seen.revision)).await;
        seen = here.tick(&group, &report(me, Intent::Watch)).await.unwrap();
    }
    assert_eq!(seen.members.keys().copied().collect::<Vec<_>>(), [me.address]);
    assert_eq!(seen.lease.map(|lease| (lease.holder, lease.released)), Some((brief.member, false)));
    // What was heard since is told, and then there is silence.
    for told in 0.. {
        let next = here.changed(&group, &me, seen.revision);
        if tokio::time::timeout(Duration::from_millis(300), next).await.is_err() {
            break;
        }
        assert!(told < 10, "the same again and again");
        seen = here.tick(&group, &report(me, Intent::Watch)).await.unwrap();
    }
    let claim = Intent::Acquire { seen: Epoch(1), above: Epoch(0) };
    let view = here.tick(&group, &report(me, claim)).await.unwrap();
    assert_eq!(view.in_force().map(|lease| (lease.holder, lease.epoch)), Some((me, Epoch(2))));
}

#[tokio::test]
async fn heartbeats_write_nothing() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let (group, me) = (Group::default(), member(1, 1));
    let registry = open(&address).await;
    registry.tick(&group, &report(me, CLAIM)).await.unwrap();
    let written = || {
        let keys = ["default/head", "default/office", "default/member/10.0.0.1"];
        keys.map(|key| stored(server, &address, key).0)
    };
    let first = written();
    for _ in 0..5 {
        registry.tick(&group, &report(me, Intent::Renew { epoch: Epoch(1) })).await.unwrap();
        registry.tick(&group, &report(me, Intent::Watch)).await.unwrap();
    }
    assert_eq!(written(), first);
}

#[tokio::test]
async fn never_two_hold_the_lease_and_epochs_rise() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let contender = async |last: u8| {
        let registry = open(&address).await;
        let (group, me) = (Group::default(), member(last, 1));
        let mut epochs = Vec::new();
        let mut view = registry.tick(&group, &report(me, Intent::Watch)).await.unwrap();
        while epochs.len() < 20 {
            let claim = Intent::Acquire { seen: view.epoch, above: Epoch(0) };
            view = registry.tick(&group, &report(me, claim)).await.unwrap();
            let Some(lease) = view.in_force().filter(|lease| lease.holder.is(&me)).copied() else {
                continue;
            };
            // Still: whoever asks is told the same, and gets nothing.
            let read = registry.read(&group).await.unwrap();
            assert_eq!(read.in_force().map(|lease| (lease.holder, lease.epoch)), Some((me, lease.epoch)));
            let release = Intent::Release { epoch: lease.epoch };
            view = registry.tick(&group, &report(me, release)).await.unwrap();
            epochs.push(lease.epoch.0);
        }
        assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
        epochs
    };
    let (one, two, three) = soon(async { tokio::join!(contender(1), contender(2), contender(3)) }).await;
    let mut epochs = [one, two, three].concat();
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=60).collect::<Vec<u64>>());
}

/// Each in its own order, more than fit into one request.
#[tokio::test]
async fn many_groups_in_any_order() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let groups: Vec<Group> = (0..130).map(|number| Group::new(format!("g{number}")).unwrap()).collect();
    let instance = async |last: u8| {
        let registry = open(&address).await;
        let mut reports: Vec<_> =
            groups.iter().map(|group| (group.clone(), report(member(last, 1), Intent::Watch))).collect();
        if last == 2 {
            reports.reverse();
        }
        for _ in 0..3 {
            for (answer, (group, _)) in registry.tick_all(&reports).await.iter().zip(&reports) {
                let view = answer.as_ref().unwrap();
                assert!(view.members.contains_key(&member(last, 1).address), "{group}");
            }
        }
    };
    soon(async { tokio::join!(instance(1), instance(2), instance(3)) }).await;
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_other_groups_go_on() {
    let Some(server) = Server::shared() else { return };
    let address = fresh(server);
    let registry = open(&address).await;
    let groups = [Group::default(), Group::new("other").unwrap(), Group::new("third").unwrap()];
    let reports = groups.clone().map(|group| (group, report(member(1, 1), CLAIM)));
    registry.tick_all(&reports).await;
    write(server, &address, "default/head", "{}");
    let other = r#"{"address":"10.0.0.9","incarnation":"1","epoch":1,"length_ms":1,"seconds":1}"#;
    write(server, &address, "third/office", other);
    let reports = groups.map(|group| (group, report(member(1, 1), Intent::Renew { epoch: Epoch(1) })));
    let answers = registry.tick_all(&reports).await;
    let told = |answer: &Result<View, RegistryError>| answer.as_ref().unwrap_err().to_string();
    let prefix = address.rsplit_once('/').unwrap().1;
    let expected = format!(
        "registry invalid: the key /{prefix}/default/head of etcd holds what cannot be (missing field `at_ms` at line 1 \
         column 2): who wrote it?"
    );
    assert_eq!(told(&answers[0]), expected);
    assert_eq!(answers[1].as_ref().map(|view| view.epoch), Ok(Epoch(1)));
    assert!(
        told(&answers[2]).starts_with("registry invalid: the keys `head` and `office` of a group do not fit")
    );
}

fn request() -> impl Strategy<Value = Request> {
    let any_member = || (1u8..4, 1u64..3).prop_map(|(last, run)| member(last, run));
    let epoch = || (0u64..4).prop_map(Epoch);
    let intent = prop_oneof![
        Just(Intent::Watch),
        (epoch(), epoch()).prop_map(|(seen, above)| Intent::Acquire { seen, above }),
        epoch().prop_map(|epoch| Intent::Renew { epoch }),
        epoch().prop_map(|epoch| Intent::Release { epoch }),
        Just(Intent::Leave),
    ];
    let tick = (any_member(), any::<bool>(), 0u64..4, intent).prop_map(|(member, ready, length, intent)| {
        Request::Tick(Report { member, ready, length: Millis(length * 3_600_000), intent })
    });
    let expel = any_member().prop_map(|dead| Request::Expel {
        by: member(9, 9),
        dead,
        evidence: Evidence::ResourceFreed,
    });
    prop_oneof![6 => tick, 1 => expel]
}

/// Without the moments: etcd's clock cannot be set.
type Told = (Epoch, Option<(Member, Epoch, bool, bool)>, BTreeMap<IpAddr, (Member, bool)>);

fn without_moments(answer: Result<View, RegistryError>) -> Result<Told, RegistryError> {
    match answer {
        Ok(view) => {
            let in_force = view.in_force().is_some();
            let lease = view.lease.map(|lease| (lease.holder, lease.epoch, lease.released, in_force));
            let members = view.members.iter();
            let members = members.map(|(address, known)| (*address, (known.member, known.ready)));
            Ok((view.epoch, lease, members.collect()))
        }
        Err(RegistryError::AddressInUse { address, other, .. }) => {
            Err(RegistryError::AddressInUse { address, other, frees_in: Millis::ZERO })
        }
        Err(error) => Err(error),
    }
}

/// As long as no lease runs out, which the conformance suite looks at.
#[test]
fn same_answers_as_in_memory() {
    let Some(server) = Server::shared() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = fresh(server);
    let registries = runtime.block_on(async { [open(&address).await, open(&address).await] });
    let cases = Cell::new(0);
    let steps = prop::collection::vec((any::<bool>(), any::<bool>(), request()), 1..40);
    let config = ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() };
    let same = |steps: Vec<(bool, bool, Request)>| {
        cases.set(cases.get() + 1);
        let case = cases.get();
        let groups = ["one", "other"].map(|name| Group::new(format!("{name}-{case}")).unwrap());
        let memory = MemoryRegistry::new(|| Timestamp(1_000_000));
        runtime.block_on(async {
            for (group, other, request) in steps {
                let group = &groups[usize::from(group)];
                let expected = without_moments(request.send(&memory, group).await);
                let told = request.send(&registries[usize::from(other)], group).await;
                prop_assert_eq!(without_moments(told), expected);
                let expected = without_moments(memory.read(group).await);
                let read = registries[usize::from(!other)].read(group).await;
                prop_assert_eq!(without_moments(read), expected);
            }
            Ok(())
        })
    };
    if let Err(failure) = TestRunner::new(config).run(&steps, same) {
        panic!("{failure}");
    }
}
