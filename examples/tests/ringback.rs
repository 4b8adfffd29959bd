//! The `ringback` example as a person or a pipe uses it: the real program over real files and sockets.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod terminal;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::terminal::{Program, program};

/// So often a question is asked at most, a fifth of a second apart.
const ATTEMPTS: usize = 300;

fn command(data: &Path) -> Command {
    let mut command = program();
    command.arg("--data").arg(data).args(["--cti-port", "0"]);
    command
}

fn start(data: &Path) -> Program {
    Program::start(command(data))
}

impl Program {
    /// Asks again and again until a line of an answer holds this text; `last` begins the last line of each answer.
    fn ask_until(&mut self, question: &str, last: &str, text: &str) {
        for _ in 0..ATTEMPTS {
            let before = self.seen.len();
            self.say(question);
            self.see(last);
            if self.seen[before..].iter().any(|line| line.contains(text)) {
                return;
            }
            self.say("wait 200ms");
        }
        panic!("{question} never told {text:?}; saw:\n{}", self.seen.join("\n"));
    }

    /// As `kill -9`: the process that this test started, by its handle.
    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

fn fail(command: &mut Command) -> (String, Output) {
    let output = command.stdin(Stdio::null()).output().expect("the example is built");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    (String::from_utf8_lossy(&output.stderr).into_owned(), output)
}

#[test]
fn the_manuals_example_is_seen_on_the_phones() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = start(folder.path());
    for line in ["C calls 1002", "B answers", "A calls 1002"] {
        session.say(line);
    }
    session.see("A   hears busy");
    session.say("A presses CallBack");
    session.see("CallBack is activated on 1002 / Press Cancel to deactivate / Press Exit to quit this screen  [Cancel] [Exit]");
    session.say("A presses Exit");
    session.say("A hangs up");
    session.say("C hangs up");
    session.see("*** A plays the alert ***");
    session.see("1002 has become available / Time ");
    session.say("A presses Dial");
    session.see("B   rings from 1001");
    session.say("B answers");
    session.see("A   in a call");
    session.say("requests");
    session.see("no requests");
    session.say("A sings");
    session.see("(type `help` for what can be said)");
    session.say("exit");
    let status = session.child.wait().expect("it ends");
    assert!(status.success());
}

#[test]
fn killed_and_started_again_it_holds_the_same_requests() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = start(folder.path());
    for line in ["A calls 1002", "A presses CallBack", "A hangs up", "C calls 1002", "C presses CallBack"] {
        session.say(line);
    }
    session.say("requests");
    let first = session.see("1-1  A (1001) for 1002, who did not answer: waiting");
    let second = session.see("1-2  C (1003) for 1002, who did not answer: waiting");
    session.kill();

    let mut session = start(folder.path());
    session.say("requests");
    let left = |line: &str| line.split("waiting, ").nth(1).expect("the time left").to_owned();
    for before in [first, second] {
        let after = session.see(&before[..before.find(", ").expect("a phase")]);
        // Time went on meanwhile, and only by what the restart took.
        assert!(left(&after) <= left(&before), "{before} then {after}");
        assert!(left(&after).starts_with("2:59:"), "{after}");
    }
    // They work: B is used, and the first in the queue is told.
    session.say("B lifts");
    session.say("B replaces");
    session.see("*** A plays the alert ***");
    session.say("exit");
    assert!(session.child.wait().expect("it ends").success());
}

#[test]
fn a_port_in_use_is_named_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let (error, _) = fail(program().arg("--data").arg(folder.path()).args(["--cti-port", port.as_str()]));
    assert!(error.contains(&format!("127.0.0.1:{port} is in use by another program")), "{error}");
    assert!(error.contains("choose another port with --cti-port"), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_named_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("ringback.db"),
        "not a database, but a letter to a friend\n".repeat(50),
    )
    .expect("a file");
    let (error, _) = fail(&mut command(folder.path()));
    assert!(error.contains("ringback.db is not an SQLite database: move it away"), "{error}");
}

