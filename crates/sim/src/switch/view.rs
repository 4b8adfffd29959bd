use ringback_cti::message::{CallInfo, CallState};
use ringback_model::{Appearance, DeviceName, DirectoryNumber};

use super::Switch;
use super::event::{ScreenView, Tone};

/// What can be seen and heard.
impl Switch {
    /// The phones, in order of their names, without those that were removed.
    #[must_use]
    pub fn phones(&self) -> Vec<DeviceName> {
        self.phones.iter().filter(|(_, phone)| !phone.removed).map(|(device, _)| device.clone()).collect()
    }

    /// What the user of the phone hears; silence if there is no such phone.
    #[must_use]
    pub fn hears(&self, device: &DeviceName) -> Tone {
        match self.active(device) {
            Some((_, CallState::DialTone)) => Tone::DialTone,
            Some((_, CallState::Ringback)) => Tone::Ringback,
            Some((_, CallState::Busy)) => Tone::Busy,
            Some((_, CallState::Disconnected)) => Tone::Reorder,
            _ => Tone::Silence,
        }
    }

    /// The numbers of the callers that make the phone ring, the oldest call first.
    #[must_use]
    pub fn rings(&self, device: &DeviceName) -> Vec<DirectoryNumber> {
        self.legs_of(device)
            .filter(|(_, leg)| leg.state == CallState::Ringing)
            .map(|(call, _)| call.caller.line.dn.clone())
            .collect()
    }

    /// The number that the phone talks with now; a held call does not count.
    #[must_use]
    pub fn talks_with(&self, device: &DeviceName) -> Option<DirectoryNumber> {
        let (call, _) = self.legs_of(device).find(|(_, leg)| leg.state == CallState::Connected)?;
        call.peer(device).cloned()
    }

    /// Whether the phone has no call of any kind.
    #[must_use]
    pub fn is_idle(&self, device: &DeviceName) -> bool {
        self.legs_of(device).next().is_none()
    }

    /// The screen that an application has put on the phone.
    #[must_use]
    pub fn screen(&self, device: &DeviceName) -> Option<ScreenView> {
        Some(self.phones.get(device)?.screen.as_ref()?.view.clone())
    }

    /// The call manager's own prompt line on the phone.
    #[must_use]
    pub fn prompt(&self, device: &DeviceName) -> Option<String> {
        self.phones.get(device)?.prompt.clone()
    }

    /// How many alerts the phone has played.
    #[must_use]
    pub fn alerts(&self, device: &DeviceName) -> u64 {
        self.phones.get(device).map_or(0, |phone| phone.alerts)
    }

    /// The calls at an appearance, the oldest first.
    #[must_use]
    pub fn calls_at(&self, at: &Appearance) -> Vec<CallInfo> {
        self.legs_of(&at.device)
            .filter(|(_, leg)| leg.line == at.line)
            .map(|(call, leg)| call.info(leg))
            .collect()
    }

    /// Whether a phone of the database has this line.
    #[must_use]
    pub fn has_line(&self, at: &Appearance) -> bool {
        self.appearances.get(&at.line).is_some_and(|devices| devices.contains(&at.device))
    }
}
