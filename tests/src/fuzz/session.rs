use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BytesMut};
use ringback_cti::codec::{Message, decode};
use ringback_cti::message::{Answer, InvocationId, Request, Version};
use ringback_cti::session::{Attempt, Config, Manager, Output, Session};
use ringback_cti::{Command, ProviderEvent, Tag};
use ringback_model::{Appearance, DeviceName, Epoch, Millis, Timestamp, reveal_personal_data};

use super::input::Input;
use super::wire;

/// An application's session: any CTIManager, any network, any times, any commands.
pub(super) fn target(data: &[u8]) {
    reveal_personal_data(true);
    let mut input = Input::new(data);
    let mut bench = Bench::new(Timestamp(1_000_000));
    bench.look();
    while !input.is_over() {
        bench.step(&mut input);
        bench.look();
    }
    bench.session.closed(bench.now, bench.attempt);
    bench.look();
    let once: BTreeMap<Tag, u32> = (1..=bench.tags).map(|tag| (Tag(tag), 1)).collect();
    assert_eq!(bench.outcomes, once, "each command with a tag has exactly one outcome");
}

fn config(managers: &[&str]) -> Config {
    let managers = managers.iter().map(|name| Manager::new(*name, *name)).collect();
    Config::new(managers, "user", "secret".into())
}

struct Bench {
    session: Session,
    now: Timestamp,
    attempt: Attempt,
    tags: u64,
    outcomes: BTreeMap<Tag, u32>,
    /// Connections made or being made.
    wires: u32,
    up: bool,
    devices: BTreeSet<DeviceName>,
    lines: BTreeSet<Appearance>,
    /// What has come and was not whole yet.
    received: BytesMut,
    /// What has been sent on this connection and was not whole yet.
    sent: BytesMut,
    /// The numbers of the requests sent on this connection.
    numbers: BTreeSet<u32>,
    last: u32,
}

impl Bench {
    fn new(now: Timestamp) -> Self {
        let session = match Session::new(now, config(&["a", "b"])) {
            Ok(session) => session,
            Err(error) => panic!("{error}"),
        };
        Self {
            session,
            now,
            attempt: Attempt(0),
            tags: 0,
            outcomes: BTreeMap::new(),
            wires: 0,
            up: false,
            devices: BTreeSet::new(),
            lines: BTreeSet::new(),
            received: BytesMut::new(),
            sent: BytesMut::new(),
            numbers: BTreeSet::new(),
            last: 0,
        }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(14) {
            0 => self.pass(Millis(input.span())),
            1 => {
                let due = self.session.next_timeout().unwrap_or(self.now);
                self.pass(due - self.now);
            }
            2 => self.session.handle_timeout(self.now),
            3 => {
                self.session.connected(self.now, self.attempt);
                if input.below(4) > 0 {
                    self.take(usize::MAX);
                    let opened = Answer::ProviderOpened { version: Version(1), heartbeat: Millis(10_000) };
                    self.receive(1, 1, &Message::Answer(Ok(opened)));
                }
            }
            4 => match input.below(3) {
                0 => self.session.connect_failed(self.now, self.attempt, "no"),
                1 => self.session.closed(self.now, self.attempt),
                _ => self.stale(),
            },
            5 => {
                self.received.extend_from_slice(input.bytes());
                self.session.received(self.now, self.attempt, &mut self.received);
            }
            6..=8 => {
                let version = input.pick([1, 1, 1, 1, 1, 1, 1, 2]);
                let sequence = self.last.saturating_sub(u32::from(input.below(8)));
                let message = match input.below(10) {
                    0 => wire::heartbeat(input),
                    1 => wire::unknown(input),
                    2 if input.below(8) == 0 => Message::Request(wire::request(input)),
                    2..=5 => Message::Event(wire::event(input)),
                    _ => Message::Answer(wire::answer(input)),
                };
                self.receive(version, sequence, &message);
            }
            9 => self.take(usize::from(input.byte())),
            10 => self.take(usize::MAX),
            11 if input.below(8) == 0 => {
                let managers: &[&str] = input.pick([&["a", "b"][..], &["b", "a"], &["c"], &[]]);
                let mut config = config(managers);
                config.heartbeat = Millis(input.pick([30_000, 1000]));
                assert_eq!(self.session.configure(self.now, config), Ok(()));
            }
            _ => self.submit(input),
        }
    }

    /// What is told of an older connection means nothing.
    fn stale(&mut self) {
        let old = Attempt(self.attempt.0.wrapping_sub(1));
        self.session.connected(self.now, old);
        self.session.connect_failed(self.now, old, "no");
        self.session.closed(self.now, old);
        self.session.received(self.now, old, &mut BytesMut::from(&b"GET / HTTP/1.1"[..]));
        assert_eq!(self.session.poll_output(), None);
    }

