//! What the engine wants done, done.

use std::sync::Arc;

use ringback_callback::{AlertId, Input, Output};
use ringback_cti::message::InvocationId;
use ringback_cti::{Command, RequestFailure, Tag};
use ringback_model::{DeviceName, LineId, RequestId};
use tokio::time::{Duration, sleep};

use super::Service;
use super::jobs::Done;
use crate::phones::{Item, Profile, Take};
use crate::translate;

/// How soon the directory is asked again for the phones of a line that is waited for.
const LOCATE_RETRY: Duration = Duration::from_secs(1);

/// What a command with a tag was for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Screen(DeviceName),
    Alert(AlertId),
    Dial(RequestId),
}

impl Service {
    /// Gives the engine an input and carries out what follows; nothing happens outside a term of office.
    pub(super) fn tell_engine(&mut self, input: Input) {
        let Some(term) = self.office.term() else { return };
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
        for output in outputs.drain(..) {
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

    fn carry_out_one(&mut self, output: Output) {
        let Some(term) = self.office.term() else { return };
        match output {
            Output::Verdict { invocation, accepted } => {
                self.provider
                    .submit(Command::AnswerFeature { invocation: InvocationId(invocation), accepted });
            }
            Output::Resolve { ticket, from, dn } => {
                let (lookup, epoch) = (self.lookup.clone(), term.epoch);
                self.jobs.push(Box::pin(async move {
                    let (result, phone) = lookup.resolve(&from, &dn).await;
                    Done::Resolved { epoch, ticket, device: from.device, result, phone }
                }));
            }
            Output::Locate(line) => {
                term.locating += 1;
                self.locate(line, Duration::ZERO);
            }
            Output::Save { save, record, replaces } => term.writer.put(save, record, replaces),
            Output::Remove { save, request } => term.writer.remove(save, request),
            Output::Revoke { save, request } => term.writer.revoke(save, request),
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
                let tag = self.tag(Purpose::Dial(request));
                self.provider.submit(Command::MakeCall { tag, from, to: dn, override_forwarding });
            }
            Output::Notice(notice) => self.surroundings.notice(&notice),
            _ => {}
        }
    }

    /// Asks the directory on which phones a line appears; in a term of office, until it answers.
    pub(super) fn locate(&mut self, line: LineId, delay: Duration) {
        let Some(term) = self.office.term() else { return };
        let (lookup, epoch) = (self.lookup.clone(), term.epoch);
        self.jobs.push(Box::pin(async move {
            sleep(delay).await;
            let result = lookup.locate(&line).await;
            Done::Located(epoch, line, result)
        }));
    }

    /// The directory could not say: asked again, a little later.
    pub(super) fn locate_again(&mut self, line: LineId) {
        self.locate(line, LOCATE_RETRY);
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
        let waiting = term.phones.profile(device, profile);
        for item in waiting {
            self.send(device, &item);
        }
        if !lasting && let Some(term) = self.office.term() {
            term.phones.forget(device);
        }
    }

    fn send(&mut self, device: &DeviceName, item: &Item) {
        let audio_file = self.surroundings.parameters().audio_file.clone();
        let Some(term) = self.office.term() else { return };
        let (purpose, id) = match item {
            Item::Screen { .. } | Item::Clear => (Purpose::Screen(device.clone()), None),
            Item::Alert(alert) => (Purpose::Alert(*alert), Some(translate::data_id(*alert))),
        };
        match term.phones.draw(device, item, &audio_file) {
            Ok(content) => {
                let tag = self.tag(purpose);
                self.provider.submit(Command::SendData { tag, device: device.clone(), id, content });
            }
            Err(error) => {
                self.surroundings.screen_rejected(device, &error);
                if let Purpose::Alert(alert) = purpose {
                    self.tell_engine(Input::Alerted { alert, delivered: false });
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
    pub(super) fn answered(
        &mut self,
        tag: Tag,
        result: Result<ringback_cti::message::Answer, RequestFailure>,
    ) {
        let Some(purpose) = self.tags.remove(&tag) else { return };
        if let Some(term) = self.office.term() {
            term.sending -= 1;
        }
        match (purpose, result) {
            (Purpose::Screen(_), Ok(_)) => {}
            (Purpose::Screen(device), Err(RequestFailure::Refused(error))) => {
                // It was shown to a phone that is gone, or cannot show it: sending it again would not help.
                self.surroundings.screen_rejected(&device, &error);
            }
            (Purpose::Screen(device), Err(_)) => self.tell_engine(Input::ScreenLost(device)),
            (Purpose::Alert(alert), Ok(_)) => self.tell_engine(Input::Alerted { alert, delivered: true }),
            (Purpose::Alert(alert), Err(RequestFailure::Refused(_))) => {
                self.tell_engine(Input::Alerted { alert, delivered: false });
            }
            // In doubt: the engine repeats it under its id.
            (Purpose::Alert(_), Err(_)) => {}
            (Purpose::Dial(request), Ok(ringback_cti::message::Answer::CallMade(call))) => {
                self.tell_engine(Input::Dialled { request, call: Some(call) });
            }
            // Whether the call exists, the first reading of the line over the next link tells.
            (Purpose::Dial(_), Err(RequestFailure::OutcomeUnknown)) if !self.surroundings.is_linked() => {}
            (Purpose::Dial(request), _) => self.tell_engine(Input::Dialled { request, call: None }),
        }
        self.tell_if_drained();
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

    /// Reads the service parameters.
    pub(super) fn read_parameters(&mut self) {
        let lookup = self.lookup.clone();
        self.jobs.push(Box::pin(async move { Done::Parameters(lookup.parameters().await) }));
    }

    /// Asks directory and store whether they work, when it is time.
    pub(super) fn probe_if_due(&mut self) {
        if !self.surroundings.probe_is_due() {
            return;
        }
        let lookup = self.lookup.clone();
        self.jobs.push(Box::pin(async move { Done::DirectoryProbed(lookup.probe().await) }));
        let store = Arc::clone(&self.store);
        self.jobs.push(Box::pin(async move { Done::StoreProbed(store.now().await.map(drop)) }));
    }
}
