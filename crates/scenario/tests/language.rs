//! The language as its reader sees it: what is accepted, what is refused with which words, and that what is
//! printed reads back the same.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use ringback_model::{DeviceName, DirectoryNumber, Locale, Millis, Partition};
use ringback_scenario::language::{
    Action, Condition, CtiManagerAction, Expectation, Key, NodeAction, Parameter, ParameterKind, PhoneAction,
    PhoneCondition, PhoneSetup, Rule, Running, Setting, Setup, SetupStatement, Step, StepStatement, Tone,
    Value,
};
use ringback_scenario::{Names, Scenario, parse, parse_action};

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn every_statement_of_the_language_reads_and_prints_back() {
    let text = r##"# covers: R1 R50
template Plain
template Full callback
pool Floor1 softkeys Plain
pool Floor2
phone A 1001
phone B 1002,"*70 #",1003 locale fr_FR softkeys Full pool Floor1 calls 2 partition Lab
phone "active" 1004
set "Call Back Recall Timer" = 30
set "Call Back Idle Guard" = 5s
set "Call Back Queue Policy" = all
node 10.0.0.10,10.0.0.9,fe80::1
ctimanager cti1,"nowhere"
A calls 1002
A calls "*70 #" on 1001
A answers
A hangs up
A hangs up 1002
A lifts
A replaces
A presses CallBack
A presses OK
A forwards all to 1003
A forwards nothing
A dnd on
A dnd off
A resets
A unregisters
A registers
A logs in
A logs out
"active" calls 1001
remove phone B
add phone C 1005
start node 10.0.0.7
stop node 10.0.0.7
kill node 10.0.0.9
pause node 10.0.0.9
resume node 10.0.0.9
cut node fe80::1
heal node fe80::1
stop ctimanager cti1
start ctimanager "nowhere"
freeze ctimanager cti1
stop database
start database
stop store
start store
set "Maximum Call Backs in all" = 2
wait 1h
expect A hears dialtone
expect A rings
expect A rings from 1002 within 250ms
expect A connected to 1002
expect A idle
expect A shows "CallBack is activated on 1002"
expect A shows "nothing"
expect A shows nothing
expect A prompts "Key Not Active"
expect A softkeys Dial Cancel Exit within 2s
expect A alerted
expect A alerted within 5s
expect A alerted 2 times
expect "active" idle
expect active 10.0.0.10
expect backups 10.0.0.10 fe80::1 within 10s
expect no active
expect 10.0.0.10 registered cti1
expect 10.0.0.10 registered "nowhere"
expect 10.0.0.10 registered nowhere
expect fe80::1 database up
expect fe80::1 database down
expect pending 0
expect queue 1002 A C
expect queue 1002
expect open devices 2
expect open lines 0
expect alarm CtiFailedOver
expect never A alerted 1 times for 10m
expect never queue 1002 A for 5s
"##;
    let scenario = parse(text).unwrap();
    assert_eq!(scenario.to_string(), text);
    assert_eq!(scenario.covers, [Rule(1), Rule(50)]);
    assert_eq!(scenario.setup[0].line, 2);
    assert_eq!(scenario.steps.last().unwrap().line, text.lines().count());
}

