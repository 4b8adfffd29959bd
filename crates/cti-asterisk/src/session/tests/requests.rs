use super::super::{Failure, Loss};
use super::*;
use crate::ami::Message;

fn message(text: &[(&str, &str)]) -> Message {
    Message::from_headers(text.iter().copied())
}

fn respond(number: u64, rest: &str) -> String {
    format!("Response: Success\r\nActionID: ringback-1-{number}\r\n{rest}\r\n")
}

#[test]
fn nothing_is_sent_before_the_login() {
    let mut bench = Bench::connected(config());
    bench.request(1, "DeviceStateList");
    assert_eq!(bench.told(), [Event::Answer(Ticket(1), Err(Failure::NoLink))]);
    bench.receive(GREETING);
    bench.request(2, "DeviceStateList");
    assert_eq!(bench.told(), [Event::Answer(Ticket(2), Err(Failure::NoLink))]);
    assert!(!bench.sent().contains("DeviceStateList"));
}

#[test]
fn answers_find_their_actions_in_any_order() {
    let mut bench = Bench::up(config());
    bench.request(11, "A");
    bench.request(12, "B");
    assert_eq!(
        bench.sent(),
        "Action: A\r\nActionID: ringback-1-3\r\n\r\nAction: B\r\nActionID: ringback-1-4\r\n\r\n"
    );
    bench.receive("Response: Error\r\nActionID: ringback-1-4\r\nMessage: No such channel\r\n\r\n");
    bench.receive(&respond(3, ""));
    let ok = message(&[("Response", "Success"), ("ActionID", "ringback-1-3")]);
    assert_eq!(
        bench.told(),
        [
            Event::Answer(Ticket(12), Err(Failure::Refused("No such channel".into()))),
            Event::Answer(Ticket(11), Ok(ok))
        ]
    );
    // A second answer, one to nobody, and one of another link.
    bench.receive(&respond(3, ""));
    bench.receive(&respond(99, ""));
    bench.receive("Response: Success\r\nActionID: ringback-7-4\r\n\r\nResponse: Success\r\n\r\n");
    assert_eq!(bench.told(), []);
}

/// The server does one action after the other.
#[test]
fn a_call_overtakes_texts_that_wait_and_nothing_else() {
    let mut bench = Bench::up(config());
    for (ticket, name) in
        [(1, "MessageSend"), (2, "Hangup"), (3, "MessageSend"), (4, "SendText"), (5, "Originate")]
    {
        bench.request(ticket, name);
    }
    bench.request(6, "Originate");
    bench.request(7, "MessageSend");
    let sent = bench.sent();
    let order: Vec<&str> = sent.lines().filter_map(|line| line.strip_prefix("Action: ")).collect();
    let expected =
        ["MessageSend", "Hangup", "Originate", "Originate", "MessageSend", "SendText", "MessageSend"];
    assert_eq!(order, expected);
}

/// A server that makes a call and sends a text at the same time makes the call later.
#[test]
fn texts_wait_until_the_phone_that_is_being_called_rings() {
    let rings = "Event: Newstate\r\nUniqueid: c1\r\n\r\n";
    let other = rings.replace("c1", "c2");
    let over = rings.replace("Newstate", "Hangup");
    let refused = "Response: Error\r\nActionID: ringback-1-3\r\n\r\n";
    let begun = rings.replace("Newstate", "Newchannel");
    // What is heard, when the texts go, and whether that is because of it.
    for (heard, goes) in [(rings, 5), (&over, 5), (refused, 5), (&other, 20), (&begun, 20)] {
        let mut bench = Bench::up(config());
        let names = |sent: String| -> Vec<String> {
            sent.lines().filter_map(|line| line.strip_prefix("Action: ").map(str::to_owned)).collect()
        };
        bench.request(1, "MessageSend");
        let call = Action::new("Originate").unwrap().header("ChannelId", "c1").unwrap();
        bench.session.request(bench.now, Ticket(2), "Originate", call).unwrap();
        bench.request(3, "Hangup");
        bench.request(4, "SendText");
        assert_eq!(names(bench.sent()), ["Originate", "Hangup"], "{heard}");
        assert!(bench.session.next_timeout() <= Timestamp(20), "{heard}");
        bench.until(5);
        bench.receive(heard);
        assert_eq!(names(bench.sent()).len(), if goes == 5 { 2 } else { 0 }, "{heard}");
        bench.until(20);
        let more = names(bench.sent());
        assert_eq!(more, if goes == 20 { vec!["MessageSend", "SendText"] } else { vec![] }, "{heard}");
        assert!(bench.session.next_timeout() > Timestamp(20), "{heard}");
    }
}

#[test]
fn a_missing_permission_is_named() {
    let mut bench = Bench::up(config());
    bench.request(1, "Originate");
    bench.sent();
    bench.receive("Response: Error\r\nActionID: ringback-1-3\r\nMessage: Permission denied\r\n\r\n");
    let told = bench.told();
    assert_eq!(told, [Event::Answer(Ticket(1), Err(Failure::NotPermitted("Originate")))]);
    assert_eq!(
        Failure::NotPermitted("Originate").to_string(),
        "the manager user may not do \"Originate\": give it the write class for it in manager.conf"
    );
}

