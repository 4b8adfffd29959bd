//! Whether engine and reference agree after a step. Order is compared for each phone; between phones it is free.

use std::collections::BTreeSet;

use ringback_callback::{Notice, Output, Phase, Record, Refusal, View};

use crate::cast::{self, PHONES, PhoneNo};
use crate::driver::Driver;
use crate::reference::{Reference, Said, Stage};

/// The first difference found, if any.
pub(crate) fn difference(driver: &Driver, reference: &Reference) -> Option<String> {
    let b = &driver.bench;
    for p in 0..PHONES.len() {
        let (saw, expected) = (as_seen(said(driver, p)), as_seen(said_by(reference, p)));
        if saw.len() != expected.len() || !saw.iter().zip(&expected).all(|(a, b)| same(a, b)) {
            return Some(format!("{}: expected {expected:?}, saw {saw:?}", cast::name(p)));
        }
        let (saw, expected) = (noticed(driver, p), noticed_by(reference, p));
        if saw != expected {
            return Some(format!("told of {}: expected {expected:?}, saw {saw:?}", cast::name(p)));
        }
        let refused: Vec<Refusal> = refusals(driver, p);
        let allowed: Vec<&Vec<Refusal>> =
            reference.refused.iter().filter(|(other, _)| *other == p).map(|(_, reasons)| reasons).collect();
        if refused.len() != allowed.len() || !refused.iter().zip(&allowed).all(|(r, all)| all.contains(r)) {
            return Some(format!("refused to {}: expected {allowed:?}, saw {refused:?}", cast::name(p)));
        }
    }
    let mut expected = reference.stored.clone();
    expected.sort_by_key(|record| record.id);
    let saw: Vec<_> = b.stored.values().cloned().collect();
    if saw.len() != expected.len() || !saw.iter().zip(&expected).all(|(a, b)| same_record(a, b)) {
        return Some(format!("stored: expected {expected:?}, saw {saw:?}"));
    }
    opened(driver, reference).or_else(|| queued(driver, reference))
}

fn opened(driver: &Driver, reference: &Reference) -> Option<String> {
    let b = &driver.bench;
    let open = |p: &PhoneNo| reference.device_is_open(*p);
    let devices: BTreeSet<_> = (0..PHONES.len()).filter(open).map(cast::device).collect();
    if devices != b.open_devices {
        return Some(format!("open: expected {devices:?}, saw {:?}", b.open_devices));
    }
    let all = (0..PHONES.len()).flat_map(|p| PHONES[p].1.iter().map(move |l| (p, *l)));
    let open = all.filter(|(p, l)| reference.line_is_open(*p, *l));
    let lines: BTreeSet<_> = open.map(|(p, l)| cast::at(p, l)).collect();
    (lines != b.open_lines).then(|| format!("open: expected {lines:?}, saw {:?}", b.open_lines))
}

fn queued(driver: &Driver, reference: &Reference) -> Option<String> {
    if !reference.running {
        return None;
    }
    let engine = &driver.bench.engine;
    let accepted = reference.requests.iter().filter(|r| r.stage == Stage::Accepted);
    for r in accepted.clone() {
        // While a turn is being saved, only what is shown tells it; nobody is promised what a record says then.
        let saw = engine.request(r.record.id);
        if saw.map(|record| phase(record.phase)) != Some(phase(r.record.phase)) {
            return Some(format!("expected {:?}, saw {saw:?}", r.record));
        }
    }
    if engine.pending() != accepted.count() {
        return Some(format!("{} requests", engine.pending()));
    }
    for l in 0..cast::LINES.len() {
        let saw: Vec<_> = engine.queue(&cast::line(l)).map(|record| record.id).collect();
        let expected = reference.waiting(l);
        if saw != expected {
            return Some(format!("queue of {l}: expected {expected:?}, saw {saw:?}"));
        }
    }
    None
}

