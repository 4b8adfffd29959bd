//! The phones of the bench, and what their users do.

use ringback_callback::{CallProgress, DialOutcome, PressedDuring};

use super::*;

/// A phone, as the call manager sees it.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) registered: bool,
    pub(crate) busy: bool,
    pub(crate) dnd: bool,
    pub(crate) lines: BTreeMap<LineId, Occupancy>,
    /// The calls on its first line.
    pub(crate) calls: Vec<CallId>,
}

impl Phone {
    pub(super) fn new(number: &str) -> Self {
        Self {
            registered: true,
            busy: false,
            dnd: false,
            lines: BTreeMap::from([(line(number), Occupancy::Idle)]),
            calls: Vec::new(),
        }
    }

    pub(super) fn state(&self) -> DeviceState {
        if self.registered {
            DeviceState::InService { busy: self.busy, do_not_disturb: self.dnd }
        } else {
            DeviceState::OutOfService
        }
    }
}

impl Bench {
    pub(crate) fn phones_with(&self, line: &LineId) -> Vec<DeviceName> {
        let listed = self.phones.iter().filter(|(name, _)| !self.unlisted.contains(*name));
        let with = listed.filter(|(_, phone)| phone.lines.contains_key(line));
        with.map(|(name, _)| device(name)).collect()
    }

    pub(crate) fn read_device(&self, device: &DeviceName) -> Option<Input> {
        let phone = self.phones.get(device.as_str())?;
        (self.linked && self.open_devices.contains(device))
            .then(|| Input::Device { device: device.clone(), state: phone.state() })
    }

    pub(crate) fn read_line(&self, at: &Appearance) -> Option<Input> {
        let phone = self.phones.get(at.device.as_str())?;
        let occupancy = *phone.lines.get(&at.line)?;
        (self.linked && phone.registered && self.open_lines.contains(at)).then(|| Input::Line {
            at: at.clone(),
            occupancy,
            calls: Some(phone.calls.clone()),
        })
    }

    pub(crate) fn phone(&mut self, name: &str) -> &mut Phone {
        self.phones.get_mut(name).unwrap()
    }

    /// The number of a phone's first line.
    pub(crate) fn number(&self, name: &str) -> String {
        self.phones[name].lines.keys().next().unwrap().dn.as_str().to_owned()
    }

    /// Another phone, with these lines; one that another phone has is shared.
    pub(crate) fn add_phone(&mut self, name: &str, numbers: &[&str]) {
        let mut phone = Phone::new(numbers[0]);
        phone.lines = numbers.iter().map(|number| (line(number), Occupancy::Idle)).collect();
        self.phones.insert(name.to_owned(), phone);
    }

