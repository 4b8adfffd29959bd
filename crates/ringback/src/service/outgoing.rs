//! What the engine wants done, done.

use std::sync::Arc;

use futures_util::FutureExt;
use ringback_callback::{AlertId, DialOutcome, Input, Notice, Output};
use ringback_cti::message::{Answer, CtiError, InvocationId};
use ringback_cti::{Command, Dedup, RequestFailure, Tag};
use ringback_db::StoreError;
use ringback_model::{DeviceName, RequestId};
use ringback_serviceability::trace::target;
use tokio::time::{Duration, timeout};

use super::Service;
use super::jobs::Done;
use crate::phones::{Item, Profile, Take};
use crate::translate;

/// How long the store may take to tell whether it works.
const PATIENCE: Duration = Duration::from_secs(2);

/// After so many outputs the provider gets the chance to send.
const FLUSHED: usize = 512;

/// What a command with a tag was for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Screen(DeviceName, Option<RequestId>),
    Alert(AlertId, DeviceName),
    Dial(RequestId),
}

impl Service {
    /// Gives the engine an input and carries out what follows; nothing happens outside a term of office.
    pub(super) fn tell_engine(&mut self, input: Input) {
        let Some(term) = self.office.term() else { return };
        self.stories.heard(term.clock.now(), term.epoch, &input);
        let outputs = term.handle(input);
        self.carry_out(outputs);
    }

    pub(super) fn engine_tick(&mut self) {
        let due = self.office.term().is_some_and(|term| {
            !term.draining && term.engine.next_timeout().is_some_and(|at| at <= term.clock.now())
        });
        if due {
            self.tell_engine(Input::Tick);
        }
    }

    pub(super) fn carry_out(&mut self, mut outputs: Vec<Output>) {
        for (number, output) in outputs.drain(..).enumerate() {
            // Of many, the first are on their way before the last are looked at.
            if number % FLUSHED == FLUSHED - 1 {
                self.flush();
            }
            // The lease may have run out since the input came.
            if !self.may_act() {
                self.redundancy(ringback_election::Input::Tick);
                return;
            }
            self.carry_out_one(output);
        }
        if let Some(term) = self.office.term() {
            term.recycle(outputs);
        }
    }

    /// Lets the provider send what it can send now. What it tells meanwhile is heard later, in order.
    pub(super) fn flush(&mut self) {
        let next = self.provider.next().now_or_never();
        self.early.extend(next);
    }

    fn carry_out_one(&mut self, output: Output) {
        let Some(term) = self.office.term() else { return };
        self.stories.wanted(term.clock.now(), &output);
        match output {
            Output::Verdict { invocation, accepted } => {
                self.provider
                    .submit(Command::AnswerFeature { invocation: InvocationId(invocation), accepted });
            }
            Output::Resolve { ticket, from, dn } => {
                term.resolving += 1;
                let (lookup, epoch) = (self.lookup.clone(), term.epoch);
                self.jobs.push(Box::pin(async move {
                    let result = lookup.resolve(&from, &dn).await;
                    Done::Resolved { epoch, ticket, device: from.device, result }
                }));
            }
            Output::Locate(line) => term.locator.want(line),
            Output::Save { save, record, replaces } => {
                tracing::debug!(target: target::DATABASE, request = %record.id, save = save.0, phase = ?record.phase, "save");
                term.writer.put(save, record, replaces);
            }
            Output::Remove { save, request } => {
                tracing::debug!(target: target::DATABASE, %request, save = save.0, "remove");
                term.writer.remove(save, request);
            }
            Output::Revoke { save, request } => {
                tracing::debug!(target: target::DATABASE, %request, save = save.0, "revoke");
                term.writer.revoke(save, request);
            }
            Output::OpenDevice(device) => {
                term.opened.open_device(&device);
                self.provider.submit(Command::OpenDevice(device));
            }
            Output::CloseDevice(device) => {
                term.opened.close_device(&device);
                term.phones.close(&device);
                self.provider.submit(Command::CloseDevice(device));
            }
            Output::OpenLine(at) => {
                term.opened.open_line(&at);
                self.provider.submit(Command::OpenLine(at));
            }
            Output::CloseLine(at) => {
                term.opened.close_line(&at);
                term.calls.forget(&at);
                self.provider.submit(Command::CloseLine(at));
            }
            Output::Show { device, view, about } => self.offer(device, Item::Screen { view, about }),
            Output::Clear(device) => self.offer(device, Item::Clear),
            Output::Alert { device, alert } => self.offer(device, Item::Alert(alert)),
            Output::Dial { request, from, dn, override_forwarding } => {
                tracing::info!(target: target::HANDLER, %request, override_forwarding, "dial");
                let tag = self.tag(Purpose::Dial(request));
                self.provider.submit(Command::MakeCall { tag, from, to: dn, override_forwarding });
            }
            Output::Notice(notice) => {
                if let Notice::AlertRepeated { alert } = notice
                    && self.provider.capabilities().dedup != Dedup::ById
                {
                    self.surroundings.alert_in_doubt(alert.request, term.epoch);
                }
                self.surroundings.notice(&notice);
            }
            _ => {}
        }
    }

