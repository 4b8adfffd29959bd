use std::sync::{Mutex, PoisonError};

use ringback_model::{DeviceName, DirectoryNumber};

use super::desk::Party;
use super::world::PbxWorld;
use crate::language::Tone;
use crate::runner::{InstanceStatus, Mark, Observations, Screen};
use crate::world::Instances;

/// The alerts of all phones in the order in which they were seen.
#[derive(Debug, Default)]
pub(super) struct AlertLog(Mutex<Vec<DeviceName>>);

impl AlertLog {
    /// Takes up what has been played since, and gives all of it.
    fn read(&self, played: impl Iterator<Item = (DeviceName, usize)>) -> Vec<DeviceName> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (phone, times) in played {
            let known = log.iter().filter(|alerted| **alerted == phone).count();
            log.extend(std::iter::repeat_n(phone, times.saturating_sub(known)));
        }
        log.clone()
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl PbxWorld {
    fn alert_log(&self) -> Vec<DeviceName> {
        self.alerts.read(self.desks.iter().map(|desk| (desk.name.clone(), desk.display.alerts())))
    }

    fn active(&self) -> Option<std::net::IpAddr> {
        self.statuses()
            .iter()
            .find(|status| status.active == Some(status.address))
            .map(|status| status.address)
    }
}

impl Observations for PbxWorld {
    fn hears(&self, phone: &DeviceName) -> Tone {
        self.desk(phone).map_or(Tone::Silence, super::desk::Desk::hears)
    }

    fn rings(&self, phone: &DeviceName) -> Vec<DirectoryNumber> {
        let ringing = self.desk(phone).map(super::desk::Desk::ringing).unwrap_or_default();
        ringing.iter().filter_map(|call| DirectoryNumber::new(call.number.as_str()).ok()).collect()
    }

    fn talks_with(&self, phone: &DeviceName) -> Option<DirectoryNumber> {
        let desk = self.desk(phone)?;
        match desk.talks()? {
            Party::Caller(number) => DirectoryNumber::new(number.as_str()).ok(),
            // Whoever it was forwarded to: the phone that shows this one as its caller.
            Party::Callee => self
                .desks
                .iter()
                .find(|other| other.answered_from(desk.number.as_str()))
                .map(|other| other.number.clone()),
        }
    }

    fn is_idle(&self, phone: &DeviceName) -> bool {
        self.desk(phone).is_none_or(super::desk::Desk::is_idle)
    }

    fn screen(&self, phone: &DeviceName) -> Option<Screen> {
        self.desk(phone)?.screen()
    }

    fn prompt(&self, phone: &DeviceName) -> Option<String> {
        self.desk(phone)?.prompt()
    }

    fn instances(&self) -> Vec<InstanceStatus> {
        self.statuses()
    }

    fn pending(&self) -> u64 {
        count(self.store.pending())
    }

    fn queue(&self, dn: &DirectoryNumber) -> Vec<DeviceName> {
        let by_number = |number: DeviceName| {
            let desk = self.desks.iter().find(|desk| desk.number.as_str() == number.as_str());
            desk.map_or(number, |desk| desk.name.clone())
        };
        self.store.queue(dn).into_iter().map(by_number).collect()
    }

    fn open_devices(&self) -> u64 {
        count(self.active().map_or(0, |active| self.counts.devices(active)))
    }

    fn open_lines(&self) -> u64 {
        count(self.active().map_or(0, |active| self.counts.lines(active)))
    }

    fn mark(&self) -> Mark {
        Mark { alerts: self.alert_log().len(), alarms: self.nodes.alarms().len() }
    }

    fn alerts_since(&self, mark: Mark, phone: &DeviceName) -> u64 {
        count(self.alert_log().iter().skip(mark.alerts).filter(|alerted| *alerted == phone).count())
    }

    fn alarms_since(&self, mark: Mark, name: &str) -> u64 {
        let alarms = self.nodes.alarms();
        count(alarms.iter().skip(mark.alarms).filter(|raised| *raised == name).count())
    }
}
