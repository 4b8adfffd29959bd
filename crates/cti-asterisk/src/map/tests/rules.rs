//! One rule of the mapping each, in streams of a few events.

use ringback_cti::message::{Activity, Cause, DeviceStatus, FeatureInvocation};
use ringback_model::DirectoryNumber;

use super::super::Expected;
use super::super::events::call_named;
use super::*;

fn event<const N: usize>(name: &str, headers: [(&str, &str); N]) -> Message {
    Message::from_headers([("Event", name)].into_iter().chain(headers))
}

/// The number of a channel state.
fn number(state: &str) -> &'static str {
    match state {
        "Down" => "0",
        "Ring" => "4",
        "Ringing" => "5",
        _ => "6",
    }
}

/// An event of the channel `id` of a phone. `exten` tells a call that the phone began from one to it.
pub(super) fn channel(event_name: &str, who: &str, id: &str, state: &str, exten: &str) -> Message {
    let name = format!("PJSIP/{who}-0000000{id}");
    event(
        event_name,
        [
            ("Channel", name.as_str()),
            ("ChannelState", number(state)),
            ("Exten", exten),
            ("Uniqueid", id),
            ("Linkedid", id),
        ],
    )
}

fn dials(who: &str, id: &str, exten: &str) -> Message {
    channel("Newchannel", who, id, "Ring", exten)
}

fn is_called(who: &str, id: &str) -> Message {
    channel("Newchannel", who, id, "Down", "s")
}

fn rings(who: &str, id: &str) -> Message {
    channel("Newstate", who, id, "Ringing", "s")
}

pub(super) fn hangup(who: &str, id: &str, cause: &str) -> Message {
    let name = format!("PJSIP/{who}-0000000{id}");
    event("Hangup", [("Channel", name.as_str()), ("Uniqueid", id), ("Cause", cause)])
}

pub(super) fn device(who: &str, state: &str) -> Message {
    event("DeviceStateChange", [("Device", format!("PJSIP/{who}").as_str()), ("State", state)])
}

fn dial(event_name: &str, who: &str, id: &str, leg: &str, status: &str) -> Message {
    let name = format!("PJSIP/{who}-0000000{id}");
    event(
        event_name,
        [("Channel", name.as_str()), ("Uniqueid", id), ("DestUniqueid", leg), ("DialStatus", status)],
    )
}

/// A line opened on a phone that is in service and idle.
fn desk(watched: &str) -> Desk {
    let mut desk = Desk::new(watched);
    desk.event(0, &device(watched, "NOT_INUSE"));
    desk.events.clear();
    desk
}

fn activities(desk: &Desk) -> Vec<Option<Activity>> {
    let status = |event: &ProviderEvent| match event {
        ProviderEvent::Device { status, .. } => Some(status.map(|status| status.activity)),
        _ => None,
    };
    desk.events.iter().filter_map(status).collect()
}

fn states(desk: &Desk) -> Vec<(CallState, Cause)> {
    let state = |event: &ProviderEvent| match event {
        ProviderEvent::Call { info, .. } => Some((info.state, info.cause)),
        _ => None,
    };
    desk.events.iter().filter_map(state).collect()
}

#[test]
fn a_spell_that_no_device_state_tells_of_is_seen() {
    let mut desk = desk("1002");
    desk.event(1000, &dials("1002", "1", "9")).event(1000, &hangup("1002", "1", "16")).until(5000);
    assert_eq!(desk.told, [(1000, OffHook), (1004, Idle)]);
    assert_eq!(activities(&desk), [Some(Activity::Active), Some(Activity::Idle)]);
}

#[test]
fn idle_is_told_when_both_agree_in_either_order() {
    for hangup_first in [true, false] {
        let mut desk = desk("1002");
        desk.event(1000, &dials("1002", "1", "1003")).event(1010, &device("1002", "INUSE"));
        let (hangup, idle) = (hangup("1002", "1", "16"), device("1002", "NOT_INUSE"));
        let order = if hangup_first { [&hangup, &idle] } else { [&idle, &hangup] };
        desk.event(2000, order[0]).event(2300, order[1]).until(5000);
        assert_eq!(desk.told, [(1000, OffHook), (2304, Idle)], "hangup first: {hangup_first}");
    }
}

