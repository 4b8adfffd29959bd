//! Scenario files with everything on a real PostgreSQL: the very same happens as with everything in memory.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use ringback_model::Millis;
use ringback_postgres_lab::Server;
use ringback_scenario::language::{Action, Expectation, StepStatement};
use ringback_scenario::postgres::Database;
use ringback_scenario::{Outcome, Report, Scenario, collect, parse, read, simulate};

/// In an hour each instance asks the server some ten thousand times, which takes real time: what lasts longer than this is
/// left to `scenario --store postgres tests/scenarios`.
const LONGEST: Millis = Millis::from_mins(10);

/// Files that do not last long, which are nearly all.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut files = collect(&[folder]).expect("scenario files");
    let all = files.len();
    files.retain(|file| length(&read(file).unwrap_or_else(|error| panic!("{error}"))) <= LONGEST);
    assert!(files.len() * 10 > all * 9, "only {} of {all}", files.len());
    files
}

/// The time that passes at least.
fn length(scenario: &Scenario) -> Millis {
    let times = scenario.steps.iter().map(|step| match &step.what {
        StepStatement::Action(Action::Wait(time)) => time.0,
        StepStatement::Expectation(Expectation::Never { during, .. }) => during.0,
        _ => 0,
    });
    Millis(times.sum())
}

/// What is different, if something is.
fn difference(database: &Database, file: &Path) -> Option<String> {
    let scenario = read(file).unwrap_or_else(|error| panic!("{error}"));
    let here = simulate(&scenario).expect("resources");
    let there = database.simulate(&scenario).expect("resources");
    let line = Report::new().add(file, &there.outcome);
    if !matches!(there.outcome, Outcome::Passed { .. }) {
        return Some(format!("{line}\n    {}", there.log.join("\n    ")));
    }
    let mut both = here.log.iter().zip(&there.log);
    if let Some((here, there)) = both.find(|(here, there)| here != there) {
        return Some(format!("{line}, but in memory {here:?}, and here {there:?}"));
    }
    (here != there).then(|| format!("{line}, but it went on differently"))
}

#[test]
fn scenario_files_go_as_in_memory() {
    let Some(server) = Server::shared() else { return };
    let files = Mutex::new(files());
    let differences = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(4);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let address = server.fresh_database().expect("a database");
                let database = Database::open(&address).expect("a database");
                loop {
                    let Some(file) = files.lock().expect("files").pop() else { return };
                    differences.lock().expect("differences").extend(difference(&database, &file));
                }
            });
        }
    });
    let differences = differences.into_inner().expect("differences");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_not_so_fails() {
    let Some(server) = Server::shared() else { return };
    let database = Database::open(&server.fresh_database().expect("a database")).expect("a database");
    let scenario = parse("phone A 1001\nphone B 1002\nA calls 1002\nexpect pending 1").expect("a scenario");
    let outcome = database.simulate(&scenario).expect("resources").outcome;
    let line = Report::new().add(Path::new("x.scn"), &outcome);
    assert_eq!(line, "FAILED x.scn:4: expect pending 1: expected pending 1 within 1s, saw pending 0");
}

#[test]
fn a_set_up_that_the_database_refuses_fails() {
    let Some(server) = Server::shared() else { return };
    let address = server.fresh_database().expect("a database");
    let database = Database::open(&address).expect("a database");
    server.sql(&address, "DROP TABLE request CASCADE").expect("it to be dropped");
    let outcome = database.simulate(&parse("phone A 1001\nwait 1s").expect("a scenario")).expect("resources");
    assert!(
        matches!(&outcome.outcome, Outcome::Failed(failure) if failure.saw.contains("request")),
        "{outcome:?}"
    );
}
