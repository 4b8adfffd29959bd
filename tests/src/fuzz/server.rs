use bytes::BytesMut;
use ringback_cti::codec::{Message, decode};
use ringback_cti::message::Answer;
use ringback_cti::server::{ServerOutput, ServerParameters, ServerSession};
use ringback_model::{Millis, Timestamp, reveal_personal_data};

use super::input::Input;
use super::wire;

/// A CTIManager's session: any application, any times, any answers of whoever runs it.
pub(super) fn target(data: &[u8]) {
    reveal_personal_data(true);
    let mut input = Input::new(data);
    let mut bench = Bench::new(&mut input);
    while !input.is_over() {
        bench.step(&mut input);
        bench.look();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Provider open has not come.
    New,
    /// It waits for its answer.
    Asked,
    Open,
    Ended,
}

struct Bench {
    session: ServerSession,
    now: Timestamp,
    stage: Stage,
    /// The number of provider open, then those of requests that have not been answered.
    asked: Vec<u32>,
    received: BytesMut,
    sent: BytesMut,
    /// The heartbeat interval that the application has been told.
    interval: Millis,
    heard: Timestamp,
    spoken: Timestamp,
}

impl Bench {
    fn new(input: &mut Input<'_>) -> Self {
        let now = Timestamp(1_000_000);
        let mut parameters = ServerParameters::default();
        if input.below(2) == 1 {
            parameters.heartbeat = (Millis(10_000), Millis(10_000));
        }
        Self {
            session: ServerSession::new(now, parameters),
            now,
            stage: Stage::New,
            asked: Vec::new(),
            received: BytesMut::new(),
            sent: BytesMut::new(),
            interval: Millis::ZERO,
            heard: now,
            spoken: now,
        }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(10) {
            0 => self.pass(Millis(input.span())),
            1 => {
                let due = self.session.next_timeout().unwrap_or(self.now);
                self.pass(due - self.now);
            }
            2 => self.session.handle_timeout(self.now),
            3 => {
                self.received.extend_from_slice(input.bytes());
                self.receive();
            }
            4..=6 => {
                let (version, sequence) = (input.pick([1, 1, 1, 1, 2]), u32::from(input.byte()));
                let message = match input.below(8) {
                    0 => wire::heartbeat(input),
                    1 => wire::unknown(input),
                    2 => Message::Event(wire::event(input)),
                    _ => Message::Request(wire::request(input)),
                };
                // Behind half a frame it is garbage.
                wire::put(version, sequence, &message, &mut self.received);
                self.receive();
            }
            7 | 8 => self.answer(input),
            _ if input.below(8) == 0 => self.session.close(wire::error(input)),
            _ => {
                let told = self.session.event(self.now, wire::event(input));
                assert_eq!(told, Ok(()));
            }
        }
    }

    fn receive(&mut self) {
        let before = self.received.len();
        self.session.received(self.now, &mut self.received);
        if self.received.len() < before {
            self.heard = self.now;
        }
        if self.stage == Stage::Ended {
            assert!(self.received.is_empty(), "an ended link takes no notice");
        }
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        let known = usize::from(input.byte());
        let sequence = match self.asked.len() {
            0 => u32::from(input.byte()),
            len => self.asked.remove(known % len),
        };
        self.session.answer(self.now, sequence, wire::answer(input));
    }

    /// Lets time pass, waking the session whenever it wants.
    fn pass(&mut self, span: Millis) {
        let end = self.now + span;
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            // An interval of a millisecond makes a long pause long.
            if self.interval.0 > 0 && (end - due).0 / self.interval.0 > 1000 {
                break;
            }
            self.now = due.max(self.now);
            self.session.handle_timeout(self.now);
            self.look();
            assert!(self.session.next_timeout().is_none_or(|next| next > self.now), "it spins");
        }
        self.now = end;
        self.session.handle_timeout(end);
        self.look();
        if self.stage == Stage::Open {
            assert!((end - self.spoken) < self.interval, "a heartbeat is late");
            let silent = Millis(self.interval.0.saturating_mul(2));
            assert!((end - self.heard) < silent, "silence is not noticed");
        }
    }

    fn look(&mut self) {
        self.look_at_sent();
        while let Some(output) = self.session.poll_output() {
            assert_ne!(self.stage, Stage::Ended, "{output:?} after the end");
            match output {
                ServerOutput::Open { sequence, .. } => {
                    assert_eq!(self.stage, Stage::New, "a provider is opened once");
                    self.stage = Stage::Asked;
                    self.asked.push(sequence);
                }
                ServerOutput::Request { sequence, request } => {
                    assert_eq!(self.stage, Stage::Open, "{request:?} before the provider is open");
                    self.asked.push(sequence);
                }
                ServerOutput::Disconnect(_) => self.stage = Stage::Ended,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.session.next_timeout().is_none(), self.stage == Stage::Ended);
    }

    /// All that is sent is of the protocol, and of this side's part of it.
    fn look_at_sent(&mut self) {
        let sent = self.session.transmit().split();
        if sent.is_empty() {
            return;
        }
        assert_ne!(self.stage, Stage::Ended, "something is sent after the end");
        self.sent.unsplit(sent);
        while let Ok(Some(frame)) = decode(&mut self.sent) {
            self.spoken = self.now;
            match frame.message {
                Message::Answer(Ok(Answer::ProviderOpened { heartbeat, .. }))
                    if self.stage == Stage::Asked =>
                {
                    self.stage = Stage::Open;
                    self.interval = heartbeat;
                    self.heard = self.now;
                }
                Message::Heartbeat(interval) => {
                    assert_eq!(self.stage, Stage::Open, "a heartbeat before the provider is open");
                    self.interval = interval;
                }
                Message::Answer(_) => {}
                Message::Event(_) => {
                    assert_eq!(frame.sequence, 0);
                }
                other => panic!("{other:?} is not for a CTIManager to send"),
            }
            assert!(self.stage != Stage::Open || self.interval > Millis::ZERO);
        }
        assert!(self.sent.is_empty(), "what is sent are whole frames: {:?}", self.sent);
    }
}