#[test]
fn mistakes_are_told_with_place_and_help() {
    for (text, message) in [
        ("expct", "1:1: expected a statement, found `expct`; did you mean `expect`?"),
        ("A calls 1002", "1:1: expected a declared phone, found `A`; declare it first: `phone NAME DN`"),
        (
            "phone A 1\nphone B 2\nC calls 1",
            "3:1: expected a declared phone (A, B), found `C`; declare it first: `phone NAME DN`",
        ),
        (
            "phone Anna 1\nexpect Ana idle",
            "2:8: expected a declared phone (Anna), found `Ana`; did you mean `Anna`?",
        ),
        (
            "phone A",
            "1:8: expected a directory number, found the end of the line; a number that holds # is put in quotes",
        ),
        ("phone A 1\nphone A 2", "2:7: expected a new phone's name, found `A`; it was declared in line 1"),
        (
            "phone A 1,1",
            "1:11: expected another directory number, found `1`; the phone has this line already",
        ),
        (
            "phone wait 1",
            "1:7: expected a new phone's name, found `wait`; that is a word of the language; as a name it is written \"wait\"",
        ),
        (
            "phone A 1 call 2",
            "1:11: expected `locale`, `softkeys`, `pool`, `calls` or `partition`, found `call`; did you mean `calls`?",
        ),
        ("phone A 1 calls 0", "1:17: expected a number of calls, at least 1, found `0`"),
        ("phone A 1 calls 2 calls 3", "1:19: expected `calls` once, found `calls`"),
        ("phone A 1 pool P", "1:16: expected a declared pool, found `P`; declare it: `pool P`"),
        ("phone A 1 softkeys T", "1:20: expected a declared template, found `T`; declare it: `template T`"),
        (
            "phone A 1\nwait 1s\nphone B 2",
            "3:1: expected an action or `expect`, found `phone`; set-up comes before the first action; later a phone is added with `add phone NAME DN`",
        ),
        ("node 10.0.0.300", "1:6: expected an IP address, found `10.0.0.300`"),
        (
            "node 10.0.0.1,10.0.0.1",
            "1:15: expected another IP address, found `10.0.0.1`; there is such an instance already",
        ),
        ("kill node 10.0.0.2", "1:11: expected the address of an instance (10.0.0.1), found `10.0.0.2`"),
        ("expect active 10.0.0.2", "1:15: expected the address of an instance (10.0.0.1), found `10.0.0.2`"),
        ("expect 10.0.0.300 database up", "1:8: expected an IP address, found `10.0.0.300`"),
        ("stop ctimanager cti2", "1:17: expected a CTIManager's name (cti1), found `cti2`"),
        ("stop", "1:5: expected `node`, `ctimanager`, `database` or `store`, found the end of the line"),
        ("pause store", "1:7: expected `node`, found `store`"),
        ("freeze node 10.0.0.1", "1:8: expected `ctimanager`, found `node`"),
        ("wait 5", "1:6: expected a duration (250ms, 5s, 3m, 2h), found `5`"),
        (
            "wait 99999999999999999999h",
            "1:6: expected a duration of at most 8760h, found `99999999999999999999h`",
        ),
        ("wait 1s 2s", "1:9: expected the end of the statement, found `2s`"),
        (
            "set \"Call Back Recal Timer\" = 5s",
            "1:5: expected a service parameter's name in double quotes, found \"Call Back Recal Timer\"; did you mean \"Call Back Recall Timer\"?",
        ),
        ("set \"Call Back Queue Policy\" = lifo", "1:32: expected fifo or all, found `lifo`"),
        ("set \"Call Back Queue Policy\" fifo", "1:30: expected `=`, found `fifo`"),
        (
            "set \"Call Back Recall Timer\" = soon",
            "1:32: expected a duration (250ms, 5s, 3m, 2h), or a number of seconds, found `soon`",
        ),
        ("set \"Maximum Call Backs in all\" = 5s", "1:35: expected a number, found `5s`"),
        (
            "phone A 1\nA presses Callback",
            "2:11: expected a softkey (CallBack, Dial, Cancel, Exit or OK), found `Callback`; did you mean `CallBack`?",
        ),
        (
            "phone A 1\nexpect A hears bussy",
            "2:16: expected a tone (busy, ringback, reorder, dialtone or silence), found `bussy`; did you mean `busy`?",
        ),
        ("phone A 1\nA hangs 2", "2:9: expected `up`, found `2`"),
        (
            "phone A 1\nexpect A shows nothng",
            "2:16: expected a text in double quotes, found `nothng`; put the whole text in double quotes",
        ),
        (
            "phone A 1\nexpect A softkeys",
            "2:18: expected a softkey (CallBack, Dial, Cancel, Exit or OK), found the end of the line",
        ),
        ("phone A 1\nexpect A alerted once", "2:18: expected a number of times, found `once`"),
        ("phone A 1\nexpect A alerted 1", "2:19: expected `times`, found the end of the line"),
        ("phone A 1\nexpect never A alerted", "2:23: expected `for`, found the end of the line"),
        (
            "phone A 1\nexpect never A alerted within 5s",
            "2:24: expected `for` and a duration, found `within`; `within` goes with `expect X`",
        ),
        (
            "phone A 1\nexpect A alerted for 5s",
            "2:18: expected `within`, or the end of the statement, found `for`; `for` goes with `expect never X`",
        ),
        (
            "phone A 1\nexpect within 5s A alerted",
            "2:8: expected what is expected, found `within`; the duration follows what is expected: `expect X within D`, `expect never X for D`",
        ),
        ("expect alarm ctiLost", "1:14: expected an alarm's name (like CtiLost), found `ctiLost`"),
        ("expect pendng 1", "1:8: expected a declared phone, found `pendng`; did you mean `pending`?"),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn an_unknown_parameter_brings_the_list() {
    let error = refused("set \"Volume\" = 5");
    for parameter in Parameter::ALL {
        assert!(error.contains(parameter.name), "{error}");
    }
}

#[test]
fn a_hash_outside_quotes_begins_a_comment_wherever_it_stands() {
    assert_eq!(parse("phone A 1\nA calls 12#3").unwrap().steps[0].what.to_string(), "A calls 12");
    assert_eq!(parse("phone A 1\nA calls \"12#3\"").unwrap().steps[0].what.to_string(), "A calls \"12#3\"");
}

#[test]
fn set_is_set_up_first_and_an_action_later() {
    let scenario = parse(
        "set \"Call Back Recall Timer\" = 5\nphone A 1\nexpect A idle\nset \"Call Back Recall Timer\" = 6\nwait 1s",
    )
    .unwrap();
    assert_eq!(scenario.setup.len(), 2);
    assert!(matches!(&scenario.steps[1].what, StepStatement::Action(Action::Set(_))));
}

#[test]
fn an_action_typed_at_the_prompt() {
    let mut names = parse("phone A 1001\nphone B 1002").unwrap().names();
    assert_eq!(parse_action("A calls 1002", &mut names).unwrap().unwrap().to_string(), "A calls 1002");
    assert_eq!(parse_action("  # nothing", &mut names), Ok(None));
    assert!(parse_action("set \"Call Back Idle Guard\" = 5s", &mut names).unwrap().is_some());
    assert!(parse_action("phone C 1003", &mut names).unwrap_err().hint.unwrap().contains("add phone"));
    assert!(parse_action("expect A idle", &mut names).is_err());
    assert!(parse_action("C lifts", &mut names).is_err());
    parse_action("add phone C 1003", &mut names).unwrap();
    assert!(parse_action("C lifts", &mut names).unwrap().is_some());
    let before = names.clone();
    assert!(parse_action("add phone D 1003 1004", &mut names).is_err());
    assert_eq!(names, before);
    assert!(parse_action("A lifts", &mut Names::new()).is_err());
}

fn text_without_quotes() -> impl Strategy<Value = String> {
    "[^\"\\n\\r]{0,12}"
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["A", "B", "never", "within", "10.0.0.1", "10.0.0.300", "two words", "#1", "a,b", "x=y"])
            .prop_map(str::to_owned),
        "[A-Za-z][A-Za-z0-9_-]{0,8}",
    ]
}

