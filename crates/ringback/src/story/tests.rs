use ringback_callback::{AlertId, DeviceState, Ending, Input, Kind, Notice, Occupancy, Output, Phase};
use ringback_callback::{Record, SaveId, SoftKey, View};
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, LineId, Millis, Partition, RequestId, Timestamp,
    UtcOffset,
};

use super::Stories;

/// 2026-01-05, 14:02:00 UTC.
const START: Timestamp = Timestamp(1_767_621_720_000);

fn number(dn: &str) -> DirectoryNumber {
    DirectoryNumber::new(dn).unwrap()
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

fn at(name: &str, dn: &str) -> Appearance {
    Appearance { device: device(name), line: LineId::new(Partition::default(), number(dn)) }
}

fn id(number: u64) -> RequestId {
    RequestId { epoch: Epoch(1), number }
}

fn record(request: u64, caller: &str, dn: &str) -> Record {
    Record {
        id: id(request),
        caller: at(caller, dn),
        called: at("B", "1002").line,
        dialled: number("1002"),
        kind: Kind::Busy,
        since: START,
        expires: None,
        origin: None,
        phase: Phase::Waiting,
        cycle: None,
        alerts: 0,
        notified: None,
    }
}

/// Stories, and the second in which what comes happens.
#[derive(Default)]
struct Told {
    stories: Stories,
    second: u64,
}

impl Told {
    fn at(&mut self, second: u64) -> &mut Self {
        self.second = second;
        self
    }

    fn now(&self) -> Timestamp {
        START + Millis::from_secs(self.second)
    }

    fn heard(&mut self, input: Input) -> &mut Self {
        self.stories.heard(self.now(), Epoch(2), &input);
        self
    }

    fn wanted(&mut self, output: Output) -> &mut Self {
        self.stories.wanted(self.now(), &output);
        self
    }

    fn notice(&mut self, notice: Notice) -> &mut Self {
        self.wanted(Output::Notice(notice))
    }

    fn line(&mut self, phone: &str, occupancy: Occupancy) -> &mut Self {
        self.heard(Input::Line { at: at(phone, "1002"), occupancy, calls: None })
    }

    fn accept(&mut self, request: u64, caller: &str, dn: &str) -> &mut Self {
        let save = SaveId(request);
        self.wanted(Output::Save { save, record: record(request, caller, dn), replaces: None })
            .heard(Input::Saved(save))
            .notice(Notice::Accepted { request: id(request) })
    }

    fn story(&self, request: u64) -> String {
        self.stories.story(id(request)).map(|story| story.to_string()).unwrap_or_default()
    }
}

#[test]
fn a_request_from_its_key_to_its_end_in_the_time_of_the_callers_phone() {
    let mut told = Told::default();
    told.stories.set_offset(&device("A"), UtcOffset::from_minutes(-330).unwrap());
    let view = View::Available { dn: number("1002"), at: START };
    told.accept(1, "A", "1001")
        .wanted(Output::Show {
            device: device("A"),
            view: View::Activated { dn: number("1002") },
            about: Some(id(1)),
        })
        .line("B", Occupancy::InUse)
        .at(11)
        .line("B", Occupancy::Idle)
        .notice(Notice::Suspended { request: id(1) })
        .at(20)
        .notice(Notice::TurnStarted { request: id(1), until: START + Millis::from_secs(40) })
        .wanted(Output::Show { device: device("A"), view, about: Some(id(1)) })
        .wanted(Output::Alert { device: device("A"), alert: AlertId { request: id(1), number: 1 } })
        .heard(Input::LinkLost);
    let now = told.at(22).now();
    told.stories.link_up(now);
    told.wanted(Output::Notice(Notice::AlertRepeated { alert: AlertId { request: id(1), number: 1 } }))
        .wanted(Output::Alert { device: device("A"), alert: AlertId { request: id(1), number: 1 } })
        .heard(Input::Alerted { alert: AlertId { request: id(1), number: 1 }, delivered: true })
        .at(25)
        .heard(Input::ScreenKey { device: device("A"), key: SoftKey::Dial, about: Some(id(1)) })
        .wanted(Output::Dial {
            request: id(1),
            from: at("A", "1001"),
            dn: number("1002"),
            override_forwarding: true,
        })
        .at(26)
        .line("B", Occupancy::Ringing)
        .notice(Notice::Ended { request: id(1), how: Ending::Reached });
    assert_eq!(
        told.story(1),
        "request 1-1: A (1001) called 1002, who was busy
08:32:00 accepted and stored
08:32:00 your phone shows that CallBack is activated
08:32:00 1002 is off hook
08:32:11 1002 is on hook
08:32:11 not alerted: your phone was busy
08:32:20 1002 is available: it is your turn until 08:32:40
08:32:20 your phone shows that 1002 is available
08:32:20 alert 1 sent
08:32:20 the link to the call manager is lost
08:32:22 the link to the call manager is back
08:32:22 alert 1 sent again: it was in doubt whether your phone had it
08:32:22 alert 1 taken by your phone
08:32:25 you pressed Dial
08:32:25 1002 is called, forwarding overridden
08:32:26 1002 rings
08:32:26 ended: 1002 rings for you"
    );
    assert_eq!(told.stories.story(id(1)).unwrap().ending(), Some(Ending::Reached));
}

#[test]
fn a_shared_line_is_told_as_one_and_a_late_store_once() {
    let mut told = Told::default();
    told.accept(1, "A", "1001")
        .line("B", Occupancy::InUse)
        .line("B2", Occupancy::Idle)
        .at(1)
        .line("B2", Occupancy::InUse)
        .line("B", Occupancy::Idle)
        .at(2)
        .line("B2", Occupancy::Idle)
        .at(3)
        .wanted(Output::Save { save: SaveId(7), record: record(1, "A", "1001"), replaces: None })
        .heard(Input::SaveFailed(SaveId(7)))
        .wanted(Output::Save { save: SaveId(8), record: record(1, "A", "1001"), replaces: None })
        .heard(Input::SaveFailed(SaveId(8)))
        .at(5)
        .heard(Input::Saved(SaveId(8)))
        .at(6)
        .heard(Input::Device { device: device("B"), state: DeviceState::OutOfService })
        .heard(Input::Device { device: device("B2"), state: DeviceState::OutOfService });
    assert_eq!(
        told.story(1),
        "request 1-1: A (1001) called 1002, who was busy
14:02:00 accepted and stored
14:02:00 1002 is off hook
14:02:02 1002 is on hook
14:02:03 the request store does not answer: what follows is late
14:02:05 the request store has answered
14:02:06 1002 is not registered"
    );
}

#[test]
fn a_request_that_was_never_durable_has_no_story() {
    let mut told = Told::default();
    let save = SaveId(1);
    told.wanted(Output::Save { save, record: record(1, "A", "1001"), replaces: None })
        .heard(Input::SaveFailed(save))
        .wanted(Output::Revoke { save, request: id(1) });
    assert_eq!((told.story(1), told.stories.known()), (String::new(), Vec::new()));
}

#[test]
fn another_instance_goes_on_and_the_two_stories_are_joined() {
    let (mut first, mut second) = (Told::default(), Told::default());
    first.accept(1, "A", "1001");
    let now = first.at(3).now();
    first.stories.left(now);
    second.at(4).heard(Input::Restored(vec![record(1, "A", "1001")]));
    let joined = second.stories.story(id(1)).unwrap().joined(first.stories.story(id(1)).unwrap());
    assert_eq!(
        joined.to_string(),
        "request 1-1: A (1001) called 1002, who was busy
14:02:00 accepted and stored
14:02:03 this instance acts no more: another one goes on
14:02:04 taken over from the store in epoch 2"
    );
    // It comes back to the first.
    first.at(9).heard(Input::Restored(vec![record(1, "A", "1001")]));
    assert_eq!(first.stories.known(), [id(1)]);
    assert!(first.story(1).ends_with("14:02:09 taken over from the store in epoch 2"));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut told = Told::default();
    for request in 1..=1000 {
        told.accept(request, "A", "1001")
            .notice(Notice::Ended { request: id(request), how: Ending::Cancelled });
    }
    assert_eq!(told.stories.known(), (745..=1000).map(id).collect::<Vec<_>>());
    told.accept(1001, "A", "1001");
    for _ in 0..100 {
        told.line("B", Occupancy::InUse).line("B", Occupancy::Idle);
    }
    let story = told.stories.story(id(1001)).unwrap();
    assert_eq!((story.entries.len(), story.forgotten), (128, 73));
    assert!(story.to_string().contains("\n(the first 73 entries are forgotten)\n"));
}

#[test]
fn nothing_personal_is_printed_for_traces() {
    let mut told = Told::default();
    told.accept(1, "Ada", "1001").line("B", Occupancy::InUse);
    let debug = format!("{:?}", told.stories.story(id(1)).unwrap());
    assert!(!debug.contains("1001") && !debug.contains("1002") && !debug.contains("Ada"), "{debug}");
}
