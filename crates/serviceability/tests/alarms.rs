//! What is news is told once; what flutters is held back until it settles; each destination has its level.

use std::sync::Arc;

use proptest::prelude::*;
use ringback_model::{Group, Millis, Timestamp};
use ringback_serviceability::alarm::{
    Alarm, AlarmKind, AlarmName, AlarmParameter, AlarmSink, AlarmTable, Damping, FanOut, MemorySink, Report,
    Reporter, Severity,
};

const DAMPING: Damping = Damping { alarms: 4, window: Millis::from_secs(60), settle: Millis::from_secs(30) };

fn lost(manager: &str) -> Report {
    Report::new(AlarmName::CtiLost).with(AlarmParameter::Manager, manager)
}

fn connected(manager: &str) -> Report {
    Report::new(AlarmName::CtiConnected).with(AlarmParameter::Manager, manager)
}

fn at(secs: u64) -> Timestamp {
    Timestamp(secs * 1000)
}

/// What becomes of a report: nothing, or an alarm with so many held back.
fn told(table: &mut AlarmTable, secs: u64, report: Report) -> Option<(AlarmName, u32, bool)> {
    table.report(at(secs), report).map(|alarm| (alarm.name(), alarm.held_back, alarm.fluttering))
}

#[test]
fn a_condition_is_told_when_it_changes() {
    let mut table = AlarmTable::new(DAMPING);
    assert_eq!(
        table.report(at(1), connected("cti1")),
        Some(Alarm { at: at(1), report: connected("cti1"), held_back: 0, fluttering: false })
    );
    assert_eq!(told(&mut table, 2, connected("cti1")), None);
    assert_eq!(told(&mut table, 3, lost("cti1")), Some((AlarmName::CtiLost, 1, false)));
    assert_eq!(told(&mut table, 4, lost("cti2")), None);
    assert_eq!(table.standing().collect::<Vec<_>>(), [&lost("cti2")]);
    assert_eq!(told(&mut table, 70, connected("cti2")), Some((AlarmName::CtiConnected, 1, false)));
    assert_eq!(table.standing().count(), 0);
    assert_eq!(table.next_tick(), None);
}

#[test]
fn conditions_and_groups_do_not_mix() {
    let mut table = AlarmTable::new(DAMPING);
    let of = |group: &str| lost("cti1").in_group(Group::new(group).unwrap());
    assert!(table.report(at(1), of("north")).is_some());
    assert!(table.report(at(1), of("south")).is_some());
    assert!(table.report(at(1), Report::new(AlarmName::DatabaseLost)).is_some());
    assert!(table.report(at(1), of("north")).is_none());
    assert_eq!(table.standing().count(), 3);
}

#[test]
fn events_are_always_told() {
    let mut table = AlarmTable::new(DAMPING);
    for secs in 0..100 {
        let report = Report::new(AlarmName::LimitReached).with(AlarmParameter::Count, 10);
        assert_eq!(told(&mut table, secs, report), Some((AlarmName::LimitReached, 0, false)));
    }
}

#[test]
fn what_flutters_is_held_back_until_it_settles() {
    let mut table = AlarmTable::new(DAMPING);
    assert_eq!(told(&mut table, 1, lost("cti1")), Some((AlarmName::CtiLost, 0, false)));
    assert_eq!(told(&mut table, 2, connected("cti1")), Some((AlarmName::CtiConnected, 0, false)));
    assert_eq!(told(&mut table, 3, lost("cti1")), Some((AlarmName::CtiLost, 0, false)));
    assert_eq!(told(&mut table, 4, connected("cti1")), Some((AlarmName::CtiConnected, 0, true)));
    assert_eq!(told(&mut table, 5, lost("cti1")), None);
    assert_eq!(table.next_tick(), Some(at(35)));
    assert_eq!(told(&mut table, 6, connected("cti1")), None);
    assert_eq!(told(&mut table, 7, lost("cti1")), None);
    assert_eq!(table.next_tick(), Some(at(37)));
    assert_eq!(told(&mut table, 8, lost("cti1")), None);
    assert_eq!(table.next_tick(), Some(at(37)));
    assert_eq!(table.tick(at(36)), []);
    assert_eq!(
        table.tick(at(37)),
        [Alarm { at: at(37), report: lost("cti1"), held_back: 4, fluttering: false }]
    );
    assert_eq!(table.next_tick(), None);
    assert_eq!(told(&mut table, 38, connected("cti1")), Some((AlarmName::CtiConnected, 0, false)));
}

