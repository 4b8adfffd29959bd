//! The calls on open lines, and what use of a line they amount to.

use std::collections::HashMap;

use ringback_model::{Appearance, CallId, DeviceName, LineId};

use crate::message::{CallInfo, CallState};

/// The use of one appearance of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Occupancy {
    /// No call.
    Idle,
    /// Calls, but all of them only ring (or are about to).
    Ringing,
    /// Off hook, or a call that does more than ring.
    InUse,
}

/// The calls on every open line, kept from [`LineOpened`](crate::ProviderEvent::LineOpened) and
/// [`Call`](crate::ProviderEvent::Call) reports.
///
/// ```
/// use ringback_cti::{CallTable, Occupancy};
/// use ringback_cti::message::{CallInfo, CallState, Cause};
/// use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Partition};
///
/// let at = Appearance {
///     device: DeviceName::new("B")?,
///     line: LineId::new(Partition::default(), DirectoryNumber::new("1002")?),
/// };
/// let call = |state| CallInfo { call: CallId(7), state, cause: Cause::NONE, called: None, peer: None };
/// let mut table = CallTable::default();
/// assert_eq!(table.opened(&at, &[call(CallState::Ringing)]), Occupancy::Ringing);
/// assert_eq!(table.changed(&at, &call(CallState::Connected)), Occupancy::InUse);
/// assert_eq!(table.changed(&at, &call(CallState::Idle)), Occupancy::Idle);
/// # Ok::<(), ringback_model::TextError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallTable {
    devices: HashMap<DeviceName, Vec<Line>>,
}

#[derive(Debug, Clone)]
struct Line {
    id: LineId,
    calls: Vec<(CallId, CallState)>,
}

impl Line {
    fn set(&mut self, info: &CallInfo) {
        let known = self.calls.iter().position(|(call, _)| *call == info.call);
        match (known, info.state) {
            (Some(place), CallState::Idle) => {
                self.calls.swap_remove(place);
            }
            (Some(place), state) => self.calls[place].1 = state,
            (None, CallState::Idle) => {}
            (None, state) => self.calls.push((info.call, state)),
        }
    }

    fn occupancy(&self) -> Occupancy {
        if self.calls.is_empty() {
            Occupancy::Idle
        } else if self.calls.iter().any(|(_, state)| state.is_off_hook()) {
            Occupancy::InUse
        } else {
            Occupancy::Ringing
        }
    }
}

impl CallTable {
    /// A line was opened and read: these are all its calls.
    pub fn opened(&mut self, at: &Appearance, calls: &[CallInfo]) -> Occupancy {
        let line = self.line(at);
        line.calls.clear();
        calls.iter().for_each(|info| line.set(info));
        line.occupancy()
    }

    /// A call changed.
    pub fn changed(&mut self, at: &Appearance, info: &CallInfo) -> Occupancy {
        let line = self.line(at);
        line.set(info);
        line.occupancy()
    }

    /// A line was closed.
    pub fn close(&mut self, at: &Appearance) {
        if let Some(lines) = self.devices.get_mut(&at.device) {
            lines.retain(|line| line.id != at.line);
            if lines.is_empty() {
                self.devices.remove(&at.device);
            }
        }
    }

    /// A device is out of service: its calls are gone.
    pub fn device_gone(&mut self, device: &DeviceName) {
        self.devices.remove(device);
    }

    /// The link was lost: nothing is known any more.
    pub fn clear(&mut self) {
        self.devices.clear();
    }

    fn line(&mut self, at: &Appearance) -> &mut Line {
        let lines = self.devices.entry(at.device.clone()).or_default();
        let place = lines.iter().position(|line| line.id == at.line).unwrap_or_else(|| {
            lines.push(Line { id: at.line.clone(), calls: Vec::new() });
            lines.len() - 1
        });
        &mut lines[place]
    }
}
