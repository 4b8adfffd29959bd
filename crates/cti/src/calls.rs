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

#[cfg(test)]
mod tests {
    use ringback_model::{DirectoryNumber, Partition};

    use super::*;
    use crate::message::Cause;

    fn at(dn: &str) -> Appearance {
        let line = LineId::new(Partition::default(), DirectoryNumber::new(dn).unwrap());
        Appearance { device: DeviceName::new("SEP1").unwrap(), line }
    }

    fn call(id: u64, state: CallState) -> CallInfo {
        CallInfo { call: CallId(id), state, cause: Cause::NONE, called: None, peer: None }
    }

    #[test]
    fn occupancy_follows_all_calls_of_the_line() {
        let mut table = CallTable::default();
        let calls = [call(1, CallState::Connected), call(9, CallState::Idle)];
        assert_eq!(table.opened(&at("1"), &calls), Occupancy::InUse);
        let steps = [
            (2, CallState::Ringing, Occupancy::InUse),
            (1, CallState::Idle, Occupancy::Ringing),
            (2, CallState::OnHold, Occupancy::InUse),
            (2, CallState::Unknown(77), Occupancy::InUse),
            (2, CallState::Idle, Occupancy::Idle),
            (2, CallState::Idle, Occupancy::Idle),
        ];
        for (id, state, expected) in steps {
            assert_eq!(table.changed(&at("1"), &call(id, state)), expected, "{state:?}");
        }
    }

    #[test]
    fn a_line_that_is_read_again_or_closed_forgets_its_calls() {
        let mut table = CallTable::default();
        table.opened(&at("1"), &[call(1, CallState::Connected)]);
        table.opened(&at("2"), &[call(2, CallState::Connected)]);
        assert_eq!(table.opened(&at("1"), &[call(3, CallState::Offering)]), Occupancy::Ringing);
        table.close(&at("1"));
        assert_eq!(table.changed(&at("1"), &call(1, CallState::Idle)), Occupancy::Idle);
        assert_eq!(table.changed(&at("2"), &call(4, CallState::Ringing)), Occupancy::InUse);
        table.device_gone(&at("1").device);
        assert_eq!(table.changed(&at("2"), &call(4, CallState::Ringing)), Occupancy::Ringing);
        table.clear();
        assert_eq!(table.changed(&at("2"), &call(4, CallState::Idle)), Occupancy::Idle);
    }
}
