use ringback_cti::ProviderEvent;
use ringback_cti::message::Cause;
use ringback_model::{CallId, DeviceName, DirectoryNumber, Timestamp};

use super::channel::{Channel, Expected, RECALL, Stage};
use super::phone::{DeviceState, LastCall};
use super::{Mapper, endpoint};
use crate::ami::{Message, MessageKind};

impl Mapper {
    /// Carries one message out on the model.
    pub(super) fn event(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        let MessageKind::Event(event) = message.kind() else { return };
        match event {
            "Newchannel" | "Newstate" | "NewConnectedLine" => self.channel(now, message, out),
            "CoreShowChannel" => {
                self.channel(now, message, out);
                let dials = message.get("Application") == Some("Dial");
                for id in self.introduce_listed(message.get("Uniqueid").unwrap_or_default(), dials) {
                    self.changed(now, &id, out);
                }
            }
            "BridgeEnter" | "BridgeLeave" => self.bridge(now, message, event == "BridgeEnter", out),
            "DialBegin" | "DialState" | "DialEnd" => self.dial(now, message, event, out),
            "Rename" => self.rename(now, message),
            "HangupRequest" | "SoftHangupRequest" => self.hangup_requested(now, message),
            "Hangup" => self.hangup(now, message, out),
            "DeviceStateChange" => self.device_state(now, message, out),
            "PeerStatus" | "ContactStatus" => self.registration(message, out),
            "UserEvent" if message.get("UserEvent") == Some("CallBackKey") => self.key(now, message, out),
            _ => {}
        }
    }

    /// The channel a message is about; one never heard of is taken up as it is.
    fn adopt(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) -> Option<String> {
        let id = message.known("Uniqueid")?;
        if !self.channels.contains_key(id) {
            let device = endpoint::of_channel(message.get("Channel")?)?;
            let (call, linked) = self.call_id(&device, message.known("Linkedid").unwrap_or(id), id);
            let mut channel = Channel::new(device.clone(), call, linked, message);
            if channel.comes() {
                channel.called = self.line_of(&device).map(|at| at.line.dn);
            }
            match self.expected.remove(id) {
                Some(expected) => channel.is_ours(expected),
                // Of another instance, or of this one before the link was lost.
                None if id.starts_with(RECALL) => channel.is_ours(Expected::Alert),
                None => {}
            }
            let phone = self.phones.entry(device.clone()).or_default();
            phone.channels.insert(id.to_owned());
            phone.seen |= channel.origin;
            self.channels.insert(id.to_owned(), channel);
            self.service(&device, out);
            self.agree(now, &device);
        }
        Some(id.to_owned())
    }

    /// Both ends of a call get the same id, unless the phone has a call of that id already.
    fn call_id(&mut self, device: &DeviceName, linked: &str, own: &str) -> (CallId, Option<String>) {
        if let Some((call, users)) = self.linked.get_mut(linked) {
            let call = *call;
            let taken = self.phones.get(device).is_some_and(|phone| {
                phone.calls.contains_key(&call)
                    || phone.channels.iter().any(|id| self.channels.get(id).is_some_and(|c| c.call == call))
            });
            if !taken && !self.reports.mentions(device, call) {
                *users += 1;
                return (call, Some(linked.to_owned()));
            }
            return (call_named(own, "again"), None);
        }
        let call = call_named(linked, "");
        self.linked.insert(linked.to_owned(), (call, 1));
        (call, Some(linked.to_owned()))
    }

    /// A call of which the server told no name.
    pub(super) fn nameless_call(&mut self, device: &DeviceName) -> CallId {
        self.calls += 1;
        call_named(device.as_str(), &self.calls.to_string())
    }

