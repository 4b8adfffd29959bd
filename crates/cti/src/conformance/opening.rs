//! Standing by, opening, closing, names.

use ringback_model::{Appearance, DeviceName, DirectoryNumber, Epoch, LineId};

use super::lab::{Lab, Wait};
use super::rules::{
    AGAIN, ASSUMES, CLOSED, CLOSED_WITH, LOOK_FIRST, LOST, NO_DEVICE, NO_LINE, NOTHING_LOST, ONLY_OPEN,
    OWN_EPOCH, READS, RELINQUISHES, Rule, STANDS_BY,
};
use super::seat::{Seat, calls_at, connect, nothing, part, present, refused};
use super::{Violation, same};
use crate::message::{CallState, CtiError};
use crate::provider::{Command, ProviderEvent, RequestFailure};

/// No tagged command has an effect.
async fn does_nothing<L: Lab>(
    lab: &mut L,
    seat: &mut Seat<L::Provider>,
    rule: Rule,
    from: &Appearance,
    to: &Appearance,
) -> Result<(), Violation> {
    for tag in [
        seat.make_call(from, &to.line.dn, true),
        seat.send(&from.device, None, lab.data().into_iter().next().unwrap_or_default()),
    ] {
        let (outcome, _) = seat.outcome(lab, tag).await?;
        same(rule, refused(rule, outcome)?, RequestFailure::StandingBy)?;
    }
    same(rule, (lab.rings(&to.device).await, lab.received(&from.device).await), (false, Vec::new()))
}

pub(super) async fn a_stand_by_opens_nothing<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::take(lab).await;
    seat.submit(Command::OpenDevice(a.device.clone()));
    seat.submit(Command::OpenLine(a.clone()));
    seat.until(lab, LOST, "LinkUp", |event| matches!(event, ProviderEvent::LinkUp { .. })).await?;
    nothing(STANDS_BY, &seat.quiet(lab).await?)?;
    does_nothing(lab, &mut seat, STANDS_BY, &a, &b).await?;
    connect(lab, &a, &b).await?;
    nothing(STANDS_BY, &seat.quiet(lab).await?)
}

pub(super) async fn what_is_asked_for_while_standing_by_is_opened_when_it_acts<L: Lab>(
    lab: &mut L,
) -> Result<(), Violation> {
    let [a, ..] = lab.phones();
    let mut seat = Seat::take(lab).await;
    seat.submit(Command::OpenDevice(a.device.clone()));
    seat.submit(Command::OpenLine(a.clone()));
    seat.until(lab, LOST, "LinkUp", |event| matches!(event, ProviderEvent::LinkUp { .. })).await?;
    seat.quiet(lab).await?;
    seat.submit(Command::Assume(Epoch(1)));
    seat.line_opened(lab, ASSUMES, &a).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, ASSUMES, &a).await
}

pub(super) async fn relinquishing_closes_everything<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b]).await?;
    seat.submit(Command::Relinquish);
    seat.quiet(lab).await?;
    does_nothing(lab, &mut seat, RELINQUISHES, &a, &b).await?;
    connect(lab, &a, &b).await?;
    nothing(RELINQUISHES, &seat.quiet(lab).await?)?;
    seat.submit(Command::Assume(Epoch(2)));
    nothing(RELINQUISHES, &seat.quiet(lab).await?)?;
    part(lab, &a, &b).await?;
    nothing(RELINQUISHES, &seat.quiet(lab).await?)?;
    seat.open(lab, &a).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, READS, &a).await
}

pub(super) async fn a_later_epoch_of_ones_own_changes_nothing<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    seat.submit(Command::Assume(Epoch(2)));
    let heard = seat.quiet(lab).await?;
    same(OWN_EPOCH, (seat.is_linked(), heard), (true, Vec::new()))?;
    connect(lab, &a, &b).await?;
    let heard = seat.quiet(lab).await?;
    present(OWN_EPOCH, "the call", calls_at(&heard, &a).pop(), &heard)?;
    seat.knows(lab, OWN_EPOCH, &a).await
}

pub(super) async fn the_first_look_comes_before_changes<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    connect(lab, &a, &b).await?;
    let mut seat = Seat::watching(lab, 1, &[]).await?;
    for (at, expected) in [(&a, Some(CallState::Connected)), (&c, None), (&b, Some(CallState::Connected))] {
        seat.submit(Command::OpenDevice(at.device.clone()));
        seat.submit(Command::OpenLine(at.clone()));
        let calls = seat.line_opened(lab, READS, at).await?;
        same(READS, calls.iter().map(|info| info.state).collect(), Vec::from_iter(expected))?;
        nothing(LOOK_FIRST, &seat.quiet(lab).await?)?;
    }
    part(lab, &a, &b).await?;
    let heard = seat.quiet(lab).await?;
    for at in [&a, &b] {
        present(LOOK_FIRST, "the end of the call", calls_at(&heard, at).pop(), &heard)?;
        seat.knows(lab, LOOK_FIRST, at).await?;
    }
    Ok(())
}

