//! An open link: what is heard on it, and what is sent.

use std::collections::BTreeSet;

use bytes::BytesMut;
use ringback_model::{Epoch, Millis, Timestamp};

use super::requests::{Purpose, Requests};
use super::{Phase, Session};
use crate::codec::{self, EncodeError, Frame, Message};
use crate::message::{Answer, CtiError, Event, InvocationId, ProviderOpen, Request, Version};
use crate::provider::{LinkLoss, ProviderEvent, RequestFailure, Tag};

/// So many requests of the standing set wait for their answers at a time: enough to hide the way there and back,
/// and little enough that none of a hundred thousand times out in the CTIManager's queue.
const WINDOW: usize = 256;

/// So many feature invocations are remembered until they are answered.
const INVOCATIONS: usize = 65_536;

/// So many bytes may wait to be sent: the screens of more than 30 000 phones at once, and few enough that a CTIManager
/// that never reads costs no more memory than that. With more the link is lost.
pub(super) const UNSENT: usize = 64 * 1024 * 1024;

/// What waits to be written on the present connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: BytesMut,
    written: u64,
}

impl Outbox {
    pub(super) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// How many bytes have been taken to be sent.
    pub(super) fn taken(&self) -> u64 {
        self.written - self.bytes.len() as u64
    }

    /// Appends a request; its offset.
    pub(super) fn request(
        &mut self,
        version: Version,
        sequence: u32,
        request: Request,
    ) -> Result<u64, EncodeError> {
        self.append(version, sequence, &Message::Request(request))
    }

    fn append(&mut self, version: Version, sequence: u32, message: &Message) -> Result<u64, EncodeError> {
        let (offset, before) = (self.written, self.bytes.len());
        codec::encode(version, sequence, message, &mut self.bytes)?;
        self.written += (self.bytes.len() - before) as u64;
        Ok(offset)
    }
}

#[derive(Debug)]
pub(super) struct OpenLink {
    pub(super) manager: usize,
    pub(super) opened: Timestamp,
    pub(super) requests: Requests,
    /// Delivered on this link and not yet answered.
    pub(super) invocations: BTreeSet<InvocationId>,
    version: Version,
    /// The epoch that the CTIManager has been told.
    epoch: Epoch,
    interval: Millis,
    heard: Timestamp,
    sent: Timestamp,
}

impl OpenLink {
    fn silent_at(&self) -> Timestamp {
        self.heard + Millis(self.interval.0.saturating_mul(2))
    }

    pub(super) fn next_timeout(&self, request_timeout: Millis) -> Timestamp {
        let heartbeat = self.sent + self.interval;
        let request = self.requests.next_timeout(request_timeout);
        request.into_iter().chain([heartbeat]).fold(self.silent_at(), Timestamp::min)
    }

    pub(super) fn heartbeat(&mut self, now: Timestamp, wished: Millis, outbox: &mut Outbox) {
        // A heartbeat always fits.
        let _ = outbox.append(self.version, 0, &Message::Heartbeat(wished));
        self.sent = now;
    }
}

impl Session {
    pub(super) fn provider_open(&self) -> ProviderOpen {
        ProviderOpen {
            versions: codec::VERSIONS,
            user: self.config.user.clone(),
            password: self.config.password.clone(),
            application: self.config.application.clone(),
            group: self.config.group.clone(),
            epoch: self.epoch,
            heartbeat: self.config.heartbeat,
        }
    }

    /// Sends a request on the open link; without one it does nothing.
    pub(super) fn send(
        &mut self,
        now: Timestamp,
        request: Request,
        purpose: Purpose,
    ) -> Result<(), EncodeError> {
        let Phase::Open(link) = &mut self.phase else { return Ok(()) };
        let sequence = link.requests.number();
        let offset = self.outbox.request(link.version, sequence, request)?;
        link.requests.sent(now, sequence, purpose, offset);
        link.sent = now;
        Ok(())
    }

