//! Phones: their state, their users, their keys.

use ringback_model::{DeviceName, Epoch};

use super::data::done;
use super::lab::{Act, Lab};
use super::rules::{ACTIVITY, KEY, KEY_CALL, LOST, NOT_TO_CLOSED, OUT, SCREEN_KEY, STANDS_BY, USERS};
use super::seat::{Seat, act, connect, nothing, part, present, refused};
use super::{Violation, same};
use crate::message::{Activity, CallState, Cause, DeviceStatus, Feature, FeatureInvocation};
use crate::provider::{Command, ProviderEvent};

/// The states of a device that are told, each once.
fn statuses(heard: &[ProviderEvent], of: &DeviceName) -> Vec<Option<DeviceStatus>> {
    let told = |event: &ProviderEvent| match event {
        ProviderEvent::Device { device, status } if device == of => Some(*status),
        _ => None,
    };
    let mut told: Vec<_> = heard.iter().filter_map(told).collect();
    told.dedup();
    told
}

fn last_activity(heard: &[ProviderEvent], of: &DeviceName) -> Option<Activity> {
    statuses(heard, of).pop().flatten().map(|status| status.activity)
}

pub(super) async fn activity_is_told<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    act(lab, Act::Call { from: a.clone(), to: b.line.dn.clone() }).await?;
    let heard = seat.quiet(lab).await?;
    let both = |heard: &[ProviderEvent]| (last_activity(heard, &a.device), last_activity(heard, &b.device));
    same(ACTIVITY, both(&heard), (Some(Activity::Active), Some(Activity::Alerting)))?;
    act(lab, Act::Answer(b.device.clone())).await?;
    let heard = seat.quiet(lab).await?;
    same(ACTIVITY, last_activity(&heard, &b.device), Some(Activity::Active))?;
    part(lab, &a, &b).await?;
    let heard = seat.quiet(lab).await?;
    same(ACTIVITY, both(&heard), (Some(Activity::Idle), Some(Activity::Idle)))
}

pub(super) async fn do_not_disturb_is_told<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    act(lab, Act::DoNotDisturb(b.device.clone(), true)).await?;
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    seat.submit(Command::OpenDevice(b.device.clone()));
    let mut heard = seat.quiet(lab).await?;
    for yes in [true, false, true] {
        if !yes || heard.is_empty() {
            act(lab, Act::DoNotDisturb(b.device.clone(), yes)).await?;
            heard = seat.quiet(lab).await?;
        }
        let told = statuses(&heard, &b.device).pop().flatten();
        same(ACTIVITY, told, Some(DeviceStatus { activity: Activity::Idle, do_not_disturb: yes }))?;
        heard.clear();
    }
    Ok(())
}

pub(super) async fn another_user_is_told<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    for at in [&b, &a] {
        act(lab, Act::ChangeUser(at.device.clone())).await?;
    }
    let heard = seat.quiet(lab).await?;
    let told: Vec<_> =
        heard.iter().filter(|event| matches!(event, ProviderEvent::DeviceUserChanged(_))).collect();
    same(USERS, told, vec![&ProviderEvent::DeviceUserChanged(a.device)])
}

pub(super) async fn a_phone_out_of_service_is_told_and_read_again<L: Lab>(
    lab: &mut L,
) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    act(lab, Act::Unregister(b.device.clone())).await?;
    let mut seat = Seat::watching(lab, 1, &[&a, &c]).await?;
    seat.submit(Command::OpenDevice(b.device.clone()));
    seat.submit(Command::OpenLine(b.clone()));
    let heard = seat.quiet(lab).await?;
    same(OUT, statuses(&heard, &b.device), vec![None])?;
    act(lab, Act::Unregister(a.device.clone())).await?;
    let heard = seat.quiet(lab).await?;
    same(OUT, statuses(&heard, &a.device), vec![None])?;
    let tag = seat.send(&a.device, None, lab.data().into_iter().next().unwrap_or_default());
    let (outcome, _) = seat.outcome(lab, tag).await?;
    refused(NOT_TO_CLOSED, outcome)?;
    for at in [&a, &b] {
        act(lab, Act::Register(at.device.clone())).await?;
        let calls = seat.line_opened(lab, OUT, at).await?;
        same(OUT, calls, Vec::new())?;
        seat.quiet(lab).await?;
    }
    connect(lab, &a, &b).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, OUT, &a).await?;
    seat.knows(lab, OUT, &b).await
}

