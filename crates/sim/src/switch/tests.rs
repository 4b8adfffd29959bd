//! The switch as a telephony engineer reads it. Each test is a small story with what every phone hears and does.

mod calls;
mod features;
mod invariants;
mod screens;

use ringback_cti::message::CallInfo;
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, LineId, Millis, Partition, Timestamp, reveal_personal_data,
};

use super::{Action, ActionError, PhoneSetup, Switch, SwitchEvent, Tone};

/// A switch with phones, and a clock.
struct Lab {
    switch: Switch,
    now: Timestamp,
}

fn dev(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).unwrap()
}

/// `1001`, or `1001@sales` in a partition.
fn line(text: &str) -> LineId {
    let (number, partition) = text.split_once('@').unwrap_or((text, ""));
    LineId::new(Partition::new(partition).unwrap(), dn(number))
}

fn at(device: &str, on: &str) -> Appearance {
    Appearance { device: dev(device), line: line(on) }
}

impl Lab {
    /// Phones as `A 1001`, `A 1001,1011`, `A 1001 calls 2`.
    fn new(phones: &[&str]) -> Self {
        reveal_personal_data(true);
        let mut lab = Self { switch: Switch::default(), now: Timestamp(1_000) };
        for phone in phones {
            lab.add(phone);
        }
        lab.heard();
        lab
    }

    fn add(&mut self, phone: &str) {
        let words: Vec<&str> = phone.split(' ').collect();
        let setup = PhoneSetup {
            device: dev(words[0]),
            lines: words[1].split(',').map(line).collect(),
            calls_per_line: words.get(3).map_or(1, |n| n.parse().unwrap()),
        };
        self.switch.add_phone(setup).unwrap();
    }

    fn act(&mut self, phone: &str, action: Action) -> Result<(), ActionError> {
        self.switch.act(self.now, &dev(phone), action)
    }

    fn calls(&mut self, phone: &str, to: &str) {
        self.act(phone, Action::Calls { to: dn(to), on: None }).unwrap();
    }

    fn does(&mut self, phone: &str, action: Action) {
        self.act(phone, action).unwrap();
    }

    fn hangs_up(&mut self, phone: &str) {
        self.does(phone, Action::HangsUp(None));
    }

    fn presses(&mut self, phone: &str, key: &str) {
        self.does(phone, Action::Presses(key.into()));
    }

    fn wait(&mut self, span: Millis) {
        self.now = self.now + span;
        self.switch.handle_timeout(self.now);
    }

    fn tone(&self, phone: &str) -> Tone {
        self.switch.hears(&dev(phone))
    }

    fn rings(&self, phone: &str) -> Vec<String> {
        self.switch.rings(&dev(phone)).iter().map(|dn| dn.as_str().to_owned()).collect()
    }

    fn talks(&self, phone: &str, with: &str) -> bool {
        self.switch.talks_with(&dev(phone)) == Some(dn(with))
    }

    fn idle(&self, phone: &str) -> bool {
        self.switch.is_idle(&dev(phone))
    }

    /// What was told since the last time, one line each.
    fn heard(&mut self) -> Vec<String> {
        self.switch.take_events().iter().map(short).collect()
    }
}

fn short(event: &SwitchEvent) -> String {
    match event {
        SwitchEvent::InService(device) => format!("{} in service", device.as_str()),
        SwitchEvent::OutOfService(device) => format!("{} out of service", device.as_str()),
        SwitchEvent::Status { device, status } => {
            let dnd = if status.do_not_disturb { " dnd" } else { "" };
            format!("{} {:?}{dnd}", device.as_str(), status.activity)
        }
        SwitchEvent::Call { at, info } => format!("{}: {}", at.device.as_str(), call(info)),
        SwitchEvent::UserChanged(device) => format!("{} user changed", device.as_str()),
        SwitchEvent::Feature(pressed) => format!(
            "{} CallBack {:?} {} {}",
            pressed.from.device.as_str(),
            pressed.state,
            pressed.cause.0,
            pressed.called.as_ref().map_or("-", |dn| dn.as_str())
        ),
        SwitchEvent::Data { device, content, .. } => format!("{} sends {content}", device.as_str()),
        SwitchEvent::Screen { device, screen } => {
            format!("{} shows {}", device.as_str(), screen.as_ref().map_or("nothing", |s| &s.text))
        }
        SwitchEvent::Prompt { device, text } => {
            format!("{} prompts {}", device.as_str(), text.as_deref().unwrap_or("nothing"))
        }
        SwitchEvent::Alerted(device) => format!("{} alerted", device.as_str()),
    }
}

/// State and cause, and the number at the other end.
fn call(info: &CallInfo) -> String {
    let cause = if info.cause.0 == 0 { String::new() } else { format!(" {}", info.cause.0) };
    let peer = info.peer.as_ref().map_or(String::new(), |dn| format!(" {}", dn.as_str()));
    format!("{:?}{cause}{peer}", info.state)
}
