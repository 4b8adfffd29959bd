//! A lower address joins.

use ringback_model::{Epoch, Timestamp};

use super::{Room, became_active, claim, ip, rank, renew};
use crate::manager::{Alarm, Input, Output, Reason, Role};
use crate::parameters::Parameters;
use crate::registry::{Intent, RegistryError};

const RELEASE: Intent = Intent::Release { epoch: Epoch(1) };

fn joined(room: &mut Room, now: u64, last: u8, ready: bool) -> Vec<Output> {
    room.peer(now, last, ready, Intent::Watch).unwrap();
    room.run(now, Input::Nudge)
}

#[test]
fn drain_release_and_the_lower_one_may_begin() {
    let mut room = Room::active(2);
    assert_eq!(joined(&mut room, 100, 1, true), vec![rank(0, Some(2), &[1])]);
    assert_eq!(room.pass(599), vec![], "not yet live and ready for 500 ms");
    assert_eq!(room.give(600, Input::Tick)[0], Output::Drain { to: Some(ip(1)) });
    assert!(room.manager.may_act(Timestamp(600)));
    let told = room.give(620, Input::Drained);
    let down = Output::StandDown { epoch: Epoch(1), reason: Reason::HandOver { to: ip(1) } };
    let number = told.iter().find_map(|output| match output {
        Output::Call { number, .. } => Some(number.0),
        _ => None,
    });
    let release = room.call(number.unwrap(), true, RELEASE);
    assert_eq!(told[..2], [down, release.clone()]);
    assert!(!room.manager.may_act(Timestamp(620)));
    room.answer(625, &release);
    assert_eq!(room.manager.status().role, Role::Backup);
    room.peer(630, 1, true, claim(1)).unwrap();
    let told = room.run(640, Input::Nudge);
    assert_eq!(told, vec![Output::Alarm(Alarm::BecameBackup { active: ip(1) }), rank(1, Some(1), &[2])]);
    let told = room.run(650, Input::Nudge);
    assert_eq!(told, vec![], "it stays");
}

#[test]
fn it_looks_often_for_as_long_as_a_hand_over_may_last_and_no_longer() {
    // The higher one stays: 500 ms to settle, 1000 ms to drain, and two intervals are over at 2100.
    let mut room = Room::backup(1, 2);
    room.peer(1900, 2, true, renew(1)).unwrap();
    room.run(2099, Input::Nudge);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(2124)));
    room.run(2100, Input::Nudge);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(2400)));
}

#[test]
fn who_is_not_ready_is_not_handed_over_to() {
    let mut room = Room::active(2);
    joined(&mut room, 100, 1, false);
    for now in (100..3000).step_by(300) {
        room.peer(now, 1, false, Intent::Watch).unwrap();
        assert_eq!(room.pass(now), vec![]);
    }
    assert_eq!(room.manager.status().role, Role::Active);
    // From when it is ready, the time to settle counts.
    room.peer(3000, 1, true, Intent::Watch).unwrap();
    room.run(3000, Input::Nudge);
    assert_eq!(room.pass(3499), vec![]);
    assert_eq!(room.pass(3500)[0], Output::Drain { to: Some(ip(1)) });
}

#[test]
fn who_is_in_none_of_the_networks_is_neither_ranked_nor_handed_over_to() {
    let mut parameters = Parameters::default();
    parameters.candidates.networks = vec!["10.0.0.2/31".parse().unwrap()];
    let mut room = Room::active_with(2, parameters);
    assert_eq!(joined(&mut room, 100, 1, true), vec![]);
    assert_eq!(room.pass(1500), vec![]);
    assert_eq!(room.manager.status().role, Role::Active);
    assert_eq!(joined(&mut room, 1500, 3, true), vec![rank(0, Some(2), &[3])]);
}

#[test]
fn a_still_lower_one_that_joins_restarts_the_settling() {
    let mut room = Room::active(3);
    joined(&mut room, 100, 2, true);
    joined(&mut room, 400, 1, true);
    assert_eq!(room.pass(899), vec![]);
    assert_eq!(room.pass(900)[0], Output::Drain { to: Some(ip(1)) });
}

#[test]
fn without_preemption_the_active_stays() {
    let mut room = Room::active_with(2, Parameters { preempt: false, ..Parameters::default() });
    assert_eq!(joined(&mut room, 100, 1, true), vec![rank(0, Some(2), &[1])]);
    for now in (100..5000).step_by(500) {
        room.peer(now, 1, true, Intent::Watch).unwrap();
        assert_eq!(room.pass(now), vec![]);
    }
    assert!(room.manager.may_act(Timestamp(5000)));
}

#[test]
fn a_higher_one_that_joins_changes_nothing_but_the_rank() {
    let mut room = Room::active(2);
    assert_eq!(joined(&mut room, 100, 3, true), vec![rank(0, Some(2), &[3])]);
    assert_eq!(room.pass(1500), vec![]);
}

