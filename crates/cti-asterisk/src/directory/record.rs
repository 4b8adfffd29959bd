use std::collections::{BTreeMap, BTreeSet};

use ringback_model::{DeviceName, DirectoryNumber, LineId, Partition};

use crate::ami::Message;

/// What the PBX knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The endpoints.
    pub(crate) endpoints: BTreeSet<DeviceName>,
    /// Which numbers have a hint, and the phones behind it.
    pub(crate) hints: BTreeMap<DirectoryNumber, BTreeSet<DeviceName>>,
    /// Which number each phone has.
    pub(crate) numbers: BTreeMap<DeviceName, DirectoryNumber>,
    /// Who forwards all calls, and where to; by number, or by the name of a phone.
    pub(crate) forwards: BTreeMap<DirectoryNumber, DirectoryNumber>,
    /// Who does not want to be disturbed; by number, or by the name of a phone.
    pub(crate) disturbed_not: BTreeSet<DirectoryNumber>,
}

impl Record {
    /// Gives every phone its number. Line states are told per phone, so that each has one, and nothing but the hints says
    /// which: the one that it is named after, or else the one that stands for the fewest phones (a group has a hint, too), of
    /// several the first.
    pub(crate) fn assign(&mut self) {
        let mut best: BTreeMap<&DeviceName, (bool, usize, usize, &DirectoryNumber)> = BTreeMap::new();
        for (dn, devices) in &self.hints {
            for device in devices.iter().filter(|device| self.endpoints.contains(*device)) {
                let rank = (device.as_str() != dn.as_str(), devices.len(), dn.as_str().len(), dn);
                best.entry(device).and_modify(|found| *found = rank.min(*found)).or_insert(rank);
            }
        }
        self.numbers = best.into_iter().map(|(device, (.., dn))| (device.clone(), dn.clone())).collect();
    }

    /// The phones, each with its number.
    pub(crate) fn phones(&self) -> impl Iterator<Item = (&DeviceName, &DirectoryNumber)> {
        self.numbers.iter()
    }

    pub(crate) fn number_of(&self, device: &DeviceName) -> Option<&DirectoryNumber> {
        self.numbers.get(device)
    }

    /// The phones with this number: several share the line.
    pub(crate) fn devices_of(&self, dn: &DirectoryNumber) -> Vec<DeviceName> {
        let behind = self.hints.get(dn).into_iter().flatten();
        behind.filter(|device| self.numbers.get(*device) == Some(dn)).cloned().collect()
    }

    /// Whether the user of a phone does not want to be disturbed: kept by its number or by its name.
    pub(crate) fn does_not_want(&self, device: &DeviceName, dn: &DirectoryNumber) -> bool {
        self.disturbed_not.contains(dn)
            || named(device).is_some_and(|name| self.disturbed_not.contains(&name))
    }

    /// Where a number forwards all its calls: kept by it, or by the name of a phone of it.
    pub(crate) fn forward_of(&self, dn: &DirectoryNumber) -> Option<&DirectoryNumber> {
        let by_name = || self.devices_of(dn).iter().find_map(|device| self.forwards.get(&named(device)?));
        self.forwards.get(dn).or_else(by_name)
    }

    pub(crate) fn line(&self, dn: &DirectoryNumber) -> LineId {
        LineId::new(Partition::default(), dn.clone())
    }
}

/// The name of a phone, where a number is looked for.
fn named(device: &DeviceName) -> Option<DirectoryNumber> {
    DirectoryNumber::new(device.as_str()).ok()
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// `PJSIPShowEndpoints`.
    Endpoints,
    /// `ExtensionStateList`.
    Hints,
    /// `DBGetTree`, family `DND`.
    DoNotDisturb,
    /// `DBGetTree`, family `CFWD`.
    Forwards,
}

impl Reading {
    pub(crate) const ALL: [Self; 4] = [Self::Endpoints, Self::Hints, Self::DoNotDisturb, Self::Forwards];

    /// One part of the answer.
    pub(crate) fn take(self, message: &Message, record: &mut Record) {
        let number = |text: &str| DirectoryNumber::new(text).ok();
        // `/DND/1001`
        let key = || message.get("Key").and_then(|key| key.rsplit('/').next()).and_then(number);
        let value = message.get("Val").filter(|value| !value.is_empty());
        match self {
            Self::Endpoints => {
                let name = message.get("ObjectName").and_then(|name| DeviceName::new(name).ok());
                record.endpoints.extend(name);
            }
            Self::Hints => {
                let (Some(dn), Some(hint)) = (message.get("Exten").and_then(number), message.get("Hint"))
                else {
                    return;
                };
                let devices = hint.split(['&', ',']).filter_map(crate::map::device_of);
                let behind: BTreeSet<DeviceName> = devices.collect();
                if !behind.is_empty() {
                    record.hints.entry(dn).or_default().extend(behind);
                }
            }
            Self::DoNotDisturb => {
                record.disturbed_not.extend(value.filter(|value| *value != "0").and_then(|_| key()));
            }
            Self::Forwards => {
                if let (Some(dn), Some(to)) = (key(), value.and_then(number)) {
                    record.forwards.insert(dn, to);
                }
            }
        }
    }
}
