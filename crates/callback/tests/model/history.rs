//! What may happen next, and how likely. Only what is possible is proposed; what is rare by chance is made likely.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use ringback_callback::{DialOutcome, Occupancy, Phase, PressedDuring, SoftKey};

use crate::cast::{DIALLED, Odd, PHONES, PhoneNo};
use crate::harness::{Directory, Store};
use crate::reference::Reference;
use crate::step::{Alerts, Change, Progress, Step};

/// Histories of the reference.
pub(crate) struct Histories;

impl ReferenceStateMachine for Histories {
    type State = Reference;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Reference> {
        Just(Reference::new()).boxed()
    }

    fn transitions(state: &Reference) -> BoxedStrategy<Step> {
        let steps = proposals(state);
        let total: u32 = steps.iter().map(|(weight, _)| weight).sum();
        (0..total).prop_map(move |chance| choose(&steps, chance)).no_shrink().boxed()
    }

    fn apply(mut state: Reference, step: &Step) -> Reference {
        state.take(*step);
        state
    }

    fn preconditions(state: &Reference, step: &Step) -> bool {
        is_possible(state, *step)
    }
}

fn choose(steps: &[(u32, Step)], mut chance: u32) -> Step {
    for (weight, step) in steps {
        if chance < *weight {
            return *step;
        }
        chance -= weight;
    }
    Step::Wait(1)
}

/// All steps that are possible now, with their weights.
fn proposals(state: &Reference) -> Vec<(u32, Step)> {
    let mut steps = Vec::with_capacity(256);
    for p in 0..PHONES.len() {
        at_phone(state, p, &mut steps);
    }
    of_the_service(state, &mut steps);
    steps.retain(|(_, step)| is_possible(state, *step));
    steps
}

fn at_phone(state: &Reference, p: PhoneNo, steps: &mut Vec<(u32, Step)>) {
    use PressedDuring::{Busy, NoAnswer, Other, Ringback};
    let mine = state.of(p);
    // Most callers want B, whose line is shared.
    for n in 0..DIALLED.len() {
        let weight = if n == 1 { 6 } else { 1 };
        let weight = if mine.is_some() { 1 } else { 2 * weight };
        for (times, during) in [(3, Busy), (2, Ringback), (1, NoAnswer)] {
            steps.push((weight * times, Step::Press(p, n, during)));
        }
    }
    steps.push((1, Step::Press(p, 1, Other)));
    steps.push((2, Step::PressIdle(p)));
    let told =
        mine.is_some_and(|i| matches!(state.requests[i].record.phase, Phase::Turn { .. } | Phase::Lapsed));
    let dials = mine.is_some_and(|i| matches!(state.requests[i].record.phase, Phase::Dialing { .. }));
    let held = if mine.is_some_and(|i| state.requests[i].turn_write.is_some()) { 5 } else { 1 };
    for key in [SoftKey::Dial, SoftKey::Cancel, SoftKey::Exit, SoftKey::Ok] {
        let weight = match key {
            SoftKey::Dial => 20,
            SoftKey::Ok => 30,
            SoftKey::Exit => 6,
            SoftKey::Cancel => 4 * held,
        };
        steps.push((weight, Step::Key(p, key)));
        steps.push((1, Step::StaleKey(p, key, 1)));
        steps.push((1, Step::StaleKey(p, key, 2)));
    }
    steps.push((3, Step::Busy(p, true)));
    steps.push((20, Step::Busy(p, false)));
    steps.push((if dials { 6 } else { 30 }, Step::HangUp(p)));
    for l in PHONES[p].1 {
        let others = state.is_watched(*l);
        steps.push((if others { 16 } else { 2 }, Step::Line(p, *l, Occupancy::Idle)));
        steps.push((if others { 4 } else { 1 }, Step::Line(p, *l, Occupancy::Ringing)));
        steps.push((if others { 8 } else { 3 }, Step::Line(p, *l, Occupancy::InUse)));
    }
    steps.push((2, Step::Dnd(p, true)));
    steps.push((8, Step::Dnd(p, false)));
    steps.push((2 * held, Step::Unregister(p)));
    steps.push((10, Step::Register(p)));
    steps.push((2 * held, Step::UserChanged(p)));
    steps.push((30, Step::Dialled(p)));
    steps.push((4, Step::NotDialled(p, DialOutcome::Failed)));
    steps.push((4, Step::NotDialled(p, DialOutcome::Busy)));
    for progress in [
        Progress::Rings,
        Progress::RingsSomebody,
        Progress::Answers,
        Progress::RingsElsewhere,
        Progress::AnswersElsewhere,
        Progress::Busy,
        Progress::Ended,
    ] {
        let weight = match progress {
            Progress::Busy if dials => 20,
            Progress::Ended if !dials => 0,
            _ if dials => 4,
            Progress::Answers if told => 14,
            Progress::Answers => 4,
            _ => 1,
        };
        steps.push((weight, Step::Progress(p, progress)));
    }
    steps.push((1, Step::ScreenLost(p)));
    steps.push((20, Step::Writes(p)));
    steps.push((3, Step::WritesSilently(p)));
    steps.push((4, Step::Listed(p, true)));
    steps.push((if p == 1 { 1 } else { 0 }, Step::Listed(p, false)));
    steps.push((if p == 2 { 1 } else { 0 }, Step::Listed(p, false)));
}

