//! When a call is over: the families of events must agree, or time must have passed.

use ringback_cti::message::{CallInfo, CallState, Cause};
use ringback_model::{CallId, DeviceName, Timestamp};

use super::Mapper;
use super::channel::Channel;
use super::phone::DeviceState;
use super::reports::{End, Report, Wait, idle};

impl Mapper {
    /// The channel is gone from its phone.
    pub(super) fn end_channel(&mut self, now: Timestamp, id: &str, cause: Cause) {
        let Some(channel) = self.forget_channel(id) else { return };
        if channel.hidden || channel.told.is_none() {
            // The device state may lag behind, and must not be taken for a call.
            if let Some(phone) = self.phones.get_mut(&channel.phone) {
                phone.stale |= phone.channels.is_empty();
            }
            return self.agree(now, &channel.phone);
        }
        let info = CallInfo { cause, ..idle(channel.info()) };
        if !self.reports.hang_up(id, &info) {
            let (id, since) = (Some(id.to_owned()), channel.ends_since);
            let end = End { channel: id, hung_up: true, since, ..self.expected_end(now, false) };
            self.reports.push(Report { phone: channel.phone.clone(), info, wait: Wait::End(end) });
        }
        self.agree(now, &channel.phone);
    }

    fn forget_channel(&mut self, id: &str) -> Option<Channel> {
        let channel = self.channels.remove(id)?;
        if let Some(phone) = self.phones.get_mut(&channel.phone) {
            phone.channels.remove(id);
        }
        if let Some(linked) = &channel.linked
            && let Some((_, users)) = self.linked.get_mut(linked)
        {
            *users -= 1;
            if *users == 0 {
                self.linked.remove(linked);
            }
        }
        Some(channel)
    }

    fn expected_end(&self, now: Timestamp, device_idle: bool) -> End {
        End {
            channel: None,
            hung_up: false,
            since: None,
            device_idle,
            due: None,
            deadline: now + self.timing.disagreement,
        }
    }

    /// A channel shows life: a device state that said otherwise was late.
    pub(super) fn lives(&mut self, id: &str) {
        self.reports.forget_expected(|_, channel| channel == id);
    }

    /// A device state was told.
    pub(super) fn summarised(&mut self, now: Timestamp, device: &DeviceName, state: Option<DeviceState>) {
        let phone = self.phones.entry(device.clone()).or_default();
        (phone.device_state, phone.stale) = (state, false);
        if state.is_some_and(DeviceState::has_calls) {
            self.says_there_are_calls(now, device);
        } else {
            self.says_there_is_no_call(now, device);
        }
        self.agree(now, device);
    }

    fn says_there_are_calls(&mut self, now: Timestamp, device: &DeviceName) {
        let expected: Vec<String> = self.reports.ends(device).filter_map(|end| end.channel.clone()).collect();
        let Some(phone) = self.phones.get(device) else { return };
        // A channel that began after the phone was idle explains it; otherwise the idle before was late.
        if phone.channels.iter().all(|channel| expected.contains(channel)) {
            self.reports.forget_expected(|of, _| of == device);
            for end in self.reports.ends(device) {
                (end.device_idle, end.due) = (false, None);
            }
        }
        if let Some(call) = phone.shadow {
            self.shadow(now, device, call);
        }
    }

    fn says_there_is_no_call(&mut self, now: Timestamp, device: &DeviceName) {
        for end in self.reports.ends(device) {
            end.device_idle = true;
        }
        let known: Vec<String> = self.reports.ends(device).filter_map(|end| end.channel.clone()).collect();
        let Some(phone) = self.phones.get_mut(device) else { return };
        let shadow = phone.shadow.take();
        let channels: Vec<String> = phone.channels.iter().filter(|id| !known.contains(id)).cloned().collect();
        // Told of a phone that is not registered it says nothing about channels, which end by themselves.
        let idle_now = phone.device_state == Some(DeviceState::Idle);
        for id in channels.into_iter().filter(|_| idle_now) {
            let Some(channel) =
                self.channels.get(&id).filter(|channel| !channel.hidden && channel.told.is_some())
            else {
                continue;
            };
            let (phone, info, since) = (device.clone(), idle(channel.info()), channel.ends_since);
            let wait = Wait::End(End { channel: Some(id), since, ..self.expected_end(now, true) });
            self.reports.push(Report { phone, info, wait });
        }
        if let Some(call) = shadow {
            let info =
                CallInfo { call, state: CallState::Idle, cause: Cause::NONE, called: None, peer: None };
            let wait = Wait::End(End { hung_up: true, ..self.expected_end(now, true) });
            self.reports.push(Report { phone: device.clone(), info, wait });
        }
    }

    /// Gives every end of this phone on which all agree its time, and looks whether a device state stands alone.
    pub(super) fn agree(&mut self, now: Timestamp, device: &DeviceName) {
        let settle = self.timing.settle;
        let Some(phone) = self.phones.get_mut(device) else { return };
        let explained = !phone.device_state.is_some_and(DeviceState::has_calls) || !phone.channels.is_empty();
        for end in self.reports.ends(device) {
            if end.hung_up && (end.device_idle || explained) {
                end.due.get_or_insert(now.max(end.since.unwrap_or(now) + settle));
            }
        }
        let alone = !explained && !phone.stale && phone.shadow.is_none() && !self.reports.awaits_end(device);
        phone.shadow_due = alone.then(|| phone.shadow_due.unwrap_or(now + self.timing.hold));
    }

    /// A device state without a channel that has stood long enough: there is a call of which we know no more.
    pub(super) fn believe_shadows(&mut self, now: Timestamp) {
        let due: Vec<DeviceName> = self
            .phones
            .iter()
            .filter(|(_, phone)| phone.shadow_due.is_some_and(|due| due <= now))
            .map(|(device, _)| device.clone())
            .collect();
        for device in due {
            let call = self.nameless_call(&device);
            if let Some(phone) = self.phones.get_mut(&device) {
                (phone.shadow, phone.shadow_due) = (Some(call), None);
            }
            self.shadow(now, &device, call);
        }
    }

    fn shadow(&mut self, now: Timestamp, device: &DeviceName, call: CallId) {
        let Some(phone) = self.phones.get(device) else { return };
        let state = match phone.device_state {
            Some(DeviceState::Ringing) => CallState::Ringing,
            _ => CallState::Connected,
        };
        let info = CallInfo { call, state, cause: Cause::NONE, called: None, peer: None };
        let wait = Wait::Turn(now + self.timing.hold);
        self.reports.push(Report { phone: device.clone(), info, wait });
    }

    /// The end of a call is being told: what had not agreed is wrong from now on.
    pub(super) fn ended(&mut self, report: &Report) {
        let Wait::End(end) = &report.wait else { return };
        if !end.hung_up
            && let Some(channel) = &end.channel
        {
            self.forget_channel(channel);
        }
        if !end.device_idle
            && let Some(phone) = self.phones.get_mut(&report.phone)
        {
            phone.stale = true;
        }
    }
}
