//! Joining, claiming, renewing, stopping.

use ringback_model::{Epoch, Millis, Timestamp};

use super::{Room, became_active, claim, ip, member, rank, renew};
use crate::manager::{Alarm, CallNumber, Input, Manager, Output, Reason, Role};
use crate::parameters::{ParameterError, Parameters};
use crate::registry::{Intent, Request};

#[test]
fn alone_it_is_active_after_two_round_trips_without_waiting() {
    let mut room = Room::new(1);
    let look = room.call(1, false, Intent::Watch);
    assert_eq!(room.give(0, Input::Tick), vec![look.clone()]);
    assert_eq!(room.manager.status().role, Role::Joining);
    let acquire = room.call(2, true, claim(0));
    assert_eq!(room.answer(0, &look), vec![acquire.clone(), rank(1, None, &[1])]);
    let [activate, alarm] = became_active(1);
    assert_eq!(room.answer(0, &acquire), vec![activate, alarm, rank(0, Some(1), &[])]);
    assert_eq!(room.manager.status().role, Role::Active);
    assert_eq!(room.manager.epoch(), Some(Epoch(1)));
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(300)));
}

#[test]
fn alone_it_need_not_be_ready() {
    let mut room = Room::new(1);
    assert_eq!(room.give(0, Input::Ready(false)).len(), 1, "the first report");
    let look = room.call(1, false, Intent::Watch);
    assert_eq!(room.answer(0, &look)[0], room.call(2, false, claim(0)));
}

#[test]
fn the_lease_counts_from_the_asking_less_the_margin() {
    let mut room = Room::active(1);
    let call = room.call(3, true, renew(1));
    assert_eq!(room.give(300, Input::Tick), vec![call.clone()]);
    assert!(!room.manager.may_act(Timestamp(1600)), "2000 - 400 after the claim");
    assert_eq!(room.answer(599, &call), vec![]);
    assert!(room.manager.may_act(Timestamp(1899)), "2000 - 400 after 300");
    assert!(!room.manager.may_act(Timestamp(1900)));
}

#[test]
fn a_lease_that_is_all_but_over_when_the_answer_comes_is_not_acted_on() {
    for (now, acts) in [(1599, true), (1600, false)] {
        let mut room = Room::new(1);
        let look = room.give(0, Input::Tick).remove(0);
        let acquire = room.answer(0, &look).remove(0);
        // Carried out at once; the manager did not run meanwhile.
        let granted = room.done(0, &acquire);
        let told = room.give(now, granted);
        assert_eq!(told.contains(&Output::Activate { epoch: Epoch(1) }), acts, "at {now}: {told:?}");
    }
}

#[test]
fn a_shorter_lease_than_asked_for_is_believed() {
    let mut room = Room::new(1);
    let look = room.give(0, Input::Tick).remove(0);
    let acquire = room.answer(0, &look).remove(0);
    // The claim was carried out, its answer lost; the next answer tells of what is left of it.
    room.done(0, &acquire);
    room.give(700, Input::Tick);
    let again = room.call(3, false, Intent::Watch);
    let view = room.ledger.read(Timestamp(1500));
    let outputs = room.give(1500, Input::Answered { number: CallNumber(2), result: Ok(view) });
    assert!(!room.manager.may_act(Timestamp(1500)), "an answer that was given up: {outputs:?}");
    assert_ne!(outputs, vec![again]);
}

#[test]
fn its_own_lease_on_record_is_claimed_anew() {
    let mut room = Room::new(1);
    let look = room.give(0, Input::Tick).remove(0);
    let acquire = room.answer(0, &look).remove(0);
    room.done(0, &acquire);
    // The answer is lost.
    let told = room.give(700, Input::Tick);
    assert!(matches!(told[0], Output::Alarm(Alarm::RegistryLost { .. })));
    let [activate, alarm] = became_active(2);
    let watch = room.call(3, false, Intent::Acquire { seen: Epoch(0), above: Epoch(0) });
    assert_eq!(told[1], watch);
    // Void: the registry gave epoch 1 already, to this very member. It takes that office.
    let told = room.answer(700, &watch);
    let [activate_1, alarm_1] = became_active(1);
    assert_eq!(told[1..3], [activate_1, alarm_1]);
    assert!(room.manager.may_act(Timestamp(1599)), "the lease of epoch 1 was given at 0");
    assert!(!room.manager.may_act(Timestamp(1600)));
    // After a stand-down it is another office.
    let told = room.run(1700, Input::Tick);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::Unconfirmed });
    assert_eq!(told[told.len() - 3..told.len() - 1], [activate, alarm]);
}

