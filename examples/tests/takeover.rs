//! Take-overs between real processes on a real server: few rounds of what `failover` measures in many. Nothing is lost,
//! nothing doubled; how long it takes is not looked at here.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod built;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use ringback_postgres_lab::Postgres;

use crate::built::example;

fn play(fault: &str, rounds: &str, more: &[&str]) -> Output {
    let words = ["--store", "postgres", "--pending", "20", "--rounds", rounds, "--fault", fault];
    let mut failover = example("failover");
    failover.args(words).args(more).stdin(Stdio::null()).output().expect("the example is built")
}

/// What was said, if there is a PostgreSQL.
fn nothing_is_lost(fault: &str, rounds: &str, more: &[&str]) -> Option<String> {
    Postgres::find_or_skip()?;
    let output = play(fault, rounds, more);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("lost 0, doubled 0, "), "{said}");
    Some(said.into_owned())
}

#[test]
fn a_crash_is_proven_by_the_link_and_nothing_is_lost() {
    nothing_is_lost("kill", "3", &[]);
}

#[test]
fn orderly_stops_and_joins_lose_nothing() {
    nothing_is_lost("stop", "2", &[]);
    nothing_is_lost("join", "2", &[]);
}

#[test]
fn a_paused_instance_that_wakes_does_nothing() {
    nothing_is_lost("pause", "1", &[]);
}

/// Of five groups on three instances, of which two each may serve one, the first instance serves those that it may, and
/// those that may take over for it do.
#[test]
fn groups_are_spread_over_the_instances_and_again_when_one_dies() {
    let more = ["--groups", "5", "--instances", "3", "--candidates", "2"];
    let Some(said) = nothing_is_lost("kill", "2", &more) else { return };
    let lines: Vec<&str> = said.lines().collect();
    let begun = "5 groups on 3 instances: 127.0.0.1 serves 3, 127.0.0.2 serves 2, 127.0.0.3 serves 0";
    assert_eq!(lines[0], begun, "{said}");
    assert!(lines[1].starts_with("lease queries per second: "), "{said}");
    let killed =
        "3 groups of 127.0.0.1, then 127.0.0.1 serves 0, 127.0.0.2 serves 4, 127.0.0.3 serves 1: lost 0";
    for (line, number) in lines[2..4].iter().zip(1..) {
        assert!(line.starts_with(&format!("round {number}: {killed}")), "{said}");
    }
}

/// Why hosts that can be cut off cannot be had here, if so.
fn no_hosts() -> Option<String> {
    let tries = [
        ("unshare", ["--net", "true"]),
        ("nsenter", ["--net=/proc/self/ns/net", "true"]),
        ("ip", ["link", "show"]),
    ];
    tries.into_iter().find_map(|(program, arguments)| match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("{program}: {error}")),
    })
}

#[test]
fn an_instance_whose_host_is_cut_off_is_replaced_when_its_lease_is_over() {
    if let Some(reason) = no_hosts() {
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED, hosts that are cut off: {reason}");
        return;
    }
    nothing_is_lost("cut", "2", &[]);
}
