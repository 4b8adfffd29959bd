//! An output as one line of text.

use ringback_callback::{AlertId, Notice, View};

use super::*;

pub(crate) fn text(output: &Output) -> String {
    match output {
        Output::Verdict { accepted, .. } => {
            (if *accepted { "key accepted" } else { "key not active" }).to_owned()
        }
        Output::Resolve { from, dn, .. } => format!("resolve {} for {}", dn.as_str(), appearance(from)),
        Output::Locate(line) => format!("locate {}", number(line)),
        Output::Save { record, replaces: None, .. } => format!("save {}", stored(record)),
        Output::Save { record, replaces: Some(old), .. } => {
            format!("save {} replacing {old}", stored(record))
        }
        Output::Remove { request, .. } => format!("remove {request}"),
        Output::Revoke { request, .. } => format!("revoke {request}"),
        Output::OpenDevice(device) => format!("open {}", device.as_str()),
        Output::CloseDevice(device) => format!("close {}", device.as_str()),
        Output::OpenLine(at) => format!("open {}", appearance(at)),
        Output::CloseLine(at) => format!("close {}", appearance(at)),
        Output::Show { device, view, about } => {
            let about = about.map(|id| format!(" ({id})")).unwrap_or_default();
            format!("show {}: {}{about}", device.as_str(), screen(view))
        }
        Output::Clear(device) => format!("clear {}", device.as_str()),
        Output::Alert { device, alert } => format!("alert {} {}", device.as_str(), alert_id(*alert)),
        Output::Dial { request, from, dn, override_forwarding } => {
            let forwarding = if *override_forwarding { ", overriding forwarding" } else { "" };
            format!("dial {} from {}{forwarding} ({request})", dn.as_str(), appearance(from))
        }
        Output::Notice(notice) => format!("notice: {}", told(notice)),
        other => format!("{other:?}"),
    }
}

fn number(line: &LineId) -> String {
    match line.partition.as_str() {
        "" => line.dn.as_str().to_owned(),
        partition => format!("{partition}:{}", line.dn.as_str()),
    }
}

fn appearance(at: &Appearance) -> String {
    format!("{}/{}", at.device.as_str(), number(&at.line))
}

fn alert_id(alert: AlertId) -> String {
    format!("{}#{}", alert.request, alert.number)
}

/// Seconds since the start.
fn time(at: Timestamp) -> String {
    format!("{}s", at.since(START).0 as f64 / 1000.0)
}

fn stored(record: &Record) -> String {
    let cycle = match record.cycle {
        None => "",
        Some(Cycle::Untouched) => ", untouched",
        Some(Cycle::OffHook) => ", off hook",
        Some(Cycle::Complete) => ", cycle complete",
    };
    let phase = match record.phase {
        Phase::Waiting => "waiting".to_owned(),
        Phase::Turn { alert, alerted: false, .. } => format!("turn #{}", alert.number),
        Phase::Turn { alert, .. } => format!("turn #{} alerted", alert.number),
        Phase::Lapsed => "lapsed".to_owned(),
        Phase::Dialing { in_turn: true } => "dialing in turn".to_owned(),
        Phase::Dialing { .. } => "dialing".to_owned(),
        other => format!("{other:?}"),
    };
    format!("{} {phase}{cycle}", record.id)
}

fn screen(view: &View) -> String {
    match view {
        View::Activated { dn } => format!("Activated {}", dn.as_str()),
        View::Available { dn, at } => format!("Available {} at {}", dn.as_str(), time(*at)),
        View::NotActive => "Not active".to_owned(),
        View::Replace { active, wanted } => format!("Replace {} by {}?", active.as_str(), wanted.as_str()),
        View::Cannot { dn, reason } => format!("Cannot {}: {reason:?}", dn.as_str()),
        View::DoNotDisturb { dn } => format!("Do not disturb {}", dn.as_str()),
        other => format!("{other:?}"),
    }
}

fn told(notice: &Notice) -> String {
    match notice {
        Notice::Accepted { request } => format!("{request} accepted"),
        Notice::Ended { request, how } => format!("{request} ended: {how:?}"),
        Notice::Refused { device, reason } => format!("{} refused: {reason:?}", device.as_str()),
        Notice::TurnStarted { request, until } => format!("{request} has the turn until {}", time(*until)),
        Notice::TurnWithdrawn { request } => format!("{request} turn withdrawn"),
        Notice::TurnLapsed { request } => format!("{request} turn lapsed"),
        Notice::Suspended { request } => format!("{request} suspended"),
        Notice::Retained { request } => format!("{request} retained"),
        Notice::DialFailed { request } => format!("{request} dial failed"),
        Notice::AlertRepeated { alert } => format!("{}#{} alert repeated", alert.request, alert.number),
        Notice::AlertFailed { request } => format!("{request} alert failed"),
        Notice::Ignored(why) => format!("ignored: {why}"),
        other => format!("{other:?}"),
    }
}
