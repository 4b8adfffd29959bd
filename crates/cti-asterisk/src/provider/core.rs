//! What the provider does, without sockets and without a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ringback_cti::message::{Answer, CtiError, InvocationId};
use ringback_cti::{Command, LinkLoss, ProviderEvent, RequestFailure, Tag};
use ringback_model::{DeviceName, Epoch, Timestamp};

use super::access;
use super::calling::Calling;
use super::config::Config;
use super::phones::Seat;
use super::reading::{Part, Reading};
use super::recollection::Meant;
use super::standing::Standing;
use crate::ami::{Action, ActionError, Message};
use crate::directory::{Record, Shared};
use crate::map::Mapper;
use crate::notify::Errand;
use crate::session::{self, Failure, Loss, Ticket};

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Do {
    /// Ask the server; the name is the action's.
    Ask(Ticket, &'static str, Action),
    /// Tell the service.
    Report(ProviderEvent),
    /// Have the courier of this phone's way do this, for the command with this tag.
    Run(Option<Tag>, DeviceName, Errand),
    /// Give the link up, and begin anew.
    GiveUp(String),
}

/// What was asked of the server, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To know it.
    Read(Part),
    /// One step of what a command with this tag wants; the last one answers it.
    Step(Tag),
    /// The same, and this instead if it is refused.
    StepOr(Tag, &'static str, Action),
    /// To ring a phone as an alert, for the command with this tag.
    Alert(Tag, String),
    /// To make a call for the command with this tag.
    Call(Tag, String),
    /// To make an alert that was answered the call for the command with this tag.
    Redirect(Tag, String),
    /// To know what the screen of a phone was, and then to do this.
    Recollect(DeviceName, Meant),
    /// Whatever comes of it.
    Nothing,
}

/// How far the link is.
#[derive(Debug)]
pub(super) enum Stage {
    /// There is none.
    Down(LinkLoss),
    /// Logged in; the server has not said that it has booted.
    Booting { until: Timestamp },
    /// The first questions are asked.
    Reading(Box<Reading>),
    /// Everything is known.
    Up,
}

/// The provider as a machine.
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) epoch: Epoch,
    pub(super) stage: Stage,
    /// The server has said on this link that it has booted.
    pub(super) is_booted: bool,
    pub(super) mapper: Mapper,
    pub(super) standing: Standing,
    pub(super) calling: Calling,
    pub(super) seats: BTreeMap<DeviceName, Seat>,
    pub(super) shared: Shared,
    /// The directory that is being read besides, and what of it is missing.
    pub(super) rereading: Option<(Record, BTreeSet<Ticket>)>,
    /// It may have changed since that began.
    pub(super) reread_again: bool,
    pub(super) next_refresh: Timestamp,
    asked: BTreeMap<Ticket, Purpose>,
    tickets: u64,
    /// Commands of several steps: how many are open, and the first failure.
    steps: BTreeMap<Tag, (usize, Option<RequestFailure>)>,
    /// Whose key was pressed, until the verdict comes.
    pub(super) invocations: BTreeMap<InvocationId, DeviceName>,
    /// Presses of keys that came before everything was known.
    held: Vec<ProviderEvent>,
    outputs: VecDeque<Do>,
}

