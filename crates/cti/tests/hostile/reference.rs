//! What must come out of a session of its links and of commands, said as naively as possible: no windows, no queues, every
//! rule where it applies.

use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::codec::{Frame, Message};
use ringback_cti::message::{Answer, CtiError, Event, InvocationId, Request, Version};
use ringback_cti::session::Output;
use ringback_cti::{LinkLoss, ProviderEvent, RequestFailure, Tag};
use ringback_model::{Millis, Timestamp};

pub(crate) const MANAGERS: [&str; 3] = ["a", "b", "c"];
pub(crate) const OPEN_TIMEOUT: Millis = Millis(30_000);
pub(crate) const REQUEST_TIMEOUT: Millis = Millis(20_000);
pub(crate) const RETRY_LIMIT: Millis = Millis(60_000);
const GOOD_LINK: Millis = Millis(10_000);

/// A [`LinkLoss`] without the words that are for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Why {
    Connect,
    Protocol,
    As(LinkLoss),
}

impl From<LinkLoss> for Why {
    fn from(loss: LinkLoss) -> Self {
        match loss {
            LinkLoss::Connect(_) => Self::Connect,
            LinkLoss::Protocol(_) => Self::Protocol,
            other => Self::As(other),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Done(Answer),
    Refused(CtiError),
    NeverSent(Why),
    StandingBy,
    Unknown,
}

/// What comes out of a session, but for what is reported of devices and lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Connect(&'static str),
    Disconnect,
    Up(&'static str, bool),
    Lost(&'static str, Why),
    Failed(&'static str, Why),
    Answer(Tag, Outcome),
}

/// What came out of a session.
#[derive(Debug)]
pub(crate) enum Came {
    Seen(Seen),
    /// About a device or a line.
    Report(ProviderEvent),
}

fn known(name: &str) -> &'static str {
    MANAGERS.into_iter().find(|known| *known == name).unwrap()
}

/// An output as the reference says it.
pub(crate) fn seen(output: Output) -> Came {
    Came::Seen(match output {
        Output::Connect { manager, .. } => Seen::Connect(known(&manager.name)),
        Output::Disconnect { .. } => Seen::Disconnect,
        Output::Event(ProviderEvent::LinkUp { manager, failed_over }) => {
            Seen::Up(known(&manager), failed_over)
        }
        Output::Event(ProviderEvent::LinkLost { manager, reason }) => {
            Seen::Lost(known(&manager), reason.into())
        }
        Output::Event(ProviderEvent::LinkFailed { manager, reason }) => {
            Seen::Failed(known(&manager), reason.into())
        }
        Output::Event(ProviderEvent::Answer { tag, result }) => Seen::Answer(
            tag,
            match result {
                Ok(answer) => Outcome::Done(answer),
                Err(RequestFailure::Refused(error)) => Outcome::Refused(error),
                Err(RequestFailure::NeverSent(loss)) => Outcome::NeverSent(loss.into()),
                Err(RequestFailure::StandingBy) => Outcome::StandingBy,
                Err(_) => Outcome::Unknown,
            },
        ),
        Output::Event(other) => return Came::Report(other),
        other => panic!("{other:?}"),
    })
}

#[derive(Debug)]
pub(crate) enum Place {
    Waiting { until: Timestamp, first: usize },
    Connecting { manager: usize, since: Timestamp },
    Opening { manager: usize, since: Timestamp },
    Open(Link),
}

#[derive(Debug)]
pub(crate) struct Link {
    manager: usize,
    opened: Timestamp,
    interval: Millis,
    heard: Timestamp,
    pub(crate) sent: Timestamp,
    /// Delivered here and not answered.
    pub(crate) invocations: BTreeSet<InvocationId>,
}

/// A request that has been sent and not been answered.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) request: Request,
    pub(crate) tag: Option<Tag>,
    at: Timestamp,
    /// How many bytes had been written on this connection before it.
    start: u64,
}

/// What a frame was, if it means something for what is open.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    Event(Event),
    /// In time, and of a kind that fits.
    Answer(u32, Request, Result<Answer, CtiError>),
}

#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) place: Place,
    /// The managers still to be tried before the next pause.
    round: Vec<usize>,
    failures: u32,
    short_links: u32,
    last: Option<usize>,
    no_link: Why,
    pub(crate) epoch: u64,
    /// The epoch that the CTIManager has been told.
    pub(crate) told_epoch: u64,
    pub(crate) waiting: BTreeMap<u32, Waiting>,
    /// Bytes of this connection that the network has taken.
    pub(crate) taken: u64,
    /// What must come out now.
    pub(crate) must: Vec<Seen>,
    /// Requests about devices and lines that were given up in this step.
    pub(crate) given_up: Vec<(u32, Request)>,
}

