//! What each run of an instance has of its own: its way to the manager interface, and where phones fetch its screens.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback::Config;
use ringback_cti_asterisk::notify::Ways;
use ringback_cti_asterisk::notify::push::{self, PushServer};
use ringback_cti_asterisk::provider;
use ringback_model::DeviceName;

use super::front::Front;
use super::reach::ToPbx;
use super::relay::Relay;
use crate::language::CtiManagerAction;
use crate::nodes::{Link, Reach, Tuning};

/// The ways of all instances to the manager interface: one CTIManager of the scenario. Clones are the same.
#[derive(Clone)]
pub(super) struct Relays {
    here: IpAddr,
    to: String,
    all: Arc<Mutex<All>>,
}

struct All {
    manager: CtiManagerAction,
    /// Of each instance, and whether it is cut off.
    relays: BTreeMap<IpAddr, (Relay, bool)>,
}

impl Relays {
    pub(super) fn new(here: IpAddr, to: String) -> Self {
        let all = All { manager: CtiManagerAction::Start, relays: BTreeMap::new() };
        Self { here, to, all: Arc::new(Mutex::new(all)) }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A way for a run of this instance: where it is.
    fn lay(&self, instance: IpAddr) -> io::Result<String> {
        let relay = Relay::serve(listen(self.here)?, self.to.clone())?;
        let address = relay.address().to_string();
        let mut all = self.lock();
        relay.act(all.manager);
        all.relays.insert(instance, (relay, false));
        Ok(address)
    }

    /// The CTIManager stops, or starts, or freezes.
    pub(super) fn act(&self, action: CtiManagerAction) {
        let mut all = self.lock();
        all.manager = action;
        all.relays.values().filter(|(_, cut)| !cut).for_each(|(relay, _)| relay.act(action));
    }

    /// This instance is cut off: nothing of what is sent arrives; or it is healed.
    pub(super) fn set_cut(&self, instance: IpAddr, cut: bool) {
        let mut all = self.lock();
        let manager = all.manager;
        if let Some((relay, is_cut)) = all.relays.get_mut(&instance) {
            *is_cut = cut;
            relay.act(if cut { CtiManagerAction::Freeze } else { manager });
        }
    }
}

/// A port of its own.
fn listen(here: IpAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((here, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The way to one server, laid anew for each run of an instance.
pub(super) struct Outlets {
    pub(super) to_pbx: ToPbx,
    pub(super) relays: Relays,
    pub(super) front: Front,
    pub(super) login: push::Login,
    /// Of each phone, where its display is told something.
    pub(super) displays: Vec<(DeviceName, String)>,
}

impl Outlets {
    fn config(&self, instance: IpAddr) -> Result<provider::Config, String> {
        let mut config = self.to_pbx.config.clone();
        config.session.server.address = self.relays.lay(instance).map_err(|error| error.to_string())?;
        let here = self.relays.here;
        let pushes = push::Config {
            keys: Some(self.front.address().to_string()),
            ..push::Config::new((here, 0).into(), self.login.clone())
        };
        let listener = listen(here).and_then(tokio::net::TcpListener::from_std);
        let listener = listener.map_err(|error| error.to_string())?;
        let pushes = PushServer::start_at(pushes, listener).map_err(|error| error.to_string())?;
        self.front.put(instance, pushes.address());
        config.ways = Ways::default();
        for (device, display) in &self.displays {
            let way = pushes.phone(display).map_err(|error| error.to_string())?;
            config.ways = config.ways.with(device.clone(), way);
        }
        Ok(config)
    }
}

impl Reach for Outlets {
    fn link(&self, config: &mut Config, tuning: Option<&dyn Tuning>) -> Result<Link, String> {
        let to_pbx = ToPbx {
            config: self.config(config.member.address)?,
            furniture: self.to_pbx.furniture.clone(),
            group: self.to_pbx.group.clone(),
            counts: self.to_pbx.counts.clone(),
            readings: self.to_pbx.readings.clone(),
        };
        to_pbx.link(config, tuning)
    }
}
