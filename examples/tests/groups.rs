//! Two call managers served by two processes of the service on one file: the real program, real sockets, real signals.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "terminal/end.rs"]
mod end;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread;
use std::time::Duration;

use ringback_postgres_lab::Server;
use rustix::process::Signal;

use crate::terminal::{Program, program};

/// So often a question is asked at most, and so long after the answer before: only what hangs takes so long.
const ATTEMPTS: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

impl Program {
    /// Waits for lines that hold these texts, in whichever order they come.
    fn see_all(&mut self, texts: &[&str]) {
        for text in texts {
            if !self.seen.iter().any(|line| line.contains(text)) {
                self.see(text);
            }
        }
    }
}

/// A group, its phones at a prompt, and where its CTIManager listens.
struct Cluster {
    group: &'static str,
    phones: Program,
    manager: String,
}

impl Cluster {
    fn start(group: &'static str, folder: &Path) -> Self {
        let mut command = program();
        command.args(["simulator", "--group", group, "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        let mut phones = Program::start(command);
        let line = phones.see("CTIManagers: cti1 on ");
        let known = format!("The call manager of {group} is simulated");
        assert!(line.starts_with(&known), "{line}");
        let manager = line.split(" on ").nth(1).expect("an address").trim_end_matches('.').to_owned();
        Self { group, phones, manager }
    }

    /// A waits for B, who is busy.
    fn activate(&mut self) {
        for line in ["C calls 1002", "B answers", "A calls 1002"] {
            self.phones.say(line);
        }
        self.phones.see("A   hears busy");
        self.phones.say("A presses CallBack");
        self.phones.see("CallBack is activated on 1002");
        self.phones.say("A presses Exit");
        self.phones.say("A hangs up");
    }

    /// B hangs up, and A calls it back.
    fn called_back(&mut self) {
        self.phones.say("C hangs up");
        self.phones.see("*** A plays the alert ***");
        self.phones.see("1002 has become available / Time ");
        self.phones.say("A presses Dial");
        self.phones.see("B   rings from 1001");
        self.phones.say("requests");
        self.phones.see("no requests");
    }

    fn table(&self, candidates: &[&str]) -> String {
        let (group, manager) = (self.group, &self.manager);
        format!(
            "[[group]]\nname = \"{group}\"\ncandidates = {candidates:?}\n[group.cti]\npassword_file = \"password\"\n\
             [[group.cti.managers]]\nname = \"cti-{group}\"\naddress = \"{manager}\"\n"
        )
    }

    fn leave(mut self) {
        self.phones.say("exit");
        assert!(self.phones.child.wait().expect("it ends").success());
    }
}

fn config(folder: &Path, address: &str, tables: &[String]) -> PathBuf {
    std::fs::write(folder.join("password"), "ringback\n").expect("a file");
    let file = folder.join(format!("{address}.toml"));
    std::fs::write(&file, format!("address = \"{address}\"\n{}", tables.concat())).expect("a file");
    file
}

fn service(file: &Path) -> Program {
    let mut command = program();
    command.arg("--config").arg(file);
    Program::start(command)
}

fn ask(words: &[&str], file: &Path) -> Output {
    let (command, rest) = words.split_first().expect("a command");
    program().arg(command).arg("--config").arg(file).args(rest).output().expect("it ends")
}

/// What a question is answered with.
fn told(words: &[&str], file: &Path) -> String {
    let Output { status, stdout, stderr } = ask(words, file);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// What is complained of.
fn complaint(words: &[&str], file: &Path) -> String {
    let Output { status, stderr, .. } = ask(words, file);
    assert!(!status.success());
    String::from_utf8(stderr).expect("text")
}

/// Of each instance what it is for each group.
fn roles(words: &[&str], file: &Path) -> Vec<String> {
    let role = |line: &str| line.split(", epoch").next().expect("a role").to_owned();
    told(words, file).lines().map(role).collect()
}

/// The same when it is as expected, or after long waiting.
fn roles_at_last(file: &Path, expected: &[&str]) -> Vec<String> {
    for _ in 0..ATTEMPTS {
        let roles = roles(&["status"], file);
        if roles == expected {
            return roles;
        }
        thread::sleep(PAUSE);
    }
    roles(&["status"], file)
}

#[test]
fn each_instance_is_first_for_one_group_and_the_one_that_is_left_serves_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut east, mut west) = (Cluster::start("east", folder.path()), Cluster::start("west", folder.path()));
    let tables = [east.table(&["127.0.0.1/32", "127.0.0.2/32"]), west.table(&["127.0.0.2/32"])];
    let files = ["127.0.0.1", "127.0.0.2"].map(|address| config(folder.path(), address, &tables));
    assert_eq!(told(&["status"], &files[0]), "no instance of the service runs here\n");

    let mut first = service(&files[0]);
    first.see("east: 127.0.0.1 is active in epoch 1");
    let mut second = service(&files[1]);
    second.see_all(&["east: 127.0.0.2 is a backup of 127.0.0.1", "west: 127.0.0.2 is active in epoch 1"]);
    let spread =
        ["east: 127.0.0.1: Active", "east: 127.0.0.2: Backup 1 of 127.0.0.1", "west: 127.0.0.2: Active"];
    assert_eq!(roles(&["status"], &files[0]), spread);
    assert_eq!(roles(&["status", "--group", "west"], &files[0]), spread[2..]);
    let json = told(&["status", "--json", "--group", "east"], &files[0]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("an array");
    let of = |nth: usize, key: &str| json[nth][key].clone();
    assert_eq!((of(0, "group"), of(0, "registered_at")), ("east".into(), "cti-east".into()));
    assert_eq!((of(1, "group"), of(1, "address"), &json[2]), ("east".into(), "127.0.0.2".into(), &().into()));

    east.activate();
    west.activate();
    let (clean, ..) = first.end(Signal::KILL);
    assert!(!clean);
    east.called_back();
    west.called_back();
    let both = ["east: 127.0.0.2: Active", "west: 127.0.0.2: Active"];
    assert_eq!(roles(&["status"], &files[1]), both);

    // It is back, and gets what it is first for, with what waits there.
    for cluster in [&mut east, &mut west] {
        cluster.phones.say("A hangs up");
        cluster.activate();
    }
    let mut first = service(&files[0]);
    first.see("east: 127.0.0.1 is a backup of 127.0.0.2");
    assert_eq!(roles_at_last(&files[0], &spread), spread);
    let (clean, printed, complaints) = first.end(Signal::TERM);
    assert_eq!((clean, printed.len(), complaints.as_str()), (true, 1, ""));
    east.called_back();
    west.called_back();
    let (clean, printed, complaints) = second.end(Signal::TERM);
    assert_eq!((clean, printed.len(), complaints.as_str()), (true, 2, ""));
    east.leave();
    west.leave();
}

/// Two instances: the first is active for both groups, the second is its backup.
fn first_of_both(folder: &Path, tables: &[String]) -> [Program; 2] {
    let mut first = service(&config(folder, "127.0.0.1", tables));
    first.see_all(&["east: 127.0.0.1 is active in epoch 1", "west: 127.0.0.1 is active in epoch 1"]);
    let mut second = service(&config(folder, "127.0.0.2", tables));
    second.see_all(&["east: 127.0.0.2 is a backup of 127.0.0.1", "west: 127.0.0.2 is a backup of 127.0.0.1"]);
    [first, second]
}

#[test]
fn an_instance_that_stops_hands_over_all_its_groups() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut east, mut west) = (Cluster::start("east", folder.path()), Cluster::start("west", folder.path()));
    let tables = [east.table(&["127.0.0.0/8"]), west.table(&["127.0.0.0/8"])];
    let [first, second] = first_of_both(folder.path(), &tables);
    east.activate();
    west.activate();
    let (clean, printed, complaints) = first.end(Signal::INT);
    assert_eq!((clean, printed.len(), complaints.as_str()), (true, 2, ""));
    east.called_back();
    west.called_back();
    let (clean, _, complaints) = second.end(Signal::TERM);
    assert_eq!((clean, complaints.as_str()), (true, ""));
    east.leave();
    west.leave();
}

