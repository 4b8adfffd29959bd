//! Recorded answers in, findings out. The recording is of the files in `examples/asterisk`, with two phones.

use ringback_model::Timestamp;

use super::answers::{Answers, Question};
use super::dialplan::example;
use super::needs::MODULES;
use super::{Blind, Site, findings, reasons};
use crate::ami::{Item, Limits, Message, MessageKind, Parser};
use crate::session::{Failure, Loss};

const RECORDED: &str = include_str!("tests/asterisk22.txt");
/// When it was recorded.
const NOW: Timestamp = Timestamp(1_795_405_592_470);

fn site() -> Site {
    Site { from: Some([10, 0, 0, 7].into()), ..Site::new("127.0.0.1:5038", "ringback") }
}

/// The recording, with both phones registered.
fn good() -> String {
    RECORDED.replace("DeviceState: Unavailable", "DeviceState: Not in use")
}

fn messages(text: &str) -> Vec<Message> {
    let wire = format!("Asterisk Call Manager/11.0.0\n{}\n\n", text.trim_end()).replace('\n', "\r\n");
    let mut items = Vec::new();
    Parser::new(Limits::default()).feed(wire.as_bytes(), &mut items).unwrap();
    items
        .into_iter()
        .filter_map(|item| if let Item::Message(message) = item { Some(message) } else { None })
        .collect()
}

fn question(title: &str) -> Option<Question> {
    let (word, rest) = title.split_once(' ').unwrap_or((title, ""));
    Some(match word {
        "commands" => Question::Commands,
        "user" => Question::User("ringback".to_owned()),
        "settings" => Question::Settings,
        "clock" => Question::Clock,
        "endpoints" => Question::Endpoints,
        "endpoint" => Question::Endpoint(rest.to_owned()),
        "hints" => Question::Hints,
        "dialplan" => Question::Dialplan,
        "raise" => Question::RaiseEvent,
        "change" => Question::ChangeState("INUSE"),
        "module" => Question::Module(MODULES.into_iter().find(|module| module.name == rest).unwrap()),
        "events" => return None,
        other => panic!("{other}"),
    })
}

/// What was recorded, as the session tells it.
fn answers(text: &str) -> Answers {
    let mut answers = Answers::default();
    for part in text.split("## ").skip(1) {
        let (title, said) = part.split_once('\n').unwrap();
        let question = question(title);
        for message in messages(said) {
            match (&question, message.kind()) {
                (Some(question), MessageKind::Response("Error")) => {
                    let failure = match message.get("Message") {
                        Some("Permission denied") => Failure::NotPermitted(question.name()),
                        why => Failure::Refused(why.unwrap_or_default().to_owned()),
                    };
                    answers.answered(NOW, question, Err(&failure));
                }
                (Some(question), _) if message.get("EventList") == Some("Complete") => {
                    answers.answered(NOW, question, Ok(&message));
                }
                (Some(_), MessageKind::Response(_)) if message.get("EventList").is_some() => {}
                (Some(question), MessageKind::Response(_)) => answers.answered(NOW, question, Ok(&message)),
                (_, MessageKind::Event("UserEvent" | "DeviceStateChange" | "FullyBooted")) => {
                    answers.heard(&message)
                }
                (Some(question), _) => answers.listed(question, &message),
                _ => {}
            }
        }
    }
    answers
}