fn of_the_service(state: &Reference, steps: &mut Vec<(u32, Step)>) {
    // While a turn is being saved, much is rare that is to be seen.
    let held = if state.requests.iter().any(|r| r.turn_write.is_some()) { 10 } else { 1 };
    for (weight, ms) in [
        (12, 1),
        (6, 500),
        (6, 1_000),
        (6, 2_000),
        (5, 3_000),
        (5, 7_000),
        (10, 20_000),
        (4, 60_000),
        (3 * held, 250_000),
        (held, 2_700_000),
        (1, 10_800_000),
    ] {
        steps.push((weight, Step::Wait(ms)));
    }
    steps.extend([
        (30, Step::Store(Store::Ready)),
        (6, Step::Store(Store::Slow)),
        (2, Step::Store(Store::Down)),
        (4, Step::StoreFails),
        (30, Step::Directory(Directory::Ready)),
        (2, Step::Directory(Directory::Slow)),
        (1, Step::Directory(Directory::Down)),
        (10, Step::Odd(Odd::Nothing)),
        (1, Step::Odd(Odd::Forwards)),
        (1, Step::Odd(Odd::Name)),
        (1, Step::Odd(Odd::NoKey)),
        (10, Step::Alerts(Alerts::Taken)),
        (1, Step::Alerts(Alerts::Refused)),
        (2, Step::Alerts(Alerts::InDoubt)),
        (4, Step::Link(false)),
        (30, Step::Link(true)),
        (3, Step::Crash),
        (30, Step::Start),
    ]);
    for change in [
        Change::Recall(20_000),
        Change::Recall(7_001),
        Change::Guard(0),
        Change::Guard(0),
        Change::Guard(3_003),
        Change::BusyDuration(2_700_000),
        Change::BusyDuration(100_017),
        Change::BusyDuration(7_013),
        Change::BusyDuration(0),
        Change::NoAnswerDuration(10_800_000),
        Change::NoAnswerDuration(250_029),
        Change::NoAnswerDuration(0),
        Change::PolicyAll(true),
        Change::PolicyAll(false),
        Change::PolicyAll(false),
        Change::PerLine(3),
        Change::PerLine(1),
        Change::PerLine(0),
        Change::InAll(4),
        Change::InAll(2),
        Change::InAll(0),
    ] {
        steps.push((1, Step::Parameter(change)));
    }
}

