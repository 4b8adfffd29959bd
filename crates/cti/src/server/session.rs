use std::collections::VecDeque;

use bytes::BytesMut;
use ringback_model::{Millis, Timestamp};

use super::{ServerLoss, ServerOutput, ServerParameters};
use crate::codec::{self, DecodeError, EncodeError, Frame, Message};
use crate::message::{Answer, CtiError, Event, ProviderOpen, Request, Version};

/// Requests have types in this range, also those that a later version adds.
const REQUESTS: std::ops::Range<u16> = 0x0100..0x0200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New {
        since: Timestamp,
    },
    /// Provider open has come and has not been answered.
    Opening {
        since: Timestamp,
        sequence: u32,
    },
    Open {
        interval: Millis,
        heard: Timestamp,
        sent: Timestamp,
    },
    Ended,
}

/// One served link.
#[derive(Debug)]
pub struct ServerSession {
    parameters: ServerParameters,
    phase: Phase,
    version: Version,
    transmit: BytesMut,
    outputs: VecDeque<ServerOutput>,
}

impl ServerSession {
    /// A connection has been accepted.
    #[must_use]
    pub fn new(now: Timestamp, parameters: ServerParameters) -> Self {
        Self {
            parameters,
            phase: Phase::New { since: now },
            version: parameters.versions.0,
            transmit: BytesMut::new(),
            outputs: VecDeque::new(),
        }
    }

    /// What the application wants. Ask until it is `None` after every other call.
    pub fn poll_output(&mut self) -> Option<ServerOutput> {
        self.outputs.pop_front()
    }

    /// The bytes to be sent; take from the front what has been written.
    pub fn transmit(&mut self) -> &mut BytesMut {
        &mut self.transmit
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::New { since } | Phase::Opening { since, .. } => Some(since + self.parameters.open_timeout),
            Phase::Open { interval, heard, sent } => Some((sent + interval).min(heard + twice(interval))),
            Phase::Ended => None,
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        match self.phase {
            Phase::New { since } | Phase::Opening { since, .. }
                if since + self.parameters.open_timeout <= now =>
            {
                self.end(ServerLoss::OpenTimeout);
            }
            Phase::Open { interval, heard, .. } if heard + twice(interval) <= now => {
                self.end(ServerLoss::Silent);
            }
            Phase::Open { interval, sent, .. } if sent + interval <= now => self.heartbeat(now, interval),
            _ => {}
        }
    }

    /// Takes all whole messages from the front of `input`.
    pub fn received(&mut self, now: Timestamp, input: &mut BytesMut) {
        while self.phase != Phase::Ended {
            match codec::decode(input) {
                Ok(None) => return,
                Ok(Some(frame)) => self.frame(now, frame),
                Err(error) => {
                    let told = match error {
                        DecodeError::MessageTooBig { .. } => CtiError::MessageTooBig,
                        _ => CtiError::UnrecognizablePdu,
                    };
                    self.tell_closed(told);
                    self.end(ServerLoss::Protocol(error));
                }
            }
        }
        input.clear();
    }

    /// Answers a request. An answer that the protocol cannot carry becomes a refusal. On an ended link it is ignored.
    pub fn answer(&mut self, now: Timestamp, sequence: u32, result: Result<Answer, CtiError>) {
        match self.phase {
            Phase::Ended | Phase::New { .. } => {}
            Phase::Opening { sequence: asked, .. } if asked == sequence => {
                self.answer_open(now, sequence, result)
            }
            Phase::Opening { .. } | Phase::Open { .. } => self.put_answer(now, sequence, result),
        }
    }

    /// Tells an event. Before the provider is open, and on an ended link, it is ignored.
    ///
    /// # Errors
    /// The protocol cannot carry it; nothing was sent.
    pub fn event(&mut self, now: Timestamp, event: Event) -> Result<(), EncodeError> {
        if matches!(self.phase, Phase::Open { .. }) {
            self.put(now, 0, &Message::Event(event))?;
        }
        Ok(())
    }

    /// Tells the application that its provider is closed, and ends the link.
    pub fn close(&mut self, reason: CtiError) {
        if self.phase != Phase::Ended {
            self.tell_closed(reason);
            self.end(ServerLoss::ClosedByUs(reason));
        }
    }