    /// Changes a phone, and reports it if it is open.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Phone)) {
        change(self.phone(name));
        if let Some(input) = self.read_device(&device(name)) {
            self.give(input);
        }
    }

    /// The phone is in a call, has lifted, or rings.
    pub(crate) fn busy(&mut self, name: &str) {
        self.change(name, |phone| phone.busy = true);
    }

    pub(crate) fn idle(&mut self, name: &str) {
        self.change(name, |phone| phone.busy = false);
    }

    pub(crate) fn dnd(&mut self, name: &str, on: bool) {
        self.change(name, |phone| phone.dnd = on);
    }

    pub(crate) fn unregister(&mut self, name: &str) {
        self.change(name, |phone| phone.registered = false);
    }

    /// Registers a phone; its open lines are read anew.
    pub(crate) fn register(&mut self, name: &str) {
        self.change(name, |phone| {
            phone.registered = true;
            phone.busy = false;
            phone.lines.values_mut().for_each(|occupancy| *occupancy = Occupancy::Idle);
        });
        let lines: Vec<_> = self.open_lines.iter().filter(|at| at.device.as_str() == name).cloned().collect();
        for at in lines {
            if let Some(input) = self.read_line(&at) {
                self.give(input);
            }
        }
    }

    pub(crate) fn reset(&mut self, name: &str) {
        self.unregister(name);
        self.register(name);
    }

    /// A phone's first line changes.
    pub(crate) fn line(&mut self, name: &str, occupancy: Occupancy) {
        let number = self.number(name);
        self.line_at(name, &number, occupancy);
    }

    /// One of a phone's lines changes.
    pub(crate) fn line_at(&mut self, name: &str, number: &str, occupancy: Occupancy) {
        let at = at(name, number);
        self.phone(name).lines.insert(at.line.clone(), occupancy);
        if let Some(Input::Line { at, occupancy, .. }) = self.read_line(&at) {
            self.give(Input::Line { at, occupancy, calls: None });
        }
    }

    /// Presses CallBack during a call to this number, which keeps the phone busy.
    pub(crate) fn press(&mut self, name: &str, number: &str, during: PressedDuring) {
        self.calls += 1;
        let call = CallId(self.calls);
        self.phone(name).calls = vec![call];
        self.busy(name);
        let from = at(name, &self.number(name));
        self.press_on(from, Some(call), number, during);
    }

    pub(crate) fn press_on(
        &mut self,
        from: Appearance,
        call: Option<CallId>,
        number: &str,
        during: PressedDuring,
    ) {
        self.invocations += 1;
        let invocation = self.invocations;
        self.give(Input::CallBackKey { invocation, from, call, called: Some(dn(number)), during });
    }

    /// Presses CallBack on the idle phone.
    pub(crate) fn press_idle(&mut self, name: &str) {
        self.invocations += 1;
        let (invocation, from) = (self.invocations, at(name, &self.number(name)));
        let during = PressedDuring::Idle;
        self.give(Input::CallBackKey { invocation, from, call: None, called: None, during });
    }

    /// The phone's call ends.
    pub(crate) fn hang_up(&mut self, name: &str) {
        for call in std::mem::take(&mut self.phone(name).calls) {
            self.call(name, call, None, CallProgress::Ended);
        }
        self.idle(name);
    }

    /// Presses CallBack on busy or without an answer, hangs up, leaves the screen.
    pub(crate) fn waits(&mut self, name: &str, number: &str, during: PressedDuring) {
        self.press(name, number, during);
        self.hang_up(name);
        self.key(name, SoftKey::Exit);
        self.wait(Millis(1));
        self.look_away();
    }

    /// Presses a key of the screen that is up.
    pub(crate) fn key(&mut self, name: &str, key: SoftKey) {
        let about = self.screens.get(&device(name)).and_then(|(_, about)| *about);
        self.key_about(name, key, about);
    }

    pub(crate) fn key_about(&mut self, name: &str, key: SoftKey, about: Option<RequestId>) {
        self.give(Input::ScreenKey { device: device(name), key, about });
    }

    /// A call on the phone's first line makes progress.
    pub(crate) fn call(&mut self, name: &str, call: CallId, called: Option<&str>, progress: CallProgress) {
        let at = at(name, &self.number(name));
        if self.linked && self.open_lines.contains(&at) {
            self.give(Input::Call { at, call, called: called.map(dn), progress });
        }
    }

    /// Dial has started a call, by which the phone is busy.
    pub(crate) fn dial_starts(&mut self, name: &str) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.phone(name).calls = vec![call];
        self.dialled(name, DialOutcome::Made(call));
        self.busy(name);
        call
    }

    /// What the call manager says of a phone's Dial.
    pub(crate) fn dialled(&mut self, name: &str, outcome: DialOutcome) {
        self.give(Input::Dialled { request: self.id_of(name), outcome });
    }

    /// Presses Dial, and the call comes as far as this.
    pub(crate) fn dials(&mut self, name: &str, progress: CallProgress) -> CallId {
        self.key(name, SoftKey::Dial);
        let call = self.dial_starts(name);
        self.call(name, call, None, progress);
        call
    }

    /// The link to the call manager is gone: what happens now is not seen.
    pub(crate) fn lose_link(&mut self) {
        self.linked = false;
        self.give(Input::LinkLost);
    }

    /// A new link, and everything open on these phones is read anew, one phone after the other.
    pub(crate) fn regain_link_of(&mut self, names: &[&str]) {
        self.linked = true;
        for name in names {
            self.change(name, |_| ());
            let lines: Vec<_> =
                self.open_lines.iter().filter(|at| at.device.as_str() == *name).cloned().collect();
            for at in lines {
                if let Some(input) = self.read_line(&at) {
                    self.give(input);
                }
            }
        }
    }

    /// A new link: everything open is read anew, callers' calls first.
    pub(crate) fn regain_link(&mut self) {
        self.linked = true;
        for device in self.open_devices.clone() {
            if let Some(input) = self.read_device(&device) {
                self.give(input);
            }
        }
        for at in self.open_lines.clone() {
            if let Some(input) = self.read_line(&at) {
                self.give(input);
            }
        }
    }
}

pub(crate) fn rings(number: &str) -> CallProgress {
    CallProgress::Alerting { peer: Some(dn(number)) }
}

pub(crate) fn answers(number: &str) -> CallProgress {
    CallProgress::Connected { peer: Some(dn(number)) }
}

/// A resolution that the engine refuses with this reason.
pub(crate) fn refused_for(reason: Refusal) -> Box<dyn Fn(&mut Resolution)> {
    Box::new(move |resolution| match reason {
        Refusal::NotInDirectory => resolution.devices.clear(),
        Refusal::ForwardsAllCalls => resolution.forwards_all = true,
        Refusal::NotDiallable => resolution.names.push("Ada #2".to_owned()),
        Refusal::OwnLine => resolution.caller_lines.push(resolution.line.clone()),
        Refusal::NoCallBackKey => resolution.caller_has_key = false,
        _ => panic!("the directory cannot cause {reason:?}"),
    })
}
