//! The service in processes of its own, against the simulated call manager in another: the real program, a real file,
//! real sockets, real signals.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "terminal/end.rs"]
mod end;
mod terminal;

use std::path::{Path, PathBuf};

use ringback_postgres_lab::Server;
use rustix::process::Signal;

use crate::terminal::{Program, program};

/// The simulated call manager with two CTIManagers, and where they listen.
fn simulator(folder: &Path) -> (Program, Vec<String>) {
    let mut command = program();
    command.args(["simulator", "--listen", "127.0.0.1:0,0", "--data"]).arg(folder);
    let mut simulator = Program::start(command);
    let line = simulator.see("CTIManagers: ");
    let (_, managers) = line.split_once("CTIManagers: ").expect("them");
    let address = |manager: &str| manager.split(" on ").nth(1).expect("an address").to_owned();
    let managers = managers.trim_end_matches('.').split(", ").map(address).collect();
    (simulator, managers)
}

fn config(folder: &Path, address: &str, managers: &[String]) -> PathBuf {
    let mut text = format!("address = \"{address}\"\n[cti]\npassword_file = \"password\"\n");
    for (number, manager) in managers.iter().enumerate() {
        text += &format!("[[cti.managers]]\nname = \"cti{}\"\naddress = \"{manager}\"\n", number + 1);
    }
    std::fs::write(folder.join("password"), "ringback\n").expect("a file");
    let file = folder.join(format!("{address}.toml"));
    std::fs::write(&file, text).expect("a file");
    file
}

/// The same with the requests and the registry on a server.
fn config_with_store(folder: &Path, address: &str, managers: &[String], store: &str) -> PathBuf {
    let file = config(folder, address, managers);
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(&file, format!("{text}[database]\nstore = \"{store}\"\n")).expect("a file");
    file
}

fn service(file: &Path) -> Program {
    let mut command = program();
    command.arg("--config").arg(file);
    Program::start(command)
}

#[test]
fn the_manuals_example_with_the_service_in_processes_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut phones, managers) = simulator(folder.path());
    let mut first = service(&config(folder.path(), "127.0.0.1", &managers));
    first.see("127.0.0.1 is active in epoch 1");
    let mut second = service(&config(folder.path(), "127.0.0.2", &managers));
    second.see("127.0.0.2 is a backup of 127.0.0.1");
    // One machine has one instance of an address.
    let output =
        program().arg("--config").arg(folder.path().join("127.0.0.1.toml")).output().expect("it ends");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("another live instance on this machine has the address 127.0.0.1"),
        "{complaint}"
    );

    for line in ["C calls 1002", "B answers", "A calls 1002"] {
        phones.say(line);
    }
    phones.see("A   hears busy");
    phones.say("A presses CallBack");
    phones.see("CallBack is activated on 1002");
    phones.say("A presses Exit");
    phones.say("A hangs up");
    phones.say("requests");
    phones.see("1-1  A (1001) for 1002, who was busy: waiting");
    phones.say("stop store");
    phones.see("the service runs in processes of its own");

    // The first is told to stop; the second goes on with the request.
    let (clean, printed, complaints) = first.end(Signal::TERM);
    assert!(clean, "{complaints}");
    assert_eq!((printed, complaints), (vec!["127.0.0.1 is active in epoch 1".to_owned()], String::new()));
    phones.say("C hangs up");
    phones.see("*** A plays the alert ***");
    phones.see("1002 has become available / Time ");
    phones.say("A presses Dial");
    phones.see("B   rings from 1001");
    phones.say("requests");
    phones.see("no requests");

    let (clean, printed, complaints) = second.end(Signal::INT);
    assert!(clean, "{complaints}");
    assert_eq!((printed.len(), complaints), (1, String::new()));
    phones.say("exit");
    assert!(phones.child.wait().expect("it ends").success());
}

#[test]
fn the_active_is_killed_and_the_requests_are_on_a_server() {
    let Some(server) = Server::shared() else { return };
    let store = server.fresh_database().expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    let (mut phones, managers) = simulator(folder.path());
    let mut first = service(&config_with_store(folder.path(), "127.0.0.1", &managers, &store));
    first.see("127.0.0.1 is active in epoch 1");
    let mut second = service(&config_with_store(folder.path(), "127.0.0.2", &managers, &store));
    second.see("127.0.0.2 is a backup of 127.0.0.1");
    for line in ["C calls 1002", "B answers", "A calls 1002"] {
        phones.say(line);
    }
    phones.see("A   hears busy");
    phones.say("A presses CallBack");
    phones.see("CallBack is activated on 1002");
    phones.say("A presses Exit");
    phones.say("A hangs up");
    let pending = "SELECT id, caller, waits_for, phase FROM ringback_pending";
    assert_eq!(server.sql(&store, pending).expect("a view"), "1-1|A|/1002|waiting");

    let (clean, ..) = first.end(Signal::KILL);
    assert!(!clean);
    phones.say("C hangs up");
    phones.see("*** A plays the alert ***");
    let acts = "SELECT epoch, last_lease_of FROM ringback_status WHERE state = 'active'";
    assert_eq!(server.sql(&store, acts).expect("a view"), "2|127.0.0.2");
    let (clean, _, complaints) = second.end(Signal::TERM);
    assert!(clean, "{complaints}");
    phones.say("exit");
    assert!(phones.child.wait().expect("it ends").success());
}

#[test]
fn a_file_is_only_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = config(folder.path(), "127.0.0.1", &["10.0.0.5:2748".to_owned()]);
    let output = program().arg("--config").arg(&file).arg("--check").output().expect("it ends");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()),
        (Some(0), format!("{}: nothing to object to\n", file.display()))
    );
    std::fs::write(&file, "adress = \"127.0.0.1\"\n").expect("a file");
    let output = program().arg("--config").arg(&file).arg("--check").output().expect("it ends");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()),
        (
            Some(1),
            format!(
                "ringback: {}:1: adress = \"127.0.0.1\": there is no such key here: did you mean `address`?\n",
                file.display()
            )
        )
    );
    assert!(!folder.path().join("ringback.db").exists() && !folder.path().join("traces").exists());
}