#[test]
fn one_that_never_comes_is_not_waited_for_for_ever() {
    for end in [hangup("1002", "1", "16"), device("1002", "NOT_INUSE")] {
        let mut desk = desk("1002");
        desk.event(1000, &dials("1002", "1", "1003")).event(1010, &device("1002", "INUSE"));
        desk.event(2000, &end).until(60_000);
        assert_eq!(desk.told, [(1000, OffHook), (3000, Idle)], "{end:?}");
        assert_eq!(desk.mapper.next_wakeup(), None);
    }
}

#[test]
fn a_device_state_that_was_late_ends_nothing() {
    // It told of the call before; the next one is there already.
    let mut desk = desk("1002");
    desk.event(1000, &dials("1002", "1", "1003")).event(1001, &device("1002", "NOT_INUSE"));
    desk.event(1100, &channel("Newstate", "1002", "1", "Up", "1003")).until(60_000);
    assert_eq!(desk.told, [(1000, OffHook)]);
    // So is one that says "in use" again.
    let mut desk = self::desk("1002");
    desk.event(1000, &dials("1002", "1", "1003")).event(1001, &device("1002", "NOT_INUSE"));
    desk.event(1002, &device("1002", "INUSE")).until(60_000);
    assert_eq!(desk.told, [(1000, OffHook)]);
}

#[test]
fn in_use_that_comes_after_the_hangup_waits_for_its_idle() {
    let mut desk = desk("1002");
    desk.event(1000, &dials("1002", "1", "9")).event(1010, &hangup("1002", "1", "16"));
    desk.event(1012, &device("1002", "INUSE")).event(1013, &device("1002", "NOT_INUSE")).until(5000);
    assert_eq!(desk.told, [(1000, OffHook), (1017, Idle)]);
}

#[test]
fn busy_in_the_device_state_may_be_ringing() {
    let mut desk = desk("1002");
    desk.event(999, &is_called("1002", "2")).event(999, &device("1002", "BUSY"));
    desk.event(1000, &channel("Newstate", "1002", "2", "Ringing", "s"));
    desk.event(4000, &hangup("1002", "2", "0")).event(4001, &device("1002", "NOT_INUSE")).until(9000);
    assert_eq!(desk.told, [(1000, Ringing), (4005, Idle)]);
    assert_eq!(
        states(&desk).into_iter().map(|(state, _)| state).collect::<Vec<_>>(),
        [CallState::Ringing, CallState::Idle]
    );
}

#[test]
fn a_second_call_that_is_refused_changes_nothing() {
    let mut desk = desk("1002");
    desk.event(1000, &dials("1002", "1", "1003")).event(1001, &device("1002", "INUSE"));
    desk.event(2000, &is_called("1002", "2")).event(2001, &hangup("1002", "2", "17")).until(9000);
    assert_eq!(desk.told, [(1000, OffHook)]);
}

/// A phone that refuses at once, as one does whose user is on another line, was not disturbed: a line that "rang and fell
/// silent" would be taken for one that has become free (R12), and the caller whom it refused be recalled at once (R20).
#[test]
fn a_call_that_is_refused_before_it_rings_is_nothing() {
    for late in ["NOT_INUSE", "RINGING", "BUSY"] {
        let mut desk = desk("1002");
        desk.event(1000, &is_called("1002", "2")).event(1001, &device("1002", late));
        desk.event(1002, &hangup("1002", "2", "17")).event(1003, &device("1002", "NOT_INUSE")).until(60_000);
        assert_eq!(desk.events, [], "{late}");
        assert_eq!(desk.mapper.next_wakeup(), None, "{late}");
    }
    // One that takes its time is told when it rings, and one that answers without ringing when it does.
    for (state, use_of_it) in [("Ringing", Ringing), ("Up", OffHook)] {
        let mut desk = desk("1002");
        desk.event(1000, &is_called("1002", "2")).event(1001, &device("1002", "NOT_INUSE"));
        desk.event(9000, &channel("Newstate", "1002", "2", state, "s"));
        desk.event(9500, &hangup("1002", "2", "16")).event(9501, &device("1002", "NOT_INUSE")).until(60_000);
        assert_eq!(desk.told, [(9000, use_of_it), (9504, Idle)]);
    }
}