#[test]
fn all_groups_of_one_that_is_killed_are_taken_over_and_the_requests_are_on_a_server() {
    let Some(server) = Server::shared() else { return };
    let store = format!("[database]\nstore = \"{}\"\n", server.fresh_database().expect("a database"));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut east, mut west) = (Cluster::start("east", folder.path()), Cluster::start("west", folder.path()));
    let tables = [store, east.table(&["127.0.0.0/8"]), west.table(&["127.0.0.0/8"])];
    let [first, second] = first_of_both(folder.path(), &tables);
    east.activate();
    west.activate();
    let (clean, ..) = first.end(Signal::KILL);
    assert!(!clean);
    for cluster in [&mut east, &mut west] {
        cluster.phones.say("C hangs up");
        cluster.phones.see("*** A plays the alert ***");
    }
    let (clean, _, complaints) = second.end(Signal::TERM);
    assert_eq!((clean, complaints.as_str()), (true, ""));
    east.leave();
    west.leave();
}

#[test]
fn parameters_are_each_groups_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |group: &str, host: &str| {
        format!(
            "[[group]]\nname = \"{group}\"\n[group.cti]\npassword = \"x\"\n[[group.cti.managers]]\nname = \"cti1\"\n\
             address = \"{host}:2748\"\n"
        )
    };
    let file = config(folder.path(), "127.0.0.1", &[table("east", "10.1.0.5"), table("west", "10.2.0.5")]);
    let recall = "Call Back Recall Timer";
    let known = "one of east, west\n";
    assert_eq!(
        complaint(&["parameters", recall, "30"], &file),
        format!("ringback: there are several groups: say with --group whose parameter is to be set, {known}")
    );
    assert!(!folder.path().join("ringback.db").exists());
    for command in ["parameters", "status", "doctor"] {
        assert_eq!(
            complaint(&[command, "--group", "north"], &file),
            "ringback: there is no group \"north\": there are east, west\n"
        );
    }
    let changed = format!("{recall} = 30  (default 20)\n");
    assert_eq!(told(&["parameters", "--group", "west", recall, "30"], &file), changed);
    assert_eq!(told(&["parameters", recall], &file), format!("[east]\n{recall} = 20\n\n[west]\n{changed}"));
    assert_eq!(told(&["parameters", "--group", "east", recall], &file), format!("{recall} = 20\n"));
    let none = format!("ringback: {}: there is no [asterisk] to look at\n", file.display());
    assert_eq!(complaint(&["doctor"], &file), none);
    let none = format!("ringback: {}: group east has no [group.asterisk] to look at\n", file.display());
    assert_eq!(complaint(&["doctor", "--group", "east"], &file), none);
}

