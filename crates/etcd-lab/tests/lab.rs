//! Servers start, keep their data, and end with their value or with their process.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use ringback_etcd_lab::{Etcd, Server, Signal};

#[test]
fn a_server_keeps_its_data_however_it_is_ended() {
    let Some(etcd) = Etcd::find_or_skip() else { return };
    let server = Server::start(&etcd).unwrap();
    for (key, signal) in [("YQ==", Signal::Terminate), ("Yg==", Signal::Kill)] {
        server.ask("/v3/kv/put", &format!(r#"{{"key":"{key}"}}"#)).unwrap();
        server.stop(signal).unwrap();
        assert!(server.ask("/v3/kv/range", "{}").is_err());
        server.start_again().unwrap();
    }
    let kept = server.ask("/v3/kv/range", r#"{"key":"YQ==","range_end":"eg=="}"#).unwrap();
    assert!(kept.contains(r#""count":"2""#), "{kept}");
    let folder = server.folder().to_owned();
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
    if Etcd::find_or_skip().is_none() {
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
    assert!(folder.join("data").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    // The keeper has until the harness loses patience.
    while folder.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
