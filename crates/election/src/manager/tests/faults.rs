//! Pauses, cuts, deaths, conflicts, registries that forget.

use ringback_model::{Epoch, Timestamp};

use super::{Room, away, became_active, claim, ip, member, rank, renew};
use crate::manager::{Alarm, CallNumber, Input, Output, Rank, Reason, Role};
use crate::member::{Incarnation, Member};
use crate::registry::{Evidence, Intent, RegistryError, Request};

const UNCONFIRMED: Output = Output::StandDown { epoch: Epoch(1), reason: Reason::Unconfirmed };

#[test]
fn waking_late_it_stands_down_before_anything_else() {
    let mut room = Room::active(1);
    assert!(!room.manager.may_act(Timestamp(1600)), "even before it was told the time");
    let told = room.give(7000, Input::Tick);
    assert_eq!(told[0], UNCONFIRMED);
    assert_eq!(told[1], room.call(3, true, Intent::Watch), "and looks before it claims");
}

#[test]
fn an_answer_that_comes_after_the_lease_does_not_revive_it() {
    let mut room = Room::active(1);
    let call = room.give(1500, Input::Tick).remove(0);
    let told = room.answer(1650, &call);
    assert_eq!(told[0], UNCONFIRMED);
    assert!(!room.manager.may_act(Timestamp(1650)));
    // Its lease is in force, but what it knew in that epoch is forgotten: it begins another.
    assert_eq!(told[1], room.call(4, true, claim(1)));
}

#[test]
fn woken_after_a_take_over_it_learns_that_it_was_fenced_off() {
    let mut room = Room::active(1);
    room.peer(2000, 2, true, claim(1)).unwrap();
    let told = room.run(3000, Input::Tick);
    let fenced = Alarm::FencedOff { ours: Epoch(1), current: Epoch(2) };
    assert_eq!(told[0], UNCONFIRMED);
    assert!(told.contains(&Output::Alarm(fenced.clone())));
    assert!(told.contains(&Output::Alarm(Alarm::BecameBackup { active: ip(2) })));
    assert!(!room.run(3100, Input::Nudge).contains(&Output::Alarm(fenced)), "told once");
}

#[test]
fn a_renewal_that_is_refused_ends_the_office_at_once() {
    let mut room = Room::active(1);
    let call = room.give(300, Input::Tick).remove(0);
    room.ledger.expel(Timestamp(310), &member(1));
    room.peer(310, 2, true, claim(1)).unwrap();
    let told = room.answer(320, &call);
    let current = Epoch(2);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::Fenced { current } });
    assert_eq!(told[1], Output::Alarm(Alarm::FencedOff { ours: Epoch(1), current }));
    assert_eq!(told[2], room.call(4, true, Intent::Watch));
}

#[test]
fn while_the_registry_is_away_it_acts_to_the_end_of_its_lease_and_no_longer() {
    let mut room = Room::active(1);
    room.give(300, Input::Tick);
    assert_eq!(room.fail(310, 3), vec![Output::Alarm(Alarm::RegistryLost { error: away() })]);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(610)));
    let report = room.call(4, false, renew(1));
    assert_eq!(room.give(610, Input::Tick), vec![report], "who hears nothing is not ready");
    assert_eq!(room.fail(620, 4), vec![]);
    room.give(1590, Input::Tick);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(1600)));
    assert_eq!(room.give(1600, Input::Tick), vec![UNCONFIRMED, rank(1, None, &[1])]);
    let told = room.run(2300, Input::Tick);
    assert!(told.contains(&Output::Alarm(Alarm::RegistryBack)));
    let [activate, _] = became_active(2);
    assert!(told.contains(&activate));
}

#[test]
fn a_call_without_answer_is_given_up_and_made_again() {
    let mut room = Room::active(1);
    let lost = room.give(300, Input::Tick).remove(0);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(1000)));
    let told = room.give(1000, Input::Tick);
    let error = RegistryError::OutcomeUnknown("no answer in 700 ms".to_owned());
    let again = room.call(4, false, renew(1));
    assert_eq!(told, vec![Output::Alarm(Alarm::RegistryLost { error }), again]);
    assert_eq!(room.answer(1100, &lost), vec![], "given up is given up");
    assert!(!room.manager.may_act(Timestamp(1600)));
}

#[test]
fn after_the_registry_was_away_lower_ones_may_come_back_first() {
    let mut room = Room::backup(2, 1);
    room.give(300, Input::Tick);
    room.fail(310, 3);
    for (now, number) in (610..4000).step_by(600).zip(4..) {
        room.give(now, Input::Tick);
        room.fail(now + 10, number);
    }
    // It is back: nobody else is there, all have been away.
    let told = room.run(5000, Input::Tick);
    assert_eq!(told[0], Output::Alarm(Alarm::RegistryBack));
    assert_eq!(room.manager.status().role, Role::Backup);
    assert_eq!(room.pass(5499), vec![]);
    let [activate, _] = became_active(2);
    assert!(room.pass(5500).contains(&activate));
}