#[test]
fn a_backup_says_so_once_and_waits_for_the_end_of_the_lease() {
    let mut room = Room::new(2);
    room.peer(0, 1, true, claim(0)).unwrap();
    let told = room.run(100, Input::Tick);
    assert_eq!(told, vec![Output::Alarm(Alarm::BecameBackup { active: ip(1) }), rank(1, Some(1), &[2])]);
    assert_eq!(room.pass(1999), vec![]);
    let [activate, alarm] = became_active(2);
    let told = room.pass(2000);
    assert!(told.contains(&activate) && told.contains(&alarm), "{told:?}");
    assert_eq!(told.last(), Some(&rank(0, Some(2), &[])));
}

#[test]
fn after_a_pause_a_backup_looks_before_it_claims() {
    // What was seen at 1500 is good for an interval and the time an answer may take.
    for (now, expected) in [(2500, claim(1)), (2501, Intent::Watch), (60_000, Intent::Watch)] {
        let mut room = Room::backup(2, 1);
        room.run(1500, Input::Nudge);
        assert_eq!(room.give(now, Input::Tick)[0], room.call(4, true, expected));
    }
}

#[test]
fn while_a_call_is_out_a_backup_waits_for_its_answer_only() {
    let mut room = Room::backup(2, 1);
    room.pass(1400);
    assert!(matches!(room.give(1700, Input::Tick)[..], [Output::Call { .. }, ..]));
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(2400)), "not the end of the lease at 2000");
}

#[test]
fn the_second_backup_waits_for_the_first() {
    let mut room = Room::new(3);
    room.peer(0, 1, true, claim(0)).unwrap();
    room.peer(0, 2, true, Intent::Watch).unwrap();
    room.run(0, Input::Tick);
    room.peer(1500, 2, true, Intent::Watch).unwrap();
    let told = room.pass(3400);
    assert_eq!(told.last(), Some(&rank(2, None, &[2, 3])));
    let [activate, _] = became_active(2);
    assert!(room.pass(3500).contains(&activate), "the first backup has been silent for a lease, too");
}

#[test]
fn those_who_start_at_once_let_the_lowest_go_first() {
    let mut room = Room::new(3);
    // It has joined and not heard anything yet: so it says it is not ready.
    room.peer(0, 1, false, Intent::Watch).unwrap();
    room.run(0, Input::Tick);
    assert_eq!(room.pass(499), vec![]);
    assert_eq!(room.manager.status().role, Role::Backup);
    // It does not become ready: whoever is ready does not wait for ever.
    room.pass(500);
    assert_eq!(room.manager.status().role, Role::Active);
}

#[test]
fn stopping_it_drains_stands_down_and_leaves() {
    let mut room = Room::active(1);
    assert_eq!(room.give(100, Input::StopRequested), vec![Output::Drain { to: None }]);
    assert_eq!(room.give(110, Input::StopRequested), vec![]);
    assert!(room.manager.may_act(Timestamp(110)), "what was begun may be finished");
    assert_eq!(room.manager.status().role, Role::Draining);
    let leave = room.call(3, true, Intent::Leave);
    let told = room.give(120, Input::Drained);
    let down = Output::StandDown { epoch: Epoch(1), reason: Reason::Stopping };
    assert_eq!(told[..2], [down, leave.clone()]);
    assert!(!room.manager.may_act(Timestamp(120)));
    assert_eq!(room.answer(130, &leave)[0], Output::Stopped);
    assert_eq!(room.ledger.read(Timestamp(130)).in_force(), None);
    assert_eq!(room.manager.next_wakeup(), None);
    assert_eq!(room.give(9999, Input::Tick), vec![]);
}

#[test]
fn a_drain_without_end_is_ended() {
    let mut room = Room::active(1);
    room.run(100, Input::StopRequested);
    let told = room.pass(1499);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::Stopping });
    assert!(!told.contains(&Output::Stopped), "an effect that was checked just before may take the margin");
    assert!(room.pass(1500).contains(&Output::Stopped));
}

#[test]
fn leaving_waits_for_the_heartbeat_under_way() {
    let mut room = Room::backup(2, 1);
    let watch = room.give(300, Input::Tick).remove(0);
    assert_eq!(watch, room.call(3, true, Intent::Watch));
    assert_eq!(room.give(310, Input::StopRequested), vec![], "a heartbeat after the leave would join again");
    assert_eq!(room.manager.status().role, Role::Leaving);
    let leave = room.call(4, true, Intent::Leave);
    assert_eq!(room.answer(320, &watch), vec![leave.clone()]);
    assert_eq!(room.answer(330, &leave)[0], Output::Stopped);
    assert!(!room.ledger.members.contains_key(&ip(2)));
}

#[test]
fn a_claim_granted_while_stopping_is_not_taken_up() {
    let mut room = Room::new(1);
    let look = room.give(0, Input::Tick).remove(0);
    let acquire = room.answer(0, &look).remove(0);
    assert_eq!(room.give(5, Input::StopRequested), vec![]);
    let told = room.answer(10, &acquire);
    assert_eq!(told[0], room.call(3, true, Intent::Leave));
    let told = room.answer(10, &told[0]);
    assert_eq!(told[0], Output::Stopped);
    assert_eq!(room.ledger.read(Timestamp(10)).in_force(), None);
}