fn told_of(site: &Site, text: &str) -> String {
    let findings = findings(site, &answers(text));
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What is found when this is changed in the recording.
fn told(edits: &[(&str, &str)]) -> String {
    let text = edits.iter().fold(good(), |text, (old, new)| {
        assert!(text.contains(old), "the recording has no {old:?}");
        text.replace(old, new)
    });
    told_of(&site(), &text)
}

/// The recording with another answer to one question.
fn instead(title: &str, said: &str) -> String {
    let text = good();
    let start = text.find(&format!("## {title}\n")).unwrap();
    let end = text[start + 3..].find("## ").map_or(text.len(), |at| start + 3 + at);
    format!("{}## {title}\n{said}\n\n{}", &text[..start], &text[end..])
}

#[test]
fn the_contexts_of_the_example_are_told_without_comments() {
    assert_eq!(example("ringback-nowhere"), ["[ringback-nowhere]", "exten => _[0-9*#+]!,1,Hangup(1)"]);
    for name in ["ringback-features", "ringback-recall", "ringback-messages"] {
        let lines = example(name);
        assert!(lines.len() > 3 && lines[0] == format!("[{name}]"), "{lines:?}");
        assert!(
            lines[1..].iter().all(|line| line.starts_with("exten => ") || line.starts_with(" same => n")),
            "{lines:?}"
        );
    }
    assert!(example("ringback-features").iter().any(|line| line.contains("UserEvent(CallBackKey,")));
    assert!(example("ringback-messages").iter().any(|line| line.contains("UserEvent(CallBackText,")));
}

#[test]
fn a_good_site_needs_no_change() {
    assert_eq!(told(&[]), "");
    let both = Site { notifications: true, ..site() };
    assert_eq!(told_of(&both, &good()), "");
    let answers = answers(&good());
    assert_eq!(answers.phones().collect::<Vec<_>>(), ["1001", "1002"]);
    assert_eq!(answers.version(), Some("22.10.1+dfsg+~cs6.17.60671434-1"));
    assert!(answers.has_heard_all());
}

#[test]
fn phones_that_are_not_registered_are_only_noted() {
    assert_eq!(
        told_of(&site(), RECORDED),
        "note: not registered at the moment, so that nobody is called back there until they are: 1001, 1002"
    );
}

#[test]
fn versions() {
    const RECORDED: &str = "AsteriskVersion: 22.10.1+dfsg+~cs6.17.60671434-1";
    let of = |version: &str| told(&[(RECORDED, &format!("AsteriskVersion: {version}"))]);
    for good in
        ["16.28.0~dfsg-0+deb11u10", "certified/20.7-cert1", "GIT-22-abc123", "18.9", "certified-18.9-cert4"]
    {
        assert_eq!(of(good), "", "{good}");
    }
    assert_eq!(
        of("13.38.3"),
        "Asterisk 13.38.3 is too old: Call Back needs 16 to 22\n  the server:\n    install Asterisk 22"
    );
    assert_eq!(of("23.1"), "note: Call Back has not been tried with Asterisk 23.1, but with 16 to 22");
    assert_eq!(of("master"), "note: Call Back has not been tried with Asterisk master, but with 16 to 22");
}

#[test]
fn write_classes() {
    let text = good();
    let line = |name: &str| text.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
    let without = |names: &[&str]| {
        let edits: Vec<(&str, &str)> = names.iter().map(|name| (line(name), "Nothing: nothing")).collect();
        told(&edits)
    };
    assert_eq!(
        without(&["MessageSend"]),
        "the manager user ringback lacks the write class message: it may not do MessageSend (to send texts)\n  \
         manager.conf, [ringback]:\n    write = system,call,originate,message,user,reporting\n  \
         then: asterisk -rx 'manager reload'"
    );
    assert!(
        without(&["Originate", "ShowDialPlan", "Redirect"]).starts_with(
            "the manager user ringback lacks the write classes originate, call, reporting: it may not do Originate (to \
             recall and to call back), Redirect (to connect a recall), ShowDialPlan (to see the dialplan)\n"
        ),
    );
    let silent = Site { texts: false, ..site() };
    assert_eq!(told_of(&silent, &text.replace(line("MessageSend"), "Nothing: nothing")), "");
}

#[test]
fn an_action_whose_module_is_missing_is_no_permission() {
    let text = instead("module res_manager_devicestate.so", "Response: Error\nMessage: Module not loaded");
    let line = text.lines().find(|line| line.starts_with("DeviceStateList: ")).unwrap().to_owned();
    assert_eq!(
        told_of(
            &site(),
            &text.replace(&line, "Nothing: nothing").replace("Event: DeviceState", "Event: Other")
        ),
        "modules are not loaded: res_manager_devicestate.so (the states of the phones cannot be read)\n  \
         modules.conf, [modules]:\n    load = res_manager_devicestate.so\n  \
         then: restart Asterisk, or load them with asterisk -rx 'module load NAME'"
    );
}

#[test]
fn events_that_do_not_arrive() {
    let event = "Event: UserEvent\nPrivilege: user,all\nUserEvent: RingbackDoctor\n\n";
    assert_eq!(
        told(&[(event, "")]),
        "the manager user ringback is not told events of the class user (feature codes, texts): one was made to happen, and \
         did not arrive\n  manager.conf, [ringback]:\n    read = system,call,user\n    \
         ; and no eventfilter line that holds them back\n  then: asterisk -rx 'manager reload'"
    );
    assert!(
        told(&[("Event: FullyBooted", "Event: Other"), ("Event: DeviceStateChange", "Event: Other")]).starts_with(
            "the manager user ringback is not told events of the classes system (that the server has booted, \
             registrations), call (calls, device states): "
        )
    );
    // What was not made to happen need not arrive.
    let text = instead("raise", "Response: Error\nMessage: Permission denied");
    assert_eq!(told_of(&site(), &text), "");
}

/// The recording with these lines in the section of the manager user.
fn filtered(lines: &[&str]) -> String {
    let lines = lines.iter().zip(9..).map(|(line, nth)| format!("Line-000000-{nth:06}: {line}\n"));
    let section = "Response: Success\nCategory-000000: ringback\nLine-000000-000000: secret=x\n".to_owned();
    instead("user", &(section + &lines.collect::<String>()))
}

#[test]
fn a_filter_that_holds_one_event_back() {
    let text = filtered(&["eventfilter=!Event: RTCP", "eventfilter=!Event: Newchannel"]);
    assert_eq!(
        told_of(&site(), &text),
        "event filters of the manager user ringback hold back Newchannel: without it ringback does not see all that phones \
         do\n  remove from manager.conf, [ringback]:\n    eventfilter = !Event: Newchannel\n  \
         then: asterisk -rx 'manager reload'"
    );
    assert_eq!(told_of(&site(), &filtered(&["eventfilter=!Event: RTCP"])), "");
    let of_others =
        filtered(&["eventfilter(action(exclude),header(Channel),method(starts_with))=PJSIP/1003-"]);
    assert_eq!(told_of(&site(), &of_others), "");
}

#[test]
fn filters_that_let_only_some_events_pass() {
    let lines = ["eventfilter=Event: ([^RU]|UserEvent)", "eventfilter=!Event: Hangup"];
    assert_eq!(
        told_of(&site(), &filtered(&lines)),
        "event filters of the manager user ringback hold back Rename, HangupRequest, Hangup: without them ringback does not see all that \
         phones do\n  remove from manager.conf, [ringback]:\n    eventfilter = !Event: Hangup\n  \
         manager.conf, [ringback]:\n    eventfilter = Event: Rename\n  then: asterisk -rx 'manager reload'"
    );
    assert_eq!(
        told_of(&site(), &filtered(&["eventfilter(colour(red))=x"])),
        "note: what these event filters of the manager user ringback hold back is not known: eventfilter(colour(red)) = x"
    );
}

#[test]
fn a_class_is_not_blamed_for_what_a_filter_holds_back() {
    let text = filtered(&["eventfilter=!UserEvent: "]);
    let event = "Event: UserEvent\nPrivilege: user,all\nUserEvent: RingbackDoctor\n\n";
    assert!(text.contains(event));
    assert_eq!(
        told_of(&site(), &text.replace(event, "")),
        "event filters of the manager user ringback hold back UserEvent: without it ringback does not see all that phones \
         do\n  remove from manager.conf, [ringback]:\n    eventfilter = !UserEvent:\n  \
         then: asterisk -rx 'manager reload'"
    );
}

#[test]
fn hints_and_endpoints() {
    assert_eq!(
        told(&[(
            "Exten: 1002\nContext: phones\nHint: PJSIP/1002",
            "Exten: 1002\nContext: phones\nHint: Custom:x"
        )]),
        "an endpoint is without a hint, so that nobody can be called back there, nor from there: 1002\n  \
         extensions.conf, [phones]:\n    exten => 1002,hint,PJSIP/1002\n  then: asterisk -rx 'dialplan reload'"
    );
    assert_eq!(
        told(&[(
            "Exten: 1002\nContext: phones\nHint: PJSIP/1002",
            "Exten: 1002\nContext: phones\nHint: PJSIP/1002&PJSIP/77\n\nEvent: ExtensionStatus\nExten: 1003\nContext: phones\nHint: PJSIP/1003"
        )]),
        "1003 has a hint, but no endpoint is behind it\n  \
         remove from extensions.conf, [phones]:\n    exten => 1003,hint,PJSIP/1003\n  \
         or pjsip.conf:\n    [1003]  ; endpoint, auth and aor 1003\n  then: asterisk -rx 'dialplan reload'"
    );
    // Where no phone dials: it stands in a sample of the server's package.
    let sample = "Event: ExtensionStatus\nExten: 1000\nContext: demo\nHint: SIP/1000\n\nEvent: ExtensionStateListComplete";
    assert_eq!(told(&[("Event: ExtensionStateListComplete", sample)]), "");
    // An endpoint may have another name than its number, if its calls say which it is.
    let berta = [
        ("ObjectName: 1002", "ObjectName: berta"),
        ("## endpoint 1002", "## endpoint berta"),
        ("Hint: PJSIP/1002", "Hint: PJSIP/berta"),
    ];
    assert_eq!(
        told(&berta),
        "berta is the phone of 1002, and its calls do not say so: do not disturb and forwarding are set for berta, and whom \
         it calls back sees berta\n  pjsip.conf, [berta]:\n    set_var = NUMBER=1002\n  \
         then: asterisk -rx 'module reload res_pjsip.so'"
    );
    assert_eq!(told(&[&berta[..], &[("SetVar: ", "SetVar: X=1,NUMBER=1002")]].concat()), "");
    let empty = instead("endpoints", "Response: Error\nMessage: No endpoints found");
    let empty =
        empty.replace("## endpoint 1001", "## endpoint x").replace("ObjectType: endpoint", "ObjectType: x");
    assert_eq!(
        told_of(&site(), &empty),
        "the server has no endpoints: there is no phone to be called back\n  pjsip.conf:\n    \
         ; as in examples/asterisk/pjsip.conf\n  then: asterisk -rx 'module reload res_pjsip.so'"
    );
}

#[test]
fn a_line_to_another_server_is_no_phone() {
    let trunk =
        "Event: EndpointList\nObjectType: endpoint\nObjectName: carrier\nDeviceState: Unavailable\n\n";
    assert_eq!(told(&[("Event: EndpointListComplete", &format!("{trunk}Event: EndpointListComplete"))]), "");
}

#[test]
fn settings_of_phones() {
    assert_eq!(
        told(&[("DeviceStateBusyAt: 0", "DeviceStateBusyAt: 1")]),
        "device_state_busy_at is set for 1001, 1002: a phone that only rings may be told to be busy\n  \
         pjsip.conf, [1001]:\n    device_state_busy_at = 0\n  pjsip.conf, [1002]:\n    device_state_busy_at = 0\n  \
         then: asterisk -rx 'module reload res_pjsip.so'"
    );
    assert_eq!(
        told(&[("MessageContext: ringback-messages", "MessageContext: ")]),
        "texts of 1001, 1002 do not reach ringback\n  \
         pjsip.conf, [1001]:\n    message_context = ringback-messages\n  \
         pjsip.conf, [1002]:\n    message_context = ringback-messages\n  \
         then: asterisk -rx 'module reload res_pjsip.so'"
    );
}

#[test]
fn features_that_cannot_be_dialled() {
    assert_eq!(
        told(&[("IncludeContext: ringback-features", "IncludeContext: ringback-feature")]),
        "the CallBack key (*66 and a number) cannot be dialled in the context phones, where 1001, 1002 dial\n  \
         extensions.conf, [phones]:\n    include => ringback-features\n  then: asterisk -rx 'dialplan reload'"
    );
    assert_eq!(
        told(&[("Context: ringback-nowhere\nExtension", "Context: somewhere\nExtension")]),
        "a phone that dials a number that is nobody's is not seen to be used in the context phones, where 1001, 1002 \
         dial\n  extensions.conf:\n    [ringback-nowhere]\n    exten => _[0-9*#+]!,1,Hangup(1)\n  \
         then: asterisk -rx 'dialplan reload'"
    );
    assert_eq!(
        told(&[("\nContext: phones\nRtp", "\nContext: office\nRtp")]),
        "1001, 1002 dial in the context office, which is not in the dialplan\n  extensions.conf:\n    [office]\n  \
         then: asterisk -rx 'dialplan reload'"
    );
}

#[test]
fn recalls_and_texts_that_lead_nowhere() {
    assert_eq!(
        told(&[("Context: ringback-recall", "Context: recalls")]),
        format!(
            "recalls begin in the context ringback-recall, and there is no extension recall there\n  extensions.conf:\n    \
             {}\n  then: asterisk -rx 'dialplan reload'",
            example("ringback-recall").join("\n    ")
        )
    );
    let other = Site { recall_context: "recalls".to_owned(), ..site() };
    assert_eq!(told_of(&other, &good().replace("Context: ringback-recall", "Context: recalls")), "");
    assert!(told_of(&other, &good()).contains("    [recalls]\n    exten => recall,1,"));
    assert_eq!(
        told(&[("AppData: phones,${EXTEN},1", "AppData: internal,${EXTEN},1")]),
        "[ringback-recall] dials in the context internal, which is not in the dialplan: no call back reaches anybody\n  \
         extensions.conf, [ringback-recall], instead of Goto(internal,${EXTEN},1):\n     \
         same => n,Goto(phones,${EXTEN},1)\n  then: asterisk -rx 'dialplan reload'"
    );
    let silent = told(&[("AppData: CallBackText", "AppData: Text")]);
    assert!(
        silent.starts_with(
            "no context takes the texts of phones: they cannot answer a screen by text\n  extensions.conf:\n    \
             [ringback-messages]\n    exten => _[a-zA-Z0-9*#+]!,1,"
        ),
        "{silent}"
    );
}

#[test]
fn without_a_look_at_the_dialplan_only_the_permission_is_told() {
    let text = instead("dialplan", "Response: Error\nMessage: Permission denied");
    let line = text.lines().find(|line| line.starts_with("ShowDialPlan: ")).unwrap().to_owned();
    assert_eq!(
        told_of(&site(), &text.replace(&line, "Nothing: nothing")),
        "the manager user ringback lacks the write class reporting: it may not do ShowDialPlan (to see the dialplan)\n  \
         manager.conf, [ringback]:\n    write = system,call,originate,message,user,reporting\n  \
         then: asterisk -rx 'manager reload'"
    );
}

#[test]
fn clocks() {
    assert_eq!(told(&[("Timestamp: 1795405592", "Timestamp: 1795405594")]), "");
    assert_eq!(
        told(&[("Timestamp: 1795405592", "Timestamp: 1795405502")]),
        "the server's clock is 90 s behind this machine's: the time on screens is not that on the phones, and traces \
         cannot be compared\n  both machines:\n    timedatectl set-ntp true"
    );
    assert!(
        told(&[("Timestamp: 1795405592", "Timestamp: 1795405602")])
            .starts_with("the server's clock is 10 s ahead of")
    );
}

fn reason(site: &Site, loss: Loss) -> String {
    reasons(site, &Blind::Link(loss)).to_string()
}

#[test]
fn links_that_do_not_come_up() {
    let tls = Site { tls: true, ..site() };
    let connect = |why: &str| Loss::Connect(why.to_owned());
    let refused = reason(&site(), Loss::LoginRefused("Authentication failed".to_owned()));
    let (_, advice) = refused.split_once('\n').unwrap();
    assert_eq!(
        advice,
        "  manager.conf, [ringback]:\n    secret = ...  ; as in ringback's file\n    permit = 10.0.0.7/255.255.255.255\n  \
         or ringback's file, [asterisk]:\n    user = \"...\"  # a section of manager.conf\n    secret_file = \"...\"\n  \
         then: asterisk -rx 'manager reload'"
    );
    assert_eq!(
        reason(&site(), connect("pbx:5038: Connection refused")),
        "cannot connect: pbx:5038: Connection refused\n  \
         ringback's file, [asterisk]:\n    address = \"HOST:PORT\"  # where the server is\n  \
         or manager.conf, [general]:\n    enabled = yes\n    bindaddr = 0.0.0.0\n    port = 5038\n  \
         then: asterisk -rx 'manager reload'"
    );
    let rows = [
        ("TLS: invalid peer certificate: UnknownIssuer", "ringback's file, [asterisk.tls]:\n    ca_file = "),
        (
            "TLS: invalid peer certificate: NotValidForName",
            "ringback's file, [asterisk.tls]:\n    server_name = ",
        ),
        ("TLS: invalid peer certificate: Expired", "manager.conf, [general]:\n    tlscertfile = "),
        ("TLS: received corrupt message", "ringback's file, [asterisk]:\n    address = \"127.0.0.1:5039\""),
        (
            "connection refused",
            "or manager.conf, [general]:\n    enabled = yes\n    tlsbindaddr = 0.0.0.0:5038\n    tlsenable = yes",
        ),
    ];
    for (why, advice) in rows {
        let told = reason(&tls, connect(why));
        assert!(told.contains(advice), "{told}");
    }
    assert!(
        reason(&site(), Loss::Closed).contains("if that is the port of tlsbindaddr:\n    [asterisk.tls]")
    );
    assert!(reason(&tls, Loss::Closed).contains("address = \"HOST:PORT\""));
    assert_eq!(reason(&site(), Loss::GivenUp("x".to_owned())), "given up: x");
}
