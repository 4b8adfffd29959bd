use ringback_cti::message::{CallState, Cause, FeatureInvocation};
use ringback_cti::{CallTable, Occupancy, ProviderEvent};
use ringback_cti_asterisk::map::{Mapper, line_of};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Timestamp};

use super::player::{Audience, Moment, finish, play};

/// When the line went from any call to idle.
pub(super) fn line(stream: &[Moment<'_>], dn: &DirectoryNumber) -> Vec<Timestamp> {
    // A number is always a device name: shorter, and of the same characters.
    let Some(at) = DeviceName::new(dn.as_str()).ok().and_then(|device| line_of(&device)) else {
        return Vec::new();
    };
    let mut watcher =
        Watcher { mapper: Mapper::default(), at: at.clone(), calls: CallTable::default(), idle: Vec::new() };
    let mut events = Vec::new();
    watcher.mapper.open_device(&at.device, &mut events);
    watcher.mapper.open_line(&at, &mut events);
    watcher.told(Timestamp(0), events);
    play(stream, &mut watcher);
    finish(&mut watcher);
    watcher.idle
}

struct Watcher {
    mapper: Mapper,
    at: Appearance,
    calls: CallTable,
    idle: Vec<Timestamp>,
}

impl Audience for Watcher {
    fn mapper(&mut self) -> &mut Mapper {
        &mut self.mapper
    }

    fn told(&mut self, now: Timestamp, events: Vec<ProviderEvent>) {
        for event in events {
            let before = self.calls.occupancy(&self.at);
            self.calls.apply(&event);
            let after = self.calls.occupancy(&self.at);
            if before.is_some_and(|before| before != Occupancy::Idle) && after == Some(Occupancy::Idle) {
                self.idle.push(now);
            }
        }
    }
}

/// Every press of the callback key, and what the caller had heard.
pub(super) fn keys(stream: &[Moment<'_>]) -> Vec<(Timestamp, String)> {
    let mut listener = Listener::default();
    play(stream, &mut listener);
    listener.keys
}

#[derive(Default)]
struct Listener {
    mapper: Mapper,
    keys: Vec<(Timestamp, String)>,
}

impl Audience for Listener {
    fn mapper(&mut self) -> &mut Mapper {
        &mut self.mapper
    }

    fn told(&mut self, now: Timestamp, events: Vec<ProviderEvent>) {
        for event in events {
            if let ProviderEvent::FeatureInvoked(pressed) = event {
                let called = pressed.called.as_ref().map_or("nobody", DirectoryNumber::as_str);
                let text =
                    format!("key {} for {called} after {}", pressed.from.line.dn.as_str(), heard(&pressed));
                self.keys.push((now, text));
            }
        }
    }
}

fn heard(pressed: &FeatureInvocation) -> &'static str {
    match (pressed.state, pressed.cause) {
        (CallState::Busy, _) | (_, Cause::USER_BUSY) => "busy",
        (CallState::Ringback, _) => "ringback",
        (CallState::Disconnected, Cause::NO_ANSWER | Cause::NO_USER_RESPONDING) => "no answer",
        _ => "no call to it",
    }
}