#[test]
fn it_stops_even_if_the_registry_is_away() {
    let mut room = Room::backup(2, 1);
    assert_eq!(room.give(100, Input::StopRequested), vec![room.call(3, true, Intent::Leave)]);
    assert!(room.fail(110, 3).contains(&Output::Stopped));
}

#[test]
fn a_nudge_looks_at_once_or_right_after_the_call_under_way() {
    let mut room = Room::backup(2, 1);
    assert_eq!(room.manager.revision(), room.ledger.revision, "a hint is asked for what is newer");
    let watch = room.call(3, true, Intent::Watch);
    assert_eq!(room.give(50, Input::Nudge), vec![watch.clone()]);
    assert_eq!(room.give(60, Input::PeerSuspected(ip(1))), vec![]);
    assert_eq!(room.answer(70, &watch), vec![room.call(4, true, Intent::Watch)]);
}

#[test]
fn on_a_shared_beat_it_reports_early_if_it_is_due_soon() {
    let mut room = Room::active(1);
    assert_eq!(room.give(224, Input::Beat), vec![]);
    let call = room.call(3, true, renew(1));
    assert_eq!(room.give(225, Input::Beat), vec![call]);
}

#[test]
fn shifted_in_time_the_state_is_the_same() {
    let story = |zero: u64| {
        let mut room = Room::backup(2, 1);
        room.manager = Manager::new(member(2), Parameters::default()).unwrap();
        room.ledger = crate::ledger::Ledger::default();
        room.peer(zero, 1, true, claim(0)).unwrap();
        room.run(zero, Input::Tick);
        room.give(zero + 300, Input::Tick);
        let origin = Timestamp(zero);
        (room.manager.rebased(origin, CallNumber(0)), room.ledger.rebased(origin))
    };
    assert_eq!(story(5000), story(777_000));
}

#[test]
fn parameters_that_do_not_fit_name_the_numbers() {
    type Change = fn(&mut Parameters);
    let told = |change: Change| {
        let mut parameters = Parameters::default();
        change(&mut parameters);
        Manager::new(member(1), parameters).map(drop).map_err(|error: ParameterError| error.to_string())
    };
    assert_eq!(told(|_| {}), Ok(()));
    let cases: [(Change, &str); 5] = [
        (|p| p.interval = Millis(0), "interval is 0 ms: choose at least 1 ms"),
        (
            |p| p.lease = Millis(1399),
            "lease 1399 ms is shorter than interval 300 ms + call time-out 700 ms + margin 400 ms = 1400 ms: \
             choose a lease of at least 1400 ms, or shorten the others",
        ),
        (|p| p.margin = Millis(19), "margin 19 ms is less than 1 % of lease 2000 ms: choose at least 20 ms"),
        (
            |p| p.hand_over_poll = Millis(301),
            "hand-over poll 301 ms is longer than interval 300 ms: choose at most 300 ms",
        ),
        (
            |p| p.candidates.networks = vec!["10.1.0.0/16".parse().unwrap()],
            "this instance cannot take part: address 10.0.0.1 is in none of the configured networks \
             (10.1.0.0/16): choose an address of this machine that is, or add its network",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(told(change), Err(expected.to_owned()));
    }
}

#[test]
fn leaving_waits_for_a_renewal_that_nobody_waits_for() {
    // Handing over, it gave its lease back without waiting for the renewal under way; then it is to stop.
    let handed_over = || {
        let mut room = Room::active(2);
        room.peer(100, 1, true, Intent::Watch).unwrap();
        room.run(100, Input::Nudge);
        room.pass(600);
        let renewal = room.give(1000, Input::Tick).remove(0);
        let told = room.give(1010, Input::Drained);
        room.answer(1020, &told[1]);
        assert_eq!(room.give(1030, Input::StopRequested), vec![], "the heartbeat would join again");
        (room, renewal)
    };
    let (mut room, renewal) = handed_over();
    let told = room.answer(1040, &renewal);
    assert!(matches!(told[0], Output::Call { request, .. } if leaves(&request)), "{told:?}");
    // It never comes: it is waited for as long as for any call.
    let (mut room, _) = handed_over();
    room.manager = room.manager.rebased(Timestamp(0), CallNumber(0));
    assert_eq!(room.give(1699, Input::Tick), vec![]);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(1700)));
    let told = room.give(1700, Input::Tick);
    assert!(matches!(told[0], Output::Call { request, .. } if leaves(&request)), "{told:?}");
}

fn leaves(request: &Request) -> bool {
    matches!(request, Request::Tick(report) if report.intent == Intent::Leave)
}
