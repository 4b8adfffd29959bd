use std::net::IpAddr;
use std::time::Duration;

use ringback::db::{Directory, DirectoryAdmin};
use ringback_model::{DeviceName, DirectoryNumber, LineId, Partition};
use ringback_pbx_lab::XmlDisplay;
use tokio::time::{Instant, sleep};

use super::desk::{CALL_BACK, impossible};
use super::server::{DISTURB, DISTURB_NOT, FORWARD, FORWARD_NOT, NEWS};
use super::world::PbxWorld;
use crate::language::{Action, Key, NodeAction, PhoneAction, Running};
use crate::runner::Hindrance;
use crate::world::{ActionFailure, Instances};

/// To whom texts go that the service is to read.
const SERVICE: &str = "ringback";
/// Only what hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a key may take to show that it does something. One that does nothing costs so much.
const KEY: Duration = Duration::from_secs(2);

impl PbxWorld {
    pub(super) async fn carry_out(&mut self, action: &Action) -> Result<(), Hindrance> {
        self.tidy();
        match action {
            Action::Phone { phone, does } => {
                let place = self.place(phone).ok_or_else(|| impossible("no such phone"))?;
                self.at_phone(place, does).await
            }
            Action::Node { address, fault } => Ok(self.at_node(*address, *fault).await?),
            Action::Store(running) => {
                let running = *running == Running::Start;
                self.store.set_running(running);
                self.nodes.store_runs(running);
                Ok(())
            }
            Action::Set(setting) => {
                let (group, value) = (self.group.clone(), setting.stored());
                let set = self.furniture.set_parameter(&group, setting.parameter.name, Some(&value)).await;
                Ok(set.map_err(|error| impossible(error.to_string()))?)
            }
            Action::Wait(time) => {
                sleep(time.to_duration()).await;
                self.tidy();
                Ok(())
            }
            Action::RemovePhone(name) => Ok(self.remove(name).await?),
            Action::AddPhone { name, dn } => Ok(self.add(name, dn).await?),
            Action::CtiManager { fault, .. } => {
                self.relays.act(*fault);
                Ok(())
            }
            Action::Database(running) => {
                self.furniture.set_available(*running == Running::Start);
                Ok(())
            }
        }
    }

    pub(super) async fn at_node(&mut self, node: IpAddr, action: NodeAction) -> Result<(), ActionFailure> {
        let done = self.nodes.act(node, action).await;
        match action {
            NodeAction::Pause => self.front.set_answers(node, false),
            NodeAction::Resume => self.front.set_answers(node, true),
            NodeAction::Cut | NodeAction::Heal => {
                let cut = action == NodeAction::Cut;
                self.relays.set_cut(node, cut);
                self.front.set_answers(node, !cut);
            }
            NodeAction::Start | NodeAction::Stop | NodeAction::Kill => {}
        }
        self.tidy();
        done.map_err(|saw| ActionFailure::new("an instance that can do this", saw))
    }

    async fn remove(&mut self, name: &DeviceName) -> Result<(), ActionFailure> {
        let place = self.place(name).ok_or_else(|| impossible("no such phone"))?;
        let Some(desk) = self.desks.get_mut(place) else { return Ok(()) };
        desk.goes(&self.server).await?;
        self.reread(place, false).await
    }

    async fn add(&mut self, name: &DeviceName, dn: &DirectoryNumber) -> Result<(), ActionFailure> {
        let place = self.desks.iter().position(|desk| desk.name == *name && desk.number == *dn);
        let place = place.ok_or_else(|| impossible("no such phone"))?;
        let Some(desk) = self.desks.get_mut(place) else { return Ok(()) };
        desk.comes(&self.server).await?;
        self.reread(place, true).await
    }

    /// Tells the service to read the directory, and waits until it has the phone, or has it no more.
    async fn reread(&self, place: usize, there: bool) -> Result<(), ActionFailure> {
        let Some(desk) = self.desks.get(place) else { return Ok(()) };
        let Some(device) = desk.device() else { return Ok(()) };
        desk.phone.text(NEWS, "read").await?;
        self.until_read(async |pbx, group| {
            pbx.phone(group, &device).await.is_ok_and(|entry| entry.is_some() == there)
        })
        .await
    }

