//! Links that are lost, and instances that are replaced.

use ringback_model::Epoch;

use super::data::{done, played};
use super::lab::{Act, Lab, Wait};
use super::rules::{ANEW, DEDUP, FENCED, LOST, NEVER_SENT, ONCE, STANDING};
use super::seat::{Seat, act, calls_at, connect, part, refused};
use super::{Violation, same};
use crate::message::{CallState, CtiError};
use crate::provider::{Command, CtiProvider, Fencing, LinkLoss, ProviderEvent, RequestFailure};

fn is_lost(event: &ProviderEvent) -> bool {
    matches!(event, ProviderEvent::LinkLost { .. })
}

fn is_up(event: &ProviderEvent) -> bool {
    matches!(event, ProviderEvent::LinkUp { .. })
}

async fn cut<L: Lab>(lab: &mut L, seat: &mut Seat<L::Provider>) -> Result<(), Violation> {
    act(lab, Act::CutLink).await?;
    seat.until(lab, LOST, "LinkLost", is_lost).await.map(drop)
}

pub(super) async fn a_lost_link_is_told_and_everything_read_anew<L: Lab>(
    lab: &mut L,
) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    connect(lab, &b, &c).await?;
    let mut seat = Seat::watching(lab, 1, &[&a, &b, &c]).await?;
    cut(lab, &mut seat).await?;
    for tag in [
        seat.make_call(&a, &c.line.dn, true),
        seat.send(&a.device, None, lab.data().into_iter().next().unwrap_or_default()),
    ] {
        let (outcome, _) = seat.outcome(lab, tag).await?;
        match refused(NEVER_SENT, outcome)? {
            RequestFailure::NeverSent(_) => {}
            other => return Err(Violation::new(NEVER_SENT, "NeverSent", other)),
        }
    }
    // Meanwhile B becomes free, A calls C, who hangs up and is called by B: of all this only the last is to be seen.
    part(lab, &b, &c).await?;
    connect(lab, &a, &c).await?;
    part(lab, &a, &c).await?;
    connect(lab, &b, &c).await?;
    part(lab, &c, &b).await?;
    act(lab, Act::Call { from: a.clone(), to: c.line.dn.clone() }).await?;
    act(lab, Act::RestoreLink).await?;
    let heard = seat.until(lab, LOST, "LinkUp", is_up).await?;
    same(LOST, heard.iter().find(|event| is_lost(event)), None)?;
    let heard = seat.quiet(lab).await?;
    for (at, expected) in [(&a, Some(CallState::Ringback)), (&b, None), (&c, Some(CallState::Ringing))] {
        let read = heard.iter().find_map(|event| match event {
            ProviderEvent::LineOpened { at: of, calls } if of == at => {
                Some(calls.iter().map(|info| info.state).collect::<Vec<_>>())
            }
            _ => None,
        });
        same(ANEW, read, Some(Vec::from_iter(expected)))?;
        same(ANEW, calls_at(&heard, at), Vec::new())?;
        seat.knows(lab, ANEW, at).await?;
    }
    same(NEVER_SENT, lab.received(&a.device).await, Vec::new())?;
    act(lab, Act::HangUp(a.device.clone())).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, ANEW, &a).await?;
    seat.knows(lab, ANEW, &c).await
}

pub(super) async fn what_is_asked_while_the_link_is_down_holds<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    cut(lab, &mut seat).await?;
    seat.submit(Command::CloseLine(a.clone()));
    seat.submit(Command::CloseDevice(b.device.clone()));
    seat.submit(Command::OpenDevice(c.device.clone()));
    seat.submit(Command::OpenLine(c.clone()));
    seat.quiet(lab).await?;
    act(lab, Act::RestoreLink).await?;
    seat.line_opened(lab, STANDING, &c).await?;
    seat.quiet(lab).await?;
    connect(lab, &a, &c).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, STANDING, &c).await?;
    // Lost again, and relinquished: nothing comes back.
    cut(lab, &mut seat).await?;
    seat.submit(Command::Relinquish);
    act(lab, Act::RestoreLink).await?;
    seat.until(lab, LOST, "LinkUp", is_up).await?;
    seat.quiet(lab).await?;
    part(lab, &a, &c).await?;
    let heard = seat.quiet(lab).await?;
    same(STANDING, heard, Vec::new())
}