fn phase(phase: Phase) -> u8 {
    match phase {
        Phase::Waiting => 0,
        Phase::Turn { .. } => 1,
        Phase::Lapsed => 2,
        _ => 3,
    }
}

/// **Freedom**: that the call during which the key was pressed has ended need not be written, as nobody answers it.
fn same_record(saw: &Record, expected: &Record) -> bool {
    let origin = saw.origin.and(expected.origin).and(saw.origin);
    let same = saw.origin.is_none() || expected.origin.is_none() || saw.origin == expected.origin;
    same && Record { origin, ..saw.clone() } == Record { origin, ..expected.clone() }
}

fn same(saw: &Said, expected: &Said) -> bool {
    match (saw, expected) {
        // The reason is compared with those that apply, where operators are told.
        (Said::Show(View::Cannot { dn: saw, .. }, None), Said::Show(View::Cannot { dn, .. }, None)) => {
            saw == dn
        }
        _ => saw == expected,
    }
}

/// **Freedom**: a screen that is taken away when the next one comes up in the same moment, or is just replaced by it.
fn as_seen(mut all: Vec<Said>) -> Vec<Said> {
    let mut at = 0;
    while at + 1 < all.len() {
        if matches!((&all[at], &all[at + 1]), (Said::Clear, Said::Show(..))) {
            all.remove(at);
        } else {
            at += 1;
        }
    }
    all
}

/// What a phone saw and heard.
fn said(driver: &Driver, p: PhoneNo) -> Vec<Said> {
    let device = cast::device(p);
    let of = |output: &Output| match output {
        Output::Verdict { accepted, .. } if driver.pressed == Some(p) => Some(Said::Verdict(*accepted)),
        Output::Show { device: to, view, about } if *to == device => Some(Said::Show(view.clone(), *about)),
        Output::Clear(to) if *to == device => Some(Said::Clear),
        Output::Alert { device: to, alert } if *to == device => Some(Said::Alert(*alert)),
        Output::Dial { request, from, dn, override_forwarding } if from.device == device => {
            Some(Said::Dial { request: *request, dn: dn.clone(), override_forwarding: *override_forwarding })
        }
        _ => None,
    };
    driver.bench.log.iter().filter_map(of).collect()
}

fn said_by(reference: &Reference, p: PhoneNo) -> Vec<Said> {
    reference.said.iter().filter(|(to, _)| *to == p).map(|(_, said)| said.clone()).collect()
}

/// What operators were told of a phone's requests. **Freedom**: nobody is promised to be told who is suspended.
fn noticed(driver: &Driver, p: PhoneNo) -> Vec<Notice> {
    let of = |output: &Output| match output {
        Output::Notice(notice) => {
            let id = match notice {
                Notice::Accepted { request }
                | Notice::Ended { request, .. }
                | Notice::TurnStarted { request, .. }
                | Notice::TurnWithdrawn { request }
                | Notice::TurnLapsed { request }
                | Notice::Retained { request }
                | Notice::DialFailed { request }
                | Notice::AlertFailed { request } => request,
                Notice::AlertRepeated { alert } => &alert.request,
                _ => return None,
            };
            (driver.owners.get(id) == Some(&p)).then(|| notice.clone())
        }
        _ => None,
    };
    driver.bench.log.iter().filter_map(of).collect()
}

fn noticed_by(reference: &Reference, p: PhoneNo) -> Vec<Notice> {
    reference
        .notices
        .iter()
        .filter(|(to, notice)| *to == p && !matches!(notice, Notice::Suspended { .. }))
        .map(|(_, notice)| notice.clone())
        .collect()
}

fn refusals(driver: &Driver, p: PhoneNo) -> Vec<Refusal> {
    let of = |output: &Output| match output {
        Output::Notice(Notice::Refused { device, reason }) if *device == cast::device(p) => Some(*reason),
        _ => None,
    };
    driver.bench.log.iter().filter_map(of).collect()
}
