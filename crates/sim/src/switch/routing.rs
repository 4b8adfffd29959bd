use std::collections::BTreeSet;

use ringback_cti::message::Cause;
use ringback_model::{DeviceName, DirectoryNumber, LineId, Partition};

use super::Switch;

/// Where a dialled number leads now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// These phones ring.
    Ring(LineId, Vec<DeviceName>),
    /// The line is busy, or nobody there wants to be disturbed.
    Busy(LineId),
    /// Reorder; with the line where it failed, if it got to one.
    Fail(Cause, Option<LineId>),
}

impl Switch {
    /// The line that a number leads to when it is dialled from `from`: one in the same partition, else in the
    /// nameless one, else in the first other partition by name.
    #[must_use]
    pub fn resolve(&self, from: &LineId, dn: &DirectoryNumber) -> Option<LineId> {
        let candidates = [from.partition.clone(), Partition::default()];
        candidates
            .into_iter()
            .map(|partition| LineId::new(partition, dn.clone()))
            .find(|line| self.appearances.contains_key(line))
            .or_else(|| self.appearances.keys().find(|line| line.dn == *dn).cloned())
    }

    /// Follows forwarding, then looks at the phones of the line it leads to.
    pub(super) fn route(
        &self,
        caller: &DeviceName,
        from: &LineId,
        dialled: &DirectoryNumber,
        override_forwarding: bool,
    ) -> Route {
        let Some(mut line) = self.resolve(from, dialled) else {
            return Route::Fail(Cause::UNALLOCATED, None);
        };
        if !override_forwarding {
            let mut passed = BTreeSet::new();
            while let Some(to) = self.forwards.get(&line) {
                let Some(next) = self.resolve(&line, to) else {
                    return Route::Fail(Cause::UNALLOCATED, Some(line));
                };
                if !passed.insert(line) {
                    return Route::Fail(Cause::OUT_OF_ORDER, Some(next));
                }
                line = next;
            }
        }
        self.offer(caller, line)
    }

    fn offer(&self, caller: &DeviceName, line: LineId) -> Route {
        let registered: Vec<&DeviceName> = self
            .appearances
            .get(&line)
            .into_iter()
            .flatten()
            .filter(|device| self.phones.get(*device).is_some_and(|phone| phone.registered))
            .collect();
        if registered.is_empty() {
            return Route::Fail(Cause::ABSENT, Some(line));
        }
        if registered.iter().any(|device| self.is_full(device, &line)) {
            return Route::Busy(line);
        }
        let rings: Vec<DeviceName> = registered
            .into_iter()
            .filter(|device| *device != caller && self.phones.get(*device).is_some_and(|p| !p.do_not_disturb))
            .cloned()
            .collect();
        if rings.is_empty() { Route::Busy(line) } else { Route::Ring(line, rings) }
    }

    /// Whether this appearance holds as many calls as it can.
    pub(super) fn is_full(&self, device: &DeviceName, line: &LineId) -> bool {
        let limit = self.phones.get(device).map_or(0, |phone| phone.calls_per_line);
        self.legs_of(device).filter(|(_, leg)| leg.line == *line).count() >= limit
    }
}
