//! The call processing, as a state machine without clock and sockets.

mod action;
mod call;
mod event;
mod phone;
mod processing;
mod routing;
mod screen;
mod user;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::message::{Activity, CallState, CtiError, DeviceStatus, InvocationId};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Millis, Timestamp};

pub use action::{Action, ActionError, PhoneSetup};
pub use event::{ScreenView, SwitchEvent, Tone};

use call::{Call, Leg};
use phone::Phone;

/// How long a call rings before its caller hears reorder.
const NO_ANSWER: Millis = Millis::from_secs(180);

/// The call processing: phones, lines, calls, tones, screens.
///
/// It is a state machine: give it actions and the time, run [`handle_timeout`](Self::handle_timeout) when
/// [`next_timeout`](Self::next_timeout) says so, and take what happened with [`take_events`](Self::take_events).
#[derive(Debug, Default)]
pub struct Switch {
    phones: BTreeMap<DeviceName, Phone>,
    /// The lines that can be called, with their phones.
    appearances: BTreeMap<LineId, BTreeSet<DeviceName>>,
    forwards: BTreeMap<LineId, DirectoryNumber>,
    calls: BTreeMap<CallId, Call>,
    last_call: u64,
    /// Feature keys that wait for their answer.
    invocations: BTreeMap<InvocationId, DeviceName>,
    last_invocation: u64,
    events: Vec<SwitchEvent>,
    /// Phones whose status may have changed, in the order in which they were touched.
    touched: Vec<DeviceName>,
    /// Phones act again on data that they have seen.
    forgetful: bool,
}

impl Switch {
    /// Adds a phone, registered and idle. One that was removed may be added again.
    ///
    /// # Errors
    /// The name is taken, or the phone has no line.
    pub fn add_phone(&mut self, setup: PhoneSetup) -> Result<(), ActionError> {
        if setup.lines.is_empty() || setup.calls_per_line == 0 {
            return Err(ActionError::NoLines);
        }
        let phone =
            self.phones.entry(setup.device.clone()).or_insert(Phone { removed: true, ..Phone::default() });
        if !phone.removed {
            return Err(ActionError::PhoneExists);
        }
        phone.removed = false;
        phone.registered = true;
        phone.do_not_disturb = false;
        phone.calls_per_line = setup.calls_per_line;
        phone.lines.clone_from(&setup.lines);
        for line in setup.lines {
            self.appearances.entry(line).or_default().insert(setup.device.clone());
        }
        self.events.push(SwitchEvent::InService(setup.device.clone()));
        self.touched(&setup.device);
        self.tell_status();
        Ok(())
    }

    /// Removes a phone: it cannot be called any more and is out of service; its running calls go on.
    ///
    /// # Errors
    /// There is no such phone.
    pub fn remove_phone(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        self.leave(device)?;
        let Some(phone) = self.phones.get_mut(device) else { return Err(ActionError::UnknownPhone) };
        phone.removed = true;
        for line in &phone.lines {
            let Some(devices) = self.appearances.get_mut(line) else { continue };
            devices.remove(device);
            if devices.is_empty() {
                self.appearances.remove(line);
                self.forwards.remove(line);
            }
        }
        Ok(())
    }

    /// Lets the user of a phone do something. What changes nothing is no error.
    ///
    /// # Errors
    /// The action is impossible now; nothing was changed.
    pub fn act(&mut self, now: Timestamp, device: &DeviceName, action: Action) -> Result<(), ActionError> {
        self.carry_out(now, device, action)?;
        self.tell_status();
        Ok(())
    }

    /// Makes a call for an application: on the call with dial tone, if the line has one, else the phone must be idle.
    ///
    /// # Errors
    /// The phone is out of service, has no such line, or its calls do not allow it. Nothing was changed.
    pub fn make_call(
        &mut self,
        now: Timestamp,
        from: &Appearance,
        to: &DirectoryNumber,
        override_forwarding: bool,
    ) -> Result<CallId, CtiError> {
        let phone = self.phones.get(&from.device).filter(|phone| phone.registered);
        let phone = phone.ok_or(CtiError::DeviceOutOfService)?;
        if !phone.lines.contains(&from.line) {
            return Err(CtiError::UndefinedLine);
        }
        let dial_tone = self
            .legs_of(&from.device)
            .find(|(_, leg)| leg.line == from.line && leg.state == CallState::DialTone)
            .map(|(call, _)| call.id);
        let id = match dial_tone {
            Some(id) => id,
            None if self.is_idle(&from.device) => self.off_hook(&from.device, from.line.clone()),
            None => return Err(CtiError::IllegalCallState),
        };
        self.set_prompt(&from.device, None);
        self.dial(now, id, to, override_forwarding);
        self.tell_status();
        Ok(id)
    }

    /// What has happened since the last time, in order.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<SwitchEvent> {
        std::mem::take(&mut self.events)
    }

    /// The ends of calls at a phone, the oldest call first.
    fn legs_of<'a>(&'a self, device: &'a DeviceName) -> impl Iterator<Item = (&'a Call, &'a Leg)> {
        self.calls.values().filter_map(move |call| call.leg(device).map(|leg| (call, leg)))
    }

    /// The call that the handset is busy with.
    fn active(&self, device: &DeviceName) -> Option<(CallId, CallState)> {
        self.legs_of(device).find(|(_, leg)| leg.is_active()).map(|(call, leg)| (call.id, leg.state))
    }

    fn touched(&mut self, device: &DeviceName) {
        if !self.touched.contains(device) {
            self.touched.push(device.clone());
        }
    }

    /// Tells the status of the phones whose calls have changed, once the whole change is made: a phone that goes from
    /// one call to the next is never seen idle in between.
    fn tell_status(&mut self) {
        for device in std::mem::take(&mut self.touched) {
            let status = self.device_status(&device);
            let Some(phone) = self.phones.get_mut(&device) else { continue };
            if phone.told != status {
                phone.told = status;
                self.events
                    .extend(status.map(|status| SwitchEvent::Status { device: device.clone(), status }));
            }
            self.run_when_idle(&device);
        }
    }

    fn activity(&self, device: &DeviceName) -> Activity {
        let has = |wanted: fn(&Leg) -> bool| self.legs_of(device).any(|(_, leg)| wanted(leg));
        if has(Leg::is_active) {
            Activity::Active
        } else if has(|leg| leg.state == CallState::Ringing) {
            Activity::Alerting
        } else if has(|leg| leg.state == CallState::OnHold) {
            Activity::Held
        } else {
            Activity::Idle
        }
    }

    /// A registered phone as it is now.
    #[must_use]
    pub fn device_status(&self, device: &DeviceName) -> Option<DeviceStatus> {
        let phone = self.phones.get(device).filter(|phone| phone.registered)?;
        Some(DeviceStatus { activity: self.activity(device), do_not_disturb: phone.do_not_disturb })
    }
}