impl Core {
    pub(super) fn new(config: Config, shared: Shared) -> Self {
        Self {
            mapper: Mapper::new(config.timing),
            config,
            epoch: Epoch(0),
            stage: Stage::Down(LinkLoss::Connect("not tried yet".to_owned())),
            is_booted: false,
            standing: Standing::default(),
            calling: Calling::default(),
            seats: BTreeMap::new(),
            shared,
            rereading: None,
            reread_again: false,
            next_refresh: Timestamp(0),
            asked: BTreeMap::new(),
            tickets: 0,
            steps: BTreeMap::new(),
            invocations: BTreeMap::new(),
            held: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Do> {
        self.outputs.pop_front()
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up)
    }

    pub(super) fn acts(&self) -> bool {
        self.epoch != Epoch(0)
    }

    // --- what others in this folder use ---

    pub(super) fn report(&mut self, event: ProviderEvent) {
        self.outputs.push_back(Do::Report(event));
    }

    /// The same, as soon as everything is known; what happens without a link is not told.
    pub(super) fn report_when_up(&mut self, event: ProviderEvent) {
        match self.stage {
            Stage::Up => self.report(event),
            Stage::Booting { .. } | Stage::Reading(_) => self.held.push(event),
            Stage::Down(_) => {}
        }
    }

    pub(super) fn run(&mut self, tag: Option<Tag>, device: &DeviceName, errand: Errand) {
        self.outputs.push_back(Do::Run(tag, device.clone(), errand));
    }

    pub(super) fn give_up(&mut self, why: String) {
        self.outputs.push_back(Do::GiveUp(why));
    }

    /// Asks the server for something.
    pub(super) fn ask(&mut self, purpose: Purpose, name: &'static str, action: Action) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.asked.insert(ticket, purpose);
        self.outputs.push_back(Do::Ask(ticket, name, action));
        ticket
    }

    /// As [`ask`](Self::ask), for an action that holds what somebody typed.
    pub(super) fn ask_checked(
        &mut self,
        purpose: Purpose,
        name: &'static str,
        action: Result<Action, ActionError>,
    ) -> Result<(), RequestFailure> {
        match action {
            Ok(action) => {
                self.ask(purpose, name, action);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(action = name, %error, "cannot be said to the server");
                Err(RequestFailure::Refused(CtiError::DataRejected))
            }
        }
    }

    pub(super) fn answer(&mut self, tag: Tag, result: Result<Answer, RequestFailure>) {
        self.report(ProviderEvent::Answer { tag, result });
    }

    /// An errand has ended; one without a tag answers nothing.
    pub(super) fn errand_ended(&mut self, tag: Option<Tag>, result: Result<(), RequestFailure>) {
        if let Some(tag) = tag {
            self.step_done(tag, result);
        }
    }

    /// So many steps answer this command.
    pub(super) fn expect_steps(&mut self, tag: Tag, steps: usize) {
        self.steps.insert(tag, (steps, None));
    }

    pub(super) fn step_done(&mut self, tag: Tag, result: Result<(), RequestFailure>) {
        let Some((left, failure)) = self.steps.get_mut(&tag) else { return };
        *left = left.saturating_sub(1);
        if let Err(new) = result {
            failure.get_or_insert(new);
        }
        if *left == 0 {
            let failure = self.steps.remove(&tag).and_then(|(_, failure)| failure);
            self.answer(tag, failure.map_or(Ok(Answer::Done), Err));
        }
    }

    /// Passes on what the mapper tells.
    pub(super) fn relay(&mut self, out: Vec<ProviderEvent>) {
        for event in out {
            if let ProviderEvent::FeatureInvoked(invocation) = &event
                && self.acts()
            {
                self.invocations.insert(invocation.invocation, invocation.from.device.clone());
            }
            match (&event, self.is_up()) {
                // The key is for the instance that acts.
                (ProviderEvent::FeatureInvoked(_), true) if self.acts() => self.report(event),
                (ProviderEvent::FeatureInvoked(_), false) if self.acts() => self.held.push(event),
                (ProviderEvent::FeatureInvoked(_), _) | (_, false) => {}
                _ => self.report(event),
            }
        }
    }

    // --- in ---

    /// Takes what the session tells.
    pub(super) fn handle(&mut self, now: Timestamp, event: session::Event) {
        if self.mapper.next_wakeup().is_some_and(|due| due <= now) {
            let mut out = Vec::new();
            self.mapper.poll(now, &mut out);
            self.relay(out);
        }
        match event {
            session::Event::Up { version } => {
                tracing::debug!(version, "logged in at the manager interface");
                self.new_mapper();
                self.is_booted = false;
                self.stage = Stage::Booting { until: now + self.config.patience };
            }
            session::Event::Lost(loss) | session::Event::Failed(loss) => {
                self.standing.link_gone(now);
                self.link_gone(&loss);
            }
            session::Event::Message(message) => self.message(now, &message),
            session::Event::Lagged => {
                tracing::warn!("events of the manager interface were dropped: everything is read anew");
                if self.is_up() {
                    self.tell_lost(LinkLoss::Unfit(
                        "events were dropped, because too many came at once".to_owned(),
                    ));
                }
                self.new_mapper();
                if !matches!(self.stage, Stage::Booting { .. }) {
                    self.start_reading(now, None);
                }
            }
            session::Event::Listed(ticket, message) => {
                match self.asked.get(&ticket) {
                    Some(Purpose::Read(part)) => self.listed(now, *part, ticket, &message),
                    // There is one.
                    Some(Purpose::Recollect(..)) => self.answered(now, ticket, Ok(message)),
                    _ => {}
                }
            }
            session::Event::Answer(ticket, result) => self.answered(now, ticket, result),
        }
        self.tend(now);
    }

    /// Nothing that was told counts any more, but for who has which number.
    fn new_mapper(&mut self) {
        let before = std::mem::replace(&mut self.mapper, Mapper::new(self.config.timing));
        self.mapper.set_numbers(before.into_numbers());
    }

    /// Carries out a command of the service.
    pub(super) fn submit(&mut self, now: Timestamp, command: Command) {
        match command {
            Command::Assume(epoch) if epoch != Epoch(0) => {
                let stood_by = std::mem::replace(&mut self.epoch, epoch) == Epoch(0);
                if stood_by && self.is_up() {
                    self.open_all(now);
                }
            }
            Command::Assume(_) | Command::Relinquish => {
                self.epoch = Epoch(0);
                self.held.clear();
                self.close_all();
            }
            Command::OpenDevice(device) => self.open_device(now, device),
            Command::CloseDevice(device) => self.close_device(&device),
            Command::OpenLine(at) => self.open_line(now, at),
            Command::CloseLine(at) => self.close_line(&at),
            Command::AnswerFeature { invocation, accepted } => self.answer_feature(invocation, accepted),
            Command::MakeCall { tag, from, to, override_forwarding } => match self.unready() {
                Some(failure) => self.answer(tag, Err(failure)),
                None => self.make_call(now, tag, &from, to, override_forwarding),
            },
            Command::SendData { tag, device, id, content } => match self.unready() {
                Some(failure) => self.answer(tag, Err(failure)),
                None => self.send_data(now, tag, &device, id, &content),
            },
            _ => {}
        }
        self.tend(now);
    }

    /// Does what is due.
    pub(super) fn poll(&mut self, now: Timestamp) {
        let mut out = Vec::new();
        self.mapper.poll(now, &mut out);
        self.relay(out);
        self.reading_timeouts(now);
        self.refresh(now);
        self.call_timeouts(now);
        self.tend(now);
    }

    /// When [`poll`](Self::poll) wants to be called.
    pub(super) fn next_wakeup(&self) -> Option<Timestamp> {
        let stage = match &self.stage {
            Stage::Down(_) => None,
            Stage::Booting { until } => Some(*until),
            Stage::Reading(reading) => Some(reading.deadline),
            Stage::Up => Some(self.next_refresh),
        };
        let proof = self.standing.next_proof().filter(|_| self.is_up());
        [stage, proof, self.mapper.next_wakeup(), self.calling.next_deadline()].into_iter().flatten().min()
    }

    /// What may be under way, and whether it is.
    pub(super) fn waits(&self) -> [(bool, &'static str); 8] {
        [
            (matches!(self.stage, Stage::Booting { .. }), "the server to boot"),
            (matches!(self.stage, Stage::Reading(_)), "the first answers"),
            (!self.asked.is_empty(), "answers"),
            (!self.steps.is_empty(), "the last step of a command"),
            (self.rereading.is_some(), "answers that are read again"),
            (!self.outputs.is_empty(), "being asked for outputs"),
            (self.mapper.next_wakeup().is_some(), "what follows an event"),
            (self.calling.is_busy(), "a call of its own"),
        ]
    }

    /// What follows from everything that can have changed.
    fn tend(&mut self, now: Timestamp) {
        self.calls_heard_of();
        self.recalls_answered(now);
        self.vouch(now);
    }

    fn message(&mut self, now: Timestamp, message: &Message) {
        let mut out = Vec::new();
        self.mapper.handle(now, message, &mut out);
        self.relay(out);
        match message.get("Event") {
            Some("FullyBooted") => self.booted(now, message),
            Some("OriginateResponse") => self.originated(message),
            Some("UserEvent") => self.user_event(now, message),
            Some("DialBegin") => self.recall_connected(now, message),
            Some("DeviceStateChange") => self.heard_state(message),
            _ => {}
        }
        if matches!(self.stage, Stage::Reading(_)) {
            self.finish_reading(now);
        }
    }

    fn answered(&mut self, now: Timestamp, ticket: Ticket, result: Result<Message, Failure>) {
        let Some(purpose) = self.asked.remove(&ticket) else { return };
        if let Err(failure @ Failure::NotPermitted(_)) = &result {
            tracing::error!(%failure, "the provider cannot work as it should");
        }
        match purpose {
            Purpose::Read(part) => self.part_read(now, part, ticket, result),
            Purpose::Step(tag) => {
                let result =
                    result.map(|_| ()).map_err(|failure| request_failure(failure, CtiError::DataRejected));
                self.step_done(tag, result);
            }
            Purpose::StepOr(tag, name, action) => match result {
                Err(Failure::Refused(_) | Failure::NotPermitted(_)) => {
                    self.ask(Purpose::Step(tag), name, action);
                }
                result => {
                    let result = result.map(|_| ());
                    let result = result.map_err(|failure| request_failure(failure, CtiError::DataRejected));
                    self.step_done(tag, result);
                }
            },
            Purpose::Alert(tag, id) => self.alert_asked(now, tag, &id, result),
            Purpose::Call(tag, id) => self.call_asked(now, tag, &id, result),
            Purpose::Redirect(tag, id) => self.redirected(now, tag, &id, result),
            Purpose::Recollect(device, meant) => {
                self.recollected(now, &device, meant, result.as_ref().ok());
            }
            Purpose::Nothing => {
                if let Err(failure) = result {
                    tracing::debug!(%failure, "not done");
                }
            }
        }
    }

    /// Why a command with a tag cannot be carried out now.
    fn unready(&self) -> Option<RequestFailure> {
        match &self.stage {
            _ if !self.acts() => Some(RequestFailure::StandingBy),
            Stage::Up => None,
            Stage::Down(loss) => Some(RequestFailure::NeverSent(loss.clone())),
            Stage::Booting { .. } | Stage::Reading(_) => {
                Some(RequestFailure::NeverSent(LinkLoss::Connect("the link is just coming up".to_owned())))
            }
        }
    }

    fn link_gone(&mut self, loss: &Loss) {
        let reason = self.link_loss(loss);
        match std::mem::replace(&mut self.stage, Stage::Down(reason.clone())) {
            Stage::Up => self.tell_lost(reason),
            // What is wrong has been told already.
            _ if matches!(loss, Loss::GivenUp(_)) => {}
            _ => {
                tracing::warn!(reason = %loss, "no link to the manager interface");
                let manager = self.config.session.server.name.clone();
                self.report(ProviderEvent::LinkFailed { manager, reason });
            }
        }
        self.rereading = None;
        // Everything will be.
        self.reread_again = false;
        self.asked.clear();
    }

    /// A loss as the port tells it.
    fn link_loss(&self, loss: &Loss) -> LinkLoss {
        match loss {
            Loss::Connect(why) => LinkLoss::Connect(why.clone()),
            Loss::Closed => LinkLoss::Closed,
            Loss::Silent(_) => LinkLoss::Silent,
            Loss::LoginRefused(_) => {
                LinkLoss::LoginRefused(access::login_refused(&self.config.session.server.user, loss))
            }
            Loss::LoginTimeout(_) => LinkLoss::OpenTimeout,
            Loss::Protocol(error) => LinkLoss::Protocol(error.to_string()),
            other => LinkLoss::Unfit(other.to_string()),
        }
    }

    fn tell_lost(&mut self, reason: LinkLoss) {
        tracing::warn!(%reason, "link to the manager interface lost");
        self.calls_lost();
        self.shared.clear();
        self.invocations.clear();
        let mapper = &self.mapper;
        self.standing.link_down(|device| mapper.in_service(device) == Some(true));
        let manager = self.config.session.server.name.clone();
        self.report(ProviderEvent::LinkLost { manager, reason });
    }

    /// Everything is known: the service may go on.
    pub(super) fn up(&mut self, now: Timestamp) {
        self.stage = Stage::Up;
        self.next_refresh = now + self.config.refresh;
        let manager = self.config.session.server.name.clone();
        self.report(ProviderEvent::LinkUp { manager, failed_over: false });
        if self.acts() {
            self.open_all(now);
        }
        for event in std::mem::take(&mut self.held) {
            self.report(event);
        }
    }
}

/// A failure as the port tells it; `refused` is what a refusal by the server means.
pub(super) fn request_failure(failure: Failure, refused: CtiError) -> RequestFailure {
    match failure {
        Failure::Unknown => RequestFailure::OutcomeUnknown,
        Failure::NotPermitted(_) => RequestFailure::Refused(CtiError::NotSupported),
        Failure::Refused(_) => RequestFailure::Refused(refused),
        Failure::NoLink => RequestFailure::NeverSent(LinkLoss::Closed),
        other => RequestFailure::NeverSent(LinkLoss::Unfit(other.to_string())),
    }
}