/// Whatever becomes of them: each command that is under way when the link breaks is answered.
pub(super) async fn commands_around_a_loss_are_answered_once<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let content = lab.data().into_iter().next().unwrap_or_default();
    let mut tags = vec![seat.send(&a.device, None, content.clone())];
    seat.glance().await?;
    tags.push(seat.send(&a.device, None, content.clone()));
    act(lab, Act::CutLink).await?;
    tags.push(seat.send(&a.device, None, content.clone()));
    seat.glance().await?;
    tags.push(seat.send(&a.device, None, content.clone()));
    if seat.is_linked() {
        seat.until(lab, LOST, "LinkLost", is_lost).await?;
    }
    tags.push(seat.send(&a.device, None, content.clone()));
    seat.quiet(lab).await?;
    act(lab, Act::RestoreLink).await?;
    seat.line_opened(lab, ANEW, &a).await?;
    tags.push(seat.send(&a.device, None, content));
    seat.quiet(lab).await?;
    for tag in tags {
        same(ONCE, seat.answer(tag).is_some(), true)?;
    }
    Ok(())
}

/// What the older one asks for is refused, even if it does not know yet that it was replaced.
pub(super) async fn who_is_replaced_has_no_effect<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut old = Seat::watching(lab, 1, &[&a]).await?;
    let strict = old.capabilities().fencing == Fencing::Strict;
    let mut new = Seat::watching(lab, 2, &[&b]).await?;
    let before = (lab.received(&a.device).await, lab.played(&a.device).await);
    let tags = [
        old.make_call(&a, &c.line.dn, true),
        old.send(&a.device, None, lab.data().into_iter().next().unwrap_or_default()),
        old.send(&a.device, Some(1), lab.alert()),
    ];
    if strict {
        let told = old.until(lab, FENCED, "LinkLost", is_lost).await?;
        let reason = LinkLoss::ProviderClosed(CtiError::EpochSuperseded);
        let fits = matches!(told.last(), Some(ProviderEvent::LinkLost { reason: why, .. }) if *why == reason);
        same(FENCED, fits.then_some(()).ok_or(told), Ok(()))?;
        for tag in tags {
            let (outcome, _) = old.outcome(lab, tag).await?;
            refused(FENCED, outcome)?;
        }
        same(FENCED, (lab.received(&a.device).await, lab.played(&a.device).await), before)?;
        same(FENCED, lab.rings(&c.device).await, false)?;
    }
    // The new one is not disturbed.
    connect(lab, &b, &c).await?;
    new.quiet(lab).await?;
    same(FENCED, new.is_linked(), true)?;
    new.knows(lab, FENCED, &b).await
}

pub(super) async fn who_is_replaced_cannot_come_back<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut new = Seat::watching(lab, 2, &[&a]).await?;
    if new.capabilities().fencing != Fencing::Strict {
        return Ok(());
    }
    let mut old = Seat::take(lab).await;
    old.submit(Command::Assume(Epoch(1)));
    old.submit(Command::OpenDevice(b.device.clone()));
    old.submit(Command::OpenLine(b.clone()));
    for _ in 0..50 {
        match old.hear(lab, Wait::UntilItIsQuiet).await? {
            None => break,
            Some(event @ (ProviderEvent::Device { .. } | ProviderEvent::LineOpened { .. })) => {
                return Err(Violation::new(FENCED, "nothing is opened", event));
            }
            Some(_) => {}
        }
    }
    let tag = old.make_call(&b, &c.line.dn, true);
    let (outcome, _) = old.outcome(lab, tag).await?;
    refused(FENCED, outcome)?;
    same(FENCED, lab.rings(&c.device).await, false)?;
    new.quiet(lab).await?;
    same(FENCED, new.is_linked(), true)?;
    connect(lab, &a, &c).await?;
    new.quiet(lab).await?;
    new.knows(lab, FENCED, &a).await
}

/// After a take-over the next instance sends what it finds recorded once more.
pub(super) async fn an_alert_is_known_to_the_next_instance<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let dedup = lab.provider().await.capabilities().dedup;
    for epoch in 1..=2 {
        let mut seat = Seat::watching(lab, epoch, &[&a]).await?;
        let tag = seat.send(&a.device, Some(7), lab.alert());
        done(DEDUP, &seat.outcome(lab, tag).await?.0)?;
        same(DEDUP, lab.played(&a.device).await, played(dedup, epoch))?;
    }
    Ok(())
}
