//! A few rounds of what `pbx kill` measures: a real Asterisk, and the service, killed while callers wait.

use std::path::Path;
use std::process::{Command, Stdio};

use ringback_pbx_lab::{Asterisk, Release};

#[test]
fn nothing_is_lost_and_nobody_rung_twice_or_for_nothing_when_the_server_or_the_service_is_killed() {
    if Asterisk::fetch_or_skip(Release::V22).is_none() {
        return;
    }
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join("pbx");
    assert!(program.exists(), "cargo test -p ringback-examples builds it; a single --test does not");
    let output = Command::new(program).args(["kill", "--rounds", "3"]).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let row = |what: &str| {
        let row = out.lines().find_map(|line| line.strip_prefix(&format!("| {what} | 3 | 18 |")));
        let row = row.unwrap_or_else(|| panic!("{out}{err}"));
        row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    for what in ["ringback", "Asterisk"] {
        let [lost, doubled, _in_doubt, unproven, ..] = &row(what)[..] else { panic!("{out}") };
        assert_eq!((lost.as_str(), doubled.as_str(), unproven.as_str()), ("0", "0", "0"), "{out}");
    }
}
