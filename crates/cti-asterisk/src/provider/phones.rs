//! What phones are shown, and what their users say.

use ringback_cti::message::{CtiError, InvocationId};
use ringback_cti::{DataId, ProviderEvent, RequestFailure, Tag};
use ringback_model::{DeviceName, DirectoryNumber, Timestamp};

use super::core::{Core, Purpose};
use super::recollection::Meant;
use crate::ami::Message;
use crate::notify::{Alert, Content, Press, Recipient, Screen, Step};

/// The most bytes that a phone takes at a time.
const MESSAGE_BYTES: usize = 2000;

/// What of ours is on a phone.
#[derive(Debug, Default)]
pub(super) struct Seat {
    pub(super) screen: Option<Screen>,
}

impl Core {
    /// Something for a phone.
    pub(super) fn send_data(
        &mut self,
        now: Timestamp,
        tag: Tag,
        device: &DeviceName,
        id: Option<DataId>,
        content: &str,
    ) {
        let refused = |error| Err(RequestFailure::Refused(error));
        if !self.standing.wants(device) {
            return self.answer(tag, refused(CtiError::DeviceNotOpen));
        }
        if content.len() > MESSAGE_BYTES {
            return self.answer(tag, refused(CtiError::DataSizeLimitExceeded));
        }
        if self.mapper.in_service(device) != Some(true) {
            return self.answer(tag, refused(CtiError::DeviceOutOfService));
        }
        let content = match Content::read(content) {
            Ok(content) => content,
            Err(error) => {
                tracing::warn!(?device, %error, "data that no phone would take");
                return self.answer(tag, refused(CtiError::DataRejected));
            }
        };
        let steps = match content {
            Content::Screen(screen) => {
                if screen.press_of("Dial").is_none() {
                    // What it was recalled for is not so any more.
                    self.stop_recalls(device);
                }
                self.keep(device, &screen);
                let steps = self.tell(device, |way, phone| way.show(phone, &screen));
                self.seats.entry(device.clone()).or_default().screen = Some(screen);
                steps
            }
            Content::Clear(items) => {
                self.stop_recalls(device);
                self.keep_nothing(device);
                self.seats.remove(device);
                self.tell(device, |way, phone| way.clear(phone, &items))
            }
            Content::Execute(items) => {
                let screen = self.seats.get(device).and_then(|seat| seat.screen.as_ref());
                self.tell(device, |way, phone| way.alert(phone, Alert { screen, items: &items }))
            }
        };
        match steps {
            Ok(steps) => self.carry_out(now, tag, device, id, steps),
            Err(error) => {
                tracing::warn!(?device, %error, "cannot be said to the server");
                self.answer(tag, refused(CtiError::DataRejected));
            }
        }
    }

    fn tell<T>(
        &self,
        device: &DeviceName,
        how: impl FnOnce(&dyn crate::notify::Way, Recipient<'_>) -> T,
    ) -> T {
        let dial = format!("{}{}", self.config.technology, device.as_str());
        let in_call = self.mapper.open_channel_of(device);
        how(self.config.ways.of(device), Recipient { device, dial: &dial, in_call })
    }

    fn carry_out(
        &mut self,
        now: Timestamp,
        tag: Tag,
        device: &DeviceName,
        id: Option<DataId>,
        steps: Vec<Step>,
    ) {
        if steps.is_empty() {
            return self.answer(tag, Ok(ringback_cti::message::Answer::Done));
        }
        self.expect_steps(tag, steps.len());
        for step in steps {
            match step {
                Step::Act(name, action) => {
                    self.ask(Purpose::Step(tag), name, action);
                }
                Step::Either([(name, action), (other, otherwise)]) => {
                    self.ask(Purpose::StepOr(tag, other, otherwise), name, action);
                }
                Step::Recall { name, number } => {
                    // Data that need not have its effect once has no id; then every time is a first time.
                    let id = id.unwrap_or(DataId(u128::from(tag.0)));
                    self.recall(now, tag, device, id, (&name, number.as_deref()));
                }
                Step::Errand(errand) => self.run(Some(tag), device, errand),
            }
        }
    }

    /// The verdict on a press of the key. Taken, the screen that follows says so.
    pub(super) fn answer_feature(&mut self, invocation: InvocationId, accepted: bool) {
        let Some(device) = self.invocations.remove(&invocation) else { return };
        if accepted || !self.is_up() {
            return;
        }
        let steps = self.tell(&device, |way, phone| way.prompt(phone, "Key Not Active")).unwrap_or_default();
        for step in steps {
            match step {
                Step::Act(name, action) | Step::Either([(name, action), _]) => {
                    self.ask(Purpose::Nothing, name, action);
                }
                Step::Errand(errand) => self.run(None, &device, errand),
                Step::Recall { .. } => {}
            }
        }
    }

    /// The recall was picked up: that is the softkey Dial of the screen that the phone was sent last.
    pub(super) fn picked_up(&mut self, now: Timestamp, device: &DeviceName) {
        self.chosen(now, device, Meant::Dial);
    }

    /// A softkey of a screen that a courier showed. Whether it is still of use, the service knows.
    pub(super) fn press_told(&mut self, press: Press) {
        let Press { device, content } = press;
        self.pressed(&device, Some(content));
    }

    /// What a user meant who is not at a screen of the phone's own.
    fn chosen(&mut self, now: Timestamp, device: &DeviceName, meant: Meant) {
        match self.seats.get(device) {
            None if self.acts() => self.recollect(device, meant),
            _ => self.recollected(now, device, meant, None),
        }
    }

    /// Tells what a phone that shows screens would send.
    pub(super) fn pressed(&mut self, device: &DeviceName, press: Option<String>) {
        if let Some(content) = press
            && self.acts()
            && self.standing.wants(device)
        {
            let event = ProviderEvent::DeviceData { device: device.clone(), content };
            self.report_when_up(event);
        }
    }

    /// What the dialplan tells.
    pub(super) fn user_event(&mut self, now: Timestamp, message: &Message) {
        let device = |key| message.known(key).and_then(|name| DeviceName::new(name).ok());
        match message.get("UserEvent") {
            Some("CallBackSoftKey") => {
                let position = message.get("Position").and_then(|position| position.parse().ok());
                if let (Some(device), Some(position)) = (device("Caller"), position) {
                    self.chosen(now, &device, Meant::Position(position));
                }
            }
            Some("CallBackText") => {
                if let Some(device) = device("From") {
                    self.texted(now, &device, message.get("Text").unwrap_or_default());
                }
            }
            Some("CallBackSetting") => self.reread(),
            Some(_) => self.user_probe_heard(message),
            None => {}
        }
        self.finish_reading(now);
    }

    /// A text: a number to be called back, the position of a softkey, or a question.
    fn texted(&mut self, now: Timestamp, device: &DeviceName, text: &str) {
        match text.parse::<usize>().ok().filter(|_| text.len() == 1) {
            Some(position) => self.chosen(now, device, Meant::PositionOr(position, text.to_owned())),
            None => self.asked_by_text(now, device, text),
        }
    }

    /// A text that is no softkey.
    pub(super) fn asked_by_text(&mut self, now: Timestamp, device: &DeviceName, text: &str) {
        let mut out = Vec::new();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
        match DirectoryNumber::new(text) {
            Ok(number) if digits => self.mapper.press_key(now, device, Some(number), &mut out),
            _ => self.mapper.press_key(now, device, None, &mut out),
        }
        self.relay(out);
    }
}
