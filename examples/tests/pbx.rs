//! A few rounds of what `pbx kill` measures: a real Asterisk, and the service, killed while callers wait.

use std::path::Path;
use std::process::{Command, Stdio};

use ringback_pbx_lab::{Asterisk, Release};

#[test]
fn nobody_is_rung_twice_or_for_nothing_when_the_server_or_the_service_is_killed() {
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
    let (ringback, asterisk) = (row("ringback"), row("Asterisk"));
    assert_eq!((ringback[0].as_str(), ringback[1].as_str()), ("0", "0"), "{out}");
    // A recall that the server had taken and died with before the phone rang is not known to be lost: `pbx kill` counts it.
    assert_eq!((asterisk[1].as_str(), asterisk[3].as_str()), ("0", "0"), "{out}");
}