/// The server ends a call without calling anybody: the caller hears why.
#[test]
fn a_call_that_reaches_nobody_fails_for_the_cause_of_its_end() {
    for (cause, failed) in [("1", CallState::Disconnected), ("17", CallState::Busy)] {
        let mut desk = desk("1001");
        desk.event(1000, &dials("1001", "1", "9999")).event(1010, &hangup("1001", "1", cause)).until(9000);
        let cause = Cause(cause.parse().unwrap());
        let expected = [(CallState::Proceeding, Cause::NONE), (failed, cause), (CallState::Idle, cause)];
        assert_eq!(states(&desk), expected);
    }
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1010, &hangup("1001", "1", "127")).until(9000);
    assert_eq!(states(&desk), [(CallState::Proceeding, Cause::NONE), (CallState::Idle, Cause(127))]);
}

/// A call made for a phone rings that phone first. If it refuses, the number it was for is not busy.
#[test]
fn a_phone_that_refuses_the_call_made_for_it_says_nothing_of_the_far_end() {
    let mut desk = desk("1001");
    desk.mapper.expect("2", Expected::Call(DirectoryNumber::new("1002").unwrap()));
    desk.event(1000, &is_called("1001", "2")).event(1005, &hangup("1001", "2", "17")).until(9000);
    assert_eq!(states(&desk), [(CallState::Offering, Cause::NONE), (CallState::Idle, Cause::USER_BUSY)]);
}

#[test]
fn a_second_call_keeps_the_line_busy() {
    let mut desk = desk("1002");
    desk.event(1000, &rings("1002", "1"));
    desk.event(1500, &channel("Newstate", "1002", "1", "Up", "s")).event(1501, &device("1002", "INUSE"));
    desk.event(2000, &dials("1002", "2", "1003")).event(3000, &hangup("1002", "1", "16")).until(4000);
    assert_eq!(desk.told, [(1000, Ringing), (1500, OffHook)]);
    desk.event(4000, &hangup("1002", "2", "16")).event(4001, &device("1002", "NOT_INUSE")).until(9000);
    assert_eq!(desk.told[2..], [(4005, Idle)]);
}

/// What the server does after a line became free is told after it; what a phone did is told before.
#[test]
fn off_hook_overtakes_an_end_and_ringing_does_not() {
    for (next, at, order) in [
        (dials("1001", "2", "9"), 1001, ["1001 off hook", "1002 idle"]),
        (rings("1001", "2"), 1001, ["1002 idle", "1001 rings"]),
        // In the last millisecond of the wait, too, which began some time within the first.
        (dials("1001", "2", "9"), 1004, ["1001 off hook", "1002 idle"]),
    ] {
        let mut mapper = Mapper::new(timing());
        let mut out = Vec::new();
        for who in ["1001", "1002"] {
            mapper.handle(Timestamp(0), &device(who, "NOT_INUSE"), &mut out);
            mapper.open_device(&phone(who), &mut out);
            mapper.open_line(&endpoint::line(&phone(who)).unwrap(), &mut out);
        }
        mapper.handle(Timestamp(100), &dials("1002", "1", "1003"), &mut out);
        out.clear();
        mapper.handle(Timestamp(1000), &hangup("1002", "1", "16"), &mut out);
        mapper.handle(Timestamp(at), &next, &mut out);
        assert_eq!(mapper.next_wakeup(), Some(Timestamp(1004)));
        mapper.poll(Timestamp(1004), &mut out);
        let calls = out.iter().filter_map(|event| match event {
            ProviderEvent::Call { at, info } => Some((at.device.as_str(), info.state)),
            _ => None,
        });
        let said: Vec<String> = calls
            .map(|(who, state)| match state {
                CallState::Idle => format!("{who} idle"),
                state if state.is_off_hook() => format!("{who} off hook"),
                _ => format!("{who} rings"),
            })
            .collect();
        assert_eq!(said, order);
    }
}

#[test]
fn a_call_from_before_this_program_is_believed_after_a_moment() {
    let mut desk = Desk::new("1002");
    desk.event(0, &device("1002", "INUSE")).event(5000, &device("1002", "NOT_INUSE")).until(9000);
    assert_eq!(desk.told, [(20, OffHook), (5004, Idle)]);
}

