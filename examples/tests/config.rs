//! The configuration file of the service: what it may say, and what it is told of mistakes.

use std::path::Path;

use ringback_examples::database::Place;
use ringback_examples::service::{CtiManagerConfig, ServiceConfig};

const EXAMPLE: &str = include_str!("../ringback/ringback.example.toml");

/// What every file needs.
const NEEDED: &str =
    "[cti]\npassword = \"xyzzy\"\n[[cti.managers]]\nname = \"cti1\"\naddress = \"10.0.0.5:2748\"\n";

fn error(text: &str) -> String {
    match ServiceConfig::parse(Path::new("site.toml"), text) {
        Ok(config) => panic!("taken: {config:?}"),
        Err(error) => error.to_string(),
    }
}

/// The error for what is said before the needed things: the top level, or whole sections.
fn error_of(text: &str) -> String {
    error(&format!("{text}\n{NEEDED}"))
}

/// The example with the lines that have no default, up to those of many groups.
fn example() -> String {
    let text = EXAMPLE.split("# [[group]]").next().unwrap_or_default();
    let text = text.replace("# password = \"...\"", "password = \"xyzzy\"");
    let lines = text.split_inclusive('\n').map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with("[[cti.managers]]") || rest.starts_with("name = ") => rest,
        Some(rest) if rest.starts_with("address = ") => rest,
        _ => line,
    });
    lines.collect()
}

#[test]
fn the_example_says_the_defaults_and_every_key() {
    let config = ServiceConfig::parse(Path::new("ringback.example.toml"), &example()).unwrap();
    let mut defaults = ServiceConfig::default();
    defaults.groups[0].cti.managers = ["10.0.0.5:2748", "10.0.0.6:2748"]
        .iter()
        .zip(["cti1", "cti2"])
        .map(|(address, name)| CtiManagerConfig { name: name.to_owned(), address: (*address).to_owned() })
        .collect();
    defaults.groups[0].cti.password.clone_from(&config.groups[0].cti.password);
    assert!(config.groups[0].cti.password.is_some());
    assert_eq!(config, defaults);
    // An unknown key in each section is answered with those that are known: the example has each.
    for section in [
        "",
        "cti",
        "database",
        "election",
        "election.candidates",
        "peers",
        "traces",
        "alarms",
        "change_notification",
    ] {
        let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        let message = error(&format!("{header}qqqqqqqqqqqqqqqq = 1\n"));
        let keys = message.split_once("there are ").map(|(_, keys)| keys.to_owned());
        for key in keys.expect(&message).split(", ") {
            let said = |line: &str| {
                let line = line.trim_start_matches("# ");
                line.starts_with(&format!("{key} = "))
                    || line.trim_matches(['[', ']']) == key
                    || line.trim_matches(['[', ']']).ends_with(&format!(".{key}"))
            };
            assert!(EXAMPLE.lines().any(said), "{section}.{key}");
        }
    }
}

#[test]
fn a_secret_is_never_printed() {
    let config = ServiceConfig::parse(Path::new("site.toml"), NEEDED).unwrap();
    assert!(!format!("{config:?}").contains("xyzzy"));
    let message = error(&format!("{NEEDED}[change_notification]\nsecret = \"plugh\"\nsecret_file = \"s\"\n"));
    assert_eq!(message, "site.toml:8: secret_file = \"s\": there is secret, too: give one of the two");
    assert_eq!(
        error("[cti]\npassword = 12345\n"),
        "site.toml:2: password = <secret>: expected a text in double quotes, found an integer"
    );
}

#[test]
fn a_secret_is_not_printed_wherever_it_stands_in_its_line() {
    let whatever = [
        ("cti = { user = 5, password = \"xyzzy\" }", "cti = { user = 5, password = <secret>: "),
        ("cti.password = \"xyzzy\" x", "cti.password = <secret>: "),
        ("\"password\"= 'xyzzy' x", "password = <secret>: "),
        ("pasword = \"xyzzy\"", "pasword = <secret>: "),
        ("database.stor = \"postgres://a:xyzzy@h/d\"", "stor = \"postgres://<address>\": "),
        (
            "change_notification = {secret=\"xyzzy\", secret_file=5}",
            "change_notification = {secret= <secret>: ",
        ),
    ];
    for (line, shown) in whatever {
        let message = error(line);
        assert!(message.contains(shown) && !message.contains("xyzzy"), "{message}");
    }
    let message = error("[cti]\npassword_file = 5");
    assert!(message.starts_with("site.toml:2: password_file = 5: "), "{message}");
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, NEEDED.replace("password = \"xyzzy\"", "password_file = \"/etc/pw\"")).unwrap();
    let config = ServiceConfig::read(&file).unwrap();
    assert_eq!(config.database.store, Place::File(folder.path().join("ringback.db")));
    assert_eq!(config.database.locks.as_deref(), Some(folder.path()));
    assert_eq!(config.traces.folder, folder.path().join("traces"));
    assert_eq!(config.groups[0].cti.password_file.as_deref(), Some(Path::new("/etc/pw")));
}

