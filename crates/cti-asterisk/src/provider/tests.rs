//! The provider as a machine, against exact actions and reports. What real servers send is in `tests/real`.

mod control;
mod elsewhere;
mod errands;

use std::collections::BTreeMap;

use ringback_cti::message::{Activity, Answer, CallState, CtiError, DeviceStatus};
use ringback_cti::{Command, DataId, LinkLoss, ProviderEvent, RequestFailure, Tag};
use ringback_model::{DeviceName, DirectoryNumber, Epoch, Millis, Timestamp, reveal_personal_data};

use super::config::Config;
use super::core::{Core, Do};
use crate::ami::Message;
use crate::directory::Shared;
use crate::map::line_of;
use crate::session::{self, Event, Failure, Loss, Ticket};

/// The machine, and the answers of a server that does what it is told.
struct Desk {
    core: Core,
    now: Timestamp,
    uptime: u64,
    started: &'static str,
    /// Numbers, and the phones behind them.
    hints: [(&'static str, &'static str); 2],
    /// What is refused.
    refuses: &'static [&'static str],
    /// The server's database.
    database: BTreeMap<String, String>,
    /// What was asked for since it was looked at.
    asked: Vec<String>,
    told: Vec<ProviderEvent>,
}

fn message<const N: usize>(headers: [(&str, &str); N]) -> Message {
    Message::from_headers(headers)
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

impl Desk {
    fn new(uptime: u64) -> Self {
        reveal_personal_data(true);
        let server = session::Server::new("pbx", "here", "cti", "secret".into());
        let config = Config::new(session::Config::new(server));
        let core = Core::new(config, Shared::default());
        let (now, started) = (Timestamp(1000), "day 1");
        let hints = [("1001", "1001"), ("1002", "1002")];
        let database = BTreeMap::new();
        Self {
            core,
            now,
            uptime,
            started,
            hints,
            refuses: &[],
            database,
            asked: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Acting, with the phones 1001 and 1002 open.
    fn up(uptime: u64) -> Self {
        let mut desk = Self::new(uptime);
        desk.submit(Command::Assume(Epoch(1)));
        for name in ["1001", "1002"] {
            desk.submit(Command::OpenDevice(device(name)));
            desk.submit(Command::OpenLine(line_of(&device(name)).unwrap()));
        }
        desk.connect();
        desk
    }

    fn connect(&mut self) {
        self.handle(Event::Up { version: "9".into() });
        let uptime = self.uptime.to_string();
        self.event([("Event", "FullyBooted"), ("Uptime", &uptime)]);
        self.event([("Event", "UserEvent"), ("UserEvent", "RingbackProbe")]);
        self.event([("Event", "DeviceStateChange"), ("Device", "Custom:ringback"), ("State", "INUSE")]);
    }

    fn handle(&mut self, event: Event) {
        self.core.handle(self.now, event);
        self.run();
    }

    fn event<const N: usize>(&mut self, headers: [(&str, &str); N]) {
        self.handle(Event::Message(message(headers)));
    }

    fn submit(&mut self, command: Command) {
        self.core.submit(self.now, command);
        self.run();
    }

    fn until(&mut self, now: u64) {
        while let Some(due) = self.core.next_wakeup().filter(|due| due.0 <= now) {
            self.now = due.max(self.now);
            self.core.poll(self.now);
            self.run();
        }
        self.now = Timestamp(now);
    }

    fn run(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Do::Ask(ticket, name, action) => {
                    self.answer(ticket, name, &String::from_utf8_lossy(&action.to_bytes()))
                }
                Do::Report(event) => self.told.push(event),
                Do::Run(tag, device, errand) => {
                    self.asked.push(format!("{} {errand:?}", device.as_str()));
                    self.core.errand_ended(tag, Ok(()));
                }
                Do::GiveUp(why) => self.core.handle(self.now, Event::Lost(Loss::GivenUp(why))),
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, name: &str, action: &str) {
        let lists: &[Message] = match name {
            "PJSIPShowEndpoints" => &["1001", "1002"].map(|name| {
                message([("Event", "EndpointList"), ("ObjectName", name), ("DeviceState", "Not in use")])
            }),
            "ExtensionStateList" => &self.hints.map(|(number, name)| {
                message([("Event", "ExtensionStatus"), ("Exten", number), ("Hint", &format!("PJSIP/{name}"))])
            }),
            _ => &[],
        };
        let header = |key: &str| {
            let found = action.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            found.unwrap_or_default().to_owned()
        };
        let place = format!("{}/{}", header("Family"), header("Key"));
        let found = match name {
            "DBPut" => self.database.insert(place, header("Val")),
            "DBDel" => self.database.remove(&place),
            _ => self.database.get(&place).cloned(),
        };
        let value = found.as_ref().map(|value| message([("Event", "DBGetResponse"), ("Val", value)]));
        let lists = if name == "DBGet" { value.as_slice() } else { lists };
        for part in lists {
            self.core.handle(self.now, Event::Listed(ticket, part.clone()));
        }
        let result = match name {
            "DBGet" | "DBDel" if found.is_none() => Err(Failure::Refused("Database entry not found".into())),
            name if self.refuses.contains(&name) => Err(Failure::Refused("no".into())),
            "ListCommands" => Ok(Message::from_headers(
                [
                    "CoreStatus",
                    "DeviceStateList",
                    "CoreShowChannels",
                    "PJSIPShowEndpoints",
                    "ExtensionStateList",
                    "Originate",
                ]
                .into_iter()
                .chain(["Redirect", "Hangup", "Setvar", "MessageSend", "UserEvent"])
                .map(|name| (name, "")),
            )),
            "CoreStatus" => Ok(message([("Response", "Success"), ("CoreStartupDate", self.started)])),
            _ => Ok(message([("Response", "Success")])),
        };
        if ["Originate", "Redirect", "Hangup", "Setvar", "MessageSend", "SendText"].contains(&name)
            && !action.contains("DEVICE_STATE")
        {
            self.asked.push(action.trim_end().replace("\r\n", "|"));
        }
        self.core.handle(self.now, Event::Answer(ticket, result));
    }

    fn told(&mut self) -> Vec<ProviderEvent> {
        std::mem::take(&mut self.told)
    }

    fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }

    fn opened(&mut self, name: &str) -> bool {
        self.told()
            .iter()
            .any(|e| matches!(e, ProviderEvent::LineOpened { at, .. } if at.device == device(name)))
    }

    /// A channel of a phone comes to be, or changes.
    fn channel(&mut self, event: &str, name: &str, id: &str, state: &str) {
        let channel = format!("PJSIP/{name}-00000001");
        self.event([
            ("Event", event),
            ("Channel", &channel),
            ("ChannelState", state),
            ("Exten", "9"),
            ("Uniqueid", id),
            ("Linkedid", id),
        ]);
    }

    fn hangup(&mut self, name: &str, id: &str) {
        let channel = format!("PJSIP/{name}-00000001");
        self.event([("Event", "Hangup"), ("Channel", &channel), ("Uniqueid", id), ("Cause", "16")]);
    }

    fn send(&mut self, tag: u64, id: Option<u128>, content: &str) -> Vec<ProviderEvent> {
        let content = content.to_owned();
        self.submit(Command::SendData { tag: Tag(tag), device: device("1001"), id: id.map(DataId), content });
        self.told()
    }
}

const AVAILABLE: &str = "<CiscoIPPhoneText><Title>CallBack</Title><Prompt>Please choose</Prompt>\
    <Text>1002 has become available\nTime 14:00</Text>\
    <SoftKeyItem><Name>Dial</Name><URL>UserDataSoftKey:Dial:ringback:7-12</URL><Position>1</Position></SoftKeyItem>\
    </CiscoIPPhoneText>";
const ALERT: &str =
    r#"<CiscoIPPhoneExecute><ExecuteItem Priority="0" URL="Play:CallBack.raw"/></CiscoIPPhoneExecute>"#;
const CLEAR: &str =
    r#"<CiscoIPPhoneExecute><ExecuteItem Priority="0" URL="Init:Services"/></CiscoIPPhoneExecute>"#;
const RECALL: &str = "ringback-recall-0000000000000000000000000000002a";

fn done(tag: u64) -> ProviderEvent {
    ProviderEvent::Answer { tag: Tag(tag), result: Ok(Answer::Done) }
}

#[test]
fn a_long_running_server_is_believed_and_one_just_started_is_not() {
    let mut desk = Desk::up(120);
    assert!(desk.opened("1002"));
    let mut desk = Desk::up(100);
    assert!(!desk.opened("1002"));
    desk.until(1000 + 19_999);
    assert!(!desk.opened("1002"));
    desk.until(1000 + 20_000);
    assert!(desk.opened("1002"), "the two minutes are over");
}

#[test]
fn a_line_that_is_used_is_believed_at_once_and_stays_believed_until_the_next_start() {
    let mut desk = Desk::up(0);
    assert!(!desk.opened("1002"));
    desk.channel("Newchannel", "1002", "5", "4");
    let told = desk.told();
    let Some(ProviderEvent::LineOpened { calls, .. }) =
        told.iter().find(|e| matches!(e, ProviderEvent::LineOpened { .. }))
    else {
        panic!("{told:?}")
    };
    assert!(calls[0].state.is_off_hook());
    desk.hangup("1002", "5");
    desk.until(3000);
    assert!(
        desk.told()
            .iter()
            .any(|e| matches!(e, ProviderEvent::Call { info, .. } if info.state == CallState::Idle))
    );
    // The link alone.
    desk.handle(Event::Lost(Loss::Closed));
    desk.connect();
    assert!(desk.opened("1002"));
    // The server, too.
    desk.handle(Event::Lost(Loss::Closed));
    desk.started = "day 2";
    desk.connect();
    assert!(!desk.opened("1002"));
}

#[test]
fn a_server_that_is_started_again_within_the_same_second_is_not_taken_for_the_same() {
    let mut desk = Desk::up(0);
    desk.channel("Newchannel", "1002", "5", "4");
    desk.hangup("1002", "5");
    desk.told();
    desk.handle(Event::Lost(Loss::Closed));
    desk.connect();
    assert!(!desk.opened("1002"));
}

#[test]
fn ringing_alone_proves_nothing() {
    let mut desk = Desk::up(0);
    desk.channel("Newchannel", "1002", "ringing", "5");
    desk.hangup("1002", "ringing");
    desk.until(5000);
    assert!(!desk.opened("1002"));
}

#[test]
fn a_phone_that_a_restarted_server_has_forgotten_is_missed_before_it_is_gone() {
    let mut desk = Desk::up(600);
    desk.told();
    desk.handle(Event::Lost(Loss::Closed));
    (desk.started, desk.uptime) = ("day 2", 0);
    desk.handle(Event::Up { version: "9".into() });
    desk.event([("Event", "DeviceStateChange"), ("Device", "PJSIP/1001"), ("State", "UNAVAILABLE")]);
    desk.event([("Event", "FullyBooted"), ("Uptime", "0")]);
    desk.event([("Event", "UserEvent"), ("UserEvent", "RingbackProbe")]);
    desk.event([("Event", "DeviceStateChange"), ("Device", "Custom:ringback"), ("State", "INUSE")]);
    let gone = ProviderEvent::Device { device: device("1001"), status: None };
    assert!(!desk.told().contains(&gone));
    desk.until(1000 + 120_000);
    assert!(desk.told().contains(&gone));
}

#[test]
fn a_recall_rings_once_under_its_id_and_its_answer_is_the_key_dial() {
    let mut desk = Desk::up(600);
    desk.told();
    assert_eq!(desk.send(1, None, AVAILABLE), [done(1)]);
    assert_eq!(
        desk.asked(),
        ["Action: MessageSend|To: pjsip:1001|From: \"Call Back\" <sip:ringback@pbx>|\
          Body: 1002 has become available; Time 14:00; 1=Dial"]
    );
    assert_eq!(desk.send(2, Some(42), ALERT), [], "the server has only said that it will");
    assert_eq!(
        desk.asked(),
        [format!(
            "Action: Originate|Channel: PJSIP/1001|ChannelId: {RECALL}|Context: ringback-recall|Exten: recall|\
             Priority: 1|CallerID: \"Call Back 1002\" <1002>|Timeout: 20000|Async: true"
        )]
    );
    assert_eq!((desk.send(3, Some(42), ALERT), desk.asked()), (vec![], vec![]), "it is about to ring");
    // It rings, which is no call of the phone's; it is picked up.
    desk.channel("Newchannel", "1001", RECALL, "0");
    assert_eq!(desk.told(), []);
    desk.channel("Newstate", "1001", RECALL, "5");
    assert_eq!(desk.told(), [done(2), done(3)]);
    assert_eq!((desk.send(5, Some(42), ALERT), desk.asked()), (vec![done(5)], vec![]), "it rings already");
    desk.channel("Newstate", "1001", RECALL, "6");
    let press = ProviderEvent::DeviceData { device: device("1001"), content: "Dial:ringback:7-12".into() };
    assert_eq!(desk.told(), [press]);
    // The service dials: the recall becomes the call.
    let (from, to) = (line_of(&device("1001")).unwrap(), DirectoryNumber::new("1002").unwrap());
    desk.submit(Command::MakeCall { tag: Tag(4), from, to, override_forwarding: true });
    assert_eq!(
        desk.asked(),
        [
            format!("Action: Setvar|Channel: {RECALL}|Variable: __RINGBACK_OVERRIDE|Value: 1"),
            format!("Action: Redirect|Channel: {RECALL}|Context: ringback-recall|Exten: 1002|Priority: 1")
        ]
    );
    desk.until(1100);
    let told = desk.told();
    let made = told.iter().find_map(|event| match event {
        ProviderEvent::Answer { tag: Tag(4), result: Ok(Answer::CallMade(call)) } => Some(*call),
        _ => None,
    });
    let reported = told.iter().find_map(|event| match event {
        ProviderEvent::Call { info, .. } => Some((info.call, info.state)),
        _ => None,
    });
    assert_eq!(reported, made.map(|call| (call, CallState::Proceeding)), "{told:#?}");
}

#[test]
fn a_recall_whose_server_dies_before_the_phone_rings_is_in_doubt() {
    let unknown = |tag| ProviderEvent::Answer { tag: Tag(tag), result: Err(RequestFailure::OutcomeUnknown) };
    // Ordered; and a channel was made, but the phone has not been heard of.
    for made in [false, true] {
        let mut desk = Desk::up(600);
        desk.told();
        desk.send(2, Some(42), ALERT);
        if made {
            desk.channel("Newchannel", "1001", RECALL, "0");
        }
        desk.handle(Event::Lost(Loss::Closed));
        assert!(desk.told().contains(&unknown(2)));
    }
    let mut desk = Desk::up(600);
    desk.send(2, Some(42), ALERT);
    desk.channel("Newchannel", "1001", RECALL, "5");
    assert!(desk.told().contains(&done(2)));
    desk.handle(Event::Lost(Loss::Closed));
    assert!(!desk.told().contains(&unknown(2)));
}

#[test]
fn a_recall_is_answered_for_when_it_is_over_or_takes_too_long() {
    let mut desk = Desk::up(600);
    desk.told();
    desk.send(2, Some(42), ALERT);
    desk.channel("Newchannel", "1001", RECALL, "0");
    desk.hangup("1001", RECALL);
    assert_eq!(desk.told(), [done(2)]);
    let mut desk = Desk::up(600);
    desk.told();
    desk.send(2, Some(42), ALERT);
    desk.until(1000 + 4_999);
    assert_eq!(desk.told(), []);
    desk.until(1000 + 5_000);
    assert_eq!(desk.told(), [done(2)]);
}

#[test]
fn a_recall_stops_when_its_screen_goes() {
    let mut desk = Desk::up(600);
    desk.send(1, None, AVAILABLE);
    desk.send(2, Some(42), ALERT);
    desk.channel("Newchannel", "1001", RECALL, "5");
    desk.asked();
    desk.send(3, None, CLEAR);
    assert_eq!(desk.asked(), [format!("Action: Hangup|Channel: {RECALL}")]);
}

#[test]
fn a_recall_that_is_never_heard_of_can_be_ordered_again() {
    let mut desk = Desk::up(600);
    desk.send(1, Some(42), ALERT);
    assert_eq!(desk.asked().len(), 1);
    desk.until(1000 + 24_999);
    desk.send(2, Some(42), ALERT);
    assert_eq!(desk.asked(), [""; 0]);
    desk.until(1000 + 25_000);
    desk.send(3, Some(42), ALERT);
    assert_eq!(desk.asked().len(), 1);
}

#[test]
fn a_recall_from_before_the_link_was_lost_is_known_again() {
    let mut desk = Desk::up(600);
    desk.send(1, None, AVAILABLE);
    desk.send(2, Some(42), ALERT);
    desk.channel("Newchannel", "1001", RECALL, "5");
    desk.handle(Event::Lost(Loss::Closed));
    desk.connect();
    desk.told();
    desk.asked();
    // As the listing of calls tells it.
    desk.channel("CoreShowChannel", "1001", RECALL, "5");
    desk.until(2000);
    assert_eq!(desk.told(), [], "no call of its user's");
    assert_eq!((desk.send(3, Some(42), ALERT), desk.asked()), (vec![done(3)], vec![]), "it still rings");
    desk.channel("Newstate", "1001", RECALL, "6");
    let press = ProviderEvent::DeviceData { device: device("1001"), content: "Dial:ringback:7-12".into() };
    assert_eq!(desk.told(), [press]);
}

#[test]
fn a_call_rings_its_own_phone_first_and_is_made_when_it_is_heard_of() {
    let mut desk = Desk::up(600);
    desk.told();
    let (from, to) = (line_of(&device("1001")).unwrap(), DirectoryNumber::new("1002").unwrap());
    desk.submit(Command::MakeCall { tag: Tag(1), from, to, override_forwarding: false });
    let asked = desk.asked().remove(0);
    let id = asked.split('|').find_map(|header| header.strip_prefix("ChannelId: ")).unwrap().to_owned();
    assert!(asked.contains("|Exten: 1002|") && !asked.contains("OVERRIDE"), "{asked}");
    assert_eq!(desk.told(), []);
    desk.channel("Newchannel", "1001", &id, "0");
    desk.until(1100);
    let told = desk.told();
    let made = told
        .iter()
        .any(|event| matches!(event, ProviderEvent::Answer { tag: Tag(1), result: Ok(Answer::CallMade(_)) }));
    assert!(made, "{told:?}");
    let state = |event: &ProviderEvent| match event {
        ProviderEvent::Call { info, .. } => {
            Some((info.state, info.called.as_ref().map(|dn| dn.as_str().to_owned())))
        }
        _ => None,
    };
    assert_eq!(told.iter().find_map(state), Some((CallState::Offering, Some("1002".into()))));
}

#[test]
fn commands_that_cannot_be_carried_out_say_why() {
    let mut desk = Desk::new(600);
    let result = |told: Vec<ProviderEvent>| match told.into_iter().last() {
        Some(ProviderEvent::Answer { result, .. }) => result.unwrap_err(),
        other => panic!("{other:?}"),
    };
    assert_eq!(result(desk.send(1, None, AVAILABLE)), RequestFailure::StandingBy);
    desk.submit(Command::Assume(Epoch(1)));
    let never = RequestFailure::NeverSent(LinkLoss::Connect("not tried yet".into()));
    assert_eq!(result(desk.send(2, None, AVAILABLE)), never);
    desk.connect();
    assert_eq!(result(desk.send(3, None, AVAILABLE)), RequestFailure::Refused(CtiError::DeviceNotOpen));
    desk.submit(Command::OpenDevice(device("1001")));
    let big = "x".repeat(2001);
    assert_eq!(result(desk.send(4, None, &big)), RequestFailure::Refused(CtiError::DataSizeLimitExceeded));
    assert_eq!(result(desk.send(5, None, "<What/>")), RequestFailure::Refused(CtiError::DataRejected));
    desk.refuses = &["MessageSend"];
    assert_eq!(result(desk.send(6, None, AVAILABLE)), RequestFailure::Refused(CtiError::DataRejected));
}

#[test]
fn a_text_that_is_not_taken_beside_a_call_is_sent_within_it() {
    let mut desk = Desk::up(600);
    desk.channel("Newchannel", "1001", "5", "6");
    desk.refuses = &["MessageSend"];
    desk.told();
    assert_eq!(desk.send(1, None, AVAILABLE), [done(1)]);
    let names: Vec<String> =
        desk.asked().iter().map(|action| action.split('|').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["Action: MessageSend", "Action: SendText"]);
}

#[test]
fn a_server_that_delivers_no_events_is_of_no_use() {
    let mut desk = Desk::new(600);
    desk.handle(Event::Up { version: "9".into() });
    desk.event([("Event", "FullyBooted"), ("Uptime", "600")]);
    desk.event([("Event", "UserEvent"), ("UserEvent", "RingbackProbe")]);
    desk.until(1000 + Millis::from_secs(5).0);
    let [ProviderEvent::LinkFailed { reason: LinkLoss::Unfit(why), .. }] = &desk.told()[..] else {
        panic!("no word")
    };
    let expected = "events of class call are not delivered: in manager.conf, section [cti], make the line \"read = \
                    system,call,user\", remove eventfilter lines that hold them back, then run: asterisk -rx 'manager reload'";
    assert_eq!(why, expected);
}

/// A number is given to another phone: the line of before is none of that phone's any more, and the new one is.
#[test]
fn a_phone_may_get_another_number() {
    let mut desk = Desk::up(600);
    desk.told();
    desk.hints = [("1001", "1001"), ("2002", "1002")];
    desk.event([("Event", "UserEvent"), ("UserEvent", "CallBackSetting")]);
    let (old, phone) = (line_of(&device("1002")).unwrap(), device("1002"));
    let idle = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
    let status = ProviderEvent::Device { device: phone, status: Some(idle) };
    let refused = ProviderEvent::LineRefused { at: old.clone(), reason: CtiError::UndefinedLine };
    assert_eq!(desk.told(), [status, refused]);
    let mut new = old;
    new.line.dn = DirectoryNumber::new("2002").unwrap();
    desk.submit(Command::OpenLine(new.clone()));
    assert_eq!(desk.told(), [ProviderEvent::LineOpened { at: new, calls: vec![] }]);
}

/// It was changed after the first answer and before the last: it is read again, and so is what is changed later.
#[test]
fn a_setting_that_changes_while_the_first_questions_are_asked_is_read() {
    let mut desk = Desk::new(600);
    desk.submit(Command::Assume(Epoch(1)));
    desk.handle(Event::Up { version: "9".into() });
    desk.event([("Event", "FullyBooted"), ("Uptime", "600")]);
    desk.event([("Event", "UserEvent"), ("UserEvent", "RingbackProbe")]);
    let numbered = |number| {
        let mut at = line_of(&device("1002")).unwrap();
        at.line.dn = DirectoryNumber::new(number).unwrap();
        at
    };
    desk.hints = [("1001", "1001"), ("2002", "1002")];
    desk.event([("Event", "UserEvent"), ("UserEvent", "CallBackSetting")]);
    desk.event([("Event", "DeviceStateChange"), ("Device", "Custom:ringback"), ("State", "INUSE")]);
    desk.submit(Command::OpenDevice(device("1002")));
    desk.told();
    for number in ["2002", "3002"] {
        desk.hints = [("1001", "1001"), (number, "1002")];
        if number != "2002" {
            desk.event([("Event", "UserEvent"), ("UserEvent", "CallBackSetting")]);
            desk.told();
        }
        desk.submit(Command::OpenLine(numbered(number)));
        assert_eq!(desk.told(), [ProviderEvent::LineOpened { at: numbered(number), calls: vec![] }]);
        assert!(!desk.core.waits().iter().any(|(waits, _)| *waits));
    }
}
