//! Scenario files on a real Asterisk with real phones: a telling few of those that `scenario --pbx asterisk` plays. And the
//! runner is not content with just anything.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

use std::path::{Path, PathBuf};

use ringback_scenario::asterisk::{LabError, Laboratory, reason_to_skip};
use ringback_scenario::{Report, collect, parse, read};

/// By their numbers: each shows something that the others do not.
const FILES: [&str; 14] = [
    // Busy, notified, dialled, connected; no answer needs a use; cancelled; replaced.
    "01", "02", "03", "04",
    // The key where it is not active; every line of the screens; do not disturb; another language; still in the failed call.
    "11", "16", "36", "39", "41",
    // Three callers take turns; free while the service was away; an instance stops and the next takes over; restart, and
    // death of the active, between a screen and its key.
    "54", "86", "101", "92", "116",
];

/// `None`: there is no Asterisk to be had here.
fn laboratory() -> Option<Laboratory> {
    match Laboratory::open() {
        Ok(laboratory) => {
            eprintln!("PBX: {}", laboratory.version());
            Some(laboratory)
        }
        Err(error @ LabError::Unreachable(_)) => {
            assert!(std::env::var_os("RINGBACK_PBX_REQUIRED").is_none(), "{error}");
            eprintln!("\n*** SKIPPED, NOT TESTED WITH A REAL PBX: {error}\n");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    collect(&[folder]).expect("scenario files")
}

fn file(number: &str) -> PathBuf {
    let of = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split_once('-').is_some_and(|(found, _)| found == number)
    };
    files().into_iter().find(of).unwrap_or_else(|| panic!("no file {number}"))
}

#[test]
fn scenario_files_play_on_a_real_pbx() {
    let Some(laboratory) = laboratory() else { return };
    let files = FILES.map(file);
    let scenarios = files.clone().map(|file| read(&file).unwrap_or_else(|error| panic!("{error}")));
    let (mut report, mut lines) = (Report::new(), Vec::new());
    let played = laboratory.play_all(&scenarios.each_ref(), 4, |place, outcome| {
        lines.push(report.add(&files[place], &outcome));
    });
    played.expect("resources to play them");
    assert_eq!(report.to_string(), format!("{} passed, 0 failed", FILES.len()), "{}", lines.join("\n"));
}

#[test]
fn what_is_not_so_on_a_real_pbx_fails() {
    let Some(laboratory) = laboratory() else { return };
    let scenario =
        parse("phone A 1001\nphone B 1002\nA calls 1002\nexpect B rings from 1002").expect("a scenario");
    let outcome = laboratory.play(&scenario).expect("resources to play it");
    let line = Report::new().add(Path::new("x.scn"), &outcome);
    let expected = "FAILED x.scn:4: expect B rings from 1002: expected B rings from 1002 within 1s, saw B rings from 1001";
    assert_eq!(line, expected);
}

#[test]
fn what_a_pbx_cannot_do_is_skipped_with_the_reason() {
    let phones = "phone A 1001\nphone B 1002\n";
    for (steps, reason) in [
        ("A logs in", "logs a user in or out"),
        ("wait 61s", "waits 61s, longer than 1m"),
        ("A calls *70", "needs a number that is not digits alone"),
        (
            "A calls 1002\nexpect A hears reorder within 5m",
            "line 4, expect A hears reorder within 5m: takes 179750ms, longer than 1m",
        ),
        (
            "set \"Call Back No Answer Duration\" = 2m\nA calls 1002\nA presses CallBack\nA hangs up\n\
             expect never A alerted for 10m\nexpect pending 0",
            "line 8, expect pending 0: depends on time that `expect never` does not let pass in real time",
        ),
    ] {
        let scenario = parse(&format!("{phones}{steps}")).expect("a scenario");
        let found = reason_to_skip(&scenario).expect("resources for the simulator");
        assert_eq!(found.as_deref(), Some(reason), "{steps}");
    }
}

#[test]
fn most_files_can_be_played_on_a_pbx() {
    let can_be_played = |file: &PathBuf| {
        let scenario = read(file).unwrap_or_else(|error| panic!("{error}"));
        reason_to_skip(&scenario).expect("resources for the simulator").is_none()
    };
    let played = files().iter().filter(|file| can_be_played(file)).count();
    assert!(played >= 108, "only {played}");
}
