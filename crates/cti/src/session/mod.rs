//! The application's side of a link, without sockets and without a clock.
//!
//! A [`Session`] owns the way from "these CTIManagers are configured" to "these devices and lines are open": whom to
//! connect to and when, provider open, heartbeats, requests and their time-outs, opening again after a loss. Whoever
//! runs it carries out its [`Output`]s in order, tells it what came of them and what was received, writes what it
//! finds in [`Session::transmit`], and calls [`Session::handle_timeout`] at [`Session::next_timeout`].
//!
//! ```text
//!            connect failed, next one              provider open refused, time-out
//!           +------------------------+     +-------------------------------------+
//!           v                        |     |                                     |
//!  wait -> connecting ---------------+-> opening -----------------------------> open
//!   ^       ^    |  all have failed                                              |
//!   +-------+----+                                                               |
//!           +----- lost: silent, closed, protocol violation ---------------------+
//! ```

mod config;
mod link;
mod requests;
mod route;
mod standing;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::BytesMut;
use ringback_model::{Epoch, Millis, Timestamp};

pub use config::{Config, ConfigError, Manager};

use crate::codec;
use crate::message::{CtiError, Request};
use crate::provider::{Command, LinkLoss, ProviderEvent, RequestFailure, Tag};
use link::{OpenLink, Outbox};
use requests::Purpose;
use route::{Next, Route, wait_over};
use standing::Standing;

/// Names one connection or the attempt at it. What is told of an older one is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Attempt(pub u64);

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Connect to this CTIManager, then tell [`Session::connected`] or [`Session::connect_failed`].
    Connect {
        /// For telling.
        attempt: Attempt,
        /// Whom to connect to.
        manager: Manager,
    },
    /// Close this connection, or give up making it. Nothing needs to be told.
    Disconnect {
        /// Which.
        attempt: Attempt,
    },
    /// Hand this to the user of the provider.
    Event(ProviderEvent),
}

#[derive(Debug)]
enum Phase {
    /// No CTIManager is configured.
    Nowhere,
    Waiting {
        since: Timestamp,
        step: u32,
        first: usize,
    },
    Connecting {
        manager: usize,
        since: Timestamp,
    },
    Opening {
        manager: usize,
        since: Timestamp,
        sequence: u32,
        epoch: Epoch,
        /// The heartbeat interval that was wished for.
        wished: Millis,
    },
    Open(OpenLink),
}

/// One application's session with its CTIManagers.
#[derive(Debug)]
pub struct Session {
    config: Config,
    epoch: Epoch,
    attempt: Attempt,
    phase: Phase,
    route: Route,
    standing: Standing,
    outbox: Outbox,
    outputs: VecDeque<Output>,
    /// The CTIManager of the latest link.
    last_manager: Option<String>,
    /// Why there is no link, if there is none.
    no_link: LinkLoss,
}

