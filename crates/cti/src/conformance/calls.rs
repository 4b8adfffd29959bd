//! Calls: seen, and made.

use ringback_model::{Appearance, CallId, DirectoryNumber};

use super::lab::{Act, Lab, Wait};
use super::rules::{
    BUSY, ENDS, FORWARDS, KEPT, NOT_FROM_CLOSED, ONCE, ORDER, PLACED, RINGS, Rule, SAME_CALL, TRUTH, UNKNOWN,
};
use super::seat::{Outcome, Seat, act, calls_at, connect, part, present};
use super::{Violation, same};
use crate::message::{Answer, CallInfo, CallState, Cause, CtiError};
use crate::provider::{Command, Placing, ProviderEvent, RequestFailure};

/// How far a call is: it never goes back to a lower number.
fn progress(state: CallState) -> Option<u8> {
    Some(match state {
        CallState::Offering | CallState::DialTone => 0,
        CallState::Dialing => 1,
        CallState::Proceeding => 2,
        CallState::Ringing | CallState::Ringback => 3,
        CallState::Connected | CallState::OnHold => 4,
        CallState::Busy | CallState::Disconnected => 5,
        CallState::Idle => 6,
        CallState::Unknown(_) => return None,
    })
}

/// A simple call from its beginning to its end.
fn is_in_order(told: &[&CallInfo], through: &[CallState]) -> Result<(), Violation> {
    let states: Vec<CallState> = told.iter().map(|info| info.state).collect();
    let steps: Vec<u8> = states.iter().filter_map(|state| progress(*state)).collect();
    if !steps.is_sorted() {
        return Err(Violation::new(ORDER, "states that follow each other", states));
    }
    if states.last() != Some(&CallState::Idle) {
        return Err(Violation::new(ENDS, "Idle at last", states));
    }
    match through.iter().find(|state| !states.contains(state)) {
        Some(missing) => Err(Violation::new(ORDER, format!("{missing:?} among them"), states)),
        None => Ok(()),
    }
}

pub(super) async fn a_call_is_told_in_order_at_both_ends<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    for first_to_leave in [&a, &b] {
        act(lab, Act::Call { from: a.clone(), to: b.line.dn.clone() }).await?;
        let mut heard = seat.quiet(lab).await?;
        for (at, peer, state) in [(&a, &b, CallState::Ringback), (&b, &a, CallState::Ringing)] {
            let told =
                calls_at(&heard, at).pop().map(|info| (info.state, info.peer.clone(), info.called.clone()));
            let called = Some(b.line.dn.clone());
            same(SAME_CALL, told, Some((state, Some(peer.line.dn.clone()), called)))?;
            seat.knows(lab, TRUTH, at).await?;
        }
        act(lab, Act::Answer(b.device.clone())).await?;
        heard.extend(seat.quiet(lab).await?);
        seat.knows(lab, TRUTH, &a).await?;
        seat.knows(lab, TRUTH, &b).await?;
        let last_to_leave = if first_to_leave == &a { &b } else { &a };
        part(lab, first_to_leave, last_to_leave).await?;
        heard.extend(seat.quiet(lab).await?);
        is_in_order(&calls_at(&heard, &a), &[CallState::Ringback, CallState::Connected])?;
        is_in_order(&calls_at(&heard, &b), &[CallState::Ringing, CallState::Connected])?;
        let ids: Vec<CallId> =
            calls_at(&heard, &a).into_iter().chain(calls_at(&heard, &b)).map(|info| info.call).collect();
        same(SAME_CALL, ids.iter().find(|id| **id != ids[0]), None)?;
    }
    // One that is not answered, and what somebody else does meanwhile.
    act(lab, Act::Call { from: c.clone(), to: b.line.dn.clone() }).await?;
    act(lab, Act::HangUp(c.device.clone())).await?;
    let heard = seat.quiet(lab).await?;
    is_in_order(&calls_at(&heard, &b), &[CallState::Ringing])?;
    same(ORDER, calls_at(&heard, &b).iter().find(|info| info.state.is_off_hook()), None)?;
    same(TRUTH, calls_at(&heard, &a), Vec::new())?;
    seat.knows(lab, TRUTH, &b).await
}

/// A call that was made, from where it goes out: only where its phone rings first it comes to it before.
fn going_out<'i>(placing: Placing, told: &[&'i CallInfo]) -> Result<Vec<&'i CallInfo>, Violation> {
    let comes = |info: &&&CallInfo| matches!(info.state, CallState::Offering | CallState::Ringing);
    match (placing, told.iter().find(comes)) {
        (Placing::Direct, Some(coming)) => Err(Violation::new(PLACED, "a call that goes out", coming)),
        (Placing::Direct, None) => Ok(told.to_vec()),
        (Placing::RingsFirst, _) => Ok(told[told.iter().take_while(comes).count()..].to_vec()),
    }
}

/// The id of a call that has been made, from the answer.
fn made(rule: Rule, outcome: &Outcome) -> Result<CallId, Violation> {
    match outcome {
        Ok(Answer::CallMade(call)) => Ok(*call),
        other => Err(Violation::new(rule, "CallMade", other)),
    }
}

pub(super) async fn a_call_is_made<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let tag = seat.make_call(&a, &b.line.dn, false);
    let (outcome, mut heard) = seat.outcome(lab, tag).await?;
    let call = made(RINGS, &outcome)?;
    same(RINGS, lab.rings(&b.device).await, true)?;
    let told = calls_at(&heard, &a);
    same(RINGS, told.iter().find(|info| info.call != call), None)?;
    same(RINGS, told.last().map(|info| info.state), Some(CallState::Ringback))?;
    act(lab, Act::Answer(b.device.clone())).await?;
    part(lab, &b, &a).await?;
    heard.extend(seat.quiet(lab).await?);
    let told = going_out(seat.capabilities().placing, &calls_at(&heard, &a))?;
    is_in_order(&told, &[CallState::Ringback, CallState::Connected])
}

