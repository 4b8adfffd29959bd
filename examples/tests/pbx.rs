//! A few rounds of what `pbx kill` measures: a real Asterisk, and the service, killed while callers wait.

use std::path::Path;
use std::process::{Command, Stdio};

use ringback_pbx_lab::{Asterisk, Release};

#[test]
fn nothing_is_lost_or_rung_twice_when_the_server_or_the_service_is_killed() {
    if Asterisk::fetch_or_skip(Release::V22).is_none() {
        return;
    }
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join("pbx");
    assert!(program.exists(), "cargo test -p ringback-examples builds it; a single --test does not");
    let output = Command::new(program).args(["kill", "--rounds", "3"]).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.lines().any(|line| line.starts_with("| ringback | 3 | 18 | 0 | 0 |")), "{out}");
    assert!(out.lines().any(|line| line.starts_with("| Asterisk | 3 | 18 | 0 | 0 |")), "{out}");
}
