//! Calls that this program makes, and recalls: calls to a phone that only draw its user's attention until they are answered.

use std::collections::BTreeMap;

use ringback_cti::message::{Answer, CtiError};
use ringback_cti::{DataId, RequestFailure, Tag};
use ringback_model::{Appearance, DeviceName, DirectoryNumber, Millis, Timestamp};

use super::core::{Core, Purpose, request_failure};
use crate::ami::{Action, ActionError, Message};
use crate::map::{Expected, RECALL};
use crate::session::Failure;

/// How long after the server has taken the order the call may stay unheard of.
const UNHEARD: Millis = Millis::from_secs(5);

/// A recall.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Recall {
    device: DeviceName,
    /// It was picked up, and that has been told.
    told: bool,
    /// It has been made, or is about to be made, the call.
    used: bool,
    /// Until when it may stay unheard of; `None`: it was heard of.
    unheard: Option<Timestamp>,
    /// The commands that want to know that it rings. The server says that it takes the order before it calls the phone: should
    /// it die in between, nothing rings.
    waiting: Vec<Tag>,
    /// They are answered at the latest then, whatever is heard.
    answer_by: Option<Timestamp>,
}

/// A call that was asked for and not heard of yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Making {
    tag: Tag,
    deadline: Timestamp,
}

/// Everything of ours that rings.
#[derive(Debug, Default)]
pub(super) struct Calling {
    recalls: BTreeMap<String, Recall>,
    making: BTreeMap<String, Making>,
    /// To whom an answered recall is to be connected.
    redirecting: BTreeMap<String, DirectoryNumber>,
    calls: u64,
}

impl Calling {
    /// Something of ours rings, or is about to.
    pub(super) fn is_busy(&self) -> bool {
        !(self.recalls.is_empty() && self.making.is_empty() && self.redirecting.is_empty())
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let recalls = self.recalls.values().flat_map(|recall| [recall.unheard, recall.answer_by]).flatten();
        self.making.values().map(|making| making.deadline).chain(recalls).min()
    }
}

/// The channel of a recall: the server takes an id once, so that a recall that is sent again while it rings does not ring
/// twice.
fn recall_id(id: DataId) -> String {
    format!("{RECALL}{:032x}", id.0)
}

impl Core {
    /// Rings a phone, showing this name and number; answered when it rings.
    pub(super) fn recall(
        &mut self,
        now: Timestamp,
        tag: Tag,
        device: &DeviceName,
        id: DataId,
        (name, number): (&str, Option<&str>),
    ) {
        let id = recall_id(id);
        match self.calling.recalls.get_mut(&id) {
            // It is about to ring.
            Some(recall) if !recall.waiting.is_empty() => return recall.waiting.push(tag),
            // It rings already.
            Some(_) => return self.step_done(tag, Ok(())),
            None if self.mapper.channel_of(&id).is_some() => return self.step_done(tag, Ok(())),
            None => {}
        }
        let action = self.originate(device, &id, "recall", name, number, &[]);
        self.mapper.expect(&id, Expected::Alert);
        let unheard = Some(now + self.config.ring + UNHEARD);
        let waiting = vec![tag];
        let recall =
            Recall { device: device.clone(), told: false, used: false, unheard, waiting, answer_by: None };
        self.calling.recalls.insert(id.clone(), recall);
        if let Err(failure) = self.ask_checked(Purpose::Alert(tag, id.clone()), "Originate", action) {
            self.calling.recalls.remove(&id);
            self.mapper.expect_no_more(&id);
            self.step_done(tag, Err(failure));
        }
    }

    fn originate(
        &self,
        device: &DeviceName,
        id: &str,
        exten: &str,
        name: &str,
        number: Option<&str>,
        variables: &[&str],
    ) -> Result<Action, ActionError> {
        let name: String = name.chars().filter(|c| !matches!(c, '"' | '<' | '>' | '\\')).collect();
        let caller = format!("\"{name}\" <{}>", number.unwrap_or_default());
        let mut action = Action::new("Originate")?
            .header("Channel", &format!("{}{}", self.config.technology, device.as_str()))?
            .header("ChannelId", id)?
            .header("Context", &self.config.recall_context)?
            .header("Exten", exten)?
            .header("Priority", "1")?
            .header("CallerID", &caller)?
            .header("Timeout", &self.config.ring.0.to_string())?
            .header("Async", "true")?;
        for variable in variables {
            action = action.header("Variable", variable)?;
        }
        Ok(action)
    }

    pub(super) fn alert_asked(
        &mut self,
        now: Timestamp,
        tag: Tag,
        id: &str,
        result: Result<Message, Failure>,
    ) {
        match result {
            Ok(_) => match self.calling.recalls.get_mut(id) {
                Some(recall) => recall.answer_by = Some(now + UNHEARD),
                // It is over already.
                None => self.step_done(tag, Ok(())),
            },
            Err(failure) => {
                let waiting =
                    self.calling.recalls.remove(id).map_or_else(|| vec![tag], |recall| recall.waiting);
                self.mapper.expect_no_more(id);
                let failure = request_failure(failure, CtiError::DeviceOutOfService);
                self.recall_told(waiting, &Err(failure));
            }
        }
    }