impl Reference {
    pub(crate) fn new(now: Timestamp) -> Self {
        let mut reference = Self {
            place: Place::Waiting { until: now, first: 0 },
            round: Vec::new(),
            failures: 0,
            short_links: 0,
            last: None,
            no_link: Why::Connect,
            epoch: 0,
            told_epoch: 0,
            waiting: BTreeMap::new(),
            taken: 0,
            must: Vec::new(),
            given_up: Vec::new(),
        };
        reference.round_from(now, 0);
        reference
    }

    /// Tries every manager, beginning with this one.
    fn round_from(&mut self, now: Timestamp, first: usize) {
        self.round = (first..MANAGERS.len()).chain(0..first).collect();
        self.try_next(now);
    }

    fn try_next(&mut self, now: Timestamp) {
        let manager = self.round.remove(0);
        self.must.push(Seen::Connect(MANAGERS[manager]));
        self.place = Place::Connecting { manager, since: now };
    }

    fn pause(&mut self, now: Timestamp, step: u32, first: usize) {
        let delay = (0..step - 1).fold(500, |delay: u64, _| (delay * 2).min(RETRY_LIMIT.0));
        self.place = Place::Waiting { until: now + Millis(delay), first };
    }

    pub(crate) fn lose(&mut self, now: Timestamp, why: Why) {
        let manager = match &self.place {
            Place::Waiting { .. } => return,
            Place::Connecting { manager, .. } | Place::Opening { manager, .. } => *manager,
            Place::Open(link) => link.manager,
        };
        self.must.push(Seen::Disconnect);
        let name = MANAGERS[manager];
        let waiting = std::mem::take(&mut self.waiting);
        let taken = std::mem::take(&mut self.taken);
        self.no_link = why.clone();
        if let Place::Open(link) = &self.place {
            let held = now - link.opened;
            for Waiting { tag, start, .. } in waiting.into_values() {
                let Some(tag) = tag else { continue };
                let outcome = if start >= taken { Outcome::NeverSent(why.clone()) } else { Outcome::Unknown };
                self.must.push(Seen::Answer(tag, outcome));
            }
            self.must.push(Seen::Lost(name, why));
            self.short_links = if held < GOOD_LINK { self.short_links + 1 } else { 0 };
            let first = (manager + 1) % MANAGERS.len();
            let many = u32::try_from(MANAGERS.len()).unwrap();
            if self.short_links > many {
                self.pause(now, self.short_links - many, first);
            } else {
                self.round_from(now, first);
            }
            return;
        }
        self.must.push(Seen::Failed(name, why));
        if self.round.is_empty() {
            self.failures += 1;
            self.pause(now, self.failures, 0);
        } else {
            self.try_next(now);
        }
    }

    pub(crate) fn connected(&mut self) {
        if let Place::Connecting { manager, since } = self.place {
            self.place = Place::Opening { manager, since };
        }
    }

    pub(crate) fn connect_failed(&mut self, now: Timestamp) {
        if matches!(self.place, Place::Connecting { .. }) {
            self.lose(now, Why::Connect);
        }
    }

    /// A command with a tag: whether it is sent.
    pub(crate) fn command(&mut self, tag: Tag, too_much: bool) -> bool {
        let failure = if self.epoch == 0 {
            Outcome::StandingBy
        } else if !matches!(self.place, Place::Open(_)) {
            Outcome::NeverSent(self.no_link.clone())
        } else if too_much {
            Outcome::Refused(CtiError::DataSizeLimitExceeded)
        } else {
            return true;
        };
        self.must.push(Seen::Answer(tag, failure));
        false
    }

    /// A request has been written.
    pub(crate) fn sent(
        &mut self,
        now: Timestamp,
        sequence: u32,
        request: Request,
        tag: Option<Tag>,
        start: u64,
    ) {
        match &mut self.place {
            Place::Opening { .. } => assert!(matches!(request, Request::ProviderOpen(_)) && sequence == 1),
            Place::Open(link) => {
                link.sent = now;
                let before = self.waiting.insert(sequence, Waiting { request, tag, at: now, start });
                assert!(before.is_none(), "number {sequence} waits already");
            }
            place => panic!("{request:?} is sent while {place:?}"),
        }
    }

