//! The callback key: which call it is about.

use ringback_cti::ProviderEvent;
use ringback_cti::message::{CallState, Cause, Feature, FeatureInvocation, InvocationId};
use ringback_model::{CallId, DeviceName, DirectoryNumber, Timestamp};

use super::Mapper;
use super::channel::Channel;
use crate::ami::Message;

/// A press of the key on a phone, during or after a call to this number. Without a number it is about the call that the
/// phone is in, or the phone is idle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Press {
    pub(super) device: DeviceName,
    /// The channel on which it was dialled; a text has none.
    pub(super) during: Option<String>,
    pub(super) called: Option<DirectoryNumber>,
}

/// A press that came while it was not known how far the call is: the caller may hear already that it rings, or that it has
/// failed, which the server tells a little later.
#[derive(Debug)]
pub(super) struct Held {
    press: Press,
    pub(super) until: Timestamp,
}

impl Mapper {
    /// The callback key. As a feature code it is dialled after the failed call: then that call tells what the caller
    /// heard, as if it were still in the foreground. A call of the code alone is one in which the key is not active.
    pub(super) fn key(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        let dn = |key| message.known(key).and_then(|number| DirectoryNumber::new(number).ok());
        let during = message.get("Uniqueid");
        let channel = during.and_then(|id| self.channels.get(id));
        let caller = || message.known("Caller").and_then(|caller| DeviceName::new(caller).ok());
        let Some(device) = channel.map(|channel| channel.phone.clone()).or_else(caller) else { return };
        let called = dn("Callee");
        if let Some(channel) = during.and_then(|id| self.channels.get_mut(id)) {
            channel.feature = channel.called != called;
        }
        self.press(now, Press { device, during: during.map(str::to_owned), called }, out);
    }

    /// Tells a press, or keeps it until it is known how far the call is.
    pub(super) fn press(&mut self, now: Timestamp, press: Press, out: &mut Vec<ProviderEvent>) {
        if self.is_open(&press) {
            self.held.push(Held { press, until: now + self.timing.hold });
        } else {
            self.tell_press(&press, out);
        }
    }

    /// Tells the presses of which that is known, or that have waited for long enough.
    pub(super) fn press_held(&mut self, now: Timestamp, out: &mut Vec<ProviderEvent>) {
        for held in std::mem::take(&mut self.held) {
            if held.until > now && self.is_open(&held.press) {
                self.held.push(held);
            } else {
                self.tell_press(&held.press, out);
            }
        }
    }

    /// Whether it is about a call of which it is not known yet how far it is.
    fn is_open(&self, press: &Press) -> bool {
        self.subject(press).is_some_and(|channel| channel.heard().0 == CallState::Proceeding)
    }

    /// The call that it is about, as far as that has not ended: the one it was dialled in, or another of that phone. A phone
    /// hears how its call failed, and may dial the code, before the server tells that the call is over.
    fn subject(&self, press: &Press) -> Option<&Channel> {
        let Press { device, during, called } = press;
        let Some(id) = during else { return self.live_call(device, called.as_ref()) };
        let called = called.as_ref()?;
        let own = self.channels.get(id).filter(|channel| channel.called.as_ref() == Some(called));
        own.or_else(|| self.live_call(device, Some(called)))
    }

    fn tell_press(&mut self, press: &Press, out: &mut Vec<ProviderEvent>) {
        let Some(from) = self.line_of(&press.device) else { return };
        let last = self.phones.get(&press.device).and_then(|phone| phone.last.as_ref());
        let (call, (state, cause), called) = match (&press.called, self.subject(press), last) {
            (_, Some(channel), _) => (Some(channel.call), channel.heard(), channel.called.clone()),
            (None, ..) => (None, (CallState::Idle, Cause::NONE), None),
            (Some(called), _, Some(last)) if last.called == *called => {
                (Some(last.call), (last.state, last.cause), Some(called.clone()))
            }
            // It is active in no other call than these.
            (called, ..) => {
                let channel = press.during.as_ref().and_then(|id| self.channels.get(id));
                let call = channel.map_or(CallId(0), |channel| channel.call);
                (Some(call), (CallState::Proceeding, Cause::NONE), called.clone())
            }
        };
        self.invocations += 1;
        out.push(ProviderEvent::FeatureInvoked(FeatureInvocation {
            invocation: InvocationId(self.invocations),
            feature: Feature::CallBack,
            from,
            call,
            state,
            cause,
            called,
        }));
    }

    /// The newest call in which the phone is off hook; with a number, that it made to it.
    fn live_call(&self, device: &DeviceName, called: Option<&DirectoryNumber>) -> Option<&Channel> {
        let wanted = |channel: &Channel| {
            let is_it = called.is_none_or(|called| channel.calls(called));
            !channel.hidden && !channel.feature && channel.info().state.is_off_hook() && is_it
        };
        let ids = self.phones.get(device)?.channels.iter();
        let calls = ids.filter_map(|id| Some((id, self.channels.get(id)?)));
        let newest = calls.filter(|(_, channel)| wanted(channel)).max_by_key(|(id, _)| (id.len(), *id));
        newest.map(|(_, channel)| channel)
    }
}