#[test]
fn a_channel_from_before_this_program_is_taken_up() {
    let mut desk = desk("1002");
    desk.event(1000, &channel("BridgeEnter", "1002", "1", "Up", ""));
    desk.event(2000, &hangup("1002", "1", "16")).until(9000);
    assert_eq!(desk.told, [(1000, OffHook), (2004, Idle)]);
}

#[test]
fn the_caller_hears_what_the_dial_says() {
    for (status, expected) in [
        ("BUSY", (CallState::Busy, Cause::USER_BUSY)),
        ("NOANSWER", (CallState::Disconnected, Cause::NO_ANSWER)),
        ("CHANUNAVAIL", (CallState::Disconnected, Cause::ABSENT)),
        ("CONGESTION", (CallState::Disconnected, Cause::NONE)),
    ] {
        let mut desk = desk("1001");
        desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
        desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING"));
        desk.event(4000, &dial("DialEnd", "1001", "1", "2", status));
        // An announcement after it does not make it a connection.
        desk.event(4001, &channel("Newstate", "1001", "1", "Up", "1002"));
        desk.event(5000, &hangup("1001", "1", "17")).until(9000);
        let none = Cause::NONE;
        let ended = (CallState::Idle, Cause::USER_BUSY);
        let expected = [(CallState::Proceeding, none), (CallState::Ringback, none), expected, ended];
        assert_eq!(states(&desk), expected);
    }
}

#[test]
fn a_dial_to_several_fails_only_with_the_last() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
    desk.event(1001, &dial("DialBegin", "1001", "1", "3", ""));
    desk.event(1002, &dial("DialState", "1001", "1", "3", "RINGING"));
    desk.event(1003, &dial("DialEnd", "1001", "1", "2", "BUSY"));
    assert_eq!(desk.calls.values().next().unwrap().state, CallState::Ringback);
    desk.event(2000, &dial("DialEnd", "1001", "1", "3", "ANSWER"));
    desk.event(2001, &channel("Newstate", "1001", "1", "Up", "1002"));
    assert_eq!(desk.calls.values().next().unwrap().state, CallState::Connected);
}

#[test]
fn both_ends_see_the_same_call() {
    let mut mapper = Mapper::default();
    let mut out = Vec::new();
    mapper.handle(Timestamp(0), &dials("1001", "1", "1002"), &mut out);
    let mut called = rings("1002", "2");
    called = Message::from_headers(called.headers().map(|(k, v)| (k, if k == "Linkedid" { "1" } else { v })));
    mapper.handle(Timestamp(1), &called, &mut out);
    let id = |who| mapper.calls(&phone(who)).map(|call| call.call).collect::<Vec<_>>();
    assert_eq!(id("1001"), [call_named("1", "")]);
    assert_eq!(id("1001"), id("1002"));
}

fn press(caller: &str, id: &str, callee: &str) -> Message {
    let name = format!("PJSIP/{caller}-0000000{id}");
    event(
        "UserEvent",
        [
            ("Channel", name.as_str()),
            ("Uniqueid", id),
            ("UserEvent", "CallBackKey"),
            ("Caller", caller),
            ("Callee", callee),
        ],
    )
}

fn pressed(desk: &Desk) -> Vec<&FeatureInvocation> {
    let mut pressed = Vec::new();
    for event in &desk.events {
        if let ProviderEvent::FeatureInvoked(invocation) = event {
            pressed.push(invocation);
        }
    }
    pressed
}

#[test]
fn the_feature_code_is_about_the_failed_call_before_it() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
    desk.event(4000, &dial("DialEnd", "1001", "1", "2", "NOANSWER")).event(4001, &hangup("1001", "1", "16"));
    // Pressed twice, and once for a number that was not called.
    for (now, id, callee) in [(5000, "3", "1002"), (6000, "4", "1002"), (7000, "5", "1009")] {
        desk.event(now, &dials("1001", id, &format!("*66{callee}"))).event(now, &press("1001", id, callee));
        desk.event(now + 10, &hangup("1001", id, "16"));
    }
    let said: Vec<_> = pressed(&desk).iter().map(|p| (p.invocation.0, p.call, p.state, p.cause)).collect();
    let failed = (Some(call_named("1", "")), CallState::Disconnected, Cause::NO_ANSWER);
    assert_eq!(
        said,
        [
            (1, failed.0, failed.1, failed.2),
            (2, failed.0, failed.1, failed.2),
            (3, Some(call_named("5", "")), CallState::Proceeding, Cause::NONE)
        ]
    );
    assert_eq!(pressed(&desk)[0].called.as_ref().unwrap().as_str(), "1002");
    assert_eq!(pressed(&desk)[0].from.device, phone("1001"));
}

