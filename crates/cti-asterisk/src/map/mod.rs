//! From manager events to the CTI model.
//!
//! A phone is an endpoint, `PJSIP/1002` or `SIP/1002`; its device name and the number of its only line are `1002`.
//! The server tells of it in families of events whose order among each other means nothing: channels (`Newchannel`,
//! `Newstate`, `Dial...`, `Bridge...`, `Hangup`), device states, registration. `ExtensionStatus` repeats device
//! states through hints and is not used; neither are the `CC...` events of the server's own call completion.
//!
//! Three rules give every line its state:
//!
//! 1. **Channels say what a call does.** A channel that the phone began takes it off hook from its first event, even
//!    if it lives for a millisecond and no device state ever tells of it. A channel to the phone takes it off hook
//!    when it is answered; until then the phone at most rings, whatever the device state says (`BUSY` may be a fold
//!    of ringing and in use). Before it rings nothing is told: a call that a phone refuses at once did not use its line.
//! 2. **The end of a call is told when channel and device state agree**, in whichever order they come, and not before a
//!    moment ([`Timing::settle`]) has passed since the phone hung up, in which what others did before that becomes known;
//!    if one of the two never comes, after [`Timing::disagreement`].
//! 3. **Off hook overtakes.** A phone that dials was off hook before the server knew, so that is told at once,
//!    before ends that have not settled. What the server itself causes (a phone is called, rings, answers) can only
//!    come after what it knew already: it keeps its place behind them. So the server's own recall, which rings A in
//!    the millisecond in which B is free, does not hide that A was idle then.

mod channel;
mod endpoint;
mod events;
mod key;
mod numbers;
mod phone;
mod reports;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::ProviderEvent;
use ringback_cti::message::{CallInfo, CallState};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, Millis, Timestamp};

use channel::Channel;
pub(crate) use channel::{Expected, RECALL};
pub use endpoint::line as line_of;
pub(crate) use endpoint::of_device as device_of;
use key::{Held, Press};
use phone::Phone;
use reports::{Report, Reports};

use crate::ami::Message;

/// How long the mapper waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the moment in which the server is told to end a call until that is told, or from that in which all agree
    /// that it is over, if the former was not heard of. 3 ms: longer than a phone beside the server takes to be known
    /// to be off hook when its request is challenged first (2.6 ms after the other hung up, in a recording), short
    /// beside what a person notices. Before anybody is alerted a turn is saved, which takes another millisecond or more:
    /// what becomes known in that still counts. With zero a caller who lifts in the same moment may be alerted.
    pub settle: Millis,
    /// How long a report may wait behind the end of another call, how long a device state in use may stay without a
    /// channel before it is believed, and how long a press of the key waits until it is known how far the call is. 20 ms.
    pub hold: Millis,
    /// How long the end of a call waits for the family of events that does not agree. 1 s. Shorter: a slow server's
    /// line may be told free too early; longer: a lost event delays a caller for so long.
    pub disagreement: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        Self { settle: Millis(3), hold: Millis(20), disagreement: Millis(1000) }
    }
}

/// The mapper of one connection: messages and the present time in, reports about what has been opened out.
///
/// It keeps the state of every phone it hears of, opened or not, so that opening reads the present state.
#[derive(Debug, Default)]
pub struct Mapper {
    timing: Timing,
    phones: BTreeMap<DeviceName, Phone>,
    channels: BTreeMap<String, Channel>,
    /// Channels that this program asked for and that have not been heard of yet.
    expected: BTreeMap<String, Expected>,
    numbers: BTreeMap<DeviceName, DirectoryNumber>,
    linked: BTreeMap<String, (CallId, usize)>,
    calls: u64,
    invocations: u64,
    /// Presses of the key that wait.
    held: Vec<Held>,
    reports: Reports,
    open_devices: BTreeSet<DeviceName>,
    open_lines: BTreeSet<Appearance>,
}

