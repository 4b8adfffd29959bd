use std::collections::BTreeSet;
use std::net::IpAddr;

use ringback_model::{DirectoryNumber, Millis};

use super::ast::{Action, NodeAction, PhoneAction, Scenario, SetupStatement, StepStatement};
use super::duration::duration_text;
use super::names::{DEFAULT_NODE, Names};

/// What a back end must be able to do to play a scenario; also what a back end can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// More than one instance of the service.
    pub several_instances: bool,
    /// More than one CTIManager.
    pub several_ctimanagers: bool,
    /// To stop and start a CTIManager, or to freeze it.
    pub ctimanager_faults: bool,
    /// To stop and start the directory database.
    pub database_faults: bool,
    /// To stop and start the request store.
    pub store_faults: bool,
    /// To pause an instance, or to cut it off.
    pub pause_or_cut: bool,
    /// Phones with more than one line, or lines shared by phones.
    pub other_lines: bool,
    /// Lines outside the partition without a name.
    pub partitions: bool,
    /// Phones whose numbers are not digits alone.
    pub other_numbers: bool,
    /// To add and remove phones while the service runs.
    pub phone_changes: bool,
    /// Extension mobility.
    pub logins: bool,
    /// To let so much time pass at once.
    pub longest_wait: Millis,
}

impl Needs {
    /// A back end that can do everything.
    pub const ALL: Self = Self {
        several_instances: true,
        several_ctimanagers: true,
        ctimanager_faults: true,
        database_faults: true,
        store_faults: true,
        pause_or_cut: true,
        other_lines: true,
        partitions: true,
        other_numbers: true,
        phone_changes: true,
        logins: true,
        longest_wait: Millis(u64::MAX),
    };

    /// Why a back end that can do `able` cannot meet these needs; `None` if it can.
    #[must_use]
    pub fn missing_from(&self, able: &Self) -> Option<String> {
        let reasons = [
            (self.several_instances && !able.several_instances, "needs several instances"),
            (self.several_ctimanagers && !able.several_ctimanagers, "needs several CTIManagers"),
            (self.ctimanager_faults && !able.ctimanager_faults, "stops or freezes a CTIManager"),
            (self.database_faults && !able.database_faults, "stops the directory database"),
            (self.store_faults && !able.store_faults, "stops the request store"),
            (self.pause_or_cut && !able.pause_or_cut, "pauses an instance or cuts it off"),
            (
                self.other_lines && !able.other_lines,
                "needs several lines on a phone, or a line on several phones",
            ),
            (self.partitions && !able.partitions, "needs partitions"),
            (self.other_numbers && !able.other_numbers, "needs a number that is not digits alone"),
            (self.phone_changes && !able.phone_changes, "adds or removes a phone"),
            (self.logins && !able.logins, "logs a user in or out"),
        ];
        if let Some((_, reason)) = reasons.iter().find(|(missing, _)| *missing) {
            return Some((*reason).to_owned());
        }
        (self.longest_wait > able.longest_wait).then(|| {
            let (wait, most) = (duration_text(self.longest_wait), duration_text(able.longest_wait));
            format!("waits {wait}, longer than {most}")
        })
    }
}

impl Scenario {
    /// The instances and CTIManagers with which the scenario begins, and its phones.
    #[must_use]
    pub fn names(&self) -> Names {
        let mut names = Names::new();
        for setup in &self.setup {
            match &setup.what {
                SetupStatement::Phone(phone) => {
                    names.add_phone(phone.name.clone(), setup.line);
                }
                SetupStatement::Nodes(nodes) => nodes.iter().for_each(|node| {
                    names.add_node(*node);
                }),
                SetupStatement::CtiManagers(managers) => managers.iter().for_each(|name| {
                    names.add_ctimanager(name);
                }),
                SetupStatement::Pool { .. } | SetupStatement::Template { .. } | SetupStatement::Set(_) => {}
            }
        }
        names
    }