#[test]
fn a_caller_who_gave_up_while_it_rang_was_not_answered() {
    for (rang, cause) in [(true, Cause::NO_ANSWER), (false, Cause(26))] {
        let mut desk = desk("1001");
        desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
        if rang {
            desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING"));
        }
        desk.event(4000, &dial("DialEnd", "1001", "1", "2", "CANCEL"))
            .event(4001, &hangup("1001", "1", "26"));
        desk.event(5000, &dials("1001", "3", "*661002")).event(5000, &press("1001", "3", "1002"));
        let said = pressed(&desk);
        assert_eq!((said[0].state, said[0].cause), (CallState::Disconnected, cause));
    }
}

/// A phone hears that its call failed, and dials the code, before the server tells that the call is over.
#[test]
fn the_feature_code_may_come_before_the_end_of_the_failed_call() {
    let busy = (CallState::Busy, Cause::USER_BUSY);
    let unanswered = (CallState::Disconnected, Cause::NO_ANSWER);
    for (status, cause, expected, told_at) in [
        (Some("BUSY"), "17", busy, 5000),
        (Some("NOANSWER"), "16", unanswered, 5000),
        (Some("CANCEL"), "26", unanswered, 5000),
        // The dialplan called nobody: only the end tells why.
        (None, "17", busy, 5010),
    ] {
        let mut desk = desk("1001");
        desk.event(1000, &dials("1001", "1", "1002"));
        if let Some(status) = status {
            desk.event(1001, &dial("DialBegin", "1001", "1", "2", ""));
            desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING"));
            desk.event(4999, &dial("DialEnd", "1001", "1", "2", status));
        }
        desk.event(5000, &dials("1001", "3", "*661002")).event(5000, &press("1001", "3", "1002"));
        assert_eq!(pressed(&desk).len(), usize::from(told_at == 5000), "{status:?}");
        desk.event(5010, &hangup("1001", "1", cause)).until(9000);
        let said: Vec<_> = pressed(&desk).iter().map(|p| (p.call, (p.state, p.cause))).collect();
        assert_eq!(said, [(Some(call_named("1", "")), expected)], "{status:?}");
    }
}

/// Of several phones that are called it is enough that one rang.
#[test]
fn a_caller_who_gave_up_while_one_of_several_rang_was_not_answered() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002"));
    for leg in ["2", "3"] {
        desk.event(1001, &dial("DialBegin", "1001", "1", leg, ""));
    }
    desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING"));
    for leg in ["2", "3"] {
        desk.event(4000, &dial("DialEnd", "1001", "1", leg, "CANCEL"));
    }
    desk.event(4001, &hangup("1001", "1", "26"));
    desk.event(5000, &dials("1001", "4", "*661002")).event(5000, &press("1001", "4", "1002"));
    let said = pressed(&desk);
    assert_eq!((said[0].state, said[0].cause), (CallState::Disconnected, Cause::NO_ANSWER));
}

#[test]
fn a_key_within_the_failed_call_is_about_that_call() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
    desk.event(1002, &dial("DialEnd", "1001", "1", "2", "BUSY")).event(3000, &press("1001", "1", "1002"));
    let said = pressed(&desk);
    assert_eq!((said[0].call, said[0].state), (Some(call_named("1", "")), CallState::Busy));
}

