use ringback_cti::message::{CallState, Cause, CtiError, Feature, FeatureInvocation, InvocationId};
use ringback_cti::{DataId, Dedup};
use ringback_model::{Appearance, DeviceName};
use ringback_screen::phone::{ExecuteItem, PhoneObject, Priority, SoftKeyItem, SoftKeyPress, parse};

use super::Switch;
use super::event::{ScreenView, SwitchEvent};
use super::phone::Screen;

/// The largest data that a phone takes, in bytes.
const MAX_DATA: usize = 2000;

/// What a phone shows and plays for an application, and the keys it sends.
impl Switch {
    /// Whether phones know data that they have acted on. They do, unless told otherwise.
    pub fn set_dedup(&mut self, dedup: Dedup) {
        self.forgetful = dedup != Dedup::ById;
    }

    /// Hands data to a phone. Data whose id the phone has seen does nothing more.
    ///
    /// # Errors
    /// The data is too large, the phone is out of service, or it cannot read the data. Nothing was changed.
    pub fn device_data(
        &mut self,
        device: &DeviceName,
        id: Option<DataId>,
        content: &str,
    ) -> Result<(), CtiError> {
        if content.len() > MAX_DATA {
            return Err(CtiError::DataSizeLimitExceeded);
        }
        let phone = self.phones.get_mut(device).filter(|phone| phone.registered);
        let phone = phone.ok_or(CtiError::DeviceOutOfService)?;
        let object = parse(content.as_bytes()).map_err(|_| CtiError::DataRejected)?;
        if id.is_some_and(|id| !phone.seen.insert(id)) && !self.forgetful {
            return Ok(());
        }
        match object {
            PhoneObject::Text { title, prompt, text, soft_keys } => {
                self.set_screen(device, Some(screen(title, prompt, text, soft_keys)));
            }
            PhoneObject::Execute { items } => {
                items.into_iter().for_each(|item| self.execute(device, item));
            }
            _ => return Err(CtiError::DataRejected),
        }
        Ok(())
    }

    fn execute(&mut self, device: &DeviceName, item: ExecuteItem) {
        match item.priority {
            Priority::WhenIdle if !self.is_idle(device) => {
                if let Some(phone) = self.phones.get_mut(device) {
                    phone.when_idle.push(item.url);
                }
            }
            Priority::OnlyIfIdle if !self.is_idle(device) => {}
            _ => self.run(device, &item.url),
        }
    }

    /// Does what had to wait until the phone is idle.
    pub(super) fn run_when_idle(&mut self, device: &DeviceName) {
        if !self.is_idle(device) {
            return;
        }
        let Some(phone) = self.phones.get_mut(device) else { return };
        for url in std::mem::take(&mut phone.when_idle) {
            self.run(device, &url);
        }
    }

    fn run(&mut self, device: &DeviceName, url: &str) {
        if url == "Init:Services" {
            self.set_screen(device, None);
        } else if url.starts_with("Play:")
            && let Some(phone) = self.phones.get_mut(device)
        {
            phone.alerts += 1;
            self.events.push(SwitchEvent::Alerted(device.clone()));
        }
    }

    pub(super) fn press(&mut self, device: &DeviceName, key: &str) {
        if key == "CallBack" {
            self.invoke(device);
            return;
        }
        let screen = self.phones.get(device).and_then(|phone| phone.screen.as_ref());
        let content = screen.and_then(|screen| {
            let shown = screen.view.soft_keys.iter().position(|shown| shown == key)?;
            screen.sends.get(shown)
        });
        if let Some(content) = content.cloned() {
            self.events.push(SwitchEvent::Data { device: device.clone(), key: key.to_owned(), content });
        }
    }

    /// The call in the foreground is the active one, else one on the first line.
    fn invoke(&mut self, device: &DeviceName) {
        let Some(first) = self.phones.get(device).and_then(|phone| phone.lines.first()).cloned() else {
            return;
        };
        let foreground = self
            .legs_of(device)
            .find(|(_, leg)| leg.is_active())
            .or_else(|| self.legs_of(device).find(|(_, leg)| leg.line == first))
            .map(|(call, leg)| (leg.line.clone(), call.info(leg)));
        self.last_invocation += 1;
        let invocation = InvocationId(self.last_invocation);
        let feature = Feature::CallBack;
        let pressed = match foreground {
            Some((line, info)) => FeatureInvocation {
                invocation,
                feature,
                from: Appearance { device: device.clone(), line },
                call: Some(info.call),
                state: info.state,
                cause: info.cause,
                called: info.called,
            },
            None => FeatureInvocation {
                invocation,
                feature,
                from: Appearance { device: device.clone(), line: first },
                call: None,
                state: CallState::Idle,
                cause: Cause::NONE,
                called: None,
            },
        };
        self.invocations.insert(invocation, device.clone());
        self.events.push(SwitchEvent::Feature(pressed));
    }

    /// The application's verdict on a key. A second one for the same key changes nothing.
    pub fn feature_answered(&mut self, invocation: InvocationId, accepted: bool) {
        if let Some(device) = self.invocations.remove(&invocation)
            && !accepted
        {
            self.set_prompt(&device, Some("Key Not Active"));
        }
    }

    /// No application takes this feature's key now.
    pub fn feature_unavailable(&mut self, invocation: InvocationId) {
        if let Some(device) = self.invocations.remove(&invocation) {
            self.set_prompt(&device, Some("Feature unavailable"));
        }
    }

    /// The phone closes its screen by itself.
    pub fn close_screen(&mut self, device: &DeviceName) {
        self.set_screen(device, None);
    }

    pub(super) fn set_screen(&mut self, device: &DeviceName, screen: Option<Screen>) {
        let Some(phone) = self.phones.get_mut(device) else { return };
        let view = screen.as_ref().map(|screen| screen.view.clone());
        if phone.screen.as_ref().map(|screen| &screen.view) != view.as_ref() {
            self.events.push(SwitchEvent::Screen { device: device.clone(), screen: view });
        }
        phone.screen = screen;
    }

    pub(super) fn set_prompt(&mut self, device: &DeviceName, text: Option<&str>) {
        let Some(phone) = self.phones.get_mut(device) else { return };
        if phone.prompt.as_deref() != text {
            phone.prompt = text.map(str::to_owned);
            self.events.push(SwitchEvent::Prompt { device: device.clone(), text: phone.prompt.clone() });
        }
    }
}

/// A key that answers to no application is shown by its own name and sends what its URL says.
fn screen(title: String, prompt: String, text: String, mut keys: Vec<SoftKeyItem>) -> Screen {
    keys.sort_by_key(|key| key.position);
    let (soft_keys, sends) = keys
        .into_iter()
        .map(|key| match SoftKeyPress::parse(&key.url) {
            Ok(press) => (press.key.name().to_owned(), press.content()),
            Err(_) => (key.name, key.url),
        })
        .unzip();
    Screen { view: ScreenView { title, prompt, text, soft_keys }, sends }
}