    fn recall_told(&mut self, waiting: Vec<Tag>, result: &Result<(), RequestFailure>) {
        for tag in waiting {
            self.step_done(tag, result.clone());
        }
    }

    /// Ends the recalls of a phone that have not become calls: what they are about is not so any more.
    pub(super) fn stop_recalls(&mut self, device: &DeviceName) {
        let stop: Vec<String> = self
            .calling
            .recalls
            .iter()
            .filter(|(_, recall)| recall.device == *device && !recall.used)
            .map(|(id, _)| id.clone())
            .collect();
        for id in stop {
            let action = Action::new("Hangup").and_then(|action| action.header("Channel", &id));
            // It may have ended by itself.
            let _gone = self.ask_checked(Purpose::Nothing, "Hangup", action);
        }
    }

    /// A recall that was picked up is the softkey Dial.
    pub(super) fn recalls_answered(&mut self, now: Timestamp) {
        let (mut pressed, mut rung) = (Vec::new(), Vec::new());
        let (mapper, standing) = (&self.mapper, &self.standing);
        // Before that nobody would take it; an answered recall waits for a while.
        let is_taken = self.acts() && self.is_up();
        for (id, device) in mapper.alerts() {
            // One from before the link was lost.
            if !self.calling.recalls.contains_key(id) {
                let (device, waiting) = (device.clone(), Vec::new());
                let recall =
                    Recall { device, told: false, used: false, unheard: None, waiting, answer_by: None };
                self.calling.recalls.insert(id.to_owned(), recall);
            }
        }
        self.calling.recalls.retain(|id, recall| {
            match mapper.channel_of(id) {
                Some((_, up)) => {
                    recall.unheard = None;
                    if mapper.has_reached_its_phone(id) {
                        rung.append(&mut recall.waiting);
                        recall.answer_by = None;
                    }
                    if up && !recall.told && is_taken && standing.wants(&recall.device) {
                        recall.told = true;
                        pressed.push(recall.device.clone());
                    }
                    true
                }
                // It has not begun.
                None if mapper.expects(id) => true,
                // It is over.
                None => {
                    rung.append(&mut recall.waiting);
                    false
                }
            }
        });
        self.recall_told(rung, &Ok(()));
        for device in pressed {
            self.picked_up(now, &device);
        }
    }

    /// An answered recall calls somebody, and it was not this instance that has connected it: it is a call like any other.
    pub(super) fn recall_connected(&mut self, now: Timestamp, message: &Message) {
        let Some(id) = message.get("Uniqueid").filter(|id| id.starts_with(RECALL)) else { return };
        let to = message.known("Exten").and_then(|number| DirectoryNumber::new(number).ok());
        let Some(to) = to.filter(|_| !self.calling.redirecting.contains_key(id)) else { return };
        if self.mapper.alerts().any(|(alert, _)| alert == id) {
            self.calling.recalls.remove(id);
            let mut out = Vec::new();
            self.mapper.alert_becomes_call(now, id, to, &mut out);
            self.relay(out);
        }
    }

    /// Makes a call from a phone: by connecting its recall, if that was picked up; otherwise the phone rings first.
    pub(super) fn make_call(
        &mut self,
        now: Timestamp,
        tag: Tag,
        from: &Appearance,
        to: DirectoryNumber,
        override_forwarding: bool,
    ) {
        if !self.standing.wants_line(from) {
            return self.answer(tag, Err(RequestFailure::Refused(CtiError::UndefinedLine)));
        }
        if self.mapper.in_service(&from.device) != Some(true) {
            return self.answer(tag, Err(RequestFailure::Refused(CtiError::LineOutOfService)));
        }
        let recall =
            self.calling.recalls.iter_mut().find(|(_, r)| r.device == from.device && r.told && !r.used);
        if let Some((id, recall)) = recall {
            recall.used = true;
            let id = id.clone();
            return self.connect_recall(tag, &id, to, override_forwarding);
        }
        self.calling.calls += 1;
        let id = format!("ringback-call-{}-{}-{}", self.epoch.0, now.0, self.calling.calls);
        let variables: &[&str] = if override_forwarding { &["__RINGBACK_OVERRIDE=1"] } else { &[] };
        let action =
            self.originate(&from.device, &id, to.as_str(), "Call Back", Some(to.as_str()), variables);
        self.mapper.expect(&id, Expected::Call(to));
        self.calling.making.insert(id.clone(), Making { tag, deadline: now + self.config.ring + UNHEARD });
        if let Err(failure) = self.ask_checked(Purpose::Call(tag, id.clone()), "Originate", action) {
            self.call_failed(&id, failure);
        }
    }