#[test]
fn a_text_is_about_the_call_that_the_phone_is_in() {
    let mut desk = desk("1001");
    let texts = |desk: &mut Desk, number: Option<&str>| {
        let (mut out, number) = (Vec::new(), number.map(|number| DirectoryNumber::new(number).unwrap()));
        desk.mapper.press_key(Timestamp(desk.now), &phone("1001"), number, &mut out);
        desk.take(out);
        let said = pressed(desk).pop().unwrap();
        (said.call, said.state, said.called.as_ref().map(|called| called.as_str().to_owned()))
    };
    let call = |id| Some(call_named(id, ""));
    // While it rings there, with and without its number; not with another.
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
    desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING")).until(1100);
    let ringback = (call("1"), CallState::Ringback, Some("1002".to_owned()));
    assert_eq!(texts(&mut desk, Some("1002")), ringback);
    assert_eq!(texts(&mut desk, None), ringback);
    assert_eq!(texts(&mut desk, Some("1009")).1, CallState::Proceeding);
    // After it, with its number; without one the phone is idle.
    desk.event(4000, &dial("DialEnd", "1001", "1", "2", "BUSY")).until(4100);
    assert_eq!(texts(&mut desk, None).1, CallState::Busy);
    desk.event(4200, &hangup("1001", "1", "17")).until(5500);
    assert_eq!(texts(&mut desk, Some("1002")).1, CallState::Busy);
    assert_eq!(texts(&mut desk, None), (None, CallState::Idle, None));
}

/// The caller hears that it rings before the server tells of it; nobody is told that the key is not active for that.
#[test]
fn a_key_pressed_in_the_moment_in_which_it_begins_to_ring_waits_for_that() {
    let call = Some(call_named("1", ""));
    let during = [Some(("1", "1002")), None, Some(("", "1002"))];
    for (rings_at, expected, told_at) in
        [(1015, CallState::Ringback, 1015), (9000, CallState::Proceeding, 1022)]
    {
        for key in during {
            let mut desk = desk("1001");
            desk.event(1000, &dials("1001", "1", "1002")).event(1001, &is_called("1002", "2"));
            desk.event(1001, &dial("DialBegin", "1001", "1", "2", ""));
            match key {
                Some((id @ "1", callee)) => {
                    desk.event(1002, &press("1001", id, callee));
                }
                other => {
                    let number = other.map(|(_, callee)| DirectoryNumber::new(callee).unwrap());
                    let mut out = Vec::new();
                    desk.mapper.press_key(Timestamp(1002), &phone("1001"), number, &mut out);
                    desk.take(out);
                }
            }
            desk.until(told_at - 1);
            assert_eq!(pressed(&desk).len(), 0, "{key:?}");
            if rings_at <= told_at {
                desk.event(rings_at, &rings("1002", "2"));
            }
            desk.until(told_at);
            let said: Vec<_> = pressed(&desk).iter().map(|p| (p.call, p.state)).collect();
            assert_eq!(said, [(call, expected)], "{key:?}");
            desk.until(60_000);
            assert_eq!((pressed(&desk).len(), desk.mapper.next_wakeup()), (1, None), "{key:?}");
        }
    }
}

fn peer(who: &str, status: &str) -> Message {
    event("PeerStatus", [("Peer", format!("PJSIP/{who}").as_str()), ("PeerStatus", status)])
}

#[test]
fn a_phone_that_unregisters_is_out_of_service_until_it_comes_back() {
    let mut desk = desk("1002");
    desk.event(1000, &peer("1002", "Unreachable")).event(1001, &device("1002", "NOT_INUSE"));
    desk.event(1002, &device("1002", "UNAVAILABLE")).event(9000, &peer("1002", "Reachable")).until(9100);
    let idle = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
    let (device, at) = (phone("1002"), endpoint::line(&phone("1002")).unwrap());
    assert_eq!(
        desk.events,
        [
            ProviderEvent::Device { device: device.clone(), status: None },
            ProviderEvent::Device { device, status: Some(idle) },
            ProviderEvent::LineOpened { at, calls: vec![] },
        ]
    );
}

#[test]
fn a_phone_with_two_contacts_is_gone_with_the_last() {
    let contact = |uri, status| {
        event("ContactStatus", [("URI", uri), ("ContactStatus", status), ("EndpointName", "1002")])
    };
    let mut desk = desk("1002");
    desk.event(1, &contact("sip:a", "NonQualified")).event(2, &contact("sip:b", "Reachable"));
    desk.event(3, &contact("sip:a", "Removed"));
    assert_eq!(activities(&desk), []);
    desk.event(4, &contact("sip:b", "Removed"));
    assert_eq!(activities(&desk), [None]);
}