impl Session {
    /// Begins to connect.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(now: Timestamp, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut session = Self {
            config,
            epoch: Epoch(0),
            attempt: Attempt(0),
            phase: Phase::Nowhere,
            route: Route::default(),
            standing: Standing::default(),
            outbox: Outbox::default(),
            outputs: VecDeque::new(),
            last_manager: None,
            no_link: LinkLoss::Connect("not tried yet".to_owned()),
        };
        session.begin(now, 0);
        Ok(session)
    }

    /// What to do next. Ask until it is `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The bytes to be sent on the present connection: take from the front what has been written, and only that. A
    /// request whose first byte has not been taken counts as never sent. Above 64 MiB of them the link is lost
    /// ([`LinkLoss::Unread`]).
    pub fn transmit(&mut self) -> &mut BytesMut {
        self.outbox.bytes()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Nowhere => None,
            Phase::Waiting { since, step, .. } => Some(wait_over(*since, *step, self.config.retry_limit)),
            Phase::Connecting { since, .. } | Phase::Opening { since, .. } => {
                Some(*since + self.config.open_timeout)
            }
            Phase::Open(link) => {
                let retry = self.standing.next_retry(self.config.retry_limit);
                [Some(link.next_timeout(self.config.request_timeout)), retry].into_iter().flatten().min()
            }
        }
    }

    /// The connection of this attempt is made.
    pub fn connected(&mut self, now: Timestamp, attempt: Attempt) {
        let Phase::Connecting { manager, since } = self.phase else { return };
        if attempt != self.attempt {
            return;
        }
        let open = Request::ProviderOpen(self.provider_open());
        let sequence = 1;
        match self.outbox.request(codec::VERSIONS.0, sequence, open) {
            Ok(_) => {
                let (epoch, wished) = (self.epoch, self.config.heartbeat);
                self.phase = Phase::Opening { manager, since, sequence, epoch, wished };
            }
            // The configuration is checked, so this cannot be; if it were, no CTIManager would take it.
            Err(error) => self.lose(now, LinkLoss::Connect(error.to_string())),
        }
    }

    /// The connection of this attempt cannot be made.
    pub fn connect_failed(&mut self, now: Timestamp, attempt: Attempt, why: impl Into<String>) {
        if attempt == self.attempt && matches!(self.phase, Phase::Connecting { .. }) {
            self.lose(now, LinkLoss::Connect(why.into()));
        }
    }

    /// The connection of this attempt has been closed, by the far side or by the network.
    pub fn closed(&mut self, now: Timestamp, attempt: Attempt) {
        if attempt == self.attempt && !matches!(self.phase, Phase::Nowhere | Phase::Waiting { .. }) {
            self.lose(now, LinkLoss::Closed);
        }
    }

    /// Takes all whole messages from the front of `input`, which was received on the connection of this attempt.
    pub fn received(&mut self, now: Timestamp, attempt: Attempt, input: &mut BytesMut) {
        while attempt == self.attempt && matches!(self.phase, Phase::Opening { .. } | Phase::Open(_)) {
            match codec::decode(input) {
                Ok(None) => return,
                Ok(Some(frame)) => self.frame(now, frame),
                Err(error) => self.lose(now, LinkLoss::Protocol(error.to_string())),
            }
        }
        // The connection is given up: what else came on it means nothing.
        input.clear();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        match &self.phase {
            Phase::Nowhere => {}
            Phase::Waiting { since, step, first } => {
                let first = *first;
                if wait_over(*since, *step, self.config.retry_limit) <= now {
                    self.begin(now, first);
                }
            }
            Phase::Connecting { since, .. } if *since + self.config.open_timeout <= now => {
                let why = format!("no connection within {}", self.config.open_timeout);
                self.lose(now, LinkLoss::Connect(why));
            }
            Phase::Opening { since, .. } if *since + self.config.open_timeout <= now => {
                self.lose(now, LinkLoss::OpenTimeout);
            }
            Phase::Connecting { .. } | Phase::Opening { .. } => {}
            Phase::Open(_) => self.open_timeouts(now),
        }
    }

    /// Carries out a command of the provider's user.
    pub fn submit(&mut self, now: Timestamp, command: Command) {
        match command {
            Command::Assume(epoch) if epoch != Epoch(0) => {
                let stood_by = std::mem::replace(&mut self.epoch, epoch) == Epoch(0);
                self.tell_epoch(now);
                if stood_by {
                    self.standing.open_all();
                }
            }
            Command::Assume(_) | Command::Relinquish => {
                self.epoch = Epoch(0);
                self.standing.clear();
                self.tell_epoch(now);
            }
            Command::OpenDevice(device) => {
                let known = self.standing.want_device(device);
                self.report(known);
            }
            Command::CloseDevice(device) => self.standing.drop_device(device),
            Command::OpenLine(at) => self.standing.want_line(at),
            Command::CloseLine(at) => self.standing.drop_line(at),
            Command::AnswerFeature { invocation, accepted } => {
                // An invocation of an older link means nothing here: that CTIManager has forgotten it.
                if let Phase::Open(link) = &mut self.phase
                    && link.invocations.remove(&invocation)
                {
                    let request = Request::FeatureAnswer { invocation, accepted };
                    let _fits = self.send(now, request, Purpose::AnswerFeature);
                }
            }
            Command::MakeCall { tag, from, to, override_forwarding } => {
                let request = Request::MakeCall { from, to, override_forwarding };
                self.tagged(now, tag, request, Purpose::MakeCall(tag));
            }
            Command::SendData { tag, device, id, content } => {
                let request = Request::DeviceData { device, id, content };
                self.tagged(now, tag, request, Purpose::SendData(tag));
            }
        }
        self.settle(now);
    }

    /// Puts another configuration in force.
    ///
    /// # Errors
    /// It cannot work; the one in force stays.
    pub fn configure(&mut self, now: Timestamp, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let before = std::mem::replace(&mut self.config, config);
        let managers = &self.config.managers;
        if before.managers != *managers {
            let place = |old: usize| {
                let old = before.managers.get(old)?;
                managers.iter().position(|manager| manager == old)
            };
            let kept = match &mut self.phase {
                Phase::Nowhere | Phase::Waiting { .. } => None,
                Phase::Connecting { manager, .. } | Phase::Opening { manager, .. } => {
                    let new = place(*manager);
                    if let Some(new) = new {
                        *manager = new;
                        self.route.renumber(new, managers.len());
                    }
                    new
                }
                Phase::Open(link) => {
                    let new = place(link.manager);
                    link.manager = new.unwrap_or(link.manager);
                    new
                }
            };
            if kept.is_none() {
                let name = self.manager_in_use().and_then(|manager| before.managers.get(manager));
                let name = name.map(|manager| manager.name.clone());
                self.end_link(LinkLoss::Reconfigured, name);
                self.begin(now, 0);
            }
        }
        if let Phase::Open(link) = &mut self.phase {
            if before.heartbeat != self.config.heartbeat {
                link.heartbeat(now, self.config.heartbeat, &mut self.outbox);
            }
            let added = self.config.features.iter().filter(|feature| !before.features.contains(feature));
            for feature in added.copied().collect::<Vec<_>>() {
                let _fits = self.send(now, Request::FeatureRegister(feature), Purpose::RegisterFeature);
            }
        }
        Ok(())
    }

    fn tagged(&mut self, now: Timestamp, tag: Tag, request: Request, purpose: Purpose) {
        let failure = if self.epoch == Epoch(0) {
            RequestFailure::StandingBy
        } else if !matches!(self.phase, Phase::Open(_)) {
            RequestFailure::NeverSent(self.no_link.clone())
        } else if self.send(now, request, purpose).is_err() {
            RequestFailure::Refused(CtiError::DataSizeLimitExceeded)
        } else {
            return;
        };
        self.report(Some(ProviderEvent::Answer { tag, result: Err(failure) }));
    }

    fn report(&mut self, event: Option<ProviderEvent>) {
        self.outputs.extend(event.map(Output::Event));
    }

    fn manager_in_use(&self) -> Option<usize> {
        match &self.phase {
            Phase::Nowhere | Phase::Waiting { .. } => None,
            Phase::Connecting { manager, .. } | Phase::Opening { manager, .. } => Some(*manager),
            Phase::Open(link) => Some(link.manager),
        }
    }

    fn begin(&mut self, now: Timestamp, first: usize) {
        let next = self.route.begin(first, self.config.managers.len());
        self.go(now, next);
    }

    fn go(&mut self, now: Timestamp, next: Next) {
        self.phase = match next {
            Next::Nothing => Phase::Nowhere,
            Next::Wait { step, first } => Phase::Waiting { since: now, step, first },
            Next::Connect(manager) => {
                let Some(to) = self.config.managers.get(manager) else {
                    self.phase = Phase::Nowhere;
                    return;
                };
                self.attempt = Attempt(self.attempt.0 + 1);
                self.outputs.push_back(Output::Connect { attempt: self.attempt, manager: to.clone() });
                Phase::Connecting { manager, since: now }
            }
        };
    }

    /// Gives up the present connection or the attempt at it, and goes on to the next.
    fn lose(&mut self, now: Timestamp, reason: LinkLoss) {
        let Some(manager) = self.manager_in_use() else { return };
        let managers = self.config.managers.len();
        let next = match &self.phase {
            Phase::Open(link) => self.route.lost(manager, now - link.opened, managers),
            _ => self.route.failed(),
        };
        let name = self.config.managers.get(manager).map(|manager| manager.name.clone());
        self.end_link(reason, name);
        self.go(now, next);
    }

    /// Reports the end of the present connection, and of every request on it.
    fn end_link(&mut self, reason: LinkLoss, manager: Option<String>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Nowhere);
        let Some(manager) = manager else { return };
        self.outputs.push_back(Output::Disconnect { attempt: self.attempt });
        let taken = self.outbox.taken();
        if let Phase::Open(link) = phase {
            for pending in link.requests.into_pending() {
                let Some(tag) = pending.purpose.tag() else { continue };
                let failure = if pending.offset >= taken {
                    RequestFailure::NeverSent(reason.clone())
                } else {
                    RequestFailure::OutcomeUnknown
                };
                self.report(Some(ProviderEvent::Answer { tag, result: Err(failure) }));
            }
            self.report(Some(ProviderEvent::LinkLost { manager, reason: reason.clone() }));
        } else {
            self.report(Some(ProviderEvent::LinkFailed { manager, reason: reason.clone() }));
        }
        self.no_link = reason;
        self.outbox = Outbox::default();
        self.standing.link_down();
    }
}
