//! The provider: Call Back on an Asterisk.
//!
//! It promises what its port demands, with these limits, which are the PBX's:
//!
//! - [`Fencing::LeaseOnly`]: the manager interface knows no epochs. An instance that has been replaced and does not know
//!   it yet can still ring a phone with what it had decided before its lease ran out.
//! - [`Dedup::None`]: a recall's channel has the alert's id as its own, so while it rings the server refuses a second
//!   one. Once it has stopped ringing the server forgets the id, and the same alert rings again: that can happen only to an
//!   alert in doubt, after the link was lost in the moment in which it was ordered. A text or a sound in doubt comes twice.
//! - A phone goes off hook unseen: a PBX learns of it when a number is dialled. What it shows on its own display, and the
//!   key on it, it does not know either: the key is a feature code, a digit, or a text (see `examples/asterisk`).
//! - [`Delivery::Adapted`]: what a phone is shown is what its [`Way`](crate::notify::Way) makes of it, not byte for byte.
//! - What the keys of a screen mean that a phone was told in another form (a text, a recall) is kept in the server's database
//!   (family `ringback-screen`) besides, so that they work when another instance acts by then, or this program was started anew.
//! - A line is vouched for as [`Config::proof`] says: after a restart of the server, a line that looks free is not told to be.
//! - [`Placing::RingsFirst`]: a call that is made rings the phone it is made from first, unless that phone is just answering
//!   its recall.
//! - An endpoint has no users who log in and out: [`DeviceUserChanged`](ProviderEvent::DeviceUserChanged) is never told.

mod access;
mod calling;
mod config;
mod control;
mod core;
mod phones;
mod reading;
mod recollection;
mod standing;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use ringback_cti::message::CtiError;
use ringback_cti::{Capabilities, Command, CtiProvider, Dedup, Delivery, Fencing, Placing, ProviderEvent};
use ringback_model::Millis;

pub(crate) use access::NEEDED;
pub use config::Config;
pub use control::{Control, Times};

use self::control::Changes;
use self::core::{Core, Do};
use crate::client::{Client, Connector};
use crate::directory::{PbxDirectory, PbxFeed, Profile, Shared};
use crate::notify::{Errands, Happened};
use crate::session::ConfigError;

/// A provider over a live Asterisk.
///
/// It runs inside [`next`](CtiProvider::next): whoever uses it must keep polling that. Dropping `next` loses nothing;
/// dropping the provider closes the connection.
pub struct AsteriskProvider {
    client: Client,
    core: Core,
    shared: Shared,
    events: VecDeque<ProviderEvent>,
    errands: Errands,
    control: Control,
    changes: Changes,
}

impl AsteriskProvider {
    /// A provider that begins to connect as soon as `next` is polled.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(config: Config, connector: Arc<dyn Connector>) -> Result<Self, ConfigError> {
        let client = Client::new(config.session.clone(), connector)?;
        let shared = Shared::default();
        let errands = Errands::default();
        config.ways.listen(errands.presses());
        let core = Core::new(config, shared.clone());
        let (control, changes) = Control::new();
        Ok(Self { client, core, shared, events: VecDeque::new(), errands, control, changes })
    }

    /// A handle for changing how long it waits for what, later and from anywhere.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The directory of this PBX, as the provider reads it.
    #[must_use]
    pub fn directory(&self, profile: Profile) -> PbxDirectory {
        PbxDirectory::new(self.shared.clone(), profile)
    }

    /// What changes in it.
    #[must_use]
    pub fn feed(&self) -> PbxFeed {
        PbxFeed::new(self.shared.clone())
    }

    /// What it waits for; `None`: what it has heard is told, what it asked is answered, and nothing of its own rings. For
    /// tests, which would have to guess otherwise how long to wait.
    #[must_use]
    pub fn waits_for(&self) -> Option<&'static str> {
        let own = [(!self.events.is_empty(), "being asked for events"), (!self.errands.is_idle(), "errands")];
        let mut waits = own.into_iter().chain(self.core.waits());
        waits.find_map(|(waits, what)| waits.then_some(what))
    }

    /// Puts these in force; times of zero change nothing.
    fn change(&mut self, times: Times) {
        if times.ring == Millis::ZERO {
            tracing::warn!("a recall that rings for 0 ms: the time in force stays");
        } else {
            self.core.config.ring = times.ring;
        }
        if let Err(error) = self.client.set_times(times.link) {
            tracing::warn!(%error, "the times in force stay");
        }
    }

    fn carry_out(&mut self) {
        self.errands.set_open(self.core.acts() && self.core.is_up());
        loop {
            while let Some(output) = self.core.poll_output() {
                match output {
                    Do::Ask(ticket, name, action) => {
                        if let Err(error) = self.client.request(ticket, name, action) {
                            // Only an action with more headers than any of ours has.
                            tracing::error!(action = name, %error, "cannot be said to the server");
                        }
                    }
                    Do::Report(event) => self.events.push_back(event),
                    Do::Run(tag, device, errand) => {
                        let refused = match self.core.config.ways.of(&device).courier() {
                            Some(courier) => self.errands.add(tag, &device, courier, errand).err(),
                            None => Some(CtiError::NotSupported.into()),
                        };
                        if let Some(refused) = refused {
                            tracing::warn!(?device, %refused, "not told");
                            self.core.errand_ended(tag, Err(refused));
                        }
                    }
                    Do::GiveUp(why) => self.client.give_up(why),
                }
            }
            // What the session knows without the server: there is no link, for example.
            let Some(event) = self.client.take() else { return };
            self.core.handle(self.client.now(), event);
        }
    }
}

#[async_trait]
impl CtiProvider for AsteriskProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            placing: Placing::RingsFirst,
            delivery: Delivery::Adapted,
            ..Capabilities::new(Fencing::LeaseOnly, Dedup::None)
        }
    }

    fn submit(&mut self, command: Command) {
        self.core.submit(self.client.now(), command);
        if !self.core.acts() {
            for (tag, failure) in self.errands.give_up() {
                self.core.errand_ended(Some(tag), Err(failure));
            }
        }
        self.carry_out();
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        loop {
            self.carry_out();
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let wakeup = self.core.next_wakeup();
            tokio::select! {
                event = self.client.next(wakeup) => match event {
                    Some(event) => self.core.handle(self.client.now(), event),
                    None => self.core.poll(self.client.now()),
                },
                Some(times) = self.changes.recv() => self.change(times),
                happened = self.errands.next() => match happened {
                    Happened::Ended(tag, result) => self.core.errand_ended(tag, result),
                    Happened::Pressed(press) => self.core.press_told(press),
                },
            }
        }
    }
}