    /// What it takes to play this scenario.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let names = self.names();
        let only_node = *names.nodes().first().unwrap_or(&DEFAULT_NODE);
        let mut needs = Needs {
            several_instances: names.nodes().len() > 1,
            several_ctimanagers: names.ctimanagers().count() > 1,
            ..Needs::default()
        };
        needs.phones(self);
        for step in &self.steps {
            if let StepStatement::Action(action) = &step.what {
                needs.action(action, only_node);
            }
        }
        needs
    }
}

impl Needs {
    fn phones(&mut self, scenario: &Scenario) {
        let mut lines = BTreeSet::new();
        for setup in &scenario.setup {
            let SetupStatement::Phone(phone) = &setup.what else { continue };
            self.partitions |= phone.partition.is_some();
            self.other_lines |= phone.lines.len() > 1;
            for dn in &phone.lines {
                self.other_lines |= !lines.insert((phone.partition.clone(), dn.clone()));
                self.other_numbers |= !is_digits(dn);
            }
        }
    }

    fn action(&mut self, action: &Action, only_node: IpAddr) {
        match action {
            Action::Node { address, .. } if *address != only_node => self.several_instances = true,
            Action::Node {
                fault: NodeAction::Pause | NodeAction::Resume | NodeAction::Cut | NodeAction::Heal,
                ..
            } => self.pause_or_cut = true,
            Action::CtiManager { .. } => self.ctimanager_faults = true,
            Action::Database(_) => self.database_faults = true,
            Action::Store(_) => self.store_faults = true,
            Action::Wait(time) => self.longest_wait = self.longest_wait.max(*time),
            Action::RemovePhone(_) => self.phone_changes = true,
            Action::AddPhone { dn, .. } => {
                self.phone_changes = true;
                self.other_numbers |= !is_digits(dn);
            }
            Action::Phone { does: PhoneAction::LogsIn | PhoneAction::LogsOut, .. } => self.logins = true,
            Action::Phone { does: PhoneAction::Calls { dn, .. }, .. } => self.other_numbers |= !is_digits(dn),
            Action::Phone { .. } | Action::Node { .. } | Action::Set(_) => {}
        }
    }
}

fn is_digits(dn: &DirectoryNumber) -> bool {
    dn.as_str().bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn reason(text: &str) -> Option<String> {
        parse(text).unwrap().needs().missing_from(&Needs { longest_wait: Millis(60_000), ..Needs::default() })
    }

    #[test]
    fn one_instance_that_dies_and_comes_back_needs_nothing_special() {
        assert_eq!(reason("phone A 1\nkill node 10.0.0.1\nstart node 10.0.0.1\nwait 60s"), None);
        assert_eq!(reason("node 10.0.0.9\nkill node 10.0.0.9"), None);
    }

    #[test]
    fn each_need_has_its_reason() {
        for (text, why) in [
            ("node 10.0.0.1,10.0.0.2", "needs several instances"),
            ("start node 10.0.0.2", "needs several instances"),
            ("ctimanager a,b", "needs several CTIManagers"),
            ("freeze ctimanager cti1", "stops or freezes a CTIManager"),
            ("stop database", "stops the directory database"),
            ("start store", "stops the request store"),
            ("cut node 10.0.0.1", "pauses an instance or cuts it off"),
            ("phone A 1,2", "needs several lines on a phone, or a line on several phones"),
            ("phone A 1\nphone B 1", "needs several lines on a phone, or a line on several phones"),
            ("phone A 1 partition P", "needs partitions"),
            ("phone A *1", "needs a number that is not digits alone"),
            ("phone A 1\nA calls \"1#\"", "needs a number that is not digits alone"),
            ("add phone A 1", "adds or removes a phone"),
            ("phone A 1\nremove phone A", "adds or removes a phone"),
            ("phone A 1\nA logs in", "logs a user in or out"),
            ("wait 2m", "waits 2m, longer than 1m"),
        ] {
            assert_eq!(reason(text).as_deref(), Some(why), "{text}");
        }
    }
}