/// Whether a step makes sense in the world as it is.
pub(crate) fn is_possible(state: &Reference, step: Step) -> bool {
    let works = state.running && state.linked;
    let here = |p: PhoneNo| state.phones[p].registered;
    match step {
        Step::Press(p, ..) | Step::PressIdle(p) => {
            let pressed_idle = matches!(step, Step::PressIdle(_));
            let phone = &state.phones[p];
            let free = if pressed_idle { !phone.busy } else { phone.calls.is_empty() };
            works && here(p) && free
        }
        Step::Key(p, key) => works && here(p) && has_key(state, p, key),
        Step::StaleKey(p, key, _) => {
            if key == SoftKey::Ok && state.known[p].proposal.is_some() {
                return works && here(p) && has_key(state, p, key);
            }
            let ours = state.of(p).is_some() || state.known[p].screen.is_some();
            works && here(p) && ours && state.saving(p).is_none()
        }
        Step::Busy(p, busy) => {
            here(p) && state.phones[p].busy != busy && (busy || state.phones[p].calls.is_empty())
        }
        Step::HangUp(p) => here(p) && !state.phones[p].calls.is_empty(),
        Step::Line(p, l, occupancy) => {
            here(p) && state.phones[p].lines.iter().any(|(other, now)| *other == l && *now != occupancy)
        }
        Step::Dnd(p, on) => state.phones[p].dnd != on,
        Step::Unregister(p) => here(p),
        Step::Register(p) => !here(p),
        Step::UserChanged(p) => works && here(p) && state.device_is_open(p),
        Step::Dialled(p) | Step::NotDialled(p, _) => {
            let made = matches!(step, Step::Dialled(_));
            let asked = |i: usize| {
                let r = &state.requests[i];
                matches!(r.record.phase, Phase::Dialing { .. }) && r.asked_on.is_some() && r.call.is_none()
            };
            state.running && state.of(p).is_some_and(asked) && (!made || (works && here(p)))
        }
        Step::Progress(p, _) => works && here(p) && !state.phones[p].calls.is_empty(),
        Step::ScreenLost(p) => {
            let known = &state.known[p];
            works && known.screen.as_ref().is_some_and(|screen| screen.view.is_some()) && !known.undelivered
        }
        Step::Alerts(alerts) => state.alerts != alerts,
        Step::Wait(_) => true,
        Step::Store(store) => state.store != store,
        Step::Writes(p) | Step::WritesSilently(p) => {
            // Confirmations come in the order of the writes.
            let silent = state.unconfirmed.iter().any(|(_, other)| *other == p);
            let silently = matches!(step, Step::WritesSilently(_));
            state.running && state.next_write_of(p).is_some() && (silently || !silent)
        }
        Step::StoreFails => state.running && !state.writes.is_empty(),
        Step::Directory(directory) => state.directory != directory,
        Step::Odd(odd) => state.odd != odd,
        // Not while a question waits for its answer or OK: what the directory said then would be old.
        Step::Listed(p, listed) => {
            let settled = !state.asks() && state.known.iter().all(|known| known.proposal.is_none());
            let answers = state.running && state.directory == Directory::Ready;
            answers && settled && state.phones[p].listed != listed
        }
        Step::Link(up) => state.running && state.linked != up,
        Step::Crash => state.running,
        Step::Start => !state.running,
        Step::Parameter(_) => state.running,
    }
}

/// Whether this softkey is on the phone.
fn has_key(state: &Reference, p: PhoneNo, key: SoftKey) -> bool {
    let known = &state.known[p];
    let Some(screen) = &known.screen else { return false };
    // A question to the directory that is under way decides what OK would mean.
    if key == SoftKey::Ok && known.question.is_some() {
        return false;
    }
    match &screen.view {
        Some(view) => view.keys().contains(&key),
        // What an earlier instance has put there: a screen of this request.
        None => {
            let notified = |i: usize| !matches!(state.requests[i].record.phase, Phase::Waiting);
            match key {
                SoftKey::Cancel | SoftKey::Exit => true,
                SoftKey::Dial => state.of(p).is_some_and(notified),
                SoftKey::Ok => false,
            }
        }
    }
}