    async fn at_phone(&mut self, place: usize, does: &PhoneAction) -> Result<(), Hindrance> {
        let Some(desk) = self.desks.get_mut(place) else { return Ok(()) };
        desk.acts();
        let done = match does {
            PhoneAction::Calls { dn, on } if on.as_ref().is_none_or(|on| *on == desk.number) => {
                desk.calls(dn.as_str()).await
            }
            PhoneAction::Calls { .. } => Err(impossible("the phone has no such line")),
            PhoneAction::Answers => desk.answers().await,
            PhoneAction::HangsUp(dn) => desk.hangs_up(dn.as_ref()).await,
            PhoneAction::Lifts => desk.lifts().await,
            PhoneAction::Replaces => desk.replaces().await,
            PhoneAction::Presses(Key::CallBack) => self.press_call_back(place).await,
            PhoneAction::Presses(key) => self.press(place, *key).await,
            PhoneAction::Forwards(to) => self.forward_all(place, to.as_ref()).await,
            PhoneAction::DoNotDisturb(on) => self.do_not_disturb(place, *on).await,
            PhoneAction::Resets => match desk.unregisters().await {
                Ok(()) => desk.registers().await,
                Err(failure) => Err(failure),
            },
            PhoneAction::Unregisters => desk.unregisters().await,
            PhoneAction::Registers => desk.registers().await,
            PhoneAction::LogsIn | PhoneAction::LogsOut => {
                return Err(Hindrance::NotHere("a PBX knows no extension mobility".to_owned()));
            }
        };
        Ok(done?)
    }

    async fn press_call_back(&mut self, place: usize) -> Result<(), ActionFailure> {
        let Some(desk) = self.desks.get(place) else { return Ok(()) };
        desk.is_registered()?;
        let before = desk.display.display();
        let text = desk.number_at_hand().unwrap_or_else(|| "?".to_owned());
        desk.phone.text(SERVICE, &text).await?;
        // It is always answered: by a screen, or by something said besides.
        self.until(PATIENCE, |world| world.display_changed(place, &before)).await;
        Ok(())
    }

    async fn press(&mut self, place: usize, key: Key) -> Result<(), ActionFailure> {
        let Some(desk) = self.desks.get_mut(place) else { return Ok(()) };
        desk.is_registered()?;
        let before = desk.display.display();
        if !before.keys().contains(&key.word()) {
            return Ok(());
        }
        if key == Key::Dial {
            desk.phone.await_call(CALL_BACK);
        }
        match desk.display.press(key.word()).await {
            Ok(()) => {}
            // Nobody acts: the key does nothing.
            Err(error) if error.to_string().contains("503 Service Unavailable") => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        self.until(KEY, |world| world.display_changed(place, &before)).await;
        Ok(())
    }

    fn display_changed(&self, place: usize, before: &XmlDisplay) -> bool {
        self.desks.get(place).is_none_or(|desk| desk.display.display() != *before)
    }

    async fn forward_all(&mut self, place: usize, to: Option<&DirectoryNumber>) -> Result<(), ActionFailure> {
        let Some(desk) = self.desks.get(place) else { return Ok(()) };
        match to {
            Some(to) => desk.phone.text(FORWARD, to.as_str()).await?,
            None => desk.phone.text(FORWARD_NOT, "off").await?,
        }
        let line = LineId::new(Partition::default(), desk.number.clone());
        let wanted = to.cloned();
        self.until_read(async |pbx, group| {
            let entry = pbx.line(group, &line).await.ok().flatten();
            entry.is_some_and(|entry| entry.forwards_all_to == wanted)
        })
        .await
    }

    async fn do_not_disturb(&mut self, place: usize, on: bool) -> Result<(), ActionFailure> {
        let Some(desk) = self.desks.get(place) else { return Ok(()) };
        desk.phone.text(if on { DISTURB_NOT } else { DISTURB }, if on { "on" } else { "off" }).await?;
        let Some(device) = desk.device() else { return Ok(()) };
        self.until_read(async |pbx, group| {
            let entry = pbx.phone(group, &device).await.ok().flatten();
            entry.is_some_and(|entry| entry.do_not_disturb == on)
        })
        .await
    }

    /// Waits until all running instances have read this of the PBX.
    async fn until_read(
        &self,
        holds: impl AsyncFn(&ringback_cti_asterisk::directory::PbxDirectory, &ringback_model::Group) -> bool,
    ) -> Result<(), ActionFailure> {
        let running: Vec<_> = self.statuses().iter().map(|status| status.address).collect();
        let end = Instant::now() + PATIENCE;
        for pbx in self.readings.of(&running) {
            while !holds(&pbx, &self.group).await {
                if Instant::now() > end {
                    return Err(impossible("the service has not read it from the PBX"));
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }
}
