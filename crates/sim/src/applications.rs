use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::Fencing;
use ringback_cti::message::{Answer, CtiError, Event, Feature, FeatureInvocation, ProviderOpen, Request};
use ringback_cti_net::{Link, LinkId};
use ringback_model::{Appearance, DeviceName, Epoch, Group, Timestamp};

use crate::switch::Switch;

/// An application's provider at one CTIManager.
struct Provider {
    manager: String,
    link: Link,
    application: String,
    group: Group,
    /// `Epoch(0)`: it only stands by.
    epoch: Epoch,
    features: Vec<Feature>,
    devices: BTreeSet<DeviceName>,
    lines: BTreeSet<Appearance>,
}

/// The applications that control phones, at all CTIManagers of a call manager. The epochs that they act in are known
/// to the whole call manager: an application that was replaced is closed wherever it is connected.
#[derive(Default)]
pub(crate) struct Applications {
    providers: BTreeMap<LinkId, Provider>,
    epochs: BTreeMap<Group, Epoch>,
    /// CTIManagers that hang: their applications cannot be reached.
    frozen: BTreeSet<String>,
    /// They do not know epochs.
    unfenced: bool,
}

impl Applications {
    pub(crate) fn open(&mut self, manager: &str, link: &Link, open: &ProviderOpen) -> Result<(), CtiError> {
        self.check_epoch(&open.group, open.epoch)?;
        let provider = Provider {
            manager: manager.to_owned(),
            link: link.clone(),
            application: open.application.clone(),
            group: open.group.clone(),
            epoch: open.epoch,
            features: Vec::new(),
            devices: BTreeSet::new(),
            lines: BTreeSet::new(),
        };
        self.providers.insert(link.id(), provider);
        self.supersede(&open.group, open.epoch);
        Ok(())
    }

    pub(crate) fn set_fencing(&mut self, fencing: Fencing) {
        self.unfenced = fencing != Fencing::Strict;
    }

    /// The application on a link, and the epoch it acts in.
    pub(crate) fn who(&self, link: LinkId) -> Option<(String, Epoch)> {
        self.providers.get(&link).map(|provider| (provider.application.clone(), provider.epoch))
    }

    /// Forgets a link; gives the application and the CTIManager it was connected to.
    pub(crate) fn closed(&mut self, link: LinkId) -> Option<(String, String)> {
        self.providers.remove(&link).map(|provider| (provider.application, provider.manager))
    }

    /// Forgets every link of a CTIManager.
    pub(crate) fn manager_gone(&mut self, manager: &str) {
        self.providers.retain(|_, provider| provider.manager != manager);
    }

    pub(crate) fn set_frozen(&mut self, manager: &str, frozen: bool) {
        if frozen {
            self.frozen.insert(manager.to_owned());
        } else {
            self.frozen.remove(manager);
        }
    }

    /// Carries out a request that an open provider made.
    pub(crate) fn request(
        &mut self,
        now: Timestamp,
        switch: &mut Switch,
        link: LinkId,
        request: Request,
    ) -> Result<Answer, CtiError> {
        let provider = self.providers.get_mut(&link).ok_or(CtiError::ProviderClosed)?;
        match request {
            Request::Assume(epoch) => return self.assume(link, epoch),
            Request::FeatureRegister(feature) => {
                if !provider.features.contains(&feature) {
                    provider.features.push(feature);
                }
                return Ok(Answer::Done);
            }
            Request::FeatureAnswer { invocation, accepted } => {
                switch.feature_answered(invocation, accepted);
                return Ok(Answer::Done);
            }
            Request::ProviderOpen(_) => return Err(CtiError::ProviderAlreadyOpen),
            _ if provider.epoch == Epoch(0) => return Err(CtiError::DeviceRestricted),
            _ => {}
        }
        provider.control(now, switch, request)
    }

    fn assume(&mut self, link: LinkId, epoch: Epoch) -> Result<Answer, CtiError> {
        let provider = self.providers.get(&link).ok_or(CtiError::ProviderClosed)?;
        let group = provider.group.clone();
        self.check_epoch(&group, epoch)?;
        if let Some(provider) = self.providers.get_mut(&link) {
            provider.epoch = epoch;
            if epoch == Epoch(0) {
                provider.devices.clear();
                provider.lines.clear();
            }
        }
        self.supersede(&group, epoch);
        Ok(Answer::Done)
    }

    fn check_epoch(&self, group: &Group, epoch: Epoch) -> Result<(), CtiError> {
        let old = !self.unfenced
            && epoch != Epoch(0)
            && self.epochs.get(group).is_some_and(|highest| epoch < *highest);
        if old { Err(CtiError::EpochSuperseded) } else { Ok(()) }
    }

    /// From this epoch on, providers of the same group with an older one are closed; those that stand by may stay.
    fn supersede(&mut self, group: &Group, epoch: Epoch) {
        let highest = self.epochs.entry(group.clone()).or_default();
        *highest = epoch.max(*highest);
        let highest = *highest;
        if self.unfenced {
            return;
        }
        self.providers.retain(|_, provider| {
            let old = provider.group == *group && provider.epoch != Epoch(0) && provider.epoch < highest;
            if old {
                provider.link.close(CtiError::EpochSuperseded);
            }
            !old
        });
    }