#[test]
fn a_proven_death_is_told_and_its_office_taken_at_once() {
    let mut room = Room::backup(2, 1);
    let evidence = Evidence::LinkClosed;
    let told = room.give(500, Input::PeerDied { member: member(1), evidence });
    let request = Request::Expel { by: member(2), dead: member(1), evidence };
    let expel = Output::Call { number: CallNumber(3), request };
    assert_eq!(told, vec![expel.clone()]);
    let acquire = room.call(4, true, claim(1));
    assert_eq!(room.answer(510, &expel), vec![acquire.clone(), rank(1, None, &[2])]);
    let [activate, alarm] = became_active(2);
    assert_eq!(room.answer(520, &acquire), vec![activate, alarm, rank(0, Some(2), &[])]);
}

#[test]
fn a_proof_is_kept_until_the_registry_has_it() {
    let mut room = Room::backup(2, 1);
    room.give(500, Input::PeerDied { member: member(1), evidence: Evidence::ExitSeen });
    room.fail(510, 3);
    let [activate, _] = became_active(2);
    assert!(room.run(810, Input::Tick).contains(&activate));
}

#[test]
fn who_is_a_member_does_not_report_again_because_of_a_proof() {
    let mut room = Room::active(1);
    room.peer(100, 2, true, Intent::Watch).unwrap();
    room.run(100, Input::Nudge);
    let expel = room.give(200, Input::PeerDied { member: member(2), evidence: Evidence::ExitSeen }).remove(0);
    assert_eq!(room.answer(210, &expel), vec![rank(0, Some(1), &[])]);
}

#[test]
fn a_claim_that_was_not_granted_is_no_office_though_an_older_lease_is_its_own() {
    let mut room = Room::active(1);
    let renewal = room.give(1500, Input::Tick).remove(0);
    room.answer(1650, &renewal);
    let view = room.ledger.read(Timestamp(1660));
    assert_eq!(view.in_force().map(|lease| lease.epoch), Some(Epoch(1)));
    let told = room.give(1660, Input::Answered { number: CallNumber(4), result: Ok(view) });
    assert!(!told.iter().any(|output| matches!(output, Output::Activate { .. })), "{told:?}");
    assert!(!room.manager.may_act(Timestamp(1660)));
}

#[test]
fn a_renewal_that_finds_its_own_lease_in_another_epoch_ends_the_office() {
    let mut room = Room::active(1);
    room.give(300, Input::Tick);
    room.peer(310, 1, true, claim(1)).unwrap();
    let view = room.ledger.read(Timestamp(310));
    let told = room.give(320, Input::Answered { number: CallNumber(3), result: Ok(view) });
    let reason = Reason::Fenced { current: Epoch(2) };
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason });
}

#[test]
fn a_suspicion_proves_nothing() {
    let mut room = Room::backup(2, 1);
    assert_eq!(room.run(500, Input::PeerSuspected(ip(1))), vec![]);
    assert_eq!(room.manager.status().role, Role::Backup);
    assert!(room.ledger.members.contains_key(&ip(1)));
}

#[test]
fn its_own_death_is_not_believed() {
    let mut room = Room::active(1);
    let told = room.give(10, Input::PeerDied { member: member(1), evidence: Evidence::LinkClosed });
    assert_eq!(told, vec![]);
}

#[test]
fn a_split_is_noticed_when_the_other_comes_back() {
    let mut room = Room::backup(2, 1);
    room.pass(2000);
    assert_eq!(room.manager.epoch(), Some(Epoch(2)));
    room.peer(2500, 1, false, Intent::Watch).unwrap();
    let told = room.run(2500, Input::Nudge);
    let split = Output::Alarm(Alarm::SplitDetected { other: ip(1), epoch: Epoch(2) });
    assert_eq!(told, vec![split, rank(0, Some(2), &[1])]);
    assert_eq!(room.run(2600, Input::Nudge), vec![]);
}

#[test]
fn a_restart_is_no_split() {
    let mut room = Room::backup(2, 1);
    room.pass(2000);
    let again = Member { incarnation: Incarnation(99), ..member(1) };
    let mut report = match room.call(0, true, Intent::Watch) {
        Output::Call { request: Request::Tick(report), .. } => report,
        other => panic!("{other:?}"),
    };
    report.member = again;
    room.ledger.tick(Timestamp(2500), &report).unwrap();
    assert_eq!(room.run(2500, Input::Nudge), vec![rank(0, Some(2), &[1])]);
}