/// How a call that cannot be made is told: refused at once, or as a call that goes this way.
async fn fails<L: Lab>(
    lab: &mut L,
    rule: Rule,
    at: &Appearance,
    to: &DirectoryNumber,
    refusal: CtiError,
    goes: impl Fn(&CallInfo) -> bool,
) -> Result<(), Violation> {
    let mut seat = Seat::watching(lab, 1, &[at]).await?;
    let tag = seat.make_call(at, to, true);
    let (outcome, heard) = seat.outcome(lab, tag).await?;
    if outcome == Err(RequestFailure::Refused(refusal)) {
        return same(rule, calls_at(&heard, at).iter().find(|info| goes(info)), None);
    }
    let expected = format!("refused as {refusal:?}, or a call that is told to fail for this");
    let call =
        made(rule, &outcome).map_err(|violation| Violation { expected: expected.clone(), ..violation })?;
    let told = calls_at(&heard, at).into_iter().find(|info| info.call == call && goes(info));
    present(rule, &expected, told, &heard)?;
    act(lab, Act::HangUp(at.device.clone())).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, TRUTH, at).await
}

pub(super) async fn a_busy_destination_is_named<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    connect(lab, &b, &c).await?;
    fails(lab, BUSY, &a, &b.line.dn, CtiError::DestinationBusy, |info| {
        info.state == CallState::Busy
            || (info.state, info.cause) == (CallState::Disconnected, Cause::USER_BUSY)
    })
    .await?;
    same(BUSY, lab.rings(&b.device).await, false)?;
    let states: Vec<CallState> = lab.calls(&b).await.iter().map(|info| info.state).collect();
    same(BUSY, states, vec![CallState::Connected])
}

pub(super) async fn an_unknown_destination_is_named<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let Ok(nowhere) = DirectoryNumber::new("4711999") else { return Ok(()) };
    fails(lab, UNKNOWN, &a, &nowhere, CtiError::DestinationUnknown, |info| {
        info.state == CallState::Disconnected
            && !matches!(info.cause, Cause::NONE | Cause::NORMAL | Cause::USER_BUSY)
    })
    .await
}

pub(super) async fn a_call_from_a_closed_line_is_refused<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    seat.submit(Command::OpenDevice(b.device.clone()));
    seat.quiet(lab).await?;
    for (from, to) in [(&c, &a), (&b, &a)] {
        let tag = seat.make_call(from, &to.line.dn, false);
        let (outcome, _) = seat.outcome(lab, tag).await?;
        match outcome {
            Err(RequestFailure::Refused(
                CtiError::DeviceNotOpen | CtiError::UndefinedLine | CtiError::DeviceOutOfService,
            )) => {}
            other => return Err(Violation::new(NOT_FROM_CLOSED, "DeviceNotOpen or UndefinedLine", other)),
        }
        same(NOT_FROM_CLOSED, lab.rings(&to.device).await, false)?;
        same(NOT_FROM_CLOSED, lab.calls(from).await, Vec::new())?;
    }
    Ok(())
}

pub(super) async fn forwarding_is_followed_or_overridden<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    act(lab, Act::Forward(b.clone(), Some(c.line.dn.clone()))).await?;
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    for overriding in [true, false] {
        let tag = seat.make_call(&a, &b.line.dn, overriding);
        let (outcome, heard) = seat.outcome(lab, tag).await?;
        made(FORWARDS, &outcome)?;
        let ring = (lab.rings(&b.device).await, lab.rings(&c.device).await);
        same(FORWARDS, ring, (overriding, !overriding))?;
        let peer = if overriding { &b } else { &c };
        let told = calls_at(&heard, &a).pop().map(|info| (info.called.clone(), info.peer.clone()));
        same(FORWARDS, told, Some((Some(b.line.dn.clone()), Some(peer.line.dn.clone()))))?;
        act(lab, Act::HangUp(a.device.clone())).await?;
        seat.quiet(lab).await?;
    }
    Ok(())
}

pub(super) async fn next_may_be_dropped<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    let tag = seat.make_call(&a, &b.line.dn, false);
    let mut heard = Vec::new();
    for round in 0..3 {
        loop {
            // While something may be there, and while nothing is.
            heard.extend(seat.glance().await?);
            heard.extend(seat.glance().await?);
            match seat.hear(lab, Wait::UntilItIsQuiet).await? {
                Some(event) => heard.push(event),
                None => break,
            }
        }
        match round {
            0 => act(lab, Act::Answer(b.device.clone())).await?,
            1 => part(lab, &a, &b).await?,
            _ => {}
        }
    }
    heard.extend(seat.quiet(lab).await?);
    same(ONCE, seat.answer(tag).is_some(), true)?;
    for (at, through) in [(&a, CallState::Ringback), (&b, CallState::Ringing)] {
        let told = calls_at(&heard, at).into_iter().map(|info| info.state).collect::<Vec<_>>();
        for state in [through, CallState::Connected, CallState::Idle] {
            let found = told.contains(&state).then_some(state);
            same(KEPT, found, Some(state))?;
        }
        seat.knows(lab, KEPT, at).await?;
    }
    let opened = heard.iter().filter(|event| matches!(event, ProviderEvent::LineOpened { .. })).count();
    same(KEPT, opened, 0)
}
