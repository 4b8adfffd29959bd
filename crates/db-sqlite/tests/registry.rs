//! The registry on a file: it conforms, also through two databases; two processes race for one lease; what fails is named.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use proptest::prelude::*;
use ringback_db::RequestStore;
use ringback_db_sqlite::{Options, SqliteDatabase, SqliteRegistry};
use ringback_election::{
    Evidence, Incarnation, Intent, Member, MemoryRegistry, Registry, RegistryError, Report, Request,
    conformance,
};
use ringback_model::{Epoch, Group, Millis, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

const CLAIM: Intent = Intent::Acquire { seen: Epoch(0), above: Epoch(0) };

/// A clock that tests move.
#[derive(Clone)]
struct Time(Arc<AtomicU64>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_000_000)))
    }

    fn pass(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::Relaxed);
    }

    fn options(&self) -> Options {
        let time = Arc::clone(&self.0);
        let mut options = Options::simulated(Arc::new(move || Timestamp(time.load(Ordering::Relaxed))));
        options.poll_interval = Some(Millis(1));
        options
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    (folder, path)
}

fn member(last: u8, run: u64) -> Member {
    Member::new(Ipv4Addr::new(10, 0, 0, last).into(), Incarnation(run * 100 + u64::from(last)), Timestamp(3))
}

fn report(member: Member, intent: Intent) -> Report {
    Report { member, ready: true, length: Millis(1000), intent }
}

async fn open(path: &PathBuf, options: Options) -> SqliteDatabase {
    SqliteDatabase::open(path, options).await.unwrap()
}

#[tokio::test]
async fn it_conforms_in_memory_and_on_a_file() {
    let time = Time::new();
    let pass = async |span: Millis| time.pass(span);
    let database = SqliteDatabase::open_in_memory(time.options()).await.unwrap();
    assert_eq!(conformance::registry(async || database.registry(), pass).await, Ok(()));
    let (_folder, path) = folder();
    let database = open(&path, time.options()).await;
    assert_eq!(conformance::registry(async || database.registry(), pass).await, Ok(()));
}

#[tokio::test]
async fn it_conforms_through_two_databases_on_one_file() {
    let time = Time::new();
    let (_folder, path) = folder();
    let pass = async |span: Millis| time.pass(span);
    let make = async || open(&path, time.options()).await.registry();
    assert_eq!(conformance::registry(make, pass).await, Ok(()));
}

#[tokio::test]
async fn what_was_told_is_there_after_reopening() {
    let (_folder, path) = folder();
    let group = Group::default();
    let time = Time::new();
    let before = open(&path, time.options()).await.registry();
    let odd = Member::new("2001:db8::1".parse().unwrap(), Incarnation(u64::MAX), Timestamp(9));
    before.tick(&group, &report(odd, CLAIM)).await.unwrap();
    let told = before.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap();
    drop(before);
    let after = open(&path, time.options()).await.registry();
    assert_eq!(after.read(&group).await, Ok(told.clone()));
    // A clock that is behind is held at the latest moment seen.
    time.0.store(5, Ordering::Relaxed);
    assert_eq!(after.read(&group).await, Ok(told));
}

/// The machine's own clock is one for all who open the file.
#[tokio::test]
async fn two_databases_have_one_clock() {
    let (_folder, path) = folder();
    let group = Group::default();
    let registries =
        [open(&path, Options::default()).await.registry(), open(&path, Options::default()).await.registry()];
    let mut last = Timestamp(0);
    for round in 0..20 {
        let watch = report(member(round % 2, 1), Intent::Watch);
        let at = registries[usize::from(round % 2)].tick(&group, &watch).await.unwrap().at;
        assert!(at >= last, "{last} then {at}");
        assert!(round == 0 || at.since(last) < Millis(10_000), "{last} then {at}");
        last = at;
    }
}

