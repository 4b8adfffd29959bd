use std::collections::VecDeque;
use std::fmt::Write;

use ringback_cti::message::CallInfo;
use ringback_model::{Appearance, DirectoryNumber, Timestamp};

use crate::switch::{ScreenView, SwitchEvent};

/// The text log of what happened. It names phones and numbers: they are simulated.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    lines: VecDeque<String>,
}

impl EventLog {
    /// A service that runs for long keeps the latest lines only.
    const LINES: usize = 100_000;

    pub(crate) fn add(&mut self, now: Timestamp, text: &str) {
        if self.lines.len() == Self::LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{now} {text}"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}

/// One event in one line. It names phones and numbers: they are simulated.
#[must_use]
pub fn describe(event: &SwitchEvent) -> String {
    match event {
        SwitchEvent::InService(device) => format!("{} in service", device.as_str()),
        SwitchEvent::OutOfService(device) => format!("{} out of service", device.as_str()),
        SwitchEvent::Status { device, status } => {
            let dnd = if status.do_not_disturb { ", do not disturb" } else { "" };
            format!("{} is {:?}{dnd}", device.as_str(), status.activity)
        }
        SwitchEvent::Call { at, info } => call(at, info),
        SwitchEvent::UserChanged(device) => format!("{} has another user", device.as_str()),
        SwitchEvent::Feature(pressed) => {
            let call = pressed.call.map_or_else(|| "idle".to_owned(), |call| format!("call {}", call.0));
            format!(
                "{} presses {:?}, {call} {:?} called {}",
                pressed.from.device.as_str(),
                pressed.feature,
                pressed.state,
                number(pressed.called.as_ref())
            )
        }
        SwitchEvent::Data { device, key, content } => {
            format!("{} presses {key}, sends {content}", device.as_str())
        }
        SwitchEvent::Screen { device, screen: Some(view) } => {
            format!("{} shows {}", device.as_str(), screen(view))
        }
        SwitchEvent::Screen { device, screen: None } => format!("{} shows nothing", device.as_str()),
        SwitchEvent::Prompt { device, text } => {
            format!("{} prompts {:?}", device.as_str(), text.as_deref().unwrap_or_default())
        }
        SwitchEvent::Alerted(device) => format!("{} plays the alert", device.as_str()),
    }
}

fn call(at: &Appearance, info: &CallInfo) -> String {
    let mut text = format!("{} line {}", at.device.as_str(), at.line.dn.as_str());
    if !at.line.partition.as_str().is_empty() {
        let _ = write!(text, " in {}", at.line.partition.as_str());
    }
    let _ = write!(
        text,
        " call {} {:?} cause {} called {} peer {}",
        info.call.0,
        info.state,
        info.cause.0,
        number(info.called.as_ref()),
        number(info.peer.as_ref())
    );
    text
}

fn number(dn: Option<&DirectoryNumber>) -> &str {
    dn.map_or("-", DirectoryNumber::as_str)
}

fn screen(view: &ScreenView) -> String {
    format!("{:?} {:?} {:?} keys {}", view.title, view.text, view.prompt, view.soft_keys.join(" "))
}
