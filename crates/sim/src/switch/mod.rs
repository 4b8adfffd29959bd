//! The call processing, as a state machine without clock and sockets.

mod action;
mod event;

use ringback_model::{DeviceName, DirectoryNumber, Timestamp};

pub use action::{Action, ActionError, PhoneSetup};
pub use event::{ScreenView, SwitchEvent, Tone};

/// The call processing.
#[derive(Debug, Default)]
pub struct Switch {
    phones: std::collections::BTreeMap<DeviceName, PhoneSetup>,
}

impl Switch {
    /// Adds a phone.
    ///
    /// # Errors
    /// The name is taken, or the phone has no line.
    pub fn add_phone(&mut self, setup: PhoneSetup) -> Result<(), ActionError> {
        self.phones.insert(setup.device.clone(), setup);
        Ok(())
    }

    /// Removes a phone.
    ///
    /// # Errors
    /// There is no such phone.
    pub fn remove_phone(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        self.phones.remove(device).map(drop).ok_or(ActionError::UnknownPhone)
    }

    /// Does it.
    ///
    /// # Errors
    /// It is impossible.
    pub fn act(&mut self, _now: Timestamp, device: &DeviceName, _action: Action) -> Result<(), ActionError> {
        self.phones.get(device).map(drop).ok_or(ActionError::UnknownPhone)
    }

    /// The phones.
    #[must_use]
    pub fn phones(&self) -> Vec<DeviceName> {
        self.phones.keys().cloned().collect()
    }

    /// The tone.
    #[must_use]
    pub fn hears(&self, _device: &DeviceName) -> Tone {
        Tone::Silence
    }

    /// The callers.
    #[must_use]
    pub fn rings(&self, _device: &DeviceName) -> Vec<DirectoryNumber> {
        Vec::new()
    }

    /// Connected.
    #[must_use]
    pub fn is_connected_to(&self, _device: &DeviceName, _dn: &DirectoryNumber) -> bool {
        false
    }

    /// Idle.
    #[must_use]
    pub fn is_idle(&self, _device: &DeviceName) -> bool {
        true
    }

    /// The screen.
    #[must_use]
    pub fn screen(&self, _device: &DeviceName) -> Option<ScreenView> {
        None
    }

    /// The prompt.
    #[must_use]
    pub fn prompt(&self, _device: &DeviceName) -> Option<String> {
        None
    }

    /// The alerts.
    #[must_use]
    pub fn alerts(&self, _device: &DeviceName) -> u64 {
        0
    }
}