#[tokio::test]
async fn a_change_by_another_process_is_told() {
    let (_folder, path) = folder();
    let time = Time::new();
    let group = Group::default();
    let here = open(&path, time.options()).await.registry();
    let there = open(&path, time.options()).await.registry();
    let seen = here.tick(&group, &report(member(1, 1), Intent::Watch)).await.unwrap().revision;
    let join = async {
        there.tick(&group, &report(member(2, 1), Intent::Watch)).await.unwrap();
    };
    let me = member(1, 1);
    tokio::join!(here.changed(&group, &me, seen), join);
    // Of this process, too, and at once if it happened before.
    there.changed(&group, &member(2, 1), seen).await;
}

#[tokio::test]
async fn a_heartbeat_does_not_queue_behind_the_writes_of_its_process() {
    let (_folder, path) = folder();
    let database = open(&path, Options::default()).await;
    let done = Arc::new(AtomicUsize::new(0));
    let writes: Vec<_> = (1..=200)
        .map(|epoch| {
            let (store, done) = (database.store(), Arc::clone(&done));
            tokio::spawn(async move {
                store.claim(&Group::default(), Epoch(epoch)).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    // All of them are in the queue.
    tokio::task::yield_now().await;
    database.registry().tick(&Group::default(), &report(member(1, 1), Intent::Watch)).await.unwrap();
    let before = done.load(Ordering::Relaxed);
    assert!(before < 20, "{before} writes were done before the heartbeat");
    for write in writes {
        write.await.unwrap();
    }
}

/// Not a test: one of the two processes of the next one. It claims, is alone while it holds the lease, and gives it back.
#[tokio::test]
async fn child_that_races_for_the_lease() {
    let Some(path) = std::env::var_os("RINGBACK_TEST_FILE").map(PathBuf::from) else { return };
    let run: u8 = std::env::var("RINGBACK_TEST_RUN").unwrap().parse().unwrap();
    let registry = open(&path, Options::default()).await.registry();
    let (group, me) = (Group::default(), member(run, 1));
    let witness = path.with_extension("witness");
    let long = |intent| Report { length: Millis(3_600_000), ..report(me, intent) };
    let mut view = registry.tick(&group, &long(Intent::Watch)).await.unwrap();
    let mut terms = 0;
    while terms < 60 {
        let claim = Intent::Acquire { seen: view.epoch, above: Epoch(0) };
        view = match registry.tick(&group, &long(claim)).await {
            Ok(view) => view,
            Err(RegistryError::NotDone(_)) => continue,
            Err(error) => panic!("{error}"),
        };
        let Some(lease) = view.in_force().filter(|lease| lease.holder.is(&me)).copied() else { continue };
        // Fails if the other one acts, too.
        fs::OpenOptions::new().write(true).create_new(true).open(&witness).unwrap();
        fs::remove_file(&witness).unwrap();
        view = registry.tick(&group, &long(Intent::Release { epoch: lease.epoch })).await.unwrap();
        println!("term {} {} {}", lease.epoch.0, lease.granted.0, view.at.0);
        terms += 1;
    }
}

#[test]
fn of_two_processes_never_two_hold_the_lease_and_epochs_rise() {
    let (_folder, path) = folder();
    let start = |run: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_races_for_the_lease", "--nocapture"])
            .env("RINGBACK_TEST_FILE", &path)
            .env("RINGBACK_TEST_RUN", run)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut terms: Vec<Vec<u64>> = Vec::new();
    for child in [start("1"), start("2")] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let told = text.lines().filter_map(|line| line.split_once("term ")).map(|(_, numbers)| {
            numbers.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<u64>>()
        });
        let told: Vec<_> = told.collect();
        assert!(told.is_sorted_by(|one, next| one[0] < next[0]), "{told:?}");
        terms.extend(told);
    }
    terms.sort();
    let epochs: Vec<u64> = terms.iter().map(|term| term[0]).collect();
    assert_eq!(epochs, (1..=120).collect::<Vec<u64>>());
    assert!(terms.is_sorted_by(|one, next| one[2] <= next[1]), "{terms:?}");
}

#[tokio::test]
async fn a_file_that_another_process_holds() {
    let (_folder, path) = folder();
    let time = Time::new();
    let mut options = time.options();
    options.busy_timeout = Millis(3);
    let registry = open(&path, options).await.registry();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let group = Group::default();
    let claim = report(member(1, 1), CLAIM);
    let error = registry.tick(&group, &claim).await.unwrap_err();
    let expected =
        "registry unavailable, nothing was changed: another process holds it locked (database is locked)";
    assert_eq!(error.to_string(), expected);
    // Looking goes on.
    assert_eq!(registry.read(&group).await.map(|view| view.epoch), Ok(Epoch(0)));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(registry.tick(&group, &claim).await.map(|view| view.epoch), Ok(Epoch(1)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_moved_away_and_back() {
    let (folder, path) = folder();
    let registry = open(&path, Time::new().options()).await.registry();
    let elsewhere = folder.path().join("elsewhere.db");
    fs::rename(&path, &elsewhere).unwrap();
    let (group, claim) = (Group::default(), report(member(1, 1), CLAIM));
    let reason = format!(
        "{} was deleted or moved under the running service: put it back, or restart the service to begin anew",
        path.display()
    );
    assert_eq!(registry.tick(&group, &claim).await, Err(RegistryError::NotDone(reason)));
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(registry.tick(&group, &claim).await.map(|view| view.epoch), Ok(Epoch(1)));
}

#[tokio::test]
async fn what_cannot_be_is_invalid_and_other_groups_go_on() {
    let (_folder, path) = folder();
    let registry = open(&path, Time::new().options()).await.registry();
    let groups = [Group::default(), Group::new("other").unwrap()];
    let reports = groups.clone().map(|group| (group, report(member(1, 1), CLAIM)));
    registry.tick_all(&reports).await;
    let spoil = "UPDATE registry_member SET address = 'here' WHERE group_name = 'default'";
    Connection::open(&path).unwrap().execute_batch(spoil).unwrap();
    let reports = groups.map(|group| (group, report(member(1, 1), Intent::Renew { epoch: Epoch(1) })));
    let answers = registry.tick_all(&reports).await;
    let reason = "table registry_member, column address: it is no IP address".to_owned();
    assert_eq!(answers[0], Err(RegistryError::Invalid(reason)));
    assert_eq!(answers[1].as_ref().map(|view| view.epoch), Ok(Epoch(1)));
}

#[tokio::test]
async fn an_operator_can_read_who_acts() {
    let (_folder, path) = folder();
    let registry = open(&path, Time::new().options()).await.registry();
    registry.tick(&Group::default(), &report(member(1, 1), CLAIM)).await.unwrap();
    let columns = "group_name || ' ' || holder || ' ' || epoch || ' ' || granted || ' ' || given_back";
    let seen: String = Connection::open(&path)
        .unwrap()
        .query_row(&format!("SELECT {columns} FROM lease_readable"), [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, "default 10.0.0.1 1 1970-01-01 00:16:40 0");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_answers_as_in_memory(
        steps in prop::collection::vec((0u64..300, any::<bool>(), any::<bool>(), request()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (_folder, path) = folder();
            let time = Time::new();
            let clock = time.clone();
            let memory = MemoryRegistry::new(move || Timestamp(clock.0.load(Ordering::Relaxed)));
            let sqlite: [SqliteRegistry; 2] =
                [open(&path, time.options()).await.registry(), open(&path, time.options()).await.registry()];
            let groups = [Group::default(), Group::new("other").unwrap()];
            for (span, group, other, request) in steps {
                time.pass(Millis(span));
                let group = &groups[usize::from(group)];
                let expected = request.send(&memory, group).await;
                prop_assert_eq!(request.send(&sqlite[usize::from(other)], group).await, expected);
                let expected = memory.read(group).await;
                prop_assert_eq!(sqlite[usize::from(!other)].read(group).await, expected);
            }
            Ok(())
        })?;
    }
}
