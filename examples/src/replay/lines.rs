use std::collections::BTreeMap;

use ringback_callback::Occupancy;
use ringback_cti::message::{CallInfo, CallState};
use ringback_model::{Appearance, CallId};

/// The calls on the open lines, as last reported.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<Appearance, BTreeMap<CallId, CallState>>);

impl Lines {
    /// A line was read.
    pub(super) fn opened(&mut self, at: &Appearance, calls: &[CallInfo]) {
        let calls = calls.iter().map(|info| (info.call, info.state)).collect();
        self.0.insert(at.clone(), calls);
    }

    /// A call changed.
    pub(super) fn changed(&mut self, at: &Appearance, info: &CallInfo) {
        let calls = self.0.entry(at.clone()).or_default();
        match info.state {
            CallState::Idle => calls.remove(&info.call),
            state => calls.insert(info.call, state),
        };
    }

    /// What the line is used for.
    pub(super) fn occupancy(&self, at: &Appearance) -> Occupancy {
        let calls = self.0.get(at).into_iter().flat_map(BTreeMap::values);
        let each = calls.map(|state| if state.is_off_hook() { Occupancy::InUse } else { Occupancy::Ringing });
        each.max().unwrap_or(Occupancy::Idle)
    }
}