    fn connect_recall(&mut self, tag: Tag, id: &str, to: DirectoryNumber, override_forwarding: bool) {
        if override_forwarding {
            let action = || {
                Action::new("Setvar")?
                    .header("Channel", id)?
                    .header("Variable", "__RINGBACK_OVERRIDE")?
                    .header("Value", "1")
            };
            let _without = self.ask_checked(Purpose::Nothing, "Setvar", action());
        }
        let action = || {
            Action::new("Redirect")?
                .header("Channel", id)?
                .header("Context", &self.config.recall_context)?
                .header("Exten", to.as_str())?
                .header("Priority", "1")
        };
        let action = action();
        if let Err(failure) = self.ask_checked(Purpose::Redirect(tag, id.to_owned()), "Redirect", action) {
            return self.answer(tag, Err(failure));
        }
        self.calling.redirecting.insert(id.to_owned(), to);
    }

    pub(super) fn redirected(
        &mut self,
        now: Timestamp,
        tag: Tag,
        id: &str,
        result: Result<Message, Failure>,
    ) {
        let to = self.calling.redirecting.remove(id);
        if result.is_ok() {
            self.calling.recalls.remove(id);
        }
        let mut out = Vec::new();
        let result = match (result, to) {
            (Ok(_), Some(to)) => match self.mapper.alert_becomes_call(now, id, to, &mut out) {
                Some(call) => Ok(Answer::CallMade(call)),
                // Its user has hung up in this moment.
                None => Err(RequestFailure::Refused(CtiError::IllegalCallState)),
            },
            (Ok(_), None) => Err(RequestFailure::OutcomeUnknown),
            (Err(failure), _) => Err(request_failure(failure, CtiError::IllegalCallState)),
        };
        self.answer(tag, result);
        self.relay(out);
    }

    pub(super) fn call_asked(&mut self, now: Timestamp, _: Tag, id: &str, result: Result<Message, Failure>) {
        match result {
            Ok(_) => {
                if let Some(making) = self.calling.making.get_mut(id) {
                    making.deadline = now + UNHEARD;
                }
            }
            Err(failure) => self.call_failed(id, request_failure(failure, CtiError::LineOutOfService)),
        }
    }

    /// Calls that have been heard of by now are made.
    pub(super) fn calls_heard_of(&mut self) {
        let mapper = &self.mapper;
        let heard: Vec<_> = self
            .calling
            .making
            .iter()
            .filter_map(|(id, making)| Some((id.clone(), making.tag, mapper.channel_of(id)?.0)))
            .collect();
        for (id, tag, call) in heard {
            self.calling.making.remove(&id);
            self.answer(tag, Ok(Answer::CallMade(call)));
        }
    }

    /// The server tells how an order ended; only of one that was never heard of this is news.
    pub(super) fn originated(&mut self, message: &Message) {
        if message.get("Response") != Some("Failure") {
            return;
        }
        // Without a channel there is no id of it: then the phone could not be called at all.
        let id = message.known("Uniqueid").map(str::to_owned);
        if let Some(id) = id.filter(|id| self.calling.making.contains_key(id)) {
            self.call_failed(&id, RequestFailure::Refused(CtiError::LineOutOfService));
        }
    }

    fn call_failed(&mut self, id: &str, failure: RequestFailure) {
        self.mapper.expect_no_more(id);
        if let Some(making) = self.calling.making.remove(id) {
            self.answer(making.tag, Err(failure));
        }
    }

    pub(super) fn call_timeouts(&mut self, now: Timestamp) {
        let due: Vec<String> = self
            .calling
            .making
            .iter()
            .filter(|(_, making)| making.deadline <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.call_failed(&id, RequestFailure::OutcomeUnknown);
        }
        // The phone could not be rung: should the same alert come again, it is tried again.
        let (mapper, mut answered) = (&mut self.mapper, Vec::new());
        self.calling.recalls.retain(|id, recall| {
            let lost = recall.unheard.is_some_and(|unheard| unheard <= now);
            if lost {
                mapper.expect_no_more(id);
            }
            if lost || recall.answer_by.is_some_and(|by| by <= now) {
                answered.append(&mut recall.waiting);
                recall.answer_by = None;
            }
            !lost
        });
        self.recall_told(answered, &Ok(()));
    }

    /// The link is gone: nobody knows what becomes of what was ordered.
    pub(super) fn calls_lost(&mut self) {
        let Calling { making, recalls, .. } = std::mem::take(&mut self.calling);
        for making in making.into_values() {
            self.answer(making.tag, Err(RequestFailure::OutcomeUnknown));
        }
        for recall in recalls.into_values() {
            self.recall_told(recall.waiting, &Err(RequestFailure::OutcomeUnknown));
        }
    }
}