    fn submit(&mut self, input: &mut Input<'_>) {
        let command = match input.below(10) {
            0 => {
                let epoch = Epoch(u64::from(input.below(3)));
                if epoch == Epoch(0) {
                    self.devices.clear();
                    self.lines.clear();
                }
                Command::Assume(epoch)
            }
            1 if input.below(4) == 0 => {
                self.devices.clear();
                self.lines.clear();
                Command::Relinquish
            }
            1..=3 => {
                let device = wire::device(input);
                self.devices.insert(device.clone());
                Command::OpenDevice(device)
            }
            4 => {
                let device = wire::device(input);
                self.devices.remove(&device);
                self.lines.retain(|at| at.device != device);
                Command::CloseDevice(device)
            }
            5 => {
                let at = wire::line(input);
                if self.devices.contains(&at.device) {
                    self.lines.insert(at.clone());
                    Command::OpenLine(at)
                } else {
                    // A line is asked for after its device.
                    self.devices.insert(at.device.clone());
                    Command::OpenDevice(at.device)
                }
            }
            6 => {
                let at = wire::line(input);
                self.lines.remove(&at);
                Command::CloseLine(at)
            }
            7 => Command::AnswerFeature {
                invocation: InvocationId(u64::from(input.below(4))),
                accepted: input.below(2) == 1,
            },
            8 => {
                self.tags += 1;
                let (from, to) = (wire::line(input), wire::number(input));
                Command::MakeCall { tag: Tag(self.tags), from, to, override_forwarding: true }
            }
            _ => {
                self.tags += 1;
                let len = input.pick([0, 1, 2000, 32 * 1024, 32 * 1024 + 1, 70_000]);
                let (device, content) = (wire::device(input), "x".repeat(len));
                Command::SendData { tag: Tag(self.tags), device, id: None, content }
            }
        };
        self.session.submit(self.now, command);
    }

    fn receive(&mut self, version: u16, sequence: u32, message: &Message) {
        // Behind half a frame it is garbage.
        wire::put(version, sequence, message, &mut self.received);
        self.session.received(self.now, self.attempt, &mut self.received);
    }

    /// Lets time pass, waking the session whenever it wants.
    fn pass(&mut self, span: Millis) {
        let end = self.now + span;
        let mut wakes = 0;
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.session.handle_timeout(self.now);
            self.look();
            assert!(self.session.next_timeout().is_none_or(|next| next > self.now), "it spins");
            wakes += 1;
            if wakes == 100 {
                break;
            }
        }
        self.now = end;
        self.session.handle_timeout(end);
        self.look();
        assert!(self.session.next_timeout().is_none_or(|next| next > end), "something is overdue");
    }

    /// Sends bytes, and looks at the frames that they complete.
    fn take(&mut self, most: usize) {
        let waiting = self.session.transmit();
        let len = most.min(waiting.len());
        self.sent.extend_from_slice(&waiting[..len]);
        waiting.advance(len);
        loop {
            let frame = match decode(&mut self.sent) {
                Ok(None) => return,
                Ok(Some(frame)) => frame,
                Err(error) => panic!("the session sends what is not the protocol: {error}"),
            };
            match frame.message {
                Message::Heartbeat(_) => assert_eq!(frame.sequence, 0),
                Message::Request(request) => {
                    let opens = matches!(request, Request::ProviderOpen(_));
                    assert_eq!(
                        opens,
                        self.numbers.is_empty(),
                        "provider open is the first request: {request:?}"
                    );
                    assert!(self.numbers.insert(frame.sequence), "a number is used once: {request:?}");
                    self.last = frame.sequence;
                }
                other => panic!("{other:?} is not for an application to send"),
            }
        }
    }

    /// What holds whatever the far side does.
    fn look(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect { attempt, .. } => {
                    self.wires += 1;
                    assert_eq!(self.wires, 1, "never two connections at once");
                    assert!(attempt > self.attempt);
                    self.attempt = attempt;
                    assert!(self.session.transmit().is_empty(), "nothing is left for the new connection");
                }
                Output::Disconnect { attempt } => {
                    assert_eq!((attempt, self.wires), (self.attempt, 1));
                    self.wires = 0;
                    self.received.clear();
                    self.sent.clear();
                    self.numbers.clear();
                }
                Output::Event(event) => self.event(&event),
                other => panic!("{other:?}"),
            }
        }
        assert!(self.wires == 1 || self.session.transmit().is_empty());
    }

    fn event(&mut self, event: &ProviderEvent) {
        match event {
            ProviderEvent::LinkUp { .. } => assert!(!std::mem::replace(&mut self.up, true)),
            ProviderEvent::LinkLost { .. } => assert!(std::mem::replace(&mut self.up, false)),
            ProviderEvent::LinkFailed { .. } => assert!(!self.up),
            ProviderEvent::Answer { tag, .. } => *self.outcomes.entry(*tag).or_default() += 1,
            _ => assert!(self.up, "{event:?} of a link that is not up"),
        }
        match event {
            ProviderEvent::Device { device, .. }
            | ProviderEvent::DeviceUserChanged(device)
            | ProviderEvent::DeviceData { device, .. } => {
                assert!(self.devices.contains(device), "{event:?} was not asked for");
            }
            ProviderEvent::LineOpened { at, .. }
            | ProviderEvent::LineRefused { at, .. }
            | ProviderEvent::Call { at, .. } => {
                assert!(self.lines.contains(at), "{event:?} was not asked for");
                assert!(self.devices.contains(&at.device), "{event:?} on a phone that was not asked for");
            }
            _ => {}
        }
    }
}