/// Calls begin and end while a line is being opened: after every number of reports once, and after none.
pub(super) async fn nothing_is_lost_between_look_and_changes<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[]).await?;
    for reports in 0..4 {
        for begins in [true, false] {
            seat.submit(Command::OpenDevice(b.device.clone()));
            seat.submit(Command::OpenLine(b.clone()));
            for _ in 0..reports {
                seat.hear(lab, Wait::UntilItIsQuiet).await?;
            }
            if begins {
                connect(lab, &a, &b).await?;
            } else {
                part(lab, &a, &b).await?;
            }
            seat.quiet(lab).await?;
            seat.knows(lab, NOTHING_LOST, &b).await?;
            seat.submit(Command::CloseDevice(b.device.clone()));
            seat.quiet(lab).await?;
        }
    }
    Ok(())
}

pub(super) async fn only_what_is_open_is_reported<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    connect(lab, &b, &c).await?;
    part(lab, &b, &c).await?;
    nothing(ONLY_OPEN, &seat.quiet(lab).await?)?;
    // A device without its line.
    seat.submit(Command::OpenDevice(b.device.clone()));
    seat.quiet(lab).await?;
    connect(lab, &b, &c).await?;
    let heard = seat.quiet(lab).await?;
    match heard
        .iter()
        .find(|event| !matches!(event, ProviderEvent::Device { device, .. } if *device == b.device))
    {
        None => Ok(()),
        Some(event) => Err(Violation::new(ONLY_OPEN, "reports of the open device", event)),
    }
}

pub(super) async fn closing_stops_the_reports<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, c] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a, &b, &c]).await?;
    seat.submit(Command::CloseLine(a.clone()));
    seat.submit(Command::CloseDevice(b.device.clone()));
    seat.quiet(lab).await?;
    connect(lab, &a, &b).await?;
    let heard = seat.quiet(lab).await?;
    let of_device =
        |event: &&ProviderEvent| matches!(event, ProviderEvent::Device { device, .. } if *device == a.device);
    present(CLOSED, "reports of the device that is still open", heard.iter().find(of_device), &heard)?;
    seat.open(lab, &a).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, CLOSED, &a).await?;
    // The line of a closed device is not opened with it.
    seat.submit(Command::OpenDevice(b.device.clone()));
    let heard = seat.quiet(lab).await?;
    let opened = heard.iter().find(|event| matches!(event, ProviderEvent::LineOpened { .. }));
    same(CLOSED_WITH, opened, None)?;
    part(lab, &a, &b).await?;
    let heard = seat.quiet(lab).await?;
    same(CLOSED_WITH, calls_at(&heard, &b), Vec::new())?;
    seat.knows(lab, CLOSED, &a).await
}

pub(super) async fn asking_again_reads_anew<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    connect(lab, &a, &b).await?;
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    seat.submit(Command::OpenDevice(a.device.clone()));
    let is_it =
        |event: &ProviderEvent| matches!(event, ProviderEvent::Device { device, .. } if *device == a.device);
    seat.until(lab, AGAIN, "Device again", is_it).await?;
    seat.submit(Command::OpenLine(a.clone()));
    let calls = seat.line_opened(lab, AGAIN, &a).await?;
    same(AGAIN, calls.iter().map(|info| info.state).collect(), vec![CallState::Connected])?;
    part(lab, &a, &b).await?;
    seat.quiet(lab).await?;
    seat.knows(lab, AGAIN, &a).await
}

pub(super) async fn what_does_not_exist_is_named<L: Lab>(lab: &mut L) -> Result<(), Violation> {
    let [a, b, _] = lab.phones();
    let mut seat = Seat::watching(lab, 1, &[&a]).await?;
    let (Ok(nobody), Ok(number)) = (DeviceName::new("nobody-at-all"), DirectoryNumber::new("4711999")) else {
        return Ok(());
    };
    let theirs = Appearance { device: a.device.clone(), line: b.line.clone() };
    let none = Appearance { device: a.device.clone(), line: LineId::new(a.line.partition.clone(), number) };
    seat.submit(Command::OpenDevice(nobody.clone()));
    let out =
        |event: &ProviderEvent| *event == ProviderEvent::Device { device: nobody.clone(), status: None };
    seat.until(lab, NO_DEVICE, "Device with status None", out).await?;
    for at in [theirs, none] {
        seat.submit(Command::OpenLine(at.clone()));
        let told = |event: &ProviderEvent| matches!(event, ProviderEvent::LineRefused { at: of, .. } | ProviderEvent::LineOpened { at: of, .. } if *of == at);
        let heard = seat.until(lab, NO_LINE, "LineRefused", told).await?;
        let expected = ProviderEvent::LineRefused { at, reason: CtiError::UndefinedLine };
        same(NO_LINE, heard.last(), Some(&expected))?;
    }
    Ok(())
}