fn dn() -> impl Strategy<Value = DirectoryNumber> {
    "[0-9*#, ]{1,8}".prop_map(|text| DirectoryNumber::new(text).unwrap())
}

fn millis() -> impl Strategy<Value = Millis> {
    prop_oneof![0..10_000_u64, (0..100_u64).prop_map(|s| s * 1000), (0..8760_u64).prop_map(|h| h * 3_600_000)]
        .prop_map(Millis)
}

fn setting() -> impl Strategy<Value = Setting> {
    select(Parameter::ALL.iter().collect::<Vec<_>>()).prop_flat_map(|parameter| {
        let value = match parameter.kind {
            ParameterKind::Time(_) => {
                prop_oneof![any::<u64>().prop_map(Value::Number), millis().prop_map(Value::Duration)].boxed()
            }
            ParameterKind::Choice(words) => {
                select(words.to_vec()).prop_map(|word| Value::Word(word.to_owned())).boxed()
            }
            ParameterKind::Text => text_without_quotes().prop_map(Value::Word).boxed(),
            _ => any::<u64>().prop_map(Value::Number).boxed(),
        };
        value.prop_map(move |value| Setting { parameter, value })
    })
}

fn phone_setup(name: String) -> impl Strategy<Value = PhoneSetup> {
    (
        proptest::collection::btree_set(dn(), 1..3),
        option::of(select(vec!["en_US", "fr_FR"])),
        option::of(select(vec!["Full", "two words"])),
        option::of(select(vec!["softkeys", "P#"])),
        option::of(1..5_u32),
        option::of("[A-Za-z #]{0,5}"),
    )
        .prop_map(move |(lines, locale, template, pool, calls, partition)| PhoneSetup {
            name: DeviceName::new(&name).unwrap(),
            lines: lines.into_iter().collect(),
            locale: locale.map(|name| Locale::new(name).unwrap()),
            template: template.map(str::to_owned),
            pool: pool.map(str::to_owned),
            calls,
            partition: partition.map(|name| Partition::new(name).unwrap()),
        })
}