    /// Tells every provider.
    pub(crate) fn tell_all(&self, event: &Event) {
        self.providers.values().for_each(|provider| provider.link.send(event.clone()));
    }

    /// Tells those that have the device open; whether one of them can be reached.
    pub(crate) fn tell_device(&self, device: &DeviceName, event: &Event) -> bool {
        let mut reached = false;
        for provider in self.providers.values().filter(|provider| provider.devices.contains(device)) {
            provider.link.send(event.clone());
            reached |= !self.frozen.contains(&provider.manager);
        }
        reached
    }

    /// Tells those that have the line open.
    pub(crate) fn tell_line(&self, at: &Appearance, event: &Event) {
        let open = self.providers.values().filter(|provider| provider.lines.contains(at));
        open.for_each(|provider| provider.link.send(event.clone()));
    }

    /// Hands a feature's key to the registered application with the highest epoch, to the one that came last if
    /// several have it; `false` if there is none that acts.
    pub(crate) fn invoke(&self, invocation: FeatureInvocation) -> bool {
        let chosen = self
            .providers
            .values()
            .filter(|provider| provider.epoch != Epoch(0) && provider.features.contains(&invocation.feature))
            .filter(|provider| !self.frozen.contains(&provider.manager))
            .max_by_key(|provider| (provider.epoch, provider.link.id()));
        if let Some(provider) = chosen {
            provider.link.send(Event::FeatureInvoked(invocation));
        }
        chosen.is_some()
    }

    /// A device is out of service: it and its lines are closed everywhere.
    pub(crate) fn out_of_service(&mut self, device: &DeviceName) {
        for provider in self.providers.values_mut() {
            provider.close_device(device);
        }
        self.tell_all(&Event::DeviceOutOfService(device.clone()));
    }

    /// How many devices are open, at one CTIManager or at all of them that answer.
    pub(crate) fn open_devices(&self, manager: Option<&str>) -> usize {
        self.at(manager).map(|provider| provider.devices.len()).sum()
    }

    /// How many lines are open, at one CTIManager or at all of them that answer.
    pub(crate) fn open_lines(&self, manager: Option<&str>) -> usize {
        self.at(manager).map(|provider| provider.lines.len()).sum()
    }

    /// The applications at one CTIManager, in the order in which they came.
    pub(crate) fn names(&self, manager: &str) -> Vec<String> {
        self.at(Some(manager)).map(|provider| provider.application.clone()).collect()
    }

    fn at<'a>(&'a self, manager: Option<&'a str>) -> impl Iterator<Item = &'a Provider> {
        self.providers
            .values()
            .filter(|provider| !self.frozen.contains(&provider.manager))
            .filter(move |provider| manager.is_none_or(|manager| provider.manager == manager))
    }
}

impl Provider {
    fn control(&mut self, now: Timestamp, switch: &mut Switch, request: Request) -> Result<Answer, CtiError> {
        match request {
            Request::DeviceOpen(device) => {
                let status = switch.device_status(&device).ok_or(CtiError::DeviceOutOfService)?;
                if !self.devices.insert(device) {
                    return Err(CtiError::DeviceAlreadyOpen);
                }
                Ok(Answer::DeviceOpened(status))
            }
            Request::DeviceClose(device) => {
                if !self.close_device(&device) {
                    return Err(CtiError::DeviceNotOpen);
                }
                Ok(Answer::Done)
            }
            Request::LineOpen(at) => {
                self.needs_device(&at.device)?;
                if !switch.has_line(&at) {
                    return Err(CtiError::UndefinedLine);
                }
                let calls = switch.calls_at(&at);
                if !self.lines.insert(at) {
                    return Err(CtiError::LineAlreadyOpen);
                }
                Ok(Answer::LineOpened(calls))
            }
            Request::LineClose(at) => {
                if !self.lines.remove(&at) {
                    return Err(CtiError::UndefinedLine);
                }
                Ok(Answer::Done)
            }
            Request::MakeCall { from, to, override_forwarding } => {
                self.needs_device(&from.device)?;
                if !self.lines.contains(&from) {
                    return Err(CtiError::UndefinedLine);
                }
                switch.make_call(now, &from, &to, override_forwarding).map(Answer::CallMade)
            }
            Request::DeviceData { device, id, content } => {
                self.needs_device(&device)?;
                switch.device_data(&device, id, &content).map(|()| Answer::Done)
            }
            _ => Err(CtiError::NotSupported),
        }
    }

    fn needs_device(&self, device: &DeviceName) -> Result<(), CtiError> {
        if self.devices.contains(device) { Ok(()) } else { Err(CtiError::DeviceNotOpen) }
    }

    fn close_device(&mut self, device: &DeviceName) -> bool {
        self.lines.retain(|at| at.device != *device);
        self.devices.remove(device)
    }
}