#[test]
fn only_what_is_open_is_reported() {
    let mut mapper = Mapper::default();
    let (mut out, device) = (Vec::new(), phone("1002"));
    let at = endpoint::line(&device).unwrap();
    mapper.assume_in_service(&device, &mut out);
    mapper.open_device(&device, &mut out);
    mapper.open_line(&at, &mut out);
    assert_eq!(out.len(), 2, "{out:?}");
    mapper.close_line(&at);
    out.clear();
    mapper.handle(Timestamp(0), &dials("1002", "1", "1003"), &mut out);
    assert!(matches!(out[..], [ProviderEvent::Device { .. }]), "{out:?}");
    mapper.close_device(&device);
    out.clear();
    mapper.handle(Timestamp(9), &hangup("1002", "1", "16"), &mut out);
    mapper.poll(Timestamp(99), &mut out);
    assert_eq!(out, []);
    mapper.open_line(&at, &mut out);
    assert_eq!(out, [ProviderEvent::LineOpened { at, calls: vec![] }]);
}

#[test]
fn channels_that_are_no_phones_are_nothing() {
    let mut mapper = Mapper::default();
    let mut out = Vec::new();
    for name in ["Local/1002@phones-00000001;1", "Message/ast_msg_queue", "PJSIP/1002-00000001<ZOMBIE>"] {
        let headers = [("Channel", name), ("ChannelState", "6"), ("Uniqueid", "1"), ("Linkedid", "1")];
        mapper.handle(Timestamp(0), &event("Newchannel", headers), &mut out);
    }
    assert_eq!((mapper.phones().count(), out.len()), (0, 0));
}

#[test]
fn a_call_picked_up_elsewhere_ends_at_the_first_phone() {
    let mut desk = desk("1002");
    desk.event(1000, &rings("1002", "2"));
    let renamed = [("Channel", "PJSIP/1002-00000002"), ("Newname", "PJSIP/1003-00000003"), ("Uniqueid", "2")];
    desk.event(2000, &event("Rename", renamed)).until(3000);
    assert_eq!(desk.told, [(1000, Ringing), (2004, Idle)]);
}

/// A phone that is not named after its number: its line, the number it is called by, and the one its calls show.
#[test]
fn a_phone_has_the_number_that_the_directory_gives_it() {
    let mut mapper = Mapper::default();
    let (mut out, anna) = (Vec::new(), phone("desk-anna"));
    // What came before the directory was read counts, too.
    mapper.handle(Timestamp(0), &rings("desk-anna", "7"), &mut out);
    let numbers = || [(anna.clone(), DirectoryNumber::new("1002").unwrap())].into();
    assert_eq!(mapper.set_numbers(numbers()), std::slice::from_ref(&anna));
    assert_eq!(mapper.set_numbers(numbers()), []);
    let at = mapper.line_of(&anna).unwrap();
    assert_eq!(at.line.dn.as_str(), "1002");
    mapper.open_device(&anna, &mut out);
    out.clear();
    mapper.open_line(&at, &mut out);
    let said = |info: &CallInfo| {
        let number = |number: &Option<DirectoryNumber>| number.as_ref().map(|n| n.as_str().to_owned());
        (info.state, number(&info.called), number(&info.peer))
    };
    let [ProviderEvent::LineOpened { calls, .. }] = &out[..] else { panic!("{out:?}") };
    let (anna_number, ben) = (Some("1002".to_owned()), Some("1001".to_owned()));
    assert_eq!(said(&calls[0]), (CallState::Ringing, anna_number.clone(), None));
    mapper.handle(Timestamp(10), &hangup("desk-anna", "7", "16"), &mut out);
    // 1001 calls 1002: each end sees the other by its number, whatever caller ids say.
    let mut out = Vec::new();
    mapper.open_device(&phone("1001"), &mut out);
    let caller = mapper.line_of(&phone("1001")).unwrap();
    mapper.handle(Timestamp(2000), &dials("1001", "1", "1002"), &mut out);
    mapper.open_line(&caller, &mut out);
    mapper.handle(Timestamp(2001), &is_called("desk-anna", "2"), &mut out);
    mapper.handle(Timestamp(2002), &dial("DialBegin", "1001", "1", "2", ""), &mut out);
    mapper.handle(Timestamp(2003), &rings("desk-anna", "2"), &mut out);
    mapper.handle(Timestamp(2004), &dial("DialState", "1001", "1", "2", "RINGING"), &mut out);
    let mut calls = Vec::new();
    for event in &out {
        if let ProviderEvent::Call { info, .. } = event {
            calls.push(said(info));
        }
    }
    assert!(calls.contains(&(CallState::Ringing, anna_number.clone(), ben)), "{calls:?}");
    assert!(calls.contains(&(CallState::Ringback, anna_number.clone(), anna_number)), "{calls:?}");
}