#[test]
fn what_settles_as_it_was_is_not_told_again() {
    let mut table = AlarmTable::new(DAMPING);
    for secs in [1, 3] {
        table.report(at(secs), connected("cti1"));
        table.report(at(secs + 1), lost("cti1"));
    }
    assert_eq!(told(&mut table, 5, connected("cti1")), None);
    assert_eq!(told(&mut table, 6, lost("cti1")), None);
    assert_eq!(table.tick(at(36)), []);
    assert_eq!(table.standing().collect::<Vec<_>>(), [&lost("cti1")]);
}

#[test]
fn slow_changes_do_not_flutter() {
    let mut table = AlarmTable::new(DAMPING);
    for round in 0..20 {
        assert_eq!(told(&mut table, round * 50, lost("cti1")), Some((AlarmName::CtiLost, 0, false)));
        let back = told(&mut table, round * 50 + 25, connected("cti1"));
        assert_eq!(back, Some((AlarmName::CtiConnected, 0, false)));
    }
}

proptest! {
    /// Whatever is reported: once all has settled, the last alarm of a condition says how it stands, and two alarms
    /// that follow each other never say the same.
    #[test]
    fn the_last_word_is_true(steps in prop::collection::vec((0..20_000_u64, any::<bool>()), 1..60)) {
        let mut table = AlarmTable::new(DAMPING);
        let mut now = Timestamp(0);
        let mut words = Vec::new();
        for (pause, wrong) in &steps {
            now = now + Millis(*pause);
            words.extend(table.tick(now));
            words.extend(table.report(now, if *wrong { lost("cti1") } else { connected("cti1") }));
        }
        words.extend(table.tick(now + DAMPING.settle));
        let words: Vec<_> =
            words.iter().map(|alarm| matches!(alarm.name().kind(), AlarmKind::Raises(_))).collect();
        prop_assert_eq!(words.last(), steps.last().map(|(_, wrong)| wrong));
        prop_assert!(words.windows(2).all(|two| two[0] != two[1]));
    }
}

#[test]
fn each_destination_has_its_level_and_it_can_change() {
    let (all, bad) = (Arc::new(MemorySink::default()), Arc::new(MemorySink::default()));
    let fan_out = Arc::new(FanOut::default().to("log", Severity::Debug, all.clone()).to(
        "pager",
        Severity::Critical,
        bad.clone(),
    ));
    let reporter = Reporter::new(Damping::default(), fan_out.clone());
    reporter.report(at(1), Report::new(AlarmName::ServiceStarted));
    reporter.report(at(2), lost("cti1"));
    assert_eq!(all.names(), [AlarmName::ServiceStarted, AlarmName::CtiLost]);
    assert_eq!(bad.names(), [AlarmName::CtiLost]);

    fan_out.set_minimum("pager", Some(Severity::Notice)).unwrap();
    fan_out.set_minimum("log", None).unwrap();
    reporter.report(at(3), connected("cti1"));
    assert_eq!(all.take().len(), 2);
    assert_eq!(bad.names(), [AlarmName::CtiLost, AlarmName::CtiConnected]);
    assert_eq!(fan_out.minimums(), [("log", None), ("pager", Some(Severity::Notice))]);
    assert_eq!(
        fan_out.set_minimum("mail", None).unwrap_err().to_string(),
        "no alarm destination \"mail\": there are log, pager"
    );
    assert_eq!(reporter.standing(), []);
    assert_eq!(reporter.next_tick(), None);
}

#[test]
fn memory_keeps_the_last() {
    let sink = MemorySink::new(2);
    let mut table = AlarmTable::default();
    for name in [AlarmName::ServiceStarted, AlarmName::BecameActive, AlarmName::FencedOff] {
        sink.alarm(&table.report(at(1), Report::new(name)).unwrap());
    }
    assert_eq!(sink.names(), [AlarmName::BecameActive, AlarmName::FencedOff]);
}
