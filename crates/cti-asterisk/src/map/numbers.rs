//! Which number a phone has: the one that the directory gives it, or the one that it is named after.

use std::collections::BTreeMap;

use ringback_model::{Appearance, DeviceName, DirectoryNumber, LineId, Partition};

use super::Mapper;
use super::channel::Channel;

impl Mapper {
    /// The one line of a phone. `None`: it has no number in the directory, and its name is none.
    #[must_use]
    pub fn line_of(&self, device: &DeviceName) -> Option<Appearance> {
        let dn = self.number_of(device)?;
        Some(Appearance { device: device.clone(), line: LineId::new(Partition::default(), dn) })
    }

    fn number_of(&self, device: &DeviceName) -> Option<DirectoryNumber> {
        self.numbers.get(device).cloned().or_else(|| DirectoryNumber::new(device.as_str()).ok())
    }

    /// The number by which the other end of a call knows a phone. An endpoint that is no phone (a line to another server)
    /// has none.
    pub(super) fn own_number(&self, device: &DeviceName) -> Option<DirectoryNumber> {
        let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let known = self.numbers.contains_key(device) || is_number(device.as_str());
        self.number_of(device).filter(|_| known)
    }

    /// What it was told of numbers.
    pub(crate) fn into_numbers(self) -> BTreeMap<DeviceName, DirectoryNumber> {
        self.numbers
    }

    /// The directory was read. Gives back the phones whose number is another one now.
    pub(crate) fn set_numbers(&mut self, numbers: BTreeMap<DeviceName, DirectoryNumber>) -> Vec<DeviceName> {
        let before = std::mem::replace(&mut self.numbers, numbers);
        let mut changed: Vec<DeviceName> = before.keys().chain(self.numbers.keys()).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        let named = |device: &DeviceName| DirectoryNumber::new(device.as_str()).ok();
        changed
            .retain(|device| before.get(device).cloned().or_else(|| named(device)) != self.number_of(device));
        for device in &changed {
            let now = self.number_of(device);
            let Some(phone) = self.phones.get_mut(device) else { continue };
            // What came before the directory was read names the phone itself as the one that is called.
            for id in &phone.channels {
                if let Some(channel) = self.channels.get_mut(id).filter(|channel| channel.comes()) {
                    channel.called.clone_from(&now);
                    if let Some(info) = phone.calls.get_mut(&channel.call) {
                        info.called.clone_from(&now);
                    }
                }
            }
        }
        changed
    }

    /// The server dials one channel for another: each knows by that who is at the other end.
    pub(super) fn introduce(&mut self, caller: &str, leg: &str, called: Option<DeviceName>) {
        let from = self.channels.get(caller).map(|channel| channel.phone.clone());
        let from = from.and_then(|device| self.own_number(&device));
        let to = self.channels.get(leg).map(|channel| channel.phone.clone()).or(called);
        let to = to.and_then(|device| self.own_number(&device));
        if let Some(channel) = self.channels.get_mut(caller) {
            channel.leg_is(leg, to);
        }
        if let Some(channel) = self.channels.get_mut(leg) {
            channel.called_by(caller, from);
        }
    }

    /// The listing of calls tells of one: whom it dials, or who dials it, is known by their common name alone.
    pub(super) fn introduce_listed(&mut self, id: &str, dials: bool) -> Vec<String> {
        if let Some(channel) = self.channels.get_mut(id) {
            channel.dials = dials;
        }
        let Some(linked) = self.channels.get(id).and_then(|channel| channel.linked.clone()) else {
            return Vec::new();
        };
        if !self.channels.get(&linked).is_some_and(|channel| channel.dials) {
            return Vec::new();
        }
        let is_leg = |channel: &Channel| channel.linked.as_ref() == Some(&linked) && channel.rings();
        let legs: Vec<String> =
            self.channels.iter().filter(|(_, channel)| is_leg(channel)).map(|(id, _)| id.clone()).collect();
        for leg in &legs {
            self.introduce(&linked, leg, None);
            if let Some(channel) = self.channels.get_mut(&linked) {
                channel.leg_rings(leg);
            }
        }
        legs.into_iter().chain([linked]).collect()
    }
}
