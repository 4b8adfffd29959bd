//! The registry: the same rules as in memory, one holder however many ask, and one exchange for many groups.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ringback_db_postgres::PostgresRegistry;
use ringback_election::{
    Evidence, Incarnation, Intent, Member, MemoryRegistry, Registry, RegistryError, Report, Request,
};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use ringback_postgres_lab::Server;

use crate::site::{open, operator};

const CLAIM: Intent = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };

fn member(last: u8, run: u64) -> Member {
    Member::new(Ipv4Addr::new(10, 0, 0, last).into(), Incarnation(run * 100 + u64::from(last)), Timestamp(3))
}

fn report(member: Member, intent: Intent) -> Report {
    Report { member, ready: true, length: Millis(60_000), intent }
}

#[tokio::test]
async fn what_was_told_is_there_after_reopening() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let before = open(&address).await.registry();
    let odd = Member::new("2001:db8::1".parse().unwrap(), Incarnation(u64::MAX), Timestamp(9));
    before.tick(&group, &report(odd, CLAIM)).await.unwrap();
    let mut told = before.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap();
    drop(before);
    let read = open(&address).await.registry().read(&group).await.unwrap();
    assert!(read.at >= told.at);
    told.at = read.at;
    assert_eq!(read, told);
}

#[tokio::test]
async fn a_change_by_another_process_is_told() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let group = Group::default();
    let (here, there) = (open(&address).await.registry(), open(&address).await.registry());
    let seen = here.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap().revision;
    let join = async {
        there.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap();
    };
    let me = member(1, 1);
    tokio::join!(here.changed(&group, &me, seen), join);
    // At once if it happened before, also to one that begins to listen afterwards.
    there.changed(&group, &member(2, 1), seen).await;
    open(&address).await.registry().changed(&group, &me, seen).await;
}

#[tokio::test]
async fn never_two_hold_the_lease_and_epochs_rise() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let contender = async |last: u8| {
        let registry = open(&address).await.registry();
        let (group, me) = (Group::default(), member(last, 1));
        let mut terms = Vec::new();
        let mut view = registry.tick(&group, &report(me, Intent::Watch)).await.unwrap();
        while terms.len() < 40 {
            let claim = Intent::Acquire { seen: view.epoch, above: Epoch(0) };
            view = registry.tick(&group, &report(me, claim)).await.unwrap();
            let Some(lease) = view.in_force().filter(|lease| lease.holder.is(&me)).copied() else {
                continue;
            };
            let release = Intent::Release { epoch: lease.epoch };
            view = registry.tick(&group, &report(me, release)).await.unwrap();
            terms.push((lease.epoch, lease.granted, view.at));
        }
        terms
    };
    let (one, two, three) = tokio::join!(contender(1), contender(2), contender(3));
    let mut terms = [one, two, three].concat();
    terms.sort();
    let epochs: Vec<u64> = terms.iter().map(|(epoch, ..)| epoch.0).collect();
    assert_eq!(epochs, (1..=120).collect::<Vec<u64>>());
    assert!(terms.is_sorted_by(|(.., until), (_, from, _)| until <= from), "{terms:?}");
}

/// Callers that name the same groups in another order do not wait for each other.
#[tokio::test]
async fn many_groups_in_any_order() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let groups: Vec<Group> = (0..50).map(|number| Group::new(format!("g{number}")).unwrap()).collect();
    let instance = async |last: u8| {
        let registry = open(&address).await.registry();
        let mut reports: Vec<_> =
            groups.iter().map(|group| (group.clone(), report(member(last, 1), Intent::Watch))).collect();
        if last == 2 {
            reports.reverse();
        }
        for _ in 0..20 {
            for (answer, (group, _)) in registry.tick_all(&reports).await.iter().zip(&reports) {
                let view = answer.as_ref().unwrap();
                assert!(view.members.contains_key(&member(last, 1).address), "{group}");
            }
        }
    };
    tokio::join!(instance(1), instance(2), instance(3));
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_other_groups_go_on() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let registry = open(&address).await.registry();
    let groups = [Group::default(), Group::new("other").unwrap()];
    let reports = groups.clone().map(|group| (group, report(member(1, 1), CLAIM)));
    registry.tick_all(&reports).await;
    let spoil = "UPDATE registry_member SET incarnation = 'here' WHERE group_name = 'default'";
    operator(&address).await.execute(spoil, &[]).await.unwrap();
    let mut reports =
        groups.map(|group| (group, report(member(1, 1), Intent::Renew { epoch: Epoch(1) }))).to_vec();
    let far = Intent::Renew { epoch: Epoch(u64::MAX) };
    reports.push((Group::new("third").unwrap(), report(member(1, 1), far)));
    let answers = registry.tick_all(&reports).await;
    let invalid = |reason: &str| Err(RegistryError::Invalid(reason.to_owned()));
    assert_eq!(answers[0], invalid("table registry_member, column incarnation: it is no hexadecimal number"));
    assert_eq!(answers[1].as_ref().map(|view| view.epoch), Ok(Epoch(1)));
    assert_eq!(answers[2], invalid("table registry_group, column epoch: the number is above 2^63 - 1"));
}