    fn frame(&mut self, now: Timestamp, frame: Frame) {
        if let Phase::Open { heard, .. } = &mut self.phase {
            *heard = now;
            if frame.version != self.version {
                self.tell_closed(CtiError::UnrecognizablePdu);
                return self.end(ServerLoss::Unexpected("a frame of another version than agreed on"));
            }
        }
        let sequence = frame.sequence;
        match frame.message {
            Message::Request(Request::ProviderOpen(open)) => self.open(now, sequence, open),
            Message::Request(_) if !matches!(self.phase, Phase::Open { .. }) => {
                self.put_answer(now, sequence, Err(CtiError::ProviderNotOpen));
            }
            Message::Request(Request::ProviderClose) => {
                self.put_answer(now, sequence, Ok(Answer::Done));
                self.end(ServerLoss::Closed);
            }
            Message::Request(request) => self.outputs.push_back(ServerOutput::Request { sequence, request }),
            Message::Heartbeat(wished) => {
                let granted = self.granted(wished);
                if let Phase::Open { interval, .. } = &mut self.phase
                    && *interval != granted
                {
                    *interval = granted;
                    self.heartbeat(now, granted);
                }
            }
            Message::Unknown { kind, .. } if REQUESTS.contains(&kind) => {
                self.put_answer(now, sequence, Err(CtiError::NotSupported));
            }
            Message::Unknown { .. } => {}
            Message::Answer(_) | Message::Event(_) => {
                self.tell_closed(CtiError::UnrecognizablePdu);
                self.end(ServerLoss::Unexpected("an answer or event from the application"));
            }
        }
    }

    fn open(&mut self, now: Timestamp, sequence: u32, open: ProviderOpen) {
        let Phase::New { since } = self.phase else {
            return self.put_answer(now, sequence, Err(CtiError::ProviderAlreadyOpen));
        };
        let (oldest, newest) = self.parameters.versions;
        let version = newest.min(open.versions.1);
        if version < oldest || version < open.versions.0 {
            self.put_answer(now, sequence, Err(CtiError::IncompatibleProtocolVersion));
            return self.end(ServerLoss::Refused(CtiError::IncompatibleProtocolVersion));
        }
        self.version = version;
        self.phase = Phase::Opening { since, sequence };
        self.outputs.push_back(ServerOutput::Open { sequence, version, open });
    }

    fn answer_open(&mut self, now: Timestamp, sequence: u32, result: Result<Answer, CtiError>) {
        let result = match result {
            Ok(Answer::ProviderOpened { heartbeat, .. }) => Ok(self.granted(heartbeat)),
            // Whoever answers this to provider open has not carried it out.
            Ok(_) => Err(CtiError::NotSupported),
            Err(error) => Err(error),
        };
        match result {
            Ok(interval) => {
                let opened = Answer::ProviderOpened { version: self.version, heartbeat: interval };
                self.put_answer(now, sequence, Ok(opened));
                self.phase = Phase::Open { interval, heard: now, sent: now };
            }
            Err(error) => {
                self.put_answer(now, sequence, Err(error));
                self.end(ServerLoss::Refused(error));
            }
        }
    }

    fn granted(&self, wished: Millis) -> Millis {
        let (shortest, longest) = self.parameters.heartbeat;
        // Never 0, which no application accepts.
        wished.min(longest).max(shortest).max(Millis(1))
    }

    fn heartbeat(&mut self, now: Timestamp, interval: Millis) {
        // A heartbeat always fits.
        let _ = self.put(now, 0, &Message::Heartbeat(interval));
    }

    fn put_answer(&mut self, now: Timestamp, sequence: u32, result: Result<Answer, CtiError>) {
        if self.put(now, sequence, &Message::Answer(result)).is_err() {
            // The refusal is two bytes long.
            let _ = self.put(now, sequence, &Message::Answer(Err(CtiError::MessageTooBig)));
        }
    }

    fn tell_closed(&mut self, reason: CtiError) {
        // The event is two bytes long; there is no later heartbeat that the time would matter for.
        let _ = codec::encode(
            self.version,
            0,
            &Message::Event(Event::ProviderClosed(reason)),
            &mut self.transmit,
        );
    }

    fn put(&mut self, now: Timestamp, sequence: u32, message: &Message) -> Result<(), EncodeError> {
        codec::encode(self.version, sequence, message, &mut self.transmit)?;
        if let Phase::Open { sent, .. } = &mut self.phase {
            *sent = now;
        }
        Ok(())
    }

    fn end(&mut self, loss: ServerLoss) {
        self.phase = Phase::Ended;
        self.outputs.push_back(ServerOutput::Disconnect(loss));
    }
}

fn twice(interval: Millis) -> Millis {
    Millis(interval.0.saturating_mul(2))
}