#[test]
fn lists_come_part_by_part_between_other_events() {
    let mut bench = Bench::up(config());
    bench.request(5, "DeviceStateList");
    bench.sent();
    bench.receive(&respond(3, "EventList: start\r\nMessage: Device State Changes will follow\r\n"));
    bench.receive("Event: DeviceStateChange\r\nActionID: ringback-1-3\r\nDevice: PJSIP/1\r\n\r\n");
    bench.receive("Event: Newchannel\r\nUniqueid: 7\r\n\r\n");
    bench.receive("Event: DeviceStateListComplete\r\nActionID: ringback-1-3\r\nEventList: Complete\r\n\r\n");
    let event = |name| ("Event", name);
    let id = ("ActionID", "ringback-1-3");
    assert_eq!(
        bench.told(),
        [
            Event::Listed(Ticket(5), message(&[event("DeviceStateChange"), id, ("Device", "PJSIP/1")])),
            Event::Message(message(&[event("Newchannel"), ("Uniqueid", "7")])),
            Event::Answer(
                Ticket(5),
                Ok(message(&[event("DeviceStateListComplete"), id, ("EventList", "Complete")]))
            ),
        ]
    );
}

#[test]
fn what_an_action_causes_later_is_an_event() {
    let mut bench = Bench::up(config());
    bench.request(5, "Originate");
    bench.sent();
    bench.receive(&respond(3, "Message: Originate successfully queued\r\n"));
    assert_eq!(bench.told().len(), 1);
    bench.receive("Event: OriginateResponse\r\nActionID: ringback-1-3\r\nReason: 4\r\n\r\n");
    assert!(matches!(&bench.told()[..], [Event::Message(_)]));
}

#[test]
fn what_timed_out_while_it_waited_never_reaches_the_wire() {
    let mut narrow = config();
    narrow.in_flight = 1;
    let mut bench = Bench::up(narrow);
    bench.request(1, "First");
    bench.request(2, "Second");
    assert_eq!(bench.sent(), "Action: First\r\nActionID: ringback-1-3\r\n\r\n");
    bench.until(5_000);
    assert_eq!(
        bench.told(),
        [Event::Answer(Ticket(2), Err(Failure::Expired)), Event::Answer(Ticket(1), Err(Failure::Unknown))]
    );
    assert_eq!(bench.sent(), "");
    bench.receive(&respond(3, ""));
    assert_eq!(bench.told(), [], "too late");
    bench.request(4, "Third");
    assert_eq!(bench.sent(), "Action: Third\r\nActionID: ringback-1-4\r\n\r\n");
}

#[test]
fn bytes_of_which_none_was_taken_are_taken_back() {
    for (taken, failure) in [(0, Failure::Expired), (1, Failure::Unknown)] {
        let mut bench = Bench::up(config());
        bench.request(1, "First");
        let now = bench.now;
        let _taken = bench.session.transmit(now).split_to(taken);
        bench.until(5_000);
        assert_eq!(bench.told(), [Event::Answer(Ticket(1), Err(failure))]);
        // What was begun is finished, or the server would take the rest for another action.
        assert_eq!(bench.sent().is_empty(), taken == 0);
    }
}

#[test]
fn a_loss_tells_each_action_what_became_of_it_before_it_is_told_itself() {
    let mut narrow = config();
    narrow.in_flight = 2;
    let mut bench = Bench::up(narrow);
    (1..=3).for_each(|ticket| bench.request(ticket, "X"));
    let now = bench.now;
    let first = bench.session.transmit(now).len();
    let _taken = bench.session.transmit(now).split_to(first);
    assert!(!bench.session.transmit(now).is_empty(), "the second is ready, untouched");
    bench.session.closed(now, Attempt(1));
    let answer = |ticket, failure| Event::Answer(Ticket(ticket), Err(failure));
    assert_eq!(
        bench.told(),
        [
            answer(1, Failure::Unknown),
            answer(2, Failure::NoLink),
            answer(3, Failure::NoLink),
            Event::Lost(Loss::Closed)
        ]
    );
    assert_eq!(bench.sent(), "");
}

#[test]
fn too_many_waiting_actions_are_refused() {
    let mut narrow = config();
    (narrow.in_flight, narrow.waiting) = (1, 2);
    let mut bench = Bench::up(narrow);
    (1..=3).for_each(|ticket| bench.request(ticket, "X"));
    assert_eq!(bench.told(), [Event::Answer(Ticket(3), Err(Failure::TooMany(2)))]);
}

#[test]
fn who_takes_events_too_slowly_is_told_and_loses_no_answer() {
    let mut narrow = config();
    narrow.backlog = 3;
    let mut bench = Bench::up(narrow);
    bench.request(1, "X");
    bench.sent();
    let event = "Event: A\r\n\r\n";
    bench.receive(&[event, event, &respond(3, ""), event, event, event].concat());
    let a = || Event::Message(message(&[("Event", "A")]));
    let told = bench.told();
    assert!(matches!(told[0], Event::Answer(Ticket(1), Ok(_))));
    assert_eq!(told[1..], [Event::Lagged, a(), a()]);
    bench.receive(&[event, event, event].concat());
    assert_eq!(bench.told(), [a(), a(), a()]);
}

#[test]
fn an_action_without_room_for_its_id_is_refused() {
    let mut bench = Bench::up(config());
    let mut action = Action::new("Originate").unwrap();
    for _ in 1..Action::MAX_HEADERS {
        action = action.header("Variable", "v=1").unwrap();
    }
    assert!(bench.session.request(bench.now, Ticket(1), "Originate", action).is_err());
    assert_eq!((bench.told(), bench.sent().as_str()), (vec![], ""));
}