#[tokio::test]
async fn an_operator_can_read_who_acts() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().unwrap();
    let registry = open(&address).await.registry();
    let group = Group::default();
    registry.tick(&group, &report(member(10, 1), CLAIM)).await.unwrap();
    registry.tick(&group, &report(member(9, 1), Intent::Watch)).await.unwrap();
    let unready = Report { ready: false, ..report(member(11, 1), Intent::Watch) };
    registry.tick(&group, &unready).await.unwrap();
    let columns = "group_name, rank, instance, state, epoch, last_lease_of, in_force, given_back";
    let seen = server.sql(&address, &format!("SELECT {columns} FROM ringback_status")).unwrap();
    let expected = "default|1|10.0.0.9|backup|1|10.0.0.10|t|f\n\
        default|2|10.0.0.10|active|1|10.0.0.10|t|f\n\
        default|3|10.0.0.11|not ready|1|10.0.0.10|t|f";
    assert_eq!(seen, expected);
}

fn any_member() -> impl Strategy<Value = Member> {
    (1u8..4, 1u64..3).prop_map(|(last, run)| member(last, run))
}

fn request() -> impl Strategy<Value = Request> {
    let epoch = || (0u64..4).prop_map(Epoch);
    let intent = prop_oneof![
        Just(Intent::Watch),
        (epoch(), epoch()).prop_map(|(seen, above)| Intent::Acquire { seen, above }),
        epoch().prop_map(|epoch| Intent::Renew { epoch }),
        epoch().prop_map(|epoch| Intent::Release { epoch }),
        Just(Intent::Leave),
    ];
    let tick =
        (any_member(), any::<bool>(), 0u64..400, intent).prop_map(|(member, ready, length, intent)| {
            Request::Tick(Report { member, ready, length: Millis(length), intent })
        });
    let expel = any_member().prop_map(|dead| Request::Expel {
        by: member(9, 9),
        dead,
        evidence: Evidence::ResourceFreed,
    });
    prop_oneof![6 => tick, 1 => expel]
}

/// A clock that the test moves stands in for the server's.
const TEST_CLOCK: &str = "CREATE TABLE test_clock (at bigint); INSERT INTO test_clock VALUES (1000000);
    CREATE OR REPLACE FUNCTION ringback_now() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT at FROM test_clock'";

/// What the server's functions do is what the ledger does.
#[test]
fn same_answers_as_in_memory() {
    let Some(server) = Server::shared() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = server.fresh_database().unwrap();
    let (registries, clock): ([PostgresRegistry; 2], _) = runtime.block_on(async {
        let registries = [open(&address).await.registry(), open(&address).await.registry()];
        let clock = operator(&address).await;
        clock.batch_execute(TEST_CLOCK).await.unwrap();
        (registries, clock)
    });
    let (cases, time) = (Cell::new(0), Arc::new(AtomicU64::new(1_000_000)));
    let steps = prop::collection::vec((0u64..300, any::<bool>(), any::<bool>(), request()), 1..40);
    let config = ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() };
    let same = |steps: Vec<(u64, bool, bool, Request)>| {
        cases.set(cases.get() + 1);
        let case = cases.get();
        let groups = ["one", "other"].map(|name| Group::new(format!("{name}-{case}")).unwrap());
        let now = Arc::clone(&time);
        let memory = MemoryRegistry::new(move || Timestamp(now.load(Ordering::Relaxed)));
        runtime.block_on(async {
            for (span, group, other, request) in steps {
                let now = time.fetch_add(span, Ordering::Relaxed) + span;
                clock.execute("UPDATE test_clock SET at = $1", &[&now.cast_signed()]).await.unwrap();
                let group = &groups[usize::from(group)];
                let expected = request.send(&memory, group).await;
                prop_assert_eq!(request.send(&registries[usize::from(other)], group).await, expected);
                let expected = memory.read(group).await;
                prop_assert_eq!(registries[usize::from(!other)].read(group).await, expected);
            }
            Ok(())
        })
    };
    if let Err(failure) = TestRunner::new(config).run(&steps, same) {
        panic!("{failure}");
    }
}