fn presses(heard: &[ProviderEvent]) -> Vec<FeatureInvocation> {
    let press = |event: &ProviderEvent| match event {
        ProviderEvent::FeatureInvoked(press) => Some(press.clone()),
        _ => None,
    };
    heard.iter().filter_map(press).collect()
}

pub(super) async fn the_feature_key_reaches_who_acts<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut idle = Seat::take(lab).await;
    idle.until(lab, LOST, "LinkUp", |event| matches!(event, ProviderEvent::LinkUp { .. })).await?;
    act(lab, Act::PressFeatureKey(a.device.clone())).await?;
    nothing(STANDS_BY, &idle.quiet(lab).await?)?;
    idle.submit(Command::Assume(Epoch(1)));
    idle.quiet(lab).await?;
    let mut seen = Vec::new();
    for (at, accepted) in [(&a, true), (&b, false), (&a, true)] {
        act(lab, Act::PressFeatureKey(at.device.clone())).await?;
        let heard = idle.quiet(lab).await?;
        let [press] = &presses(&heard)[..] else {
            return Err(Violation::new(KEY, "one FeatureInvoked", heard));
        };
        let told = (press.feature, &press.from, press.call, press.state, press.called.as_ref());
        same(KEY, told, (Feature::CallBack, at, None, CallState::Idle, None))?;
        same(KEY, seen.contains(&press.invocation), false)?;
        seen.push(press.invocation);
        idle.submit(Command::AnswerFeature { invocation: press.invocation, accepted });
        nothing(KEY, &idle.quiet(lab).await?)?;
    }
    Ok(())
}

pub(super) async fn the_feature_key_tells_the_call<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[]).await?;
    for busy in [false, true] {
        if busy {
            connect(lab, &b, &c).await?;
        }
        act(lab, Act::Call { from: a.clone(), to: b.line.dn.clone() }).await?;
        act(lab, Act::PressFeatureKey(a.device.clone())).await?;
        let heard = seat.quiet(lab).await?;
        let press = present(KEY_CALL, "FeatureInvoked", presses(&heard).pop(), &heard)?;
        let told = (&press.from, press.call.is_some(), press.called.as_ref());
        same(KEY_CALL, told, (&a, true, Some(&b.line.dn)))?;
        let fits = match (busy, press.state, press.cause) {
            (false, state, _) => state == CallState::Ringback,
            (true, CallState::Busy, _) | (true, CallState::Disconnected, Cause::USER_BUSY) => true,
            (true, ..) => false,
        };
        if !fits {
            let expected = if busy { "Busy, or Disconnected with the cause user busy" } else { "Ringback" };
            return Err(Violation::new(KEY_CALL, expected, press));
        }
        act(lab, Act::HangUp(a.device.clone())).await?;
        seat.quiet(lab).await?;
    }
    Ok(())
}

pub(super) async fn the_key_of_a_screen_reaches_the_application<L: Lab>(
    lab: &mut L,
) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let (screen, content) = lab.screen_with_key();
    let tag = seat.send(&a.device, None, screen);
    done(SCREEN_KEY, &seat.outcome(lab, tag).await?.0)?;
    act(lab, Act::PressScreenKey(a.device.clone())).await?;
    let heard = seat.quiet(lab).await?;
    same(SCREEN_KEY, heard, vec![ProviderEvent::DeviceData { device: a.device, content }])
}