impl Mapper {
    /// A mapper that knows nothing yet.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self { timing, ..Self::default() }
    }

    /// Takes a message from the server and appends what can be told now.
    pub fn handle(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        // What comes in the millisecond in which a line settles is heard before that: its moment may have begun earlier.
        let before = Timestamp(now.0.saturating_sub(1));
        self.tell_due(now, before, out);
        self.event(now, message, out);
        self.tell_due(now, before, out);
    }

    /// When [`poll`](Self::poll) is wanted though no message came.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let shadows = self.phones.values().filter_map(|phone| phone.shadow_due);
        let held = self.held.iter().map(|held| held.until);
        self.reports.next_wakeup().into_iter().chain(shadows).chain(held).min()
    }

    /// Appends what has become due.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<ProviderEvent>) {
        self.tell_due(now, now, out);
    }

    fn tell_due(&mut self, now: Timestamp, settled: Timestamp, out: &mut Vec<ProviderEvent>) {
        self.believe_shadows(now);
        while let Some(report) = self.reports.take(now, settled) {
            self.ended(&report);
            self.tell(report.phone, report.info, out);
        }
        self.press_held(now, out);
    }

    /// Reports this device from now on, and its present status if anything is known of it.
    pub fn open_device(&mut self, device: &DeviceName, out: &mut Vec<ProviderEvent>) {
        self.open_devices.insert(device.clone());
        let phone = self.phones.entry(device.clone()).or_default();
        phone.told = phone.status();
        if let Some(status) = phone.told {
            out.push(ProviderEvent::Device { device: device.clone(), status });
        }
    }

    /// Reports it and its line no more.
    pub fn close_device(&mut self, device: &DeviceName) {
        self.open_devices.remove(device);
        self.open_lines.retain(|at| at.device != *device);
    }

    /// Reports this line from now on, and its present calls if its phone is in service.
    pub fn open_line(&mut self, at: &Appearance, out: &mut Vec<ProviderEvent>) {
        self.open_lines.insert(at.clone());
        let phone = self.phones.entry(at.device.clone()).or_default();
        if phone.in_service() == Some(true) {
            out.push(ProviderEvent::LineOpened {
                at: at.clone(),
                calls: phone.calls.values().cloned().collect(),
            });
        }
    }

    /// Reports it no more.
    pub fn close_line(&mut self, at: &Appearance) {
        self.open_lines.remove(at);
    }

    /// Something else than the server's events proves that this phone is there (a snapshot, its user's key press).
    /// Needed for a phone that has been silent since before the connection was made.
    pub fn assume_in_service(&mut self, device: &DeviceName, out: &mut Vec<ProviderEvent>) {
        self.phones.entry(device.clone()).or_default().seen = true;
        self.service(device, out);
    }

    /// The calls on the line of a phone as they have been told.
    pub fn calls(&self, device: &DeviceName) -> impl Iterator<Item = &CallInfo> {
        self.phones.get(device).into_iter().flat_map(|phone| phone.calls.values())
    }

    /// A channel of this id will be heard of: this program asked for it.
    pub(crate) fn expect(&mut self, id: &str, expected: Expected) {
        self.expected.insert(id.to_owned(), expected);
    }

    /// Whether one is expected.
    pub(crate) fn expects(&self, id: &str) -> bool {
        self.expected.contains_key(id)
    }

    /// It will not.
    pub(crate) fn expect_no_more(&mut self, id: &str) {
        self.expected.remove(id);
    }

    /// The alerts that ring or were answered, and at which phones.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = (&str, &DeviceName)> {
        self.channels
            .iter()
            .filter(|(_, channel)| channel.hidden)
            .map(|(id, channel)| (id.as_str(), &channel.phone))
    }

    /// The call that a channel is, and whether its phone was picked up; `None`: there is no such channel.
    pub(crate) fn channel_of(&self, id: &str) -> Option<(CallId, bool)> {
        self.channels.get(id).map(|channel| (channel.call, channel.is_up()))
    }

    /// The phone of a channel rings, or has answered one way or the other: the server is not alone with it any more.
    pub(crate) fn has_reached_its_phone(&self, id: &str) -> bool {
        self.channels.get(id).is_some_and(Channel::has_reached_its_phone)
    }

    /// The channel on which a phone could be spoken to now.
    pub(crate) fn open_channel_of(&self, device: &DeviceName) -> Option<&str> {
        let phone = self.phones.get(device)?;
        let up = |id: &&String| self.channels.get(*id).is_some_and(Channel::is_up);
        phone.channels.iter().find(up).map(String::as_str)
    }

    /// An alert was answered, and becomes a call to this number. Gives back the call.
    pub(crate) fn alert_becomes_call(
        &mut self,
        now: Timestamp,
        id: &str,
        to: DirectoryNumber,
        out: &mut Vec<ProviderEvent>,
    ) -> Option<CallId> {
        let channel = self.channels.get_mut(id)?;
        channel.becomes_call(to);
        let call = channel.call;
        self.changed(now, id, out);
        self.poll(now, out);
        Some(call)
    }

    /// The callback key was pressed on this phone in another way than by a feature code.
    pub(crate) fn press_key(
        &mut self,
        now: Timestamp,
        device: &DeviceName,
        called: Option<DirectoryNumber>,
        out: &mut Vec<ProviderEvent>,
    ) {
        self.press(now, Press { device: device.clone(), during: None, called }, out);
    }

    /// Whether the user of a phone does not want to be disturbed: no event of the server tells.
    pub(crate) fn set_do_not_disturb(
        &mut self,
        device: &DeviceName,
        do_not_disturb: bool,
        out: &mut Vec<ProviderEvent>,
    ) {
        self.phones.entry(device.clone()).or_default().do_not_disturb = do_not_disturb;
        self.device(device, out);
    }

    /// Whether a device state of this phone was told.
    pub(crate) fn has_device_state(&self, device: &DeviceName) -> bool {
        self.phones.get(device).is_some_and(|phone| phone.device_state.is_some())
    }

    /// Whether this phone is in service; `None`: nothing is known of it.
    pub(crate) fn in_service(&self, device: &DeviceName) -> Option<bool> {
        self.phones.get(device)?.in_service()
    }

    /// Every phone heard of.
    pub fn phones(&self) -> impl Iterator<Item = &DeviceName> {
        self.phones.keys()
    }

    /// Tells a change of a call, and of the device if that changed with it.
    fn tell(&mut self, device: DeviceName, info: CallInfo, out: &mut Vec<ProviderEvent>) {
        let phone = self.phones.entry(device.clone()).or_default();
        let open = phone.in_service() == Some(true);
        let known = if info.state == CallState::Idle {
            phone.calls.remove(&info.call).is_some()
        } else {
            phone.calls.insert(info.call, info.clone());
            true
        };
        if let Some(at) = self.line_of(&device).filter(|at| open && known && self.open_lines.contains(at)) {
            out.push(ProviderEvent::Call { at, info });
        }
        self.device(&device, out);
    }

    /// Tells the device's status if it changed.
    fn device(&mut self, device: &DeviceName, out: &mut Vec<ProviderEvent>) {
        let Some(phone) = self.phones.get_mut(device).filter(|_| self.open_devices.contains(device)) else {
            return;
        };
        let status = phone.status();
        if status != phone.told
            && let Some(status) = status
        {
            phone.told = Some(status);
            out.push(ProviderEvent::Device { device: device.clone(), status });
        }
    }

    /// Tells that a phone came into service or left it, if it did.
    fn service(&mut self, device: &DeviceName, out: &mut Vec<ProviderEvent>) {
        let was_in = |told: Option<Option<_>>| matches!(told, Some(Some(_)));
        let before = self.phones.get(device).is_some_and(|phone| was_in(phone.told));
        self.device(device, out);
        let after = self.phones.get(device).is_some_and(|phone| was_in(phone.told));
        if after
            && !before
            && let Some(at) = self.line_of(device).filter(|at| self.open_lines.contains(at))
        {
            self.open_line(&at, out);
        }
    }

    /// Queues what changed about a channel, or tells it at once if the phone began it.
    fn changed(&mut self, now: Timestamp, id: &str, out: &mut Vec<ProviderEvent>) {
        let Some(channel) = self.channels.get_mut(id) else { return };
        let info = channel.info();
        if channel.hidden || channel.is_unnoticed() || channel.told.as_ref() == Some(&info) {
            return;
        }
        let was_off_hook = channel.told.as_ref().is_some_and(|told| told.state.is_off_hook());
        let overtakes = channel.origin && !was_off_hook;
        channel.told = Some(info.clone());
        let phone = channel.phone.clone();
        if overtakes {
            self.reports.supersede(&phone, info.call);
            self.tell(phone, info, out);
        } else {
            let wait = reports::Wait::Turn(now + self.timing.hold);
            self.reports.push(Report { phone, info, wait });
        }
    }
}

#[cfg(test)]
mod tests;
