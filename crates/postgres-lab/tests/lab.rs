//! Servers start, keep their data, and end with their value or with their process.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use ringback_postgres_lab::{Postgres, Server, Signal};

#[test]
fn a_server_keeps_its_data_however_it_is_ended() {
    let Some(postgres) = Postgres::find_or_skip() else { return };
    let server = Server::start(&postgres).unwrap();
    let database = server.fresh_database().unwrap();
    server.sql(&database, "CREATE TABLE t (n int)").unwrap();
    for (n, signal) in (1..).zip([Signal::Fast, Signal::Immediate, Signal::Kill]) {
        server.sql(&database, &format!("INSERT INTO t VALUES ({n}); CHECKPOINT")).unwrap();
        server.stop(signal).unwrap();
        assert!(server.sql(&database, "SELECT 1").is_err());
        server.start_again().unwrap();
    }
    assert_eq!(server.sql(&database, "SELECT n FROM t ORDER BY n").unwrap(), "1\n2\n3");
    let folder = server.folder().clone();
    drop(server);
    assert!(!folder.exists());
}

/// Not a test: the process that is killed in the next one.
#[test]
fn child_that_is_killed() {
    if std::env::var_os("RINGBACK_TEST_CHILD").is_none() {
        return;
    }
    let server = Server::shared().unwrap();
    println!("\nfolder {}", server.folder().display());
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn a_server_ends_with_its_process() {
    if Postgres::find_or_skip().is_none() {
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env("RINGBACK_TEST_CHILD", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let folder = lines.map(Result::unwrap).find_map(|line| line.strip_prefix("folder ").map(str::to_owned));
    let folder = std::path::PathBuf::from(folder.unwrap());
    assert!(folder.join("data/postmaster.pid").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    // The keeper has until the harness loses patience.
    while folder.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