#[test]
fn a_broken_dictionary_is_named_with_file_and_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let dictionaries = folder.path().join("dictionaries");
    std::fs::create_dir(&dictionaries).expect("a folder");
    std::fs::write(dictionaries.join("fr_FR.xml"), "<dictionary locale=\"fr_FR\"><text").expect("a file");
    let (error, _) = fail(command(folder.path()).arg("--dictionaries").arg(&dictionaries));
    assert!(error.contains("fr_FR.xml"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let (error, _) = fail(&mut command(&file.join("data")));
    assert!(error.contains("choose another with --data"), "{error}");
}

#[test]
fn a_request_is_explained_and_written_as_a_scenario_that_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = start(folder.path());
    session.say("explain");
    session.see("there was no request yet");
    for line in ["C calls 1002", "B answers", "A calls 1002", "A presses CallBack"] {
        session.say(line);
    }
    session.see("CallBack is activated on 1002");
    session.say("C hangs up");
    session.say("A presses Cancel");
    session.say("explain 1-1");
    session.see("request 1-1: A (1001) called 1002, who was busy");
    session.see(" accepted and stored");
    session.see(" not alerted: your phone was busy");
    session.see(" ended: you cancelled");
    session.say("explain");
    session.see("1-1: A (1001) called 1002, who was busy; ");
    session.say("explain 9-9");
    session.see("no story of request 9-9 is known: `explain` lists those that are");
    session.say("explain it");
    session.see("\"it\" names no request: explain REQUEST [--scn [FILE]]");
    let file = folder.path().join("story.scn");
    session.say(&format!("explain 1-1 --scn {}", file.display()));
    session.see("written to ");
    session.say("exit");
    assert!(session.child.wait().expect("it ends").success());

    let text = std::fs::read_to_string(&file).expect("the file");
    let scenario = ringback_scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let played = ringback_scenario::simulate(&scenario).expect("a runtime");
    assert!(
        matches!(played.outcome, ringback_scenario::Outcome::Passed { .. }),
        "{:?}\n{text}",
        played.outcome
    );
    assert!(text.contains("\nexpect A shows \"CallBack is activated on 1002\"\n"), "{text}");
}

#[test]
fn a_cluster_to_play_with_and_phones_that_a_restart_keeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = |folder: &Path| {
        let mut cluster = command(folder);
        cluster.args(["--instances", "3"]);
        Program::start(cluster)
    };
    let mut session = cluster(folder.path());
    session.see("Call Back is active: 3 instances, 127.0.0.1 to 127.0.0.3");
    session.see("Phones: A 1001, B 1002, C 1003");
    // Three that start at once may hand over once; the epoch, and with it the request's name, is not the same each time.
    session.ask_until("status", "127.0.0.3: ", "127.0.0.1: Active, epoch ");
    session.ask_until("status", "127.0.0.3: ", ", ready, directory up, store up, CTI registered at cti1, ");
    for line in ["add phone D 1004", "D calls 1002", "D presses CallBack"] {
        session.say(line);
    }
    session.see("CallBack is activated on 1002");
    session.say("requests");
    let request = session.see("  D (1004) for 1002, who did not answer: waiting");
    let request = request.split_whitespace().next().expect("the name of a request").to_owned();
    session.say("status");
    session.see("127.0.0.2: Backup 1 of 127.0.0.1");
    session.see("127.0.0.3: Backup 2 of 127.0.0.1");
    session.say("stop ctimanager cti1");
    session.ask_until("status", "127.0.0.3: ", "ready, directory up, store up, CTI registered at cti2, ");
    session.say("kill node 127.0.0.1");
    session.ask_until("status", "127.0.0.3: ", "127.0.0.2: Active, epoch ");
    session.say("status --json");
    session.see("\"address\": \"127.0.0.2\"");
    session.see("\"role\": \"Active\"");
    session.see("\"pending\": 1");
    session.say(&format!("explain {request}"));
    session.see(" accepted and stored");
    session.see(" taken over from the store in epoch ");
    session.say("exit");
    assert!(session.child.wait().expect("it ends").success());

    let mut session = cluster(folder.path());
    session.see("Phones: A 1001, B 1002, C 1003, D 1004");
    session.say(&format!("explain {request} --scn"));
    session.see(&format!("request {request} was accepted before this program started"));
    session.say("D presses CallBack");
    session.see("CallBack is activated on 1002");
    session.say("exit");
    assert!(session.child.wait().expect("it ends").success());
}