#[test]
fn the_hand_over_is_off_if_the_lower_one_goes_meanwhile() {
    let mut room = Room::active(2);
    joined(&mut room, 100, 1, true);
    room.pass(600);
    assert_eq!(room.manager.status().role, Role::Draining);
    room.peer(650, 1, true, Intent::Leave).unwrap();
    let told = room.run(650, Input::Nudge);
    assert_eq!(told, vec![Output::Resume { epoch: Epoch(1) }, rank(0, Some(2), &[])]);
    assert_eq!(room.manager.status().role, Role::Active);
    assert_eq!(room.run(660, Input::Drained), vec![], "too late to matter");
    // Back again, it has to be there for a while like any other.
    room.peer(670, 1, true, Intent::Watch).unwrap();
    assert_eq!(room.run(670, Input::Nudge), vec![rank(0, Some(2), &[1])]);
    assert_eq!(room.pass(1169), vec![]);
    assert_eq!(room.pass(1170)[0], Output::Drain { to: Some(ip(1)) });
}

#[test]
fn a_drain_takes_no_longer_than_allowed_and_the_lease_is_renewed_meanwhile() {
    let mut room = Room::active(2);
    joined(&mut room, 100, 1, true);
    room.pass(600);
    room.peer(1000, 1, true, Intent::Watch).unwrap();
    assert_eq!(room.pass(1599), vec![]);
    let told = room.pass(1600);
    assert_eq!(told[0], Output::StandDown { epoch: Epoch(1), reason: Reason::HandOver { to: ip(1) } });
    // An effect that was checked just before may take as long as the margin: until then the lease is kept.
    assert!(!room.manager.may_act(Timestamp(1600)));
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(2000)));
    room.pass(1999);
    assert_eq!(room.ledger.lease.map(|lease| lease.released), Some(false));
    room.pass(2000);
    assert_eq!(room.ledger.lease.map(|lease| (lease.released, lease.expires)), Some((true, Timestamp(2000))));
}

#[test]
fn the_release_does_not_wait_for_a_renewal_under_way() {
    let mut room = Room::active(2);
    joined(&mut room, 100, 1, true);
    room.pass(600);
    let renewal = room.give(1000, Input::Tick).remove(0);
    let told = room.give(1010, Input::Drained);
    let release = told[1].clone();
    room.answer(1020, &release);
    // It comes to the registry after the release, and back to a manager that does not wait for it.
    let late = room.done(1030, &renewal);
    let refused = RegistryError::Fenced { ours: Epoch(1), current: Epoch(1) };
    assert!(matches!(&late, Input::Answered { result: Err(error), .. } if *error == refused));
    assert_eq!(room.give(1030, late), vec![]);
    assert!(room.ledger.read(Timestamp(1030)).in_force().is_none());
}

#[test]
fn a_release_that_failed_is_tried_again() {
    let mut room = Room::active(2);
    joined(&mut room, 100, 1, true);
    room.pass(600);
    let told = room.give(620, Input::Drained);
    let Output::Call { number, .. } = told[1] else { panic!("{told:?}") };
    room.fail(625, number.0);
    room.run(925, Input::Tick);
    assert!(
        room.ledger.lease.is_some_and(|lease| lease.released),
        "the lease is its own, and not to be kept"
    );
}

#[test]
fn who_is_handed_over_to_looks_often_for_a_while() {
    let mut room = Room::new(1);
    room.peer(0, 2, true, claim(0)).unwrap();
    room.run(0, Input::Tick);
    assert_eq!(room.manager.next_wakeup(), Some(Timestamp(25)));
    room.peer(1800, 2, true, renew(1)).unwrap();
    room.pass(2200);
    let Some(Timestamp(wakeup)) = room.manager.next_wakeup() else { panic!("it sleeps") };
    assert!(wakeup > 2225, "it is not handed over to: it looks as seldom as others");
    // The other gives up its lease.
    room.peer(2300, 2, true, RELEASE).unwrap();
    let [activate, _] = became_active(2);
    assert!(room.run(2301, Input::Nudge).contains(&activate));
}

#[test]
fn only_who_is_handed_over_to_looks_often() {
    let seldom = Some(Timestamp(300));
    assert_eq!(Room::backup(2, 1).manager.next_wakeup(), seldom, "a lower one has the lease");
    // Of two lower ones the higher waits like any backup.
    let mut room = Room::new(2);
    room.peer(0, 3, true, claim(0)).unwrap();
    room.peer(0, 1, true, Intent::Watch).unwrap();
    room.run(0, Input::Tick);
    assert_eq!(room.manager.next_wakeup(), seldom);
    let mut room = Room::with(1, Parameters { preempt: false, ..Parameters::default() });
    room.peer(0, 2, true, claim(0)).unwrap();
    room.run(0, Input::Tick);
    assert_eq!(room.manager.next_wakeup(), seldom, "nobody hands over");
}