    /// Asks the directory on which phones lines appear, a few at a time.
    pub(super) fn begin_lookups(&mut self) {
        let Some(term) = self.office.term() else { return };
        while let Some(lines) = term.locator.next() {
            let (lookup, epoch) = (self.lookup.clone(), term.epoch);
            self.jobs.push(Box::pin(async move {
                let result = lookup.locate(&lines).await;
                Done::Located(epoch, lines, result)
            }));
        }
    }

    /// Something for a phone: sent now, or when its language is known.
    fn offer(&mut self, device: DeviceName, item: Item) {
        let Some(term) = self.office.term() else { return };
        match term.phones.take(&device, item) {
            Take::Send(item) => self.send(&device, &item),
            Take::Wait => {}
            Take::LookUp => {
                let (lookup, epoch) = (self.lookup.clone(), term.epoch);
                self.jobs.push(Box::pin(async move {
                    let result = lookup.phone(&device).await;
                    Done::Phone(epoch, device, result)
                }));
            }
        }
    }

    /// The language of a phone is known, or that it cannot be known now.
    pub(super) fn profile_read(&mut self, device: &DeviceName, profile: Profile, lasting: bool) {
        let Some(term) = self.office.term() else { return };
        if lasting {
            self.stories.set_offset(device, profile.offset);
        }
        let waiting = term.phones.profile(device, profile);
        for item in waiting {
            self.send(device, &item);
        }
        if !lasting && let Some(term) = self.office.term() {
            term.phones.forget(device);
        }
    }

    /// What waited for a phone's language may come long after its input: the lease is asked once more.
    fn send(&mut self, device: &DeviceName, item: &Item) {
        if !self.may_act() {
            return;
        }
        let audio_file = &self.configured.parameters().audio_file;
        let Some(term) = self.office.term() else { return };
        match term.phones.draw(device, item, audio_file) {
            Ok(content) => {
                let (purpose, id) = match item {
                    Item::Screen { view, about } => {
                        let request = about.map(tracing::field::display);
                        tracing::debug!(target: target::SCREEN, request, ?device, ?view, "show");
                        (Purpose::Screen(device.clone(), *about), None)
                    }
                    Item::Clear => {
                        tracing::debug!(target: target::SCREEN, ?device, "clear");
                        (Purpose::Screen(device.clone(), None), None)
                    }
                    Item::Alert(alert) => {
                        let AlertId { request, number } = alert;
                        tracing::info!(target: target::HANDLER, %request, number, "alert");
                        (Purpose::Alert(*alert, device.clone()), Some(translate::data_id(*alert)))
                    }
                };
                let tag = self.tag(purpose);
                self.provider.submit(Command::SendData { tag, device: device.clone(), id, content });
            }
            Err(error) => {
                self.surroundings.screen_rejected(device, item.request(), &error);
                if let Item::Alert(alert) = *item {
                    let epoch = term.epoch;
                    self.jobs.push(Box::pin(async move { Done::Undrawn(epoch, alert) }));
                }
            }
        }
    }