fn phone_action() -> impl Strategy<Value = PhoneAction> {
    prop_oneof![
        (dn(), option::of(dn())).prop_map(|(dn, on)| PhoneAction::Calls { dn, on }),
        option::of(dn()).prop_map(PhoneAction::HangsUp),
        option::of(dn()).prop_map(PhoneAction::Forwards),
        any::<bool>().prop_map(PhoneAction::DoNotDisturb),
        select(Key::ALL.to_vec()).prop_map(PhoneAction::Presses),
        select(vec![
            PhoneAction::Answers,
            PhoneAction::Lifts,
            PhoneAction::Replaces,
            PhoneAction::Resets,
            PhoneAction::Unregisters,
            PhoneAction::Registers,
            PhoneAction::LogsIn,
            PhoneAction::LogsOut,
        ]),
    ]
}

fn phone_condition() -> impl Strategy<Value = PhoneCondition> {
    prop_oneof![
        select(Tone::ALL.to_vec()).prop_map(PhoneCondition::Hears),
        option::of(dn()).prop_map(PhoneCondition::Rings),
        dn().prop_map(PhoneCondition::ConnectedTo),
        Just(PhoneCondition::Idle),
        option::of(text_without_quotes()).prop_map(PhoneCondition::Shows),
        text_without_quotes().prop_map(PhoneCondition::Prompts),
        vec(select(Key::ALL.to_vec()), 1..4).prop_map(PhoneCondition::SoftKeys),
        option::of(any::<u64>()).prop_map(PhoneCondition::Alerted),
    ]
}

