//! The mapper against small hand-made streams; the recordings are in `recordings`.

mod properties;
mod recordings;
mod rules;

use std::collections::BTreeMap;

use ringback_cti::ProviderEvent;
use ringback_cti::message::{CallInfo, CallState};
use ringback_model::{CallId, DeviceName, Millis, Timestamp, reveal_personal_data};

use super::{Mapper, Timing, endpoint};
use crate::ami::Message;

/// What a line is used for, as the Call Back engine will see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Idle,
    Ringing,
    OffHook,
}
use Use::{Idle, OffHook, Ringing};

fn usage<'a>(calls: impl Iterator<Item = &'a CallInfo>) -> Use {
    calls.fold(Idle, |so_far, call| match (so_far, call.state) {
        (OffHook, _) => OffHook,
        (_, state) if state.is_off_hook() => OffHook,
        (_, CallState::Idle) => so_far,
        _ => Ringing,
    })
}

fn phone(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

/// Ends are told 4 ms after the phone hung up.
fn timing() -> Timing {
    Timing { settle: Millis(4), ..Timing::default() }
}

/// A mapper with one line open, the time, and what it has told of that line.
struct Desk {
    mapper: Mapper,
    now: u64,
    calls: BTreeMap<CallId, CallInfo>,
    told: Vec<(u64, Use)>,
    events: Vec<ProviderEvent>,
}

impl Desk {
    fn new(watched: &str) -> Self {
        reveal_personal_data(true);
        let mut mapper = Mapper::new(timing());
        let (watched, mut out) = (phone(watched), Vec::new());
        mapper.open_device(&watched, &mut out);
        mapper.open_line(&endpoint::line(&watched).unwrap(), &mut out);
        assert_eq!(out, [], "nothing is known yet");
        Self { mapper, now: 0, calls: BTreeMap::new(), told: vec![], events: vec![] }
    }

    /// Lets time pass, waking the mapper whenever it wants.
    fn until(&mut self, now: u64) -> &mut Self {
        while let Some(Timestamp(due)) = self.mapper.next_wakeup().filter(|due| due.0 <= now) {
            let mut out = Vec::new();
            self.mapper.poll(Timestamp(due), &mut out);
            self.now = due.max(self.now);
            self.take(out);
        }
        self.now = now;
        self
    }

    fn event(&mut self, now: u64, message: &Message) -> &mut Self {
        // What has come in is heard before what is due in the same moment.
        self.until(now.saturating_sub(1));
        self.now = now;
        let mut out = Vec::new();
        self.mapper.handle(Timestamp(now), message, &mut out);
        self.take(out);
        self
    }

    /// Folds the reports, each by itself: a use that lasts no time at all is seen, too.
    fn take(&mut self, out: Vec<ProviderEvent>) {
        for event in out {
            match &event {
                ProviderEvent::Call { info, .. } if info.state == CallState::Idle => {
                    self.calls.remove(&info.call);
                }
                ProviderEvent::Call { info, .. } => {
                    self.calls.insert(info.call, info.clone());
                }
                ProviderEvent::LineOpened { calls, .. } => {
                    self.calls = calls.iter().map(|info| (info.call, info.clone())).collect();
                }
                _ => {}
            }
            let now = usage(self.calls.values());
            if self.told.last().map_or(Idle, |(_, last)| *last) != now {
                self.told.push((self.now, now));
            }
            self.events.push(event);
        }
    }
}