#[test]
fn a_database_on_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    let database = "[database]\nstore = \"postgres://ann:xyzzy@db1,db2/pbx\"\npassword_file = \"pw\"\n";
    std::fs::write(&file, format!("{database}{NEEDED}")).unwrap();
    let config = ServiceConfig::read(&file).unwrap();
    assert_eq!(config.database.store, Place::Server("postgres://ann:xyzzy@db1,db2/pbx".to_owned()));
    assert_eq!(config.database.directory, Place::File(folder.path().join("ringback.db")));
    assert_eq!(config.database.password_file, Some(folder.path().join("pw")));
    assert_eq!(config.database.locks.as_deref(), Some(folder.path()));
    assert!(!format!("{config:?}").contains("xyzzy"));
}

#[test]
fn an_address_of_this_machine_is_chosen_by_network() {
    let text = format!("address = \"auto\"\n[election.candidates]\nnetworks = [\"127.0.0.0/8\"]\n{NEEDED}");
    let config = ServiceConfig::parse(Path::new("site.toml"), &text).unwrap();
    assert_eq!(config.own_address().unwrap().to_string(), "127.0.0.1");
}

#[test]
fn links_between_instances() {
    assert_eq!(
        error_of("address = \"10.0.0.1\"\n[peers]\nport = 2553"),
        "site.toml: [peers]: the address 10.0.0.1 is reached from other machines: give authority, certificate and key"
    );
    assert_eq!(
        error_of("[peers]\nauthority = \"a.pem\"\nkey = \"k.pem\""),
        "site.toml: [peers]: authority, certificate and key go together: give all three, or none"
    );
    assert_eq!(
        error_of("[peers]\nport = 0"),
        "site.toml:2: port = 0: expected the port that all instances share, 1 to 65535"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    let peers = "[peers]\nauthority = \"a.pem\"\ncertificate = \"/c.pem\"\nkey = \"k.pem\"\n";
    std::fs::write(&file, format!("{peers}{NEEDED}")).unwrap();
    let peers = ServiceConfig::read(&file).unwrap().peers.unwrap();
    let files = [peers.authority, peers.certificate, peers.key].map(Option::unwrap);
    assert_eq!(files, [folder.path().join("a.pem"), "/c.pem".into(), folder.path().join("k.pem")]);
}

#[test]
fn a_file_that_cannot_be_read() {
    let message = ServiceConfig::read(Path::new("/nowhere/site.toml")).unwrap_err().to_string();
    assert_eq!(
        message,
        "/nowhere/site.toml: cannot be read: No such file or directory (os error 2); name a file that this user may read"
    );
}

#[test]
fn what_is_no_toml() {
    assert_eq!(
        error("group = \"a\"\naddress \"10.0.0.1\"\n"),
        "site.toml:2: key with no value, expected `=`"
    );
}

#[test]
fn an_unknown_key_and_the_nearest_that_is_known() {
    assert_eq!(
        error_of("adress = \"10.0.0.1\""),
        "site.toml:1: adress = \"10.0.0.1\": there is no such key here: did you mean `address`?"
    );
    assert_eq!(
        error_of("[election]\nintervall = 300 # ms"),
        "site.toml:2: intervall = 300: there is no such key here: did you mean `interval`?"
    );
    assert_eq!(
        error_of("[alarms]\nsyslog = \"error\""),
        "site.toml:2: syslog = \"error\": there is no such key here: there are traces"
    );
}

#[test]
fn a_value_of_the_wrong_type() {
    assert_eq!(
        error_of("[election]\n\nlease = \"2 s\""),
        "site.toml:3: lease = \"2 s\": expected a whole number, found a string"
    );
    assert_eq!(
        error_of("[election]\npreempt = 1"),
        "site.toml:2: preempt = 1: expected true or false, found an integer"
    );
    assert_eq!(
        error_of("[traces]\nlevel = \"loud\""),
        "site.toml:2: level = \"loud\": \"loud\" is no trace level: give off, error, special, state transition, \
         significant, entry/exit, arbitrary or detailed"
    );
    assert_eq!(
        error_of("[alarms]\ntraces = \"bad\""),
        "site.toml:2: traces = \"bad\": \"bad\" is no alarm level: give emergency, alert, critical, error, warning, \
         notice, informational or debug"
    );
}

#[test]
fn addresses_and_networks() {
    assert_eq!(
        error_of("address = \"10.0.0\""),
        "site.toml:1: address = \"10.0.0\": expected an IP address, like 10.0.0.1 or fd00::1, or auto"
    );
    assert_eq!(
        error_of("address = \"auto\""),
        "site.toml:1: address = \"auto\": expected networks to choose from: networks = [\"10.0.0.0/24\"] in \
         [election.candidates]"
    );
    assert_eq!(
        error_of("address = \"0.0.0.0\""),
        "site.toml:1: address = \"0.0.0.0\": address 0.0.0.0 names no single machine: choose one address of this machine"
    );
    assert_eq!(
        error_of("[election.candidates]\nnetworks = [\"10.0.0.0/33\"]"),
        "site.toml:2: networks = [\"10.0.0.0/33\"]: expected networks, like [\"10.0.0.0/24\"]"
    );
    assert_eq!(
        error_of("address = \"10.1.0.1\"\n[election.candidates]\nnetworks = [\"10.0.0.0/24\"]"),
        "site.toml:1: address = \"10.1.0.1\": address 10.1.0.1 is in none of the configured networks (10.0.0.0/24): \
         choose an address of this machine that is, or add its network"
    );
    assert_eq!(
        error_of("[election.candidates]\nnetworks = [\"10.0.0.0/24\"]"),
        "site.toml: address: address 127.0.0.1 is in none of the configured networks (10.0.0.0/24): choose an address of \
         this machine that is, or add its network"
    );
    assert_eq!(
        error("[cti]\npassword = \"x\"\n[[cti.managers]]\nname = \"cti1\"\naddress = \"10.0.0.5\"\n"),
        "site.toml:5: address = \"10.0.0.5\": expected host:port, like 10.0.0.5:2748"
    );
}

#[test]
fn ctimanagers_and_passwords() {
    assert_eq!(
        error("[cti]\npassword = \"x\"\n"),
        "site.toml: no call manager is named: add [[cti.managers]] with name = \"cti1\" and address = \"HOST:2748\", or \
         [asterisk] with address = \"HOST:5038\""
    );
    assert_eq!(
        error(&format!("{NEEDED}[[cti.managers]]\nname = \"cti1\"\naddress = \"10.0.0.6:2748\"\n")),
        "site.toml:7: name = \"cti1\": another CTIManager has this name: give each a name of its own"
    );
    assert_eq!(
        error(&format!("{NEEDED}[[cti.managers]]\nname = \"cti2\"\naddress = \"10.0.0.5:2748\"\n")),
        "site.toml:8: address = \"10.0.0.5:2748\": CTIManager cti1 has this address: name each once"
    );
    assert_eq!(
        error(&NEEDED.replace("password = \"xyzzy\"", "user = \"ringback\"")),
        "site.toml: the CTI user has no password: give password or, better, password_file in [cti]"
    );
    assert_eq!(
        error(&NEEDED.replace("[[", "password_file = \"pw\"\n[[")),
        "site.toml:3: password_file = \"pw\": there is password, too: give one of the two"
    );
}

#[test]
fn numbers_that_do_not_fit_together() {
    assert_eq!(
        error_of("[election]\nlease = 1000"),
        "site.toml:2: lease = 1000: lease 1000 ms is shorter than interval 300 ms + call time-out 700 ms + margin 400 \
         ms = 1400 ms: choose a lease of at least 1400 ms, or shorten the others"
    );
    assert_eq!(
        error_of("[election]\ninterval = 2000"),
        "site.toml: election.lease: lease 2000 ms is shorter than interval 2000 ms + call time-out 700 ms + margin 400 \
         ms = 3100 ms: choose a lease of at least 3100 ms, or shorten the others"
    );
    assert_eq!(
        error_of("[election]\nhand_over_poll = 301"),
        "site.toml:2: hand_over_poll = 301: hand-over poll 301 ms is longer than interval 300 ms: choose at most 300 ms"
    );
    assert_eq!(
        error_of("[database]\nbusy_timeout = 2000"),
        "site.toml:2: busy_timeout = 2000: a save counts as failed after 2000 ms: choose 1 ms to 1999 ms"
    );
    assert_eq!(
        error_of("[database]\npoll_interval = 0"),
        "site.toml:2: poll_interval = 0: expected 1 ms to 1000 ms"
    );
    assert_eq!(error_of("[traces]\nfiles = 0"), "site.toml:2: files = 0: expected at least 1");
}