#[test]
fn an_address_in_use_keeps_it_out_until_it_is_free() {
    let mut room = Room::new(1);
    let former = Member { incarnation: Incarnation(99), ..member(1) };
    let Output::Call { request: Request::Tick(mut report), .. } = room.call(0, true, claim(0)) else {
        panic!("no report")
    };
    report.member = former;
    room.ledger.tick(Timestamp(0), &report).unwrap();
    let told = room.run(100, Input::Tick);
    assert!(
        matches!(told.as_slice(), [Output::Alarm(Alarm::AddressConflict { other, .. })] if *other == former),
        "{told:?}"
    );
    assert_eq!(room.manager.status().role, Role::Joining);
    // A restart waits until its former run is not live any more, and no longer.
    assert_eq!(room.pass(1999), vec![]);
    let told = room.pass(2000);
    assert_eq!(told[0], Output::Alarm(Alarm::AddressConflictOver));
    assert_eq!(room.manager.epoch(), Some(Epoch(2)));
}

#[test]
fn a_former_run_that_is_proven_dead_is_not_waited_for() {
    let mut room = Room::new(1);
    let former = Member { incarnation: Incarnation(99), ..member(1) };
    let Output::Call { request: Request::Tick(mut report), .. } = room.call(0, true, claim(0)) else {
        panic!("no report")
    };
    report.member = former;
    room.ledger.tick(Timestamp(0), &report).unwrap();
    room.run(100, Input::Tick);
    room.run(110, Input::PeerDied { member: former, evidence: Evidence::ResourceFreed });
    assert_eq!(room.manager.epoch(), Some(Epoch(2)), "at once");
}

#[test]
fn an_active_whose_address_another_uses_stands_down() {
    let mut room = Room::active(1);
    let call = room.give(300, Input::Tick).remove(0);
    let other = Member { incarnation: Incarnation(99), ..member(1) };
    let Output::Call { request: Request::Tick(mut report), .. } = call.clone() else { panic!("no report") };
    report.member = other;
    report.intent = Intent::Watch;
    room.ledger.expel(Timestamp(300), &member(1));
    room.ledger.tick(Timestamp(300), &report).unwrap();
    let told = room.answer(310, &call);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::AddressConflict });
    assert!(matches!(told[1], Output::Alarm(Alarm::AddressConflict { .. })));
    assert_eq!(told[2], Output::Rank(Rank::default()));
}

#[test]
fn what_a_store_remembers_is_exceeded_from_the_first_epoch() {
    let mut room = Room::new(1);
    let look = room.give(0, Input::EpochSeen(Epoch(41))).remove(0);
    let acquire = room.answer(0, &look).remove(0);
    assert_eq!(acquire, room.call(2, true, Intent::Acquire { seen: Epoch(0), above: Epoch(41) }));
    let [activate, _] = became_active(42);
    assert_eq!(room.answer(0, &acquire)[0], activate);
    assert_eq!(room.give(10, Input::EpochSeen(Epoch(42))), vec![], "its own");
}

#[test]
fn fenced_by_a_store_it_begins_another_office() {
    let mut room = Room::active(1);
    let told = room.run(100, Input::EpochSeen(Epoch(5)));
    let current = Epoch(5);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::Fenced { current } });
    assert_eq!(told[1], Output::Alarm(Alarm::FencedOff { ours: Epoch(1), current }));
    let [activate, _] = became_active(6);
    assert!(told.contains(&activate));
}

#[test]
fn a_registry_that_went_back_is_noticed_and_its_epochs_avoided() {
    let mut room = Room::active(1);
    room.run(10, Input::EpochSeen(Epoch(6)));
    assert_eq!(room.manager.epoch(), Some(Epoch(7)));
    // A copy takes its place, made in epoch 3 and long ago.
    room.ledger = Room::active(9).ledger;
    room.ledger.lease = None;
    room.ledger.members.clear();
    room.ledger.epoch = Epoch(3);
    let told = room.run(310, Input::Tick);
    let current = Epoch(3);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(7), reason: Reason::Fenced { current } });
    let back = Alarm::EpochWentBack { remembered: Epoch(7), found: Epoch(3) };
    assert!(told.contains(&Output::Alarm(back)), "{told:?}");
    let [activate, _] = became_active(8);
    assert!(told.contains(&activate));
}

#[test]
fn a_clock_that_steps_back_does_not_lengthen_a_lease() {
    let mut room = Room::active(1);
    let told = room.manager.handle(Timestamp(1700), Input::Tick);
    assert_eq!(told[0], UNCONFIRMED);
    assert!(!room.manager.may_act(Timestamp(0)));
    assert!(room.manager.next_wakeup().is_some_and(|at| at > Timestamp(1700)));
}