    fn channel(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        let Some(id) = self.adopt(now, message, out) else { return };
        self.lives(&id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if let Some(stage) = Stage::of(message) {
            channel.staged(stage);
        }
        let (device, answers) = (channel.phone.clone(), channel.stage != Stage::Down);
        if let Some(peer) = message.known("ConnectedLineNum").and_then(|n| DirectoryNumber::new(n).ok()) {
            channel.peer = Some(peer);
        }
        if answers && let Some(phone) = self.phones.get_mut(&device).filter(|phone| !phone.seen) {
            phone.seen = true;
            self.service(&device, out);
        }
        self.changed(now, &id, out);
        self.rings_for(now, &id, out);
    }

    /// A phone rings: its caller hears so, before the server says that, too.
    fn rings_for(&mut self, now: Timestamp, leg: &str, out: &mut Vec<ProviderEvent>) {
        let ringing = self.channels.get(leg).filter(|channel| channel.rings());
        let Some(id) = ringing.and_then(|channel| channel.caller.clone()) else { return };
        if let Some(caller) = self.channels.get_mut(&id).filter(|caller| caller.awaits(leg)) {
            caller.leg_rings(leg);
            self.changed(now, &id, out);
        }
    }

    fn bridge(&mut self, now: Timestamp, message: &Message, enters: bool, out: &mut Vec<ProviderEvent>) {
        if enters {
            self.channel(now, message, out);
        }
        if let Some(channel) = message.get("Uniqueid").and_then(|id| self.channels.get_mut(id)) {
            channel.bridged = enters;
        }
        self.changed(now, message.get("Uniqueid").unwrap_or_default(), out);
    }

    fn dial(&mut self, now: Timestamp, message: &Message, event: &str, out: &mut Vec<ProviderEvent>) {
        let Some(leg) = message.known("DestUniqueid") else { return };
        if message.known("Uniqueid").is_none() {
            return;
        }
        let Some(id) = self.adopt(now, message, out) else { return };
        self.lives(&id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let status = message.get("DialStatus").unwrap_or_default();
        match event {
            "DialBegin" => {
                channel.dial_begins(leg, message.known("Exten"));
                self.introduce(&id, leg, message.get("DestChannel").and_then(endpoint::of_channel));
            }
            "DialEnd" => channel.dial_ends(leg, status),
            _ if status == "RINGING" => channel.leg_rings(leg),
            _ => {}
        }
        self.changed(now, &id, out);
    }

    /// A call was picked up or transferred: the channel has another phone behind it now.
    fn rename(&mut self, now: Timestamp, message: &Message) {
        let (Some(id), Some(name)) = (message.known("Uniqueid"), message.get("Newname")) else { return };
        let device = endpoint::of_channel(name);
        let Some(channel) = self.channels.get(id) else { return };
        if device.as_ref() == Some(&channel.phone) {
            return;
        }
        self.end_channel(now, id, Cause::NORMAL);
    }

    /// The phone has hung up, or whoever is at the other end: what follows is the server's work.
    fn hangup_requested(&mut self, now: Timestamp, message: &Message) {
        if let Some(channel) = message.known("Uniqueid").and_then(|id| self.channels.get_mut(id)) {
            channel.ends_since = Some(now);
        }
    }

    fn hangup(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        let Some(id) = message.known("Uniqueid") else { return };
        let cause = Cause(message.get("Cause").and_then(|cause| cause.parse().ok()).unwrap_or_default());
        if self.channels.get_mut(id).is_some_and(|channel| channel.refused(cause)) {
            self.changed(now, id, out);
        }
        if let Some(channel) = self.channels.get(id).filter(|channel| channel.origin && !channel.feature)
            && let Some(called) = channel.called.clone()
        {
            let (state, cause) = channel.failure(cause);
            let last = LastCall { call: channel.call, called, state, cause };
            self.phones.entry(channel.phone.clone()).or_default().last = Some(last);
        }
        self.end_channel(now, id, cause);
    }

    fn device_state(&mut self, now: Timestamp, message: &Message, out: &mut Vec<ProviderEvent>) {
        let Some(device) = message.get("Device").and_then(endpoint::of_device) else { return };
        let state = message.get("State").and_then(DeviceState::of);
        self.summarised(now, &device, state);
        self.service(&device, out);
    }

    fn registration(&mut self, message: &Message, out: &mut Vec<ProviderEvent>) {
        let device = match message.get("EndpointName").or_else(|| message.get("AOR")) {
            Some(endpoint) => DeviceName::new(endpoint).ok(),
            None => message.get("Peer").and_then(endpoint::of_device),
        };
        let Some(device) = device else { return };
        let phone = self.phones.entry(device.clone()).or_default();
        if let Some(status) = message.get("ContactStatus") {
            phone.contact(message.get("URI").unwrap_or_default(), status);
        }
        match message.get("PeerStatus") {
            Some("Registered" | "Reachable" | "Lagged") => phone.register(true),
            Some("Unregistered" | "Unreachable") => phone.register(false),
            _ => {}
        }
        self.service(&device, out);
    }
}

/// The id of a call by the server's name of it, the same whenever and by whomever it is made: what has been stored about
/// a call still means the same call when this program or its link has begun anew. 53 bits of FNV-1a: every store and
/// every format holds them.
pub(super) fn call_named(name: &str, more: &str) -> CallId {
    let bytes = name.bytes().chain(more.bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    CallId((hash ^ (hash >> 53)) & ((1 << 53) - 1))
}
