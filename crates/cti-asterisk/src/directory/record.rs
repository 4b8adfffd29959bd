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
    /// Who forwards all calls, and where to.
    pub(crate) forwards: BTreeMap<DirectoryNumber, DirectoryNumber>,
    /// Who does not want to be disturbed.
    pub(crate) disturbed_not: BTreeSet<DirectoryNumber>,
}

impl Record {
    /// The phones with a number. Line states are told per phone, so a phone's number is the one it is named after.
    pub(crate) fn phones(&self) -> impl Iterator<Item = (&DeviceName, &DirectoryNumber)> {
        self.hints
            .iter()
            .flat_map(|(dn, devices)| devices.iter().map(move |device| (device, dn)))
            .filter(|(device, dn)| self.endpoints.contains(*device) && device.as_str() == dn.as_str())
    }

    pub(crate) fn number_of(&self, device: &DeviceName) -> Option<&DirectoryNumber> {
        self.phones().find(|(phone, _)| *phone == device).map(|(_, dn)| dn)
    }

    pub(crate) fn devices_of(&self, dn: &DirectoryNumber) -> Vec<DeviceName> {
        self.phones().filter(|(_, number)| *number == dn).map(|(device, _)| device.clone()).collect()
    }

    pub(crate) fn line(&self, dn: &DirectoryNumber) -> LineId {
        LineId::new(Partition::default(), dn.clone())
    }
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