fn step(
    phones: Vec<DeviceName>,
    nodes: Vec<std::net::IpAddr>,
    managers: Vec<String>,
) -> BoxedStrategy<StepStatement> {
    let phone = || select(phones.clone());
    let node = || select(nodes.clone());
    let manager = || select(managers.clone());
    let action = prop_oneof![
        4 => (phone(), phone_action()).prop_map(|(phone, does)| Action::Phone { phone, does }),
        1 => phone().prop_map(Action::RemovePhone),
        1 => (phone(), dn()).prop_map(|(name, dn)| Action::AddPhone { name, dn }),
        1 => (node(), select(NodeAction::ALL.to_vec())).prop_map(|(address, fault)| Action::Node { address, fault }),
        1 => (manager(), select(CtiManagerAction::ALL.to_vec()))
            .prop_map(|(name, fault)| Action::CtiManager { name, fault }),
        1 => select(Running::ALL.to_vec()).prop_map(Action::Database),
        1 => select(Running::ALL.to_vec()).prop_map(Action::Store),
        1 => setting().prop_map(Action::Set),
        1 => millis().prop_map(Action::Wait),
    ];
    let condition = prop_oneof![
        4 => (phone(), phone_condition()).prop_map(|(phone, is)| Condition::Phone { phone, is }),
        1 => node().prop_map(Condition::Active),
        1 => vec(node(), 1..3).prop_map(Condition::Backups),
        1 => Just(Condition::NoActive),
        1 => (node(), option::of(manager())).prop_map(|(address, at)| Condition::Registered { address, at }),
        1 => (node(), any::<bool>()).prop_map(|(address, up)| Condition::Database { address, up }),
        1 => any::<u64>().prop_map(Condition::Pending),
        1 => (dn(), vec(phone(), 0..3)).prop_map(|(dn, callers)| Condition::Queue { dn, callers }),
        1 => any::<u64>().prop_map(Condition::OpenDevices),
        1 => any::<u64>().prop_map(Condition::OpenLines),
        1 => "[A-Z][A-Za-z0-9]{0,8}".prop_map(Condition::Alarm),
    ];
    let expectation = prop_oneof![
        (condition.clone(), option::of(millis()))
            .prop_map(|(condition, within)| Expectation::Holds { condition, within }),
        (condition, millis()).prop_map(|(condition, during)| Expectation::Never { condition, during }),
    ];
    prop_oneof![action.prop_map(StepStatement::Action), expectation.prop_map(StepStatement::Expectation)]
        .boxed()
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let nodes = vec!["10.0.0.1", "10.0.0.10", "fe80::2"];
    let phones = proptest::collection::btree_set(name(), 1..4);
    (
        phones,
        subsequence(nodes, 1..=3),
        proptest::collection::btree_set(name(), 1..3),
        vec(setting(), 0..3),
        vec(any::<u16>(), 0..4),
    )
        .prop_flat_map(|(phones, nodes, managers, settings, covers)| {
            let devices = phones.iter().map(|name| DeviceName::new(name).unwrap()).collect();
            let nodes: Vec<std::net::IpAddr> = nodes.iter().map(|node| node.parse().unwrap()).collect();
            let managers: Vec<String> = managers.into_iter().collect();
            let steps = vec(step(devices, nodes.clone(), managers.clone()), 0..12);
            let phones: Vec<_> = phones.into_iter().map(phone_setup).collect();
            (phones, steps, Just((nodes, managers, settings, covers)))
        })
        .prop_map(|(phones, steps, (nodes, managers, settings, covers))| {
            let mut setup = vec![
                SetupStatement::Template { name: "Full".into(), callback: true },
                SetupStatement::Template { name: "two words".into(), callback: false },
                SetupStatement::Pool { name: "softkeys".into(), template: None },
                SetupStatement::Pool { name: "P#".into(), template: Some("Full".into()) },
                SetupStatement::Nodes(nodes),
                SetupStatement::CtiManagers(managers),
            ];
            setup.extend(phones.into_iter().map(SetupStatement::Phone));
            setup.extend(settings.into_iter().map(SetupStatement::Set));
            let first = 1 + usize::from(!covers.is_empty());
            // The first step is no `set`: that would be set-up.
            let wait = StepStatement::Action(Action::Wait(Millis(1)));
            let steps: Vec<_> = std::iter::once(wait).chain(steps).collect();
            let after = first + setup.len();
            Scenario {
                covers: covers.into_iter().map(Rule).collect(),
                setup: setup
                    .into_iter()
                    .enumerate()
                    .map(|(i, what)| Setup { line: first + i, what })
                    .collect(),
                steps: steps
                    .into_iter()
                    .enumerate()
                    .map(|(i, what)| Step { line: after + i, what })
                    .collect(),
            }
        })
}

/// Text that is nearly of the language, so that errors are met deep inside statements.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        select(vec![
            "expect",
            "never",
            "phone",
            "A",
            "B",
            "calls",
            "1002",
            "for",
            "within",
            "5s",
            "queue",
            "start",
            "node",
            "10.0.0.1",
            "10.0.0.",
            "ctimanager",
            "\"",
            "\"x y\"",
            ",",
            "=",
            "#",
            "set",
            "shows",
            "softkeys",
            "\"Call Back Recall Timer\"",
            "99999999999999999999h",
            "alerted",
            "times",
            "hangs",
            "up",
            "stop",
            "é",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    vec(vec(word, 0..7).prop_map(|words| words.join(" ")), 0..6)
        .prop_map(|lines| format!("phone A 1001\nphone B 1002\n{}", lines.join("\n")))
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_the_same(scenario in scenario()) {
        ringback_model::reveal_personal_data(true);
        let text = scenario.to_string();
        prop_assert_eq!(parse(&text), Ok(scenario), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in prop_oneof![any::<String>(), nearly()]) {
        match parse(&text) {
            Ok(scenario) => {
                let printed = scenario.to_string();
                prop_assert_eq!(parse(&printed).map(|scenario| scenario.to_string()), Ok(printed));
            }
            Err(error) => {
                let line = text.lines().nth(error.line - 1);
                prop_assert!(line.is_some_and(|line| error.column <= line.chars().count() + 1), "{}", error);
            }
        }
    }
}
