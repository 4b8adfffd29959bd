//! The configuration file of a service with many call managers: what it may say, and what it is told of mistakes.

use std::net::IpAddr;
use std::path::Path;

use ringback_examples::service::{GroupConfig, ServiceConfig};

const EXAMPLE: &str = include_str!("../ringback/ringback.example.toml");

const README: &str = include_str!("../../README.md");

/// A group at a CTIManager: five lines, or six with what goes below its name.
const EAST: &str = "[[group]]\nname = \"east\"\n[group.cti]\npassword_file = \"pw\"\nmanagers = [{ name = \"cti1\", \
                    address = \"10.1.0.5:2748\" }]\n";

/// A group at an Asterisk: five lines.
const WEST: &str =
    "[[group]]\nname = \"west\"\n[group.asterisk]\naddress = \"10.2.0.5:5038\"\nsecret_file = \"pw\"\n";

fn parse(text: &str) -> ServiceConfig {
    ServiceConfig::parse(Path::new("site.toml"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    match ServiceConfig::parse(Path::new("site.toml"), text) {
        Ok(config) => panic!("taken: {config:?}"),
        Err(error) => error.to_string(),
    }
}

/// The same group with more below its name.
fn with(group: &str, line: &str) -> String {
    group.replacen("\"\n[", &format!("\"\n{line}\n["), 1)
}

fn names<'a>(groups: impl IntoIterator<Item = &'a GroupConfig>) -> Vec<String> {
    groups.into_iter().map(|group| group.name.to_string()).collect()
}

fn served(config: &ServiceConfig, address: [u8; 4]) -> Vec<String> {
    names(config.served_at(IpAddr::from(address)))
}

#[test]
fn each_group_has_its_call_manager_and_all_else_is_shared() {
    let config = parse(&format!("{EAST}{WEST}"));
    let [east, west] = &config.groups[..] else { panic!("{config:?}") };
    assert_eq!((east.name.as_str(), east.cti.managers.len(), east.asterisk.is_some()), ("east", 1, false));
    let asterisk = west.asterisk.as_ref().unwrap();
    assert_eq!((west.name.as_str(), asterisk.address.as_str()), ("west", "10.2.0.5:5038"));
    let shared = ServiceConfig { groups: ServiceConfig::default().groups, ..config.clone() };
    assert_eq!(shared, ServiceConfig::default());
    assert_eq!(served(&config, [127, 0, 0, 1]), ["east", "west"]);
}

#[test]
fn one_table_is_the_same_as_the_top_level() {
    let below = EAST.replace("[[group]]\nname", "group").replace("[group.", "[");
    assert_eq!(parse(EAST), parse(&below));
}

#[test]
fn candidates_say_which_instances_serve_a_group() {
    let all =
        "address = \"10.0.0.1\"\n[election.candidates]\nnetworks = [\"10.0.0.0/24\"]\nipv6_first = true\n";
    let east = with(EAST, "candidates = [\"10.0.0.1/32\", \"10.0.0.2/31\"]");
    let config = parse(&format!("{all}{east}{WEST}"));
    assert_eq!(served(&config, [10, 0, 0, 1]), ["east", "west"]);
    assert_eq!(served(&config, [10, 0, 0, 3]), ["east", "west"]);
    assert_eq!(served(&config, [10, 0, 0, 4]), ["west"]);
    assert_eq!(served(&config, [10, 0, 1, 1]), [""; 0]);
    let candidates = config.groups[0].candidates(&config.election.candidates);
    assert!(candidates.ipv6_first && candidates.networks.len() == 2);
}

#[test]
fn groups_are_chosen_by_name() {
    let config = parse(&format!("{EAST}{WEST}"));
    assert_eq!(names(config.chosen(None).unwrap()), ["east", "west"]);
    assert_eq!(names(config.chosen(Some("west")).unwrap()), ["west"]);
    let problem = config.chosen(Some("north")).unwrap_err().to_string();
    assert_eq!(problem, "there is no group \"north\": there are east, west");
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, format!("{EAST}{WEST}")).unwrap();
    let config = ServiceConfig::read(&file).unwrap();
    assert_eq!(config.groups[0].cti.password_file, Some(folder.path().join("pw")));
    assert_eq!(config.groups[1].asterisk.as_ref().unwrap().secret_file, Some(folder.path().join("pw")));
}

