//! The sign of life of a process, seen from another: whoever is killed is dead at once, whoever is paused is not.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringback_db_sqlite::{Presence, PresenceError};
use ringback_election::{Incarnation, Member};
use ringback_model::Timestamp;

fn member(run: u64) -> Member {
    Member::new(Ipv4Addr::new(10, 0, 0, 1).into(), Incarnation(run), Timestamp(0))
}

/// Long enough for a dead process to be seen on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

async fn freed(folder: &Path, peer: Member) {
    tokio::time::timeout(LIMIT, Presence::freed(folder, peer)).await.unwrap();
}

/// Not a test: the process whose life the others look at. It lives until its input ends.
#[test]
fn child_that_lives() {
    let Some(folder) = std::env::var_os("RINGBACK_TEST_FOLDER").map(PathBuf::from) else { return };
    let run: u64 = std::env::var("RINGBACK_TEST_RUN").unwrap().parse().unwrap();
    let _presence = Presence::hold(folder, &member(run)).unwrap();
    println!("lives");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A child that holds its lock.
fn start(folder: &Path, run: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_lives", "--nocapture"])
        .env("RINGBACK_TEST_FOLDER", folder)
        .env("RINGBACK_TEST_RUN", run.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.as_mut().unwrap());
    assert!(output.lines().any(|line| line.unwrap().ends_with("lives")));
    child
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_process_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), 7);
    assert!(!Presence::is_freed(folder.path(), member(7)));
    let (seen, ()) = tokio::join!(freed(folder.path(), member(7)), async { end(child) });
    assert_eq!(seen, ());
    assert!(Presence::is_freed(folder.path(), member(7)));
    // Of another run it proves nothing.
    assert!(!Presence::is_freed(folder.path(), member(8)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_paused_process_is_not_dead() {
    let folder = tempfile::tempdir().unwrap();
    let child = start(folder.path(), 7);
    let stopped = Command::new("kill").args(["-STOP", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    for _ in 0..100 {
        assert!(!Presence::is_freed(folder.path(), member(7)));
    }
    let held = Presence::hold(folder.path(), &member(8)).unwrap_err();
    let path = folder.path().join("ringback-10.0.0.1.lock");
    let expected = format!(
        "another live instance on this machine has the address 10.0.0.1 (it holds {}): give one of the two another \
         address, or stop it",
        path.display()
    );
    assert_eq!(held.to_string(), expected);
    end(child);
    freed(folder.path(), member(7)).await;
}

#[tokio::test]
async fn a_lock_that_passed_on_to_the_next_run_was_free() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), 7);
    let mut watch = Box::pin(Presence::freed(folder.path(), member(7)));
    // It has seen the first run alive.
    assert!(tokio::time::timeout(Duration::ZERO, &mut watch).await.is_err());
    end(first);
    let second = start(folder.path(), 8);
    tokio::time::timeout(LIMIT, watch).await.unwrap();
    assert!(!Presence::is_freed(folder.path(), member(8)));
    end(second);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_held_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let silent = async || {
        let watch = Presence::freed(folder.path(), member(7));
        tokio::time::timeout(Duration::from_secs(60), watch).await.is_err()
    };
    assert!(silent().await);
    // Another run at this address, dead or alive, is no proof either.
    let other = Presence::hold(folder.path(), &member(6)).unwrap();
    assert!(silent().await);
    drop(other);
    assert!(silent().await);
    assert!(!Presence::is_freed(folder.path().join("missing"), member(7)));
}

#[test]
fn it_is_given_back_and_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = Presence::hold(folder.path(), &member(7)).unwrap();
    let held = Presence::hold(folder.path(), &member(8));
    assert!(matches!(held, Err(PresenceError::Held { .. })), "{held:?}");
    drop(first);
    let second = Presence::hold(folder.path(), &member(8)).unwrap();
    assert_eq!(std::fs::read_to_string(second.path()).unwrap(), "10.0.0.1#8\n");
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    let other = Presence::hold(folder.path(), &Member::new(v6, Incarnation(1), Timestamp(0))).unwrap();
    assert!(other.path().ends_with("ringback-2001_db8__1.lock"), "{other:?}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Presence::hold(&missing, &member(7)).unwrap_err();
    assert!(
        matches!(&error, PresenceError::Unusable { path, .. } if path.starts_with(&missing)),
        "{error:?}"
    );
}
