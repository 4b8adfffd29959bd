use ringback_model::Millis;

use super::ast::{Action, NodeAction, Scenario, SetupStatement, StepStatement};
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
        for step in &self.steps {
            let StepStatement::Action(action) = &step.what else { continue };
            match action {
                Action::Node { address, .. } if *address != only_node => needs.several_instances = true,
                Action::Node {
                    fault: NodeAction::Pause | NodeAction::Resume | NodeAction::Cut | NodeAction::Heal,
                    ..
                } => needs.pause_or_cut = true,
                Action::CtiManager { .. } => needs.ctimanager_faults = true,
                Action::Database(_) => needs.database_faults = true,
                Action::Store(_) => needs.store_faults = true,
                Action::Wait(time) => needs.longest_wait = needs.longest_wait.max(*time),
                _ => {}
            }
        }
        needs
    }
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
            ("wait 2m", "waits 2m, longer than 1m"),
        ] {
            assert_eq!(reason(text).as_deref(), Some(why), "{text}");
        }
    }
}