#[test]
fn the_example_can_be_said_and_has_every_key() {
    let (_, groups) = EXAMPLE.split_once("# [[group]]").unwrap();
    let is_said = |line: &&str| {
        line.starts_with('[') && line.ends_with(']')
            || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = groups.lines().filter_map(|line| line.strip_prefix("# ").filter(is_said));
    let text = format!("address = \"10.0.0.2\"\n[[group]]\n{}\n", lines.collect::<Vec<_>>().join("\n"));
    let config = parse(&text);
    assert_eq!(names(&config.groups), ["east", "west"]);
    assert!(config.groups.iter().all(|group| group.candidates.is_some()));
    assert_eq!([1, 2].map(|number| served(&config, [10, 0, 0, number]).len()), [1, 2]);
    let message = error("[[group]]\nqqqqqqqqqqqqqqqq = 1\n");
    let (_, keys) = message.split_once("there are ").unwrap();
    for key in keys.split(", ") {
        let said = [format!("# {key} = "), format!("# [group.{key}]")];
        assert!(said.iter().any(|said| groups.contains(said)), "{key}");
    }
}

#[test]
fn what_the_readme_shows_can_be_said() {
    let lines = README.lines().skip_while(|line| *line != "    [[group]]");
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let all = "address = \"auto\"\n[election.candidates]\nnetworks = [\"10.99.0.0/24\"]\n";
    let config = parse(&format!("{all}{}", lines.map(str::trim).collect::<Vec<_>>().join("\n")));
    let of = |number| served(&config, [10, 99, 0, number]);
    assert_eq!([of(1), of(2), of(3)], [vec!["east"], vec!["east", "west"], vec!["west"]]);
}

#[test]
fn one_form_or_the_other() {
    let mixed = "[[group]]\nname = \"a\"\n";
    assert_eq!(
        error(&format!("[cti]\nuser = \"u\"\n{EAST}")),
        "site.toml:2: user = \"u\": there are [[group]] tables, too: move what is in [cti] to [group.cti] below the \
         [[group]] that it is for"
    );
    assert_eq!(
        error(&format!("{EAST}[[cti.managers]]\nname = \"cti1\"\naddress = \"10.1.0.6:2748\"\n")),
        "site.toml:7: name = \"cti1\": there are [[group]] tables, too: move what is in [cti] to [group.cti] below the \
         [[group]] that it is for"
    );
    assert_eq!(
        error(&format!("{EAST}[asterisk]\nsecret = \"xyzzy\"\n")),
        "site.toml:7: secret = <secret>: there are [[group]] tables, too: move what is in [asterisk] to [group.asterisk] \
         below the [[group]] that it is for"
    );
    assert_eq!(
        error(&format!("group = \"east\"\n{mixed}")),
        "site.toml:2: there is a group that is no [[group]] table, too: keep one of the two"
    );
    assert_eq!(
        error("[group]\nname = \"a\"\n"),
        "site.toml:1: a group is a [[group]] table, with two brackets at each end"
    );
    assert_eq!(
        error("group = []\n"),
        "site.toml: no group is named: add [[group]] with a name and the way to its call manager"
    );
    assert_eq!(
        error("group = 5\n"),
        "site.toml:1: group = 5: expected a text in double quotes, found an integer"
    );
}

#[test]
fn names_of_groups() {
    let named = |name: &str| error(&format!("{EAST}{}", WEST.replace("\"west\"", name)));
    assert_eq!(
        named("\"east\""),
        "site.toml:7: name = \"east\": another group has this name: give each a name of its own"
    );
    assert_eq!(
        named("\"a b\""),
        "site.toml:7: name = \"a b\": a group holds ' ', which is not allowed there"
    );
    assert_eq!(named("\"\""), "site.toml:7: name = \"\": a group is empty: give 1 to 64 characters");
    assert_eq!(named("7"), "site.toml:7: name = 7: expected a text in double quotes, found an integer");
    assert_eq!(
        error(&EAST.replace("name = \"east\"\n", "")),
        "site.toml:1: the group has no name: add name = \"NAME\""
    );
}

#[test]
fn a_mistake_is_told_with_the_line_of_its_group() {
    assert_eq!(
        error(&format!("{EAST}[[group]]\nname = \"west\"\n")),
        "site.toml:7: name = \"west\": no call manager is named: add [[group.cti.managers]] with name = \"cti1\" and \
         address = \"HOST:2748\", or [group.asterisk] with address = \"HOST:5038\""
    );
    let rows = [
        (
            WEST.replace("secret_file = \"pw\"\n", ""),
            "7: name = \"west\": the manager user has no secret: give secret or, better, secret_file in \
             [group.asterisk]",
        ),
        (
            WEST.replace("[group.asterisk]\n", "[[group.cti.managers]]\nname = \"cti1\"\n")
                .replace("secret_file = \"pw\"\n", ""),
            "7: name = \"west\": the CTI user has no password: give password or, better, password_file in [group.cti]",
        ),
        (
            WEST.replace("10.2.0.5:5038", "pbx"),
            "9: address = \"pbx\": expected host:port of the manager interface, like 10.0.0.5:5038",
        ),
        (
            WEST.replace("adress", "address") + "adress = \"pbx:1\"\n",
            "11: adress = \"pbx:1\": there is no such key here: did you mean `address`?",
        ),
        (
            WEST.to_owned() + "[group.cti]\npassword_file = \"pw\"\n",
            "12: password_file = \"pw\": this is for a CTIManager, and there is [group.asterisk]: move it there, or \
             remove it",
        ),
        (
            WEST.to_owned() + "[[group.cti.managers]]\nname = \"cti1\"\naddress = \"10.2.0.6:2748\"\n",
            "13: address = \"10.2.0.6:2748\": there is [group.asterisk], too: one group has one call manager, keep one \
             of the two",
        ),
    ];
    for (west, problem) in rows {
        assert_eq!(error(&format!("{EAST}{west}")), format!("site.toml:{problem}"));
    }
}

#[test]
fn nothing_that_is_reached_is_of_two_groups() {
    let again = EAST.replace("east", "north").replace(
        "managers = [{ name = \"cti1\", address = \"10.1.0.5:2748\" }]\n",
        "[[group.cti.managers]]\nname = \"a\"\naddress = \"10.1.0.6:2748\"\n\
         [[group.cti.managers]]\nname = \"b\"\naddress = \"10.1.0.5:2748\"\n",
    );
    assert_eq!(
        error(&format!("{EAST}{again}")),
        "site.toml:15: address = \"10.1.0.5:2748\": group east reaches its call manager here: each group has one of its own"
    );
    let south = WEST.replace("west", "south");
    assert_eq!(
        error(&format!("{WEST}{south}")),
        "site.toml:9: address = \"10.2.0.5:5038\": group west reaches its call manager here: each group has one of its own"
    );
    let push = |listen: &str, public: &str, keys: &str| {
        format!(
            "[group.asterisk.push]\npassword_file = \"pw\"\nlisten = \"{listen}\"\npublic = \"{public}\"\n\
             keys = \"{keys}\"\n"
        )
    };
    let west = format!("{WEST}{}", push("0.0.0.0:8188", "10.0.0.1:8188", "10.0.0.9:8188"));
    let south = |push: String| {
        format!("{west}{}{push}", WEST.replace("west", "south").replace("10.2.0.5", "10.2.0.6"))
    };
    parse(&south(push("0.0.0.0:8189", "10.0.0.1:8189", "10.0.0.9:8189")));
    let rows = [
        (push("127.0.0.1:8188", "10.0.0.1:8189", "10.0.0.9:8189"), "18: listen = \"127.0.0.1:8188\""),
        (push("0.0.0.0:8189", "10.0.0.1:8188", "10.0.0.9:8189"), "19: public = \"10.0.0.1:8188\""),
        (push("0.0.0.0:8189", "10.0.0.1:8189", "10.0.0.9:8188"), "20: keys = \"10.0.0.9:8188\""),
    ];
    for (push, statement) in rows {
        let problem = "the phones of group west are awaited there: give each group a port of its own";
        assert_eq!(error(&south(push)), format!("site.toml:{statement}: {problem}"));
    }
}

#[test]
fn candidates_that_nobody_is() {
    let of_west = |networks: &str| format!("{EAST}{}", with(WEST, &format!("candidates = {networks}")));
    assert_eq!(
        error(&of_west("[]")),
        "site.toml:8: candidates = []: nobody could serve this group: give networks, like [\"10.0.0.0/24\"], or leave \
         candidates out: then those of [election.candidates] count"
    );
    assert_eq!(
        error(&of_west("[\"10.0.0.1\"]")),
        "site.toml:8: candidates = [\"10.0.0.1\"]: expected networks, like [\"10.0.0.0/24\"]"
    );
    let all =
        "address = \"10.0.0.1\"\n[election.candidates]\nnetworks = [\"10.0.0.0/24\", \"10.0.2.0/24\"]\n";
    assert_eq!(
        error(&format!("{all}{}", of_west("[\"10.0.0.0/16\", \"10.0.1.0/24\"]"))),
        "site.toml:11: candidates = [\"10.0.0.0/16\", \"10.0.1.0/24\"]: no instance can have an address in 10.0.1.0/24: \
         those of all are in 10.0.0.0/24, 10.0.2.0/24, as [election.candidates] says"
    );
    let (east, west) = (
        with(EAST, "candidates = [\"10.0.0.2/32\"]"),
        with(WEST, "candidates = [\"10.0.0.4/31\", \"10.1.0.0/16\"]"),
    );
    assert_eq!(
        error(&format!("address = \"10.0.0.1\"\n{east}{west}")),
        "site.toml:1: address = \"10.0.0.1\": the instance at 10.0.0.1 may serve no group: east is for 10.0.0.2/32, west is \
         for 10.0.0.4/31 and 10.1.0.0/16; add a network that it is in to the candidates of one, or choose another address"
    );
}