    /// A frame came: whether it means something for what is open.
    pub(crate) fn frame(&mut self, now: Timestamp, frame: Frame) -> Heard {
        match &mut self.place {
            Place::Opening { .. } => {
                match frame.message {
                    Message::Answer(answer) if frame.sequence == 1 => self.opened(now, answer),
                    Message::Event(Event::ProviderClosed(error)) => {
                        self.lose(now, Why::As(LinkLoss::ProviderClosed(error)));
                    }
                    Message::Request(_) => self.lose(now, Why::Protocol),
                    _ => {}
                }
                Heard::Nothing
            }
            Place::Open(link) => {
                link.heard = now;
                match frame.message {
                    _ if frame.version != Version(1) => self.lose(now, Why::Protocol),
                    Message::Heartbeat(Millis::ZERO) | Message::Request(_) => self.lose(now, Why::Protocol),
                    Message::Heartbeat(interval) => link.interval = interval,
                    Message::Answer(answer) => return self.answer(now, frame.sequence, answer),
                    Message::Event(Event::ProviderClosed(error)) => {
                        self.lose(now, Why::As(LinkLoss::ProviderClosed(error)));
                    }
                    Message::Event(event) => {
                        if let Event::FeatureInvoked(pressed) = &event {
                            link.invocations.insert(pressed.invocation);
                        }
                        return Heard::Event(event);
                    }
                    _ => {}
                }
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }

    fn opened(&mut self, now: Timestamp, answer: Result<Answer, CtiError>) {
        let Place::Opening { manager, .. } = self.place else { return };
        match answer {
            Ok(Answer::ProviderOpened { version: Version(1), heartbeat }) if heartbeat > Millis::ZERO => {
                let failed_over = self.last.is_some_and(|last| last != manager);
                self.last = Some(manager);
                self.failures = 0;
                self.must.push(Seen::Up(MANAGERS[manager], failed_over));
                self.place = Place::Open(Link {
                    manager,
                    opened: now,
                    interval: heartbeat,
                    heard: now,
                    sent: now,
                    invocations: BTreeSet::new(),
                });
            }
            Ok(_) => self.lose(now, Why::Protocol),
            Err(error) => self.lose(now, Why::As(LinkLoss::OpenRefused(error))),
        }
    }

    fn answer(&mut self, now: Timestamp, sequence: u32, answer: Result<Answer, CtiError>) -> Heard {
        let Some(Waiting { request, tag, .. }) = self.waiting.remove(&sequence) else {
            return Heard::Nothing;
        };
        if !answer.as_ref().map_or(true, |answer| fits(&request, answer)) {
            self.must.extend(tag.map(|tag| Seen::Answer(tag, Outcome::Unknown)));
            self.lose(now, Why::Protocol);
            return Heard::Nothing;
        }
        if let (Request::Assume(epoch), Err(error)) = (&request, &answer)
            && epoch.0 != 0
        {
            self.lose(now, Why::As(LinkLoss::ProviderClosed(*error)));
            return Heard::Nothing;
        }
        if let Some(tag) = tag {
            let outcome = match answer {
                Ok(answer) => Outcome::Done(answer),
                Err(error) => Outcome::Refused(error),
            };
            self.must.push(Seen::Answer(tag, outcome));
            return Heard::Nothing;
        }
        Heard::Answer(sequence, request, answer)
    }

    /// The session is woken.
    pub(crate) fn wake(&mut self, now: Timestamp) {
        match &self.place {
            Place::Waiting { until, first } if *until <= now => self.round_from(now, *first),
            Place::Connecting { since, .. } if *since + OPEN_TIMEOUT <= now => self.lose(now, Why::Connect),
            Place::Opening { since, .. } if *since + OPEN_TIMEOUT <= now => {
                self.lose(now, Why::As(LinkLoss::OpenTimeout));
            }
            Place::Open(link) if silent_at(link) <= now => self.lose(now, Why::As(LinkLoss::Silent)),
            Place::Open(_) => self.give_up(now),
            _ => {}
        }
    }

    fn give_up(&mut self, now: Timestamp) {
        let over: Vec<u32> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.at + REQUEST_TIMEOUT <= now)
            .map(|(sequence, _)| *sequence)
            .collect();
        for sequence in over {
            let Some(Waiting { request, tag, .. }) = self.waiting.remove(&sequence) else { continue };
            match request {
                Request::Assume(_) | Request::FeatureRegister(_) => return self.lose(now, Why::Protocol),
                request => {
                    self.must.extend(tag.map(|tag| Seen::Answer(tag, Outcome::Unknown)));
                    self.given_up.push((sequence, request));
                }
            }
        }
    }

    /// When the session must be woken at the latest, and whether it may be woken before that.
    pub(crate) fn due(&self) -> (Timestamp, bool) {
        match &self.place {
            Place::Waiting { until, .. } => (*until, false),
            Place::Connecting { since, .. } | Place::Opening { since, .. } => (*since + OPEN_TIMEOUT, false),
            Place::Open(link) => {
                let requests = self.waiting.values().map(|waiting| waiting.at + REQUEST_TIMEOUT);
                let due = requests.chain([heartbeat_at(link), silent_at(link)]).min().unwrap();
                // What was refused is tried again from time to time.
                (due, true)
            }
        }
    }
}

pub(crate) fn heartbeat_at(link: &Link) -> Timestamp {
    link.sent + link.interval
}

fn silent_at(link: &Link) -> Timestamp {
    link.heard + Millis(link.interval.0 * 2)
}

fn fits(request: &Request, answer: &Answer) -> bool {
    match request {
        Request::MakeCall { .. } => matches!(answer, Answer::CallMade(_)),
        Request::DeviceOpen(_) => matches!(answer, Answer::DeviceOpened(_)),
        Request::LineOpen(_) => matches!(answer, Answer::LineOpened(_)),
        _ => *answer == Answer::Done,
    }
}