    /// Sends what is still to be sent, and loses a link whose far side leaves too much of it unread.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.pump(now);
        if self.outbox.bytes.len() > UNSENT {
            self.lose(now, LinkLoss::Unread { limit: UNSENT });
        }
    }

    /// Sends what the standing set still needs, as far as the window allows.
    fn pump(&mut self, now: Timestamp) {
        if self.epoch == Epoch(0) || !matches!(self.phase, Phase::Open(_)) {
            // All of it is looked at again when this instance acts and a link is up.
            return self.standing.forget_due();
        }
        while let Phase::Open(link) = &mut self.phase {
            if link.requests.standing() >= WINDOW {
                return;
            }
            let sequence = link.requests.number();
            let Some((request, purpose)) = self.standing.next_request(sequence) else { return };
            // Names and numbers are short by their types.
            if let Ok(offset) = self.outbox.request(link.version, sequence, request) {
                link.requests.sent(now, sequence, purpose, offset);
                link.sent = now;
            }
        }
    }

    /// Tells the CTIManager in which epoch this instance acts, if it does not know.
    pub(super) fn tell_epoch(&mut self, now: Timestamp) {
        let Phase::Open(link) = &mut self.phase else { return };
        if link.epoch == self.epoch {
            return;
        }
        link.epoch = self.epoch;
        if self.epoch == Epoch(0) {
            // Standing by closes everything there.
            link.requests.forget_standing();
        }
        let _fits = self.send(now, Request::Assume(self.epoch), Purpose::Assume(self.epoch));
    }

    pub(super) fn open_timeouts(&mut self, now: Timestamp) {
        while let Phase::Open(link) = &mut self.phase {
            if link.silent_at() <= now {
                return self.lose(now, LinkLoss::Silent);
            }
            let Some((sequence, purpose)) = link.requests.expired(now, self.config.request_timeout) else {
                break;
            };
            match purpose {
                Purpose::MakeCall(tag) | Purpose::SendData(tag) => {
                    let result = Err(RequestFailure::OutcomeUnknown);
                    self.report(Some(ProviderEvent::Answer { tag, result }));
                }
                // Whether we act, and whether key presses reach us, must not stay in doubt: begin anew.
                Purpose::Assume(_) | Purpose::RegisterFeature => {
                    let why = format!("a request was not answered within {}", self.config.request_timeout);
                    return self.lose(now, LinkLoss::Protocol(why));
                }
                Purpose::AnswerFeature => {}
                standing => self.standing.unanswered(&standing, sequence),
            }
        }
        self.standing.retry(now, self.config.retry_limit);
        self.settle(now);
        if let Phase::Open(link) = &mut self.phase
            && link.sent + link.interval <= now
        {
            link.heartbeat(now, self.config.heartbeat, &mut self.outbox);
        }
    }

    pub(super) fn frame(&mut self, now: Timestamp, frame: Frame) {
        match &mut self.phase {
            Phase::Opening { sequence, .. } => {
                let expected = *sequence;
                match frame.message {
                    Message::Answer(result) if frame.sequence == expected => self.opened(now, result),
                    Message::Event(Event::ProviderClosed(reason)) => {
                        self.lose(now, LinkLoss::ProviderClosed(reason));
                    }
                    Message::Request(_) => self.violation(now, "a request from the CTIManager"),
                    // Nothing else means anything before the provider is open.
                    _ => {}
                }
            }
            Phase::Open(link) => {
                if frame.version != link.version {
                    return self.violation(now, "a frame of another version than agreed on");
                }
                link.heard = now;
                match frame.message {
                    Message::Heartbeat(Millis::ZERO) => self.violation(now, "a heartbeat interval of 0"),
                    Message::Heartbeat(interval) => link.interval = interval,
                    Message::Request(_) => self.violation(now, "a request from the CTIManager"),
                    Message::Answer(result) => {
                        // A late, a second, or an unasked answer: what it was for has been given up.
                        if let Some(purpose) = link.requests.answered(frame.sequence) {
                            self.answered(now, frame.sequence, purpose, result);
                        }
                    }
                    Message::Event(event) => self.event(now, event),
                    Message::Unknown { .. } => {}
                }
            }
            _ => {}
        }
        self.settle(now);
    }

    fn violation(&mut self, now: Timestamp, what: &str) {
        self.lose(now, LinkLoss::Protocol(what.to_owned()));
    }

    fn opened(&mut self, now: Timestamp, result: Result<Answer, CtiError>) {
        let (version, interval) = match result {
            Ok(Answer::ProviderOpened { version, heartbeat }) => (version, heartbeat),
            Ok(_) => return self.violation(now, "an answer that does not fit its request"),
            Err(error) => return self.lose(now, LinkLoss::OpenRefused(error)),
        };
        if version < codec::VERSIONS.0 || version > codec::VERSIONS.1 {
            return self.violation(now, "a protocol version that was not offered");
        }
        if interval == Millis::ZERO {
            return self.violation(now, "a heartbeat interval of 0");
        }
        let Phase::Opening { manager, sequence, epoch, wished, .. } = self.phase else { return };
        let Some(name) = self.config.managers.get(manager).map(|manager| manager.name.clone()) else {
            return;
        };
        let failed_over = self.last_manager.as_ref().is_some_and(|last| *last != name);
        self.last_manager = Some(name.clone());
        self.route.opened();
        self.phase = Phase::Open(OpenLink {
            manager,
            opened: now,
            requests: Requests::new(sequence),
            invocations: BTreeSet::new(),
            version,
            epoch,
            interval,
            heard: now,
            sent: now,
        });
        self.report(Some(ProviderEvent::LinkUp { manager: name, failed_over }));
        if wished != self.config.heartbeat
            && let Phase::Open(link) = &mut self.phase
        {
            // The parameter changed while provider open was under way.
            link.heartbeat(now, self.config.heartbeat, &mut self.outbox);
        }
        self.tell_epoch(now);
        for feature in self.config.features.clone() {
            let _fits = self.send(now, Request::FeatureRegister(feature), Purpose::RegisterFeature);
        }
        self.standing.open_all();
    }

    fn answered(
        &mut self,
        now: Timestamp,
        sequence: u32,
        purpose: Purpose,
        result: Result<Answer, CtiError>,
    ) {
        let done = |result: Result<Answer, CtiError>| result.map(|_| ());
        let event = match (purpose, result) {
            (Purpose::MakeCall(tag), result @ (Ok(Answer::CallMade(_)) | Err(_)))
            | (Purpose::SendData(tag), result @ (Ok(Answer::Done) | Err(_))) => Some(outcome(tag, result)),
            (Purpose::OpenDevice(name), Ok(Answer::DeviceOpened(status))) => {
                self.standing.device_opened(name, sequence, Ok(status), now)
            }
            (Purpose::OpenDevice(name), Err(error)) => {
                self.standing.device_opened(name, sequence, Err(error), now)
            }
            (Purpose::OpenLine(at), Ok(Answer::LineOpened(calls))) => {
                self.standing.line_opened(at, sequence, Ok(calls), now)
            }
            (Purpose::OpenLine(at), Err(error)) => self.standing.line_opened(at, sequence, Err(error), now),
            (Purpose::CloseDevice(name), result @ (Ok(Answer::Done) | Err(_))) => {
                self.standing.device_closed(name, sequence, done(result), now)
            }
            (Purpose::CloseLine(at), result @ (Ok(Answer::Done) | Err(_))) => {
                self.standing.line_closed(at, sequence, done(result), now)
            }
            (Purpose::Assume(epoch), Err(error)) if epoch != Epoch(0) => {
                return self.lose(now, LinkLoss::ProviderClosed(error));
            }
            // A feature that is refused is one that this CTIManager does not have.
            (
                Purpose::Assume(_) | Purpose::RegisterFeature | Purpose::AnswerFeature,
                Ok(Answer::Done) | Err(_),
            ) => None,
            (purpose, Ok(_)) => {
                if let Some(tag) = purpose.tag() {
                    let result = Err(RequestFailure::OutcomeUnknown);
                    self.report(Some(ProviderEvent::Answer { tag, result }));
                }
                return self.violation(now, "an answer that does not fit its request");
            }
        };
        self.report(event);
    }

    fn event(&mut self, now: Timestamp, event: Event) {
        let report = match event {
            Event::DeviceInService(device) => {
                self.standing.in_service(device);
                None
            }
            Event::DeviceOutOfService(device) => self.standing.out_of_service(&device),
            Event::DeviceStatus { device, status } => self.standing.status(device, status),
            Event::DeviceUserChanged(device) => {
                self.standing.hears_device(&device).then_some(ProviderEvent::DeviceUserChanged(device))
            }
            Event::Call { at, info } => {
                self.standing.hears_line(&at).then_some(ProviderEvent::Call { at, info })
            }
            Event::FeatureInvoked(pressed) => {
                if let Phase::Open(link) = &mut self.phase {
                    link.invocations.insert(pressed.invocation);
                    if link.invocations.len() > INVOCATIONS {
                        link.invocations.pop_first();
                    }
                }
                Some(ProviderEvent::FeatureInvoked(pressed))
            }
            Event::DeviceData { device, content } => {
                self.standing.hears_device(&device).then_some(ProviderEvent::DeviceData { device, content })
            }
            Event::ProviderClosed(reason) => return self.lose(now, LinkLoss::ProviderClosed(reason)),
        };
        self.report(report);
    }
}

fn outcome(tag: Tag, result: Result<Answer, CtiError>) -> ProviderEvent {
    ProviderEvent::Answer { tag, result: result.map_err(RequestFailure::Refused) }
}
