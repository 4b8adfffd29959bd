//! The session on the bench: each act is done to it, and everything that comes out is held against the reference.

use std::collections::BTreeMap;

use bytes::{Buf, BytesMut};
use ringback_cti::codec::{Message, decode};
use ringback_cti::message::{Event, InvocationId, Request};
use ringback_cti::session::{Attempt, Config, Manager, Output, Session};
use ringback_cti::{Command, ProviderEvent, Tag};
use ringback_model::{Epoch, Millis, Timestamp, reveal_personal_data};

use crate::act::{Act, Ask, Violation, Welcome, Whom};
use crate::belief::Belief;
use crate::honest::Honest;
use crate::reference::{Came, Heard, MANAGERS, Place, Reference, Seen, Waiting, heartbeat_at, seen};
use crate::wire;

/// Requests about devices and lines that may wait at a time.
const WINDOW: usize = 256;

pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    pub(crate) attempt: Attempt,
    pub(crate) reference: Reference,
    pub(crate) belief: Belief,
    /// Received and not yet a whole message.
    half: BytesMut,
    /// Bytes written on this connection, and how many of those that wait have been looked at.
    written: u64,
    looked_at: usize,
    tags: u64,
    outcomes: BTreeMap<Tag, u32>,
    /// Reports of devices and lines since the link came up.
    pub(crate) reports: Vec<ProviderEvent>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        reveal_personal_data(true);
        let now = Timestamp(1_000_000);
        let managers = MANAGERS.map(|name| Manager::new(name, name)).to_vec();
        let mut bench = Self {
            session: Session::new(now, Config::new(managers, "user", "secret".into())).unwrap(),
            now,
            attempt: Attempt(0),
            reference: Reference::new(now),
            belief: Belief::default(),
            half: BytesMut::new(),
            written: 0,
            looked_at: 0,
            tags: 0,
            outcomes: BTreeMap::new(),
            reports: Vec::new(),
        };
        bench.judge(None);
        bench
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Submit(ask) => self.submit(ask),
            Act::Connected => {
                self.session.connected(self.now, self.attempt);
                self.reference.connected();
                self.judge(None);
            }
            Act::ConnectFailed => {
                self.session.connect_failed(self.now, self.attempt, "no");
                self.reference.connect_failed(self.now);
                self.judge(None);
            }
            Act::OfAnOlderConnection => {
                let old = Attempt(self.attempt.0 - 1);
                self.session.connected(self.now, old);
                self.session.connect_failed(self.now, old, "no");
                self.session.closed(self.now, old);
                let bytes = wire::frame(1, 0, &Message::Event(Event::DeviceInService(wire::device(0))));
                self.session.received(self.now, old, &mut bytes.clone());
                self.judge(None);
            }
            Act::Closed => {
                self.session.closed(self.now, self.attempt);
                self.reference.lose(self.now, crate::reference::Why::As(ringback_cti::LinkLoss::Closed));
                self.judge(None);
            }
            Act::Opened(welcome) => {
                let number = if matches!(welcome, Welcome::OtherNumber) { 2 } else { 1 };
                self.send(1, number, &Message::Answer(wire::welcome(*welcome)));
            }
            Act::Answer(whom, reply) => {
                let (sequence, request) = self.whom(*whom);
                self.send(1, sequence, &Message::Answer(wire::reply(&request, *reply)));
            }
            Act::AnswerAllBackwards => {
                let waiting: Vec<(u32, Waiting)> =
                    self.reference.waiting.iter().map(|(number, w)| (*number, w.clone())).collect();
                for (number, Waiting { request, .. }) in waiting.into_iter().rev() {
                    self.send(1, number, &Message::Answer(Ok(wire::right(&request))));
                }
            }
            Act::Tell(told) => self.send(1, 0, &Message::Event(wire::event(*told))),
            Act::Heartbeats(count, interval) => {
                for _ in 0..*count {
                    self.send(1, 0, &Message::Heartbeat(Millis(u64::from(*interval))));
                }
            }
            Act::Break(violation) => self.violate(*violation),
            Act::Garbage(bytes) => self.receive(bytes),
            Act::Half(len) => {
                let heartbeat = wire::frame(1, 0, &Message::Heartbeat(Millis(30_000)));
                self.receive(&heartbeat[..usize::from(*len).min(heartbeat.len() - 1)]);
            }
            Act::Take(255) => self.take(usize::MAX),
            Act::Take(len) => self.take(usize::from(*len)),
            Act::Next => {
                let due = self.session.next_timeout().unwrap();
                self.now = self.now.max(due);
                self.wake();
            }
            Act::Pass(time) => self.pass(Millis(u64::from(*time))),
            Act::Oversleep(time) => {
                self.now = self.now + Millis(u64::from(*time));
                self.wake();
            }
        }
    }

    fn submit(&mut self, ask: &Ask) {
        let mut submitted = None;
        let mut verdict = 0;
        let command = match *ask {
            Ask::Assume(epoch) => {
                self.reference.epoch = u64::from(epoch);
                Command::Assume(Epoch(u64::from(epoch)))
            }
            Ask::Relinquish => {
                self.reference.epoch = 0;
                self.belief.stand_by();
                Command::Relinquish
            }
            Ask::OpenDevice(which) => {
                self.belief.want_device(&wire::device(which));
                Command::OpenDevice(wire::device(which))
            }
            Ask::CloseDevice(which) => {
                self.belief.drop_device(&wire::device(which));
                Command::CloseDevice(wire::device(which))
            }
            Ask::OpenLine(which) => {
                let at = wire::line(which);
                if !self.belief.wants_device(&at.device) {
                    return self.submit(&Ask::OpenDevice(which.0));
                }
                self.belief.want_line(&at);
                Command::OpenLine(at)
            }
            Ask::CloseLine(which) => {
                self.belief.drop_line(&wire::line(which));
                Command::CloseLine(wire::line(which))
            }
            Ask::AnswerFeature(number) => {
                let invocation = InvocationId(number.into());
                if let Place::Open(link) = &mut self.reference.place
                    && link.invocations.remove(&invocation)
                {
                    verdict = 1;
                }
                Command::AnswerFeature { invocation, accepted: true }
            }
            Ask::MakeCall(which) => {
                submitted = self.tag(false);
                let (from, to) = (wire::line(which), wire::number(0));
                Command::MakeCall { tag: Tag(self.tags), from, to, override_forwarding: true }
            }
            Ask::SendData(which) | Ask::SendTooMuch(which) => {
                let too_much = matches!(ask, Ask::SendTooMuch(_));
                submitted = self.tag(too_much);
                let content = "x".repeat(if too_much { 40_000 } else { 20 });
                Command::SendData { tag: Tag(self.tags), device: wire::device(which), id: None, content }
            }
        };
        self.session.submit(self.now, command);
        let sent = self.judge(submitted);
        let count = |is: fn(&Request) -> bool| sent.iter().filter(|request| is(request)).count();
        let commands = count(|r| matches!(r, Request::MakeCall { .. } | Request::DeviceData { .. }));
        assert_eq!(commands, usize::from(submitted.is_some()), "{ask:?}");
        assert_eq!(count(|r| matches!(r, Request::FeatureAnswer { .. })), verdict, "{ask:?}");
        let is_told = !matches!(self.reference.place, Place::Open(_))
            || self.reference.told_epoch == self.reference.epoch;
        assert!(is_told, "the CTIManager is not told of epoch {}", self.reference.epoch);
    }

    /// A new tag: given back if its command is to be sent.
    fn tag(&mut self, too_much: bool) -> Option<Tag> {
        self.tags += 1;
        self.reference.command(Tag(self.tags), too_much).then_some(Tag(self.tags))
    }

    fn whom(&self, whom: Whom) -> (u32, Request) {
        let waiting = &self.reference.waiting;
        match whom {
            Whom::Waiting(which) if !waiting.is_empty() => {
                let (number, waiting) = waiting.iter().nth(usize::from(which) % waiting.len()).unwrap();
                (*number, waiting.request.clone())
            }
            Whom::Waiting(which) | Whom::Other(which) => {
                let mut number = u32::from(which % 64);
                while waiting.contains_key(&number) {
                    number += 1;
                }
                (number, Request::DeviceOpen(wire::device(which % 3)))
            }
        }
    }

    fn violate(&mut self, violation: Violation) {
        let heartbeat = Message::Heartbeat(Millis(30_000));
        match violation {
            Violation::OtherVersion => self.send(2, 0, &heartbeat),
            Violation::Request => self.send(1, 0, &Message::Request(Request::ProviderClose)),
            Violation::IntervalOfZero => self.send(1, 0, &Message::Heartbeat(Millis::ZERO)),
            Violation::UnknownType => {
                self.send(
                    1,
                    0,
                    &Message::Unknown { kind: 0x7000, body: bytes::Bytes::from_static(b"later") },
                );
            }
        }
    }

    pub(crate) fn send(&mut self, version: u16, sequence: u32, message: &Message) {
        self.receive(&wire::frame(version, sequence, message));
    }

    /// Bytes come, cut so that each piece completes one message at most.
    fn receive(&mut self, bytes: &[u8]) {
        let attempt = self.attempt;
        let mut model = self.half.clone();
        for byte in bytes {
            if attempt != self.attempt
                || !matches!(self.reference.place, Place::Opening { .. } | Place::Open(_))
            {
                break;
            }
            model.extend_from_slice(&[*byte]);
            self.half.extend_from_slice(&[*byte]);
            match decode(&mut model) {
                Ok(None) => continue,
                Ok(Some(frame)) => match self.reference.frame(self.now, frame) {
                    Heard::Nothing => {}
                    Heard::Event(event) => self.belief.told(event),
                    Heard::Answer(sequence, request, answer) => {
                        self.belief.answered(self.now, sequence, &request, answer);
                    }
                },
                Err(_) => self.reference.lose(self.now, crate::reference::Why::Protocol),
            }
            self.session.received(self.now, self.attempt, &mut self.half);
            self.judge(None);
            model.clear();
            assert!(self.half.is_empty(), "a whole message is taken, and garbage thrown away");
        }
        // Half a message, or nothing: nothing comes of it.
        self.session.received(self.now, attempt, &mut self.half);
        self.judge(None);
    }

    fn take(&mut self, most: usize) {
        let waiting = self.session.transmit();
        let len = most.min(waiting.len());
        waiting.advance(len);
        self.looked_at -= len;
        self.reference.taken += len as u64;
    }

    fn wake(&mut self) {
        self.session.handle_timeout(self.now);
        self.reference.wake(self.now);
        self.judge(None);
        assert!(self.session.next_timeout().unwrap() > self.now, "it spins");
        if let Place::Open(link) = &self.reference.place {
            assert!(heartbeat_at(link) > self.now, "a heartbeat is late");
        }
    }

    pub(crate) fn pass(&mut self, time: Millis) {
        let end = self.now + time;
        // The network is not stuck.
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.wake();
        }
        self.now = end;
    }

    /// Holds everything that came out against what must have come out. Gives the requests that were sent.
    fn judge(&mut self, tag: Option<Tag>) -> Vec<Request> {
        let up_before = matches!(self.reference.place, Place::Open(_));
        for (sequence, request) in std::mem::take(&mut self.reference.given_up) {
            self.belief.unanswered(sequence, &request);
        }
        let mut seen_now = Vec::new();
        let mut reports = Vec::new();
        while let Some(output) = self.session.poll_output() {
            if let Output::Connect { attempt, .. } = &output {
                assert!(*attempt > self.attempt);
                self.attempt = *attempt;
            }
            match seen(output) {
                Came::Seen(seen) => seen_now.push(seen),
                Came::Report(report) => reports.push(report),
            }
        }
        let must = std::mem::take(&mut self.reference.must);
        assert_eq!(seen_now, must, "at {} ms", self.now.0);
        let mut expected = std::mem::take(&mut self.belief.must).into_iter().peekable();
        for report in &reports {
            match expected.next_if(|expected| expected == report) {
                Some(_) => {}
                None => self.belief.may(report),
            }
        }
        assert_eq!(expected.next(), None, "not reported: {reports:?}");
        for seen in &seen_now {
            match seen {
                Seen::Disconnect => {
                    self.half.clear();
                    (self.written, self.looked_at) = (0, 0);
                    self.belief.link_lost();
                }
                Seen::Up(..) => self.reports.clear(),
                Seen::Answer(tag, _) => *self.outcomes.entry(*tag).or_default() += 1,
                _ => {}
            }
        }
        assert!(up_before || reports.is_empty() || seen_now.iter().any(|seen| matches!(seen, Seen::Up(..))));
        self.reports.extend(reports);
        let sent = self.look_at_sent(tag);
        self.check();
        sent
    }

    /// Looks at the requests that were written since the last time.
    fn look_at_sent(&mut self, mut tag: Option<Tag>) -> Vec<Request> {
        let mut new = BytesMut::from(&self.session.transmit()[self.looked_at..]);
        self.looked_at += new.len();
        let mut sent = Vec::new();
        loop {
            let before = new.len();
            let Some(frame) = decode(&mut new).unwrap() else { break };
            let start = self.written;
            self.written += (before - new.len()) as u64;
            match frame.message {
                Message::Heartbeat(_) => {
                    let Place::Open(link) = &mut self.reference.place else {
                        panic!("a heartbeat without a link")
                    };
                    assert!(heartbeat_at(link) <= self.now, "a heartbeat before its time");
                    link.sent = self.now;
                }
                Message::Request(request) => {
                    match &request {
                        Request::ProviderOpen(open) => self.reference.told_epoch = open.epoch.0,
                        Request::Assume(epoch) => self.assumed(epoch.0),
                        _ => {}
                    }
                    self.belief.sent(frame.sequence, &request);
                    let is_command = matches!(request, Request::MakeCall { .. } | Request::DeviceData { .. });
                    let tag = if is_command { tag.take() } else { None };
                    assert_eq!(tag.is_some(), is_command, "{request:?} was not asked for");
                    self.reference.sent(self.now, frame.sequence, request.clone(), tag, start);
                    sent.push(request);
                }
                other => panic!("{other:?} is not for an application to send"),
            }
        }
        assert!(new.is_empty(), "whole frames only");
        sent
    }

    fn assumed(&mut self, epoch: u64) {
        assert_ne!(epoch, self.reference.told_epoch, "told already");
        self.reference.told_epoch = epoch;
        if epoch == 0 {
            // Standing by closes everything there: nobody waits for those answers.
            self.reference.waiting.retain(|_, waiting| !is_standing(&waiting.request));
        }
    }

    fn check(&mut self) {
        let standing =
            self.reference.waiting.values().filter(|waiting| is_standing(&waiting.request)).count();
        assert!(standing <= WINDOW);
        if matches!(self.reference.place, Place::Open(_)) && self.reference.epoch != 0 {
            // What is due in this moment is done when the session is woken.
            let now = Timestamp(self.now.0.saturating_sub(1));
            if self.session.next_timeout().is_some_and(|due| due > self.now) {
                self.belief.check_progress(now);
            }
        }
        let (due, may_be_earlier) = self.reference.due();
        let next = self.session.next_timeout().unwrap();
        assert!(next == due || (may_be_earlier && next < due), "to be woken at {next}, not at {due}");
    }

    /// The CTIManager turns honest: then everything that is wanted is open there, and told.
    pub(crate) fn end(&mut self) {
        self.act(&Act::Closed);
        Honest::default().serve(self);
        self.act(&Act::Closed);
        let once: BTreeMap<Tag, u32> = (1..=self.tags).map(|tag| (Tag(tag), 1)).collect();
        assert_eq!(self.outcomes, once, "each command with a tag has exactly one outcome");
    }
}

fn is_standing(request: &Request) -> bool {
    matches!(
        request,
        Request::DeviceOpen(_) | Request::DeviceClose(_) | Request::LineOpen(_) | Request::LineClose(_)
    )
}
