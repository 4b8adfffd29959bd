use ringback_model::{DeviceName, DirectoryNumber};
use ringback_sim::Tone as SimTone;

use super::World;
use super::instances::Instances;
use crate::language::Tone;
use crate::runner::{InstanceStatus, Mark, Observations, Screen};

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl<I: Instances> World<I> {
    /// What the CTIManager counts at which the active instance is registered; without one, all of them.
    fn open(&self, at_one: impl Fn(&ringback_sim::CtiManager) -> usize, at_all: usize) -> u64 {
        let statuses = self.instances.statuses();
        let active = statuses.iter().find(|status| status.active == Some(status.address));
        let name = active.and_then(|status| status.registered.as_deref());
        let manager = self.site.managers.iter().find(|manager| Some(manager.name()) == name);
        count(manager.map_or(at_all, at_one))
    }
}

impl<I: Instances> Observations for World<I> {
    fn hears(&self, phone: &DeviceName) -> Tone {
        match self.site.call_manager.hears(phone) {
            SimTone::Silence => Tone::Silence,
            SimTone::DialTone => Tone::DialTone,
            SimTone::Ringback => Tone::Ringback,
            SimTone::Busy => Tone::Busy,
            SimTone::Reorder => Tone::Reorder,
        }
    }

    fn rings(&self, phone: &DeviceName) -> Vec<DirectoryNumber> {
        self.site.call_manager.rings(phone)
    }

    fn talks_with(&self, phone: &DeviceName) -> Option<DirectoryNumber> {
        self.site.call_manager.talks_with(phone)
    }

    fn is_idle(&self, phone: &DeviceName) -> bool {
        self.site.call_manager.is_idle(phone)
    }

    fn screen(&self, phone: &DeviceName) -> Option<Screen> {
        let screen = self.site.call_manager.screen(phone)?;
        Some(Screen { title: screen.title, prompt: screen.prompt, text: screen.text, keys: screen.soft_keys })
    }

    fn prompt(&self, phone: &DeviceName) -> Option<String> {
        self.site.call_manager.prompt(phone)
    }

    fn instances(&self) -> Vec<InstanceStatus> {
        self.instances.statuses()
    }

    fn pending(&self) -> u64 {
        count(self.site.store.pending())
    }

    fn queue(&self, dn: &DirectoryNumber) -> Vec<DeviceName> {
        self.site.store.queue(dn)
    }

    fn open_devices(&self) -> u64 {
        self.open(ringback_sim::CtiManager::open_devices, self.site.call_manager.open_devices())
    }

    fn open_lines(&self) -> u64 {
        self.open(ringback_sim::CtiManager::open_lines, self.site.call_manager.open_lines())
    }

    fn mark(&self) -> Mark {
        Mark { alerts: self.site.call_manager.alert_log().len(), alarms: self.instances.alarms().len() }
    }

    fn alerts_since(&self, mark: Mark, phone: &DeviceName) -> u64 {
        let log = self.site.call_manager.alert_log();
        count(log.iter().skip(mark.alerts).filter(|alert| alert.device == *phone).count())
    }

    fn alarms_since(&self, mark: Mark, name: &str) -> u64 {
        let alarms = self.instances.alarms();
        count(alarms.iter().skip(mark.alarms).filter(|raised| *raised == name).count())
    }
}
