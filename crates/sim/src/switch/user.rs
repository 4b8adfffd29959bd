use ringback_cti::message::CallState;
use ringback_model::{CallId, DeviceName, DirectoryNumber, LineId, Timestamp};

use super::Switch;
use super::action::{Action, ActionError};
use super::event::SwitchEvent;
use super::phone::Phone;

impl Switch {
    pub(super) fn carry_out(
        &mut self,
        now: Timestamp,
        device: &DeviceName,
        action: Action,
    ) -> Result<(), ActionError> {
        match action {
            Action::Calls { to, on } => self.calls(now, device, &to, on.as_ref())?,
            Action::Answers => {
                self.existing(device)?;
                self.answer(device)?;
            }
            Action::HangsUp(dn) => self.hangs_up(device, dn.as_ref())?,
            Action::Lifts => self.lifts(device)?,
            Action::Replaces => {
                self.existing(device)?;
                if let Some((id, _)) = self.active(device) {
                    self.end(id, device);
                }
            }
            Action::Presses(key) => {
                self.registered(device)?;
                // The prompt goes before the key acts: what the key brings up must stay.
                self.set_prompt(device, None);
                self.press(device, &key);
            }
            Action::ForwardsAll(to) => self.forward(device, to)?,
            Action::DoNotDisturb(yes) => {
                self.present(device)?.do_not_disturb = yes;
                self.touched(device);
            }
            Action::Resets => {
                self.present(device)?;
                self.unregister(device)?;
                self.register(device)?;
            }
            Action::Unregisters => self.unregister(device)?,
            Action::Registers => self.register(device)?,
            Action::LogsIn | Action::LogsOut => {
                self.registered(device)?;
                self.events.push(SwitchEvent::UserChanged(device.clone()));
            }
        }
        self.set_prompt(device, None);
        Ok(())
    }

    fn calls(
        &mut self,
        now: Timestamp,
        device: &DeviceName,
        to: &DirectoryNumber,
        on: Option<&DirectoryNumber>,
    ) -> Result<(), ActionError> {
        let phone = self.registered(device)?;
        let line = match on {
            Some(dn) => phone.lines.iter().find(|line| line.dn == *dn),
            None => phone.lines.first(),
        };
        let line = line.cloned().ok_or(ActionError::NoSuchLine)?;
        let id = match self.active(device) {
            Some((id, CallState::DialTone)) if self.is_on(id, device, &line) => id,
            Some((_, CallState::Ringback)) => return Err(ActionError::CannotHold),
            Some((id, state)) => {
                let frees = state != CallState::Connected && self.is_on(id, device, &line);
                if self.is_full(device, &line) && !frees {
                    return Err(ActionError::LineInUse);
                }
                self.put_aside(device);
                self.off_hook(device, line)
            }
            None if self.is_full(device, &line) => return Err(ActionError::LineInUse),
            None => self.off_hook(device, line),
        };
        self.dial(now, id, to, false);
        Ok(())
    }

    fn is_on(&self, id: CallId, device: &DeviceName, line: &LineId) -> bool {
        self.calls.get(&id).and_then(|call| call.leg(device)).is_some_and(|leg| leg.line == *line)
    }

    fn hangs_up(&mut self, device: &DeviceName, dn: Option<&DirectoryNumber>) -> Result<(), ActionError> {
        self.existing(device)?;
        let off_hook = || self.legs_of(device).filter(|(_, leg)| leg.state.is_off_hook());
        let call = match dn {
            // The other party's number is what people mean; a line's own number serves if it names no party.
            Some(dn) => off_hook()
                .find(|(call, _)| call.peer(device) == Some(dn))
                .or_else(|| off_hook().find(|(call, _)| call.dialled.as_ref() == Some(dn)))
                .or_else(|| off_hook().find(|(_, leg)| leg.line.dn == *dn)),
            None => off_hook().find(|(_, leg)| leg.is_active()).or_else(|| off_hook().last()),
        };
        if let Some(id) = call.map(|(call, _)| call.id) {
            self.end(id, device);
        }
        Ok(())
    }

    fn lifts(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        self.existing(device)?;
        if self.active(device).is_some() || self.answer(device).is_ok() {
            return Ok(());
        }
        let lines = self.registered(device)?.lines.clone();
        let free = lines.into_iter().find(|line| !self.is_full(device, line));
        self.off_hook(device, free.ok_or(ActionError::LineInUse)?);
        Ok(())
    }

    fn forward(&mut self, device: &DeviceName, to: Option<DirectoryNumber>) -> Result<(), ActionError> {
        let line = self.present(device)?.lines.first().cloned().ok_or(ActionError::NoSuchLine)?;
        match to {
            Some(to) => self.forwards.insert(line, to),
            None => self.forwards.remove(&line),
        };
        Ok(())
    }

    fn register(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        let phone = self.present(device)?;
        if !phone.registered {
            phone.registered = true;
            self.events.push(SwitchEvent::InService(device.clone()));
            self.touched(device);
        }
        Ok(())
    }

    fn unregister(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        self.leave(device)?;
        self.end_all(device);
        Ok(())
    }

    /// The phone is out of service; what it does with its calls is another matter.
    pub(super) fn leave(&mut self, device: &DeviceName) -> Result<(), ActionError> {
        let phone = self.present(device)?;
        phone.told = None;
        phone.when_idle.clear();
        if std::mem::take(&mut phone.registered) {
            self.events.push(SwitchEvent::OutOfService(device.clone()));
        }
        self.set_screen(device, None);
        self.set_prompt(device, None);
        Ok(())
    }

    /// A phone that is known, if only because its calls still run.
    fn existing(&self, device: &DeviceName) -> Result<&Phone, ActionError> {
        let phone = self.phones.get(device).ok_or(ActionError::UnknownPhone)?;
        if phone.registered || self.legs_of(device).next().is_some() {
            return Ok(phone);
        }
        Err(if phone.removed { ActionError::Removed } else { ActionError::NotRegistered })
    }

    fn registered(&self, device: &DeviceName) -> Result<&Phone, ActionError> {
        let phone = self.phones.get(device).ok_or(ActionError::UnknownPhone)?;
        match phone.registered {
            true => Ok(phone),
            false if phone.removed => Err(ActionError::Removed),
            false => Err(ActionError::NotRegistered),
        }
    }

    /// A phone that is in the database.
    fn present(&mut self, device: &DeviceName) -> Result<&mut Phone, ActionError> {
        let phone = self.phones.get_mut(device).ok_or(ActionError::UnknownPhone)?;
        if phone.removed { Err(ActionError::Removed) } else { Ok(phone) }
    }
}
