//! The calls on open lines, and what use of a line they amount to.

use std::collections::HashMap;

use ringback_model::{Appearance, CallId, DeviceName, LineId};

use crate::message::{CallInfo, CallState};
use crate::provider::ProviderEvent;

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

/// The calls on every open line, as a provider reports them.
///
/// ```
/// use ringback_cti::message::{CallInfo, CallState, Cause};
/// use ringback_cti::{CallTable, Occupancy, ProviderEvent};
/// use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Partition};
///
/// let at = Appearance {
///     device: DeviceName::new("B")?,
///     line: LineId::new(Partition::default(), DirectoryNumber::new("1002")?),
/// };
/// let call = |state| CallInfo { call: CallId(7), state, cause: Cause::NONE, called: None, peer: None };
/// let mut table = CallTable::default();
/// assert_eq!(table.occupancy(&at), None);
/// table.apply(&ProviderEvent::LineOpened { at: at.clone(), calls: vec![call(CallState::Ringing)] });
/// assert_eq!(table.occupancy(&at), Some(Occupancy::Ringing));
/// table.apply(&ProviderEvent::Call { at: at.clone(), info: call(CallState::Connected) });
/// assert_eq!(table.occupancy(&at), Some(Occupancy::InUse));
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
    /// Takes a report in. Gives back the appearance whose calls it told, if it told any. A call on a line that has not
    /// been read is ignored: one call does not tell what else is there.
    pub fn apply<'a>(&mut self, event: &'a ProviderEvent) -> Option<&'a Appearance> {
        match event {
            ProviderEvent::LineOpened { at, calls } => {
                let line = self.line(at);
                line.calls.clear();
                calls.iter().for_each(|info| line.set(info));
                Some(at)
            }
            ProviderEvent::Call { at, info } => {
                let lines = self.devices.get_mut(&at.device)?;
                lines.iter_mut().find(|line| line.id == at.line)?.set(info);
                Some(at)
            }
            ProviderEvent::Device { device, status: None } => {
                self.forget_device(device);
                None
            }
            ProviderEvent::LinkLost { .. } => {
                self.devices.clear();
                None
            }
            _ => None,
        }
    }

    /// The use of this appearance; `None`: it has not been read.
    #[must_use]
    pub fn occupancy(&self, at: &Appearance) -> Option<Occupancy> {
        let lines = self.devices.get(&at.device)?;
        lines.iter().find(|line| line.id == at.line).map(Line::occupancy)
    }

    /// Forgets a line that has been closed.
    pub fn forget(&mut self, at: &Appearance) {
        if let Some(lines) = self.devices.get_mut(&at.device) {
            lines.retain(|line| line.id != at.line);
            if lines.is_empty() {
                self.devices.remove(&at.device);
            }
        }
    }

    /// Forgets all lines of a device that has been closed.
    pub fn forget_device(&mut self, device: &DeviceName) {
        self.devices.remove(device);
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
