//! What another instance has begun, or this program before it was started anew: its screens' keys, and its recalls.

use super::*;

const ACTIVATED: &str = "<CiscoIPPhoneText><Title>CallBack</Title><Prompt>Please choose</Prompt>\
    <Text>CallBack is activated on 1002</Text>\
    <SoftKeyItem><Name>Cancel</Name><URL>UserDataSoftKey:Cancel:ringback:7-12</URL><Position>1</Position></SoftKeyItem>\
    <SoftKeyItem><Name>Exit</Name><URL>UserDataSoftKey:Exit:ringback:7-12</URL><Position>2</Position></SoftKeyItem>\
    </CiscoIPPhoneText>";

/// One that has shown this, and died.
fn left_behind(screens: &[&str]) -> BTreeMap<String, String> {
    let mut desk = Desk::up(600);
    for (screen, tag) in screens.iter().zip(1..) {
        desk.send(tag, None, screen);
    }
    desk.database
}

/// The next one, at the same server.
fn heir(database: BTreeMap<String, String>) -> Desk {
    let mut desk = Desk::up(600);
    desk.database = database;
    desk.told();
    desk.asked();
    desk
}

fn press(content: &str) -> ProviderEvent {
    ProviderEvent::DeviceData { device: device("1001"), content: content.to_owned() }
}

impl Desk {
    fn text(&mut self, text: &str) -> Vec<ProviderEvent> {
        self.event([("Event", "UserEvent"), ("UserEvent", "CallBackText"), ("From", "1001"), ("Text", text)]);
        self.until(self.now.0 + 100);
        self.told()
    }

    fn code(&mut self, position: &str) -> Vec<ProviderEvent> {
        let code = ("UserEvent", "CallBackSoftKey");
        self.event([("Event", "UserEvent"), code, ("Caller", "1001"), ("Position", position)]);
        self.told()
    }
}

#[test]
fn the_keys_of_a_screen_are_kept_at_the_server_as_long_as_it_is_up() {
    let key = "ringback-screen/1001";
    let kept = left_behind(&[AVAILABLE]);
    assert_eq!(kept, BTreeMap::from([(key.into(), "Dial:ringback:7-12".into())]));
    let kept = left_behind(&[AVAILABLE, ACTIVATED]);
    assert_eq!(kept[key], "Cancel:ringback:7-12 Exit:ringback:7-12");
    assert_eq!(left_behind(&[AVAILABLE, CLEAR]), BTreeMap::new());
    // What does not fit is not kept half.
    let long = ACTIVATED.replace("7-12", &format!("7-{}", "1".repeat(120)));
    assert_eq!(left_behind(&[AVAILABLE, &long]), BTreeMap::new());
}

#[test]
fn a_digit_means_what_was_shown_whoever_showed_it() {
    for (screen, keys) in [
        (AVAILABLE, &["Dial:ringback:7-12"][..]),
        (ACTIVATED, &["Cancel:ringback:7-12", "Exit:ringback:7-12"]),
    ] {
        let mut desk = heir(left_behind(&[screen]));
        for (key, position) in keys.iter().zip(1..) {
            assert_eq!(desk.text(&position.to_string()), [press(key)]);
            assert_eq!(desk.code(&position.to_string()), [press(key)]);
        }
        // There is no such key: a number, then.
        assert!(matches!(desk.text("7")[..], [ProviderEvent::FeatureInvoked(_)]));
        assert_eq!(desk.code("7"), []);
    }
    let mut desk = heir(BTreeMap::new());
    assert!(matches!(desk.text("1")[..], [ProviderEvent::FeatureInvoked(_)]));
    assert_eq!(desk.code("1"), []);
}

#[test]
fn what_this_instance_has_shown_since_is_what_counts() {
    let mut desk = heir(left_behind(&[AVAILABLE]));
    desk.send(9, None, ACTIVATED);
    assert_eq!(desk.text("1"), [press("Cancel:ringback:7-12")]);
}

#[test]
fn who_stands_by_or_does_not_want_the_phone_tells_no_key() {
    let mut desk = heir(left_behind(&[AVAILABLE]));
    desk.submit(Command::CloseDevice(device("1001")));
    assert_eq!(desk.text("1"), []);
    desk.submit(Command::Relinquish);
    assert_eq!((desk.text("1"), desk.code("1")), (vec![], vec![]));
}