/// What the listing of calls tells of a call that rings, in either order.
#[test]
fn a_listed_call_that_rings_is_told_as_such_at_both_ends() {
    for caller_first in [true, false] {
        let mut mapper = Mapper::default();
        let mut out = Vec::new();
        let listed = |message: Message, application: &str| {
            let headers: Vec<(String, String)> = message
                .headers()
                .map(|(key, value)| match key {
                    "Event" => (key.to_owned(), "CoreShowChannel".to_owned()),
                    "Linkedid" => (key.to_owned(), "1".to_owned()),
                    _ => (key.to_owned(), value.to_owned()),
                })
                .chain([("Application".to_owned(), application.to_owned())])
                .collect();
            Message::from_headers(headers.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        };
        let (a, b) = (listed(dials("1001", "1", "1002"), "Dial"), listed(rings("1002", "2"), "AppDial"));
        let order = if caller_first { [&a, &b] } else { [&b, &a] };
        order.into_iter().for_each(|message| mapper.handle(Timestamp(0), message, &mut out));
        let state =
            |who| mapper.calls(&phone(who)).map(|call| (call.state, call.peer.is_some())).collect::<Vec<_>>();
        assert_eq!(state("1001"), [(CallState::Ringback, true)], "caller first: {caller_first}");
        assert_eq!(state("1002"), [(CallState::Ringing, true)], "caller first: {caller_first}");
    }
}

#[test]
fn a_call_does_not_go_back_while_it_is_being_answered() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &dial("DialBegin", "1001", "1", "2", ""));
    desk.event(1002, &dial("DialState", "1001", "1", "2", "RINGING"));
    desk.event(2000, &dial("DialEnd", "1001", "1", "2", "ANSWER"));
    desk.event(2001, &channel("Newstate", "1001", "1", "Up", "1002"));
    let told: Vec<CallState> = states(&desk).into_iter().map(|(state, _)| state).collect();
    assert_eq!(told, [CallState::Proceeding, CallState::Ringback, CallState::Connected]);
}

/// What the server needs to end a call counts: the moment in which others become known has begun before.
#[test]
fn the_moment_begins_when_the_phone_hangs_up() {
    for (agreed, told) in [(2001, 2004), (2004, 2004), (2050, 2050)] {
        let mut desk = desk("1002");
        desk.event(1000, &dials("1002", "1", "1003")).event(1010, &device("1002", "INUSE"));
        desk.event(2000, &channel("HangupRequest", "1002", "1", "Up", "1003"));
        desk.event(2001, &hangup("1002", "1", "16")).event(agreed, &device("1002", "NOT_INUSE")).until(9000);
        assert_eq!(desk.told, [(1000, OffHook), (told, Idle)]);
    }
}

/// The caller's phone hears ringback as soon as the callee's rings: a key pressed in that moment is one pressed during it.
#[test]
fn ringback_is_told_with_the_ringing_and_not_after_it() {
    let mut desk = desk("1001");
    desk.event(1000, &dials("1001", "1", "1002")).event(1001, &is_called("1002", "2"));
    desk.event(1001, &dial("DialBegin", "1001", "1", "2", "")).event(1002, &rings("1002", "2"));
    assert_eq!(desk.calls.values().next().unwrap().state, CallState::Ringback);
    desk.event(1003, &dial("DialState", "1001", "1", "2", "RINGING"));
    desk.event(2000, &dial("DialEnd", "1001", "1", "2", "CANCEL")).event(2001, &rings("1002", "2"));
    assert_eq!(desk.calls.values().next().unwrap().state, CallState::Proceeding);
}
