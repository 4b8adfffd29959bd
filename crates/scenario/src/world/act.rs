use std::net::IpAddr;

use ringback_model::DeviceName;
use ringback_sim::{Action as SimAction, Cut};

use super::instances::Instances;
use super::site::SiteError;
use super::{ActionFailure, World};
use crate::language::{Action, CtiManagerAction, NodeAction, PhoneAction, PhoneSetup, Running};

impl<I: Instances> World<I> {
    /// Does what an action says. Time passes only for `wait`; what the action causes comes later.
    ///
    /// # Errors
    /// It is impossible now. Nothing was changed, unless a phone could be written to the database and not to the
    /// switch, or the other way round.
    pub async fn act(&mut self, action: &Action) -> Result<(), ActionFailure> {
        let site = &self.site;
        match action {
            Action::Phone { phone, does } => self.at_phone(phone, does).await,
            Action::RemovePhone(name) => Ok(site.remove_phone(name).await?),
            Action::AddPhone { name, dn } => {
                let phone = PhoneSetup {
                    name: name.clone(),
                    lines: vec![dn.clone()],
                    locale: None,
                    template: None,
                    pool: None,
                    calls: None,
                    partition: None,
                };
                Ok(site.add_phone(&phone).await?)
            }
            Action::Node { address, fault } => self.at_node(*address, *fault).await,
            Action::CtiManager { name, fault } => {
                let Some(manager) = site.managers.iter().find(|manager| manager.name() == name) else {
                    return Err(ActionFailure::new("a CTIManager of this name", "none"));
                };
                match fault {
                    CtiManagerAction::Start => manager.start(),
                    CtiManagerAction::Stop => manager.stop(),
                    CtiManagerAction::Freeze => manager.freeze(),
                }
                Ok(())
            }
            Action::Database(running) => site
                .database
                .set_running(*running == Running::Start)
                .map_err(|saw| ActionFailure::new("a database that can be stopped", saw)),
            Action::Store(running) => {
                let running = *running == Running::Start;
                site.store.set_running(running);
                self.instances.store_runs(running);
                Ok(())
            }
            Action::Set(setting) => Ok(site.set(setting).await?),
            Action::Wait(time) => {
                tokio::time::sleep(time.to_duration()).await;
                Ok(())
            }
        }
    }

    async fn at_phone(&mut self, phone: &DeviceName, does: &PhoneAction) -> Result<(), ActionFailure> {
        let action = match does {
            PhoneAction::Calls { dn, on } => SimAction::Calls { to: dn.clone(), on: on.clone() },
            PhoneAction::Answers => SimAction::Answers,
            PhoneAction::HangsUp(dn) => SimAction::HangsUp(dn.clone()),
            PhoneAction::Lifts => SimAction::Lifts,
            PhoneAction::Replaces => SimAction::Replaces,
            PhoneAction::Presses(key) => SimAction::Presses(key.word().to_owned()),
            PhoneAction::Forwards(to) => {
                // The database is where the service reads it; the switch obeys it.
                self.site.forward_all(phone, to.as_ref()).await?;
                SimAction::ForwardsAll(to.clone())
            }
            PhoneAction::DoNotDisturb(on) => SimAction::DoNotDisturb(*on),
            PhoneAction::Resets => SimAction::Resets,
            PhoneAction::Unregisters => SimAction::Unregisters,
            PhoneAction::Registers => SimAction::Registers,
            PhoneAction::LogsIn => SimAction::LogsIn,
            PhoneAction::LogsOut => SimAction::LogsOut,
        };
        Ok(self.site.call_manager.act(phone, action).map_err(SiteError::from)?)
    }

    async fn at_node(&mut self, node: IpAddr, action: NodeAction) -> Result<(), ActionFailure> {
        let network = &self.site.network;
        match action {
            NodeAction::Cut => network.cut(node, Cut::Both),
            NodeAction::Heal => network.heal(node),
            _ => {}
        }
        let done = self.instances.act(node, action).await;
        if action == NodeAction::Kill {
            self.site.network.kill(node);
        }
        done.map_err(|saw| ActionFailure::new("an instance that can do this", saw))
    }
}

impl From<SiteError> for ActionFailure {
    fn from(error: SiteError) -> Self {
        Self::new("this to be possible", error.to_string())
    }
}