    fn tag(&mut self, purpose: Purpose) -> Tag {
        self.next_tag += 1;
        let tag = Tag(self.next_tag);
        self.tags.insert(tag, purpose);
        if let Some(term) = self.office.term() {
            term.sending += 1;
        }
        tag
    }

    /// The outcome of a command with a tag.
    pub(super) fn answered(&mut self, tag: Tag, result: Result<Answer, RequestFailure>) {
        let Some(purpose) = self.tags.remove(&tag) else { return };
        if let Some(term) = self.office.term() {
            term.sending -= 1;
        }
        match (purpose, result) {
            (Purpose::Screen(..), Ok(_)) => {}
            (Purpose::Screen(device, request), Err(RequestFailure::Refused(error))) => {
                // It was for a phone that is gone, or cannot show it: sending it again would not help.
                self.data_refused(&device, request, error);
            }
            (Purpose::Screen(device, _), Err(_)) => self.tell_engine(Input::ScreenLost(device)),
            (Purpose::Alert(alert, _), Ok(_)) => self.tell_engine(Input::Alerted { alert, delivered: true }),
            (Purpose::Alert(alert, device), Err(RequestFailure::Refused(error))) => {
                self.data_refused(&device, Some(alert.request), error);
                self.tell_engine(Input::Alerted { alert, delivered: false });
            }
            // In doubt: the engine repeats it under its id.
            (Purpose::Alert(AlertId { request, number }, _), Err(failure)) => {
                tracing::info!(target: target::HANDLER, %request, number, %failure, "alert in doubt");
            }
            // Whether the call exists, the first reading of the line over the next link tells, if the link was lost.
            (Purpose::Dial(request), Err(RequestFailure::OutcomeUnknown)) => {
                if let Some(term) = self.office.term().filter(|_| self.surroundings.is_linked()) {
                    term.doubtful_calls.push(request);
                }
            }
            (Purpose::Dial(request), result) => {
                let outcome = translate::dial_outcome(&result);
                self.tell_engine(Input::Dialled { request, outcome });
            }
        }
    }

    /// The link is still there, but no answer has come: the call was not made, or its line has told by itself.
    pub(super) fn settle_doubtful_calls(&mut self) {
        let Some(term) = self.office.term() else { return };
        for request in std::mem::take(&mut term.doubtful_calls) {
            if self.surroundings.is_linked() {
                self.tell_engine(Input::Dialled { request, outcome: DialOutcome::Failed });
            }
        }
    }

    fn data_refused(&self, device: &DeviceName, request: Option<RequestId>, error: CtiError) {
        match error {
            // The phone went away a moment ago, or this instance is about to: no fault of the screen's.
            CtiError::DeviceNotOpen
            | CtiError::DeviceOutOfService
            | CtiError::ProviderNotOpen
            | CtiError::ProviderClosed
            | CtiError::EpochSuperseded => {
                let request = request.map(tracing::field::display);
                tracing::info!(target: target::SCREEN, request, ?device, %error, "not sent");
            }
            error => self.surroundings.screen_rejected(device, request, &error),
        }
    }

    /// Begins the next transaction, if there is something to write.
    pub(super) fn begin_writes(&mut self) {
        if !self.may_act() {
            return;
        }
        let Some(term) = self.office.term() else { return };
        let epoch = term.epoch;
        if let Some(transaction) = term.writer.begin() {
            self.jobs.push(Box::pin(async move { Done::Written(epoch, transaction.await) }));
        }
    }

    /// Asks directory and store whether they work, when it is time.
    pub(super) fn probe_if_due(&mut self) {
        if !self.surroundings.probe_is_due() {
            return;
        }
        let lookup = self.lookup.clone();
        self.jobs.push(Box::pin(async move { Done::DirectoryProbed(lookup.probe().await) }));
        let store = Arc::clone(&self.store);
        self.jobs.push(Box::pin(async move { Done::StoreProbed(in_time(store.now()).await) }));
    }
}

/// The store's answer; one that does not come is a store that is away.
pub(super) async fn in_time<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::OutcomeUnknown(format!("no answer for {} s", PATIENCE.as_secs()))),
    }
}
