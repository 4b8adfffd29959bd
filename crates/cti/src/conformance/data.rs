//! Data to phones.

use super::lab::{Act, Lab};
use super::rules::{ADAPTED, DEDUP, LOST, NOT_TO_CLOSED, Rule, TOO_LARGE, UNCHANGED};
use super::seat::{Outcome, Seat, act, refused};
use super::{Violation, same};
use crate::message::{Answer, CtiError};
use crate::provider::{Command, Dedup, Delivery, ProviderEvent, RequestFailure};

/// The command has been carried out.
pub(super) fn done(rule: Rule, outcome: &Outcome) -> Result<(), Violation> {
    match outcome {
        Ok(Answer::Done) => Ok(()),
        other => Err(Violation::new(rule, "Done", other)),
    }
}

pub(super) async fn data_arrives_unchanged_and_in_order<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    seat.submit(Command::OpenDevice(b.device.clone()));
    seat.quiet(lab).await?;
    let data = lab.data();
    if data.is_empty() {
        return Err(Violation::new(super::rules::LAB, "some data", data));
    }
    // The first one once more: the same data is not the same command.
    let all: Vec<String> = data.iter().chain(&data[..1]).cloned().collect();
    let tags: Vec<_> = all.iter().map(|content| seat.send(&a.device, None, content.clone())).collect();
    for tag in tags {
        done(UNCHANGED, &seat.outcome(lab, tag).await?.0)?;
    }
    let (rule, expected) = match seat.capabilities().delivery {
        Delivery::Verbatim => (UNCHANGED, all),
        Delivery::Adapted => (ADAPTED, all.iter().map(|content| lab.adapted(content)).collect()),
    };
    same(rule, lab.received(&a.device).await, expected)?;
    same(UNCHANGED, lab.received(&b.device).await, Vec::new())
}

pub(super) async fn data_that_is_too_large_is_refused<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let tag = seat.send(&a.device, None, lab.too_large());
    let (outcome, _) = seat.outcome(lab, tag).await?;
    let failure = RequestFailure::Refused(CtiError::DataSizeLimitExceeded);
    same(TOO_LARGE, refused(TOO_LARGE, outcome)?, failure)?;
    same(TOO_LARGE, lab.received(&a.device).await, Vec::new())?;
    same(TOO_LARGE, seat.is_linked(), true)
}

pub(super) async fn data_for_a_closed_phone_is_refused<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    seat.submit(Command::CloseDevice(b.device.clone()));
    seat.quiet(lab).await?;
    let tag = seat.send(&b.device, None, lab.data().into_iter().next().unwrap_or_default());
    let (outcome, _) = seat.outcome(lab, tag).await?;
    let failure = RequestFailure::Refused(CtiError::DeviceNotOpen);
    same(NOT_TO_CLOSED, refused(NOT_TO_CLOSED, outcome)?, failure)?;
    same(NOT_TO_CLOSED, lab.received(&b.device).await, Vec::new())
}

/// How many alerts are played when the same one is sent so often.
pub(super) fn played(dedup: Dedup, sent: u64) -> u64 {
    if dedup == Dedup::ById { 1 } else { sent }
}

pub(super) async fn an_alert_takes_effect_as_declared<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let dedup = seat.capabilities().dedup;
    for (sent, id) in [u128::MAX, u128::MAX, u128::MAX].into_iter().enumerate() {
        let tag = seat.send(&a.device, Some(id), lab.alert());
        done(DEDUP, &seat.outcome(lab, tag).await?.0)?;
        same(DEDUP, lab.played(&a.device).await, played(dedup, sent as u64 + 1))?;
    }
    // Another id, and none.
    let before = lab.played(&a.device).await;
    for (more, id) in [Some(u128::MAX - 1), Some(0), None, None].into_iter().enumerate() {
        let tag = seat.send(&a.device, id, lab.alert());
        done(DEDUP, &seat.outcome(lab, tag).await?.0)?;
        same(DEDUP, lab.played(&a.device).await, before + more as u64 + 1)?;
    }
    Ok(())
}

pub(super) async fn an_alert_is_known_after_a_reconnect<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let dedup = seat.capabilities().dedup;
    for sent in 1..=2 {
        let tag = seat.send(&a.device, Some(7), lab.alert());
        done(DEDUP, &seat.outcome(lab, tag).await?.0)?;
        same(DEDUP, lab.played(&a.device).await, played(dedup, sent))?;
        act(lab, Act::CutLink).await?;
        let lost = |event: &ProviderEvent| matches!(event, ProviderEvent::LinkLost { .. });
        seat.until(lab, LOST, "LinkLost", lost).await?;
        act(lab, Act::RestoreLink).await?;
        seat.line_opened(lab, DEDUP, &a).await?;
        seat.quiet(lab).await?;
    }
    Ok(())
}