#[test]
fn who_may_serve_no_group_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "[[group]]\nname = \"east\"\ncandidates = [\"127.0.0.2/32\"]\n[group.cti]\npassword = \"x\"\n\
                 [[group.cti.managers]]\nname = \"cti1\"\naddress = \"10.1.0.5:2748\"\n";
    let all = "[election.candidates]\nnetworks = [\"127.0.0.0/8\"]\n";
    let file = config(folder.path(), "auto", &[table.to_owned(), all.to_owned()]);
    let output = program().arg("--config").arg(&file).output().expect("it ends");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "ringback: the instance at 127.0.0.1 may serve no group: east is for 127.0.0.2/32; add a network that it is in to \
         the candidates of one, or choose another address\n"
    );
}

#[test]
fn the_doctor_looks_at_the_asterisk_of_each_group() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody listens at these ports.
    let table = |group: &str, port: u16| {
        format!(
            "[[group]]\nname = \"{group}\"\n[group.asterisk]\naddress = \"127.0.0.1:{port}\"\nsecret = \"x\"\n\
             patience = 100\n"
        )
    };
    let file = config(folder.path(), "127.0.0.1", &[table("east", 1), table("west", 2)]);
    let Output { status, stdout, .. } = ask(&["doctor"], &file);
    let said = String::from_utf8(stdout).expect("text");
    let known =
        |line: &&str| ["[", "cannot look", "  ringback's file"].iter().any(|word| line.starts_with(word));
    let heads: Vec<&str> =
        said.lines().filter(known).map(|line| line.split(": Connection").next().expect("a head")).collect();
    let ours = "  ringback's file, [group.asterisk]:";
    let blind = ["127.0.0.1:1", "127.0.0.1:2"].map(|at| format!("cannot look: cannot connect: {at}"));
    assert_eq!(heads, ["[east]", &blind[0], ours, "[west]", &blind[1], ours], "{said}");
    assert_eq!(status.code(), Some(2));
    let Output { stdout, .. } = ask(&["doctor", "--group", "west"], &file);
    assert!(String::from_utf8(stdout).expect("text").starts_with(&blind[1]));
}