#[test]
fn a_recall_that_rings_is_answered_at_the_next_instance_and_does_not_ring_twice() {
    let mut desk = heir(left_behind(&[AVAILABLE]));
    desk.channel("CoreShowChannel", "1001", RECALL, "5");
    assert_eq!((desk.send(3, Some(42), ALERT), desk.asked()), (vec![done(3)], vec![]), "it rings already");
    desk.channel("Newstate", "1001", RECALL, "6");
    assert_eq!(desk.told(), [press("Dial:ringback:7-12")]);
    desk.channel("Newstate", "1001", RECALL, "6");
    assert_eq!(desk.told(), [], "once");
    let (from, to) = (line_of(&device("1001")).unwrap(), DirectoryNumber::new("1002").unwrap());
    desk.submit(Command::MakeCall { tag: Tag(4), from, to, override_forwarding: false });
    let redirect =
        format!("Action: Redirect|Channel: {RECALL}|Context: ringback-recall|Exten: 1002|Priority: 1");
    assert_eq!(desk.asked(), [redirect]);
}

#[test]
fn a_recall_that_is_answered_while_nobody_acts_waits_for_who_does() {
    let mut desk = Desk::new(600);
    desk.database = left_behind(&[AVAILABLE]);
    desk.connect();
    desk.channel("Newchannel", "1001", RECALL, "5");
    desk.channel("Newstate", "1001", RECALL, "6");
    desk.told();
    desk.submit(Command::Assume(Epoch(2)));
    assert!(!desk.told().contains(&press("Dial:ringback:7-12")), "the phone is not wanted yet");
    desk.submit(Command::OpenDevice(device("1001")));
    desk.submit(Command::OpenLine(line_of(&device("1001")).unwrap()));
    let told = desk.told();
    assert_eq!(told.iter().filter(|event| **event == press("Dial:ringback:7-12")).count(), 1, "{told:?}");
}

#[test]
fn a_recall_that_another_instance_has_connected_is_a_call() {
    let mut desk = heir(left_behind(&[AVAILABLE]));
    desk.channel("Newchannel", "1001", RECALL, "5");
    desk.channel("Newstate", "1001", RECALL, "6");
    desk.told();
    let (channel, dest) = ("PJSIP/1001-00000001", "PJSIP/1002-00000002");
    desk.event([
        ("Event", "DialBegin"),
        ("Channel", channel),
        ("ChannelState", "6"),
        ("Uniqueid", RECALL),
        ("Linkedid", RECALL),
        ("Exten", "1002"),
        ("DestChannel", dest),
        ("DestChannelState", "0"),
        ("DestUniqueid", "99"),
        ("DestLinkedid", RECALL),
        ("DialString", "1002"),
    ]);
    desk.until(desk.now.0 + 100);
    let calls = desk.told().into_iter().filter_map(|event| match event {
        ProviderEvent::Call { at, info } if at.device == device("1001") => Some((info.state, info.called)),
        _ => None,
    });
    let called = DirectoryNumber::new("1002").ok();
    assert_eq!(calls.last(), Some((CallState::Proceeding, called)));
}

#[test]
fn what_is_pressed_while_the_first_questions_are_asked_is_told_after_the_link_is_up() {
    let mut desk = heir(left_behind(&[AVAILABLE]));
    desk.handle(Event::Lost(Loss::Closed));
    desk.told();
    // The test's server answers everything but what it tells by events.
    desk.handle(Event::Up { version: "9".into() });
    desk.event([("Event", "FullyBooted"), ("Uptime", "600")]);
    assert_eq!(desk.code("1"), []);
    desk.event([("Event", "UserEvent"), ("UserEvent", "RingbackProbe")]);
    desk.event([("Event", "DeviceStateChange"), ("Device", "Custom:ringback"), ("State", "INUSE")]);
    let told = desk.told();
    let place = |wanted: &dyn Fn(&ProviderEvent) -> bool| told.iter().position(wanted);
    let up = place(&|event| matches!(event, ProviderEvent::LinkUp { .. }));
    assert!(up.is_some() && up < place(&|event| *event == press("Dial:ringback:7-12")), "{told:?}");
}
