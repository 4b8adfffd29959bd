//! Call Back as the requirement tells it, done the naive way: plain lists, looked through from end to end. It sees the
//! same world as the engine and says what phones and operators see, and what the store holds. Nothing here is taken
//! from the engine; where the requirement leaves freedom, a comment says which and what is allowed.
//!
//! - `mod` (this file): what is known, and the world's events in the order in which the service learns of them.
//! - `caller`: the CallBack key, the screens and their softkeys.
//! - `line`: when B is available, and for whom.
//! - `turn`: notifications, turns, Dial.
//! - `store`: what is on record, and when.

mod caller;
mod line;
mod store;
mod turn;
mod world;

use std::collections::VecDeque;

use ringback_callback::{
    AlertId, Ending, Notice, Occupancy, Parameters, Phase, PressedDuring, Record, Refusal, View,
};
use ringback_model::{CallId, DirectoryNumber, Epoch, RequestId, Timestamp};

use crate::cast::{self, LineNo, Odd, PhoneNo};
use crate::harness::{Directory, START, Store};
use crate::step::Alerts;

/// A phone, as it is, whether anybody looks or not.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) registered: bool,
    pub(crate) busy: bool,
    pub(crate) dnd: bool,
    pub(crate) listed: bool,
    pub(crate) lines: Vec<(LineNo, Occupancy)>,
    /// The calls on its first line, and the number they were dialled to.
    pub(crate) calls: Vec<(CallId, usize)>,
}

/// What the service has read of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Away,
    Here { busy: bool, dnd: bool },
}

/// A screen of ours on a phone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Screen {
    /// `None`: what an earlier instance may have put there.
    pub(crate) view: Option<View>,
    pub(crate) about: Option<RequestId>,
}

/// What a question to the directory is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    caller: PhoneNo,
    n: usize,
    call: CallId,
    during: PressedDuring,
}

/// What A would replace its request by (R6).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    question: Question,
    line: LineNo,
    /// Where the directory found the line.
    located: Vec<PhoneNo>,
}

/// What the service knows of a phone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) seen: Option<Seen>,
    pub(crate) screen: Option<Screen>,
    /// The screen, or its taking away, has not reached the phone.
    pub(crate) undelivered: bool,
    /// The screen is to go when the removal of its request has an outcome.
    pub(crate) clear_after: Option<u64>,
    pub(crate) question: Option<Question>,
    pub(crate) proposal: Option<Proposal>,
}

/// What the service knows of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineKnown {
    /// The phones it appears on, if known.
    pub(crate) located: Option<Vec<PhoneNo>>,
    /// What was read of each of its appearances.
    pub(crate) read: Vec<(PhoneNo, Occupancy)>,
    pub(crate) latest: line::Use,
    /// What was read of it last, were it over an earlier link.
    read_last: Option<line::Use>,
    pub(crate) idle_since: Timestamp,
    /// B is about to ring, because a Dial has reached it.
    about_to_ring: Option<Timestamp>,
    dnd: bool,
}

/// Whether a request is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not before its first write is confirmed.
    Saving {
        write: u64,
        until: Timestamp,
        replaces: Option<RequestId>,
    },
    Accepted,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) record: Record,
    pub(crate) p: PhoneNo,
    pub(crate) l: LineNo,
    pub(crate) stage: Stage,
    /// B has used the line while it was being saved.
    changed: bool,
    /// The write that puts its turn on record, until it is confirmed.
    pub(crate) turn_write: Option<u64>,
    /// The write that puts its Dial on record, until it has an outcome.
    dial_write: Option<u64>,
    /// Our call, once known.
    pub(crate) call: Option<CallId>,
    /// By which link this instance has asked for the call.
    pub(crate) asked_on: Option<u64>,
    /// B has been looked at since the request was made.
    looked_at: bool,
    /// R20: B must be seen busy before it can become idle.
    busy_first: bool,
    /// B was seen in use or ringing since Dial.
    used_since_dial: bool,
    suspended: bool,
    /// R14: the caller has been shown, or need not be shown, that B is on DND.
    dnd_told: bool,
    /// R21: Available is to come back when A is idle.
    owed: bool,
    /// The alert is to be repeated: nobody knows what became of it.
    doubt: bool,
    repeats: u32,
    /// The request that is to take its place is being saved.
    pub(crate) being_replaced: bool,
}

/// What somebody sees or hears of the service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Verdict(bool),
    Show(View, Option<RequestId>),
    Clear,
    Alert(AlertId),
    Dial { request: RequestId, dn: DirectoryNumber, override_forwarding: bool },
}

#[derive(Debug, Clone, PartialEq)]
enum Inner {
    Saved(u64),
    SaveFailed(u64),
    Alerted(AlertId, bool),
    Resolved(Question),
    Located(LineNo),
}

#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) number: u64,
    pub(crate) request: RequestId,
    pub(crate) p: PhoneNo,
    record: Option<Box<Record>>,
    replaces: Option<RequestId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) now: Timestamp,
    pub(crate) parameters: Parameters,
    // The world.
    pub(crate) phones: Vec<Phone>,
    pub(crate) linked: bool,
    pub(crate) running: bool,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) odd: Odd,
    pub(crate) alerts: Alerts,
    pub(crate) stored: Vec<Record>,
    pub(crate) writes: Vec<Write>,
    pub(crate) unconfirmed: Vec<(u64, PhoneNo)>,
    questions: Vec<Inner>,
    calls: u64,
    links: u64,
    // The service.
    pub(crate) epoch: Epoch,
    pub(crate) ids: u64,
    saves: u64,
    /// In the order in which they came.
    pub(crate) requests: Vec<Request>,
    pub(crate) known: Vec<Known>,
    pub(crate) lines: Vec<LineKnown>,
    inbox: VecDeque<Inner>,
    // What came of the latest step.
    pub(crate) said: Vec<(PhoneNo, Said)>,
    pub(crate) notices: Vec<(PhoneNo, Notice)>,
    /// R30 to R37: if several reasons apply, any of them is right.
    pub(crate) refused: Vec<(PhoneNo, Vec<Refusal>)>,
    pub(crate) moves: Vec<(&'static str, &'static str, &'static str)>,
    /// What the service is just learning.
    cause: &'static str,
}

impl Reference {
    pub(crate) fn new() -> Self {
        let phone = |(_, lines): &(&str, &[LineNo])| Phone {
            registered: true,
            busy: false,
            dnd: false,
            listed: true,
            lines: lines.iter().map(|l| (*l, Occupancy::Idle)).collect(),
            calls: Vec::new(),
        };
        Self {
            now: START,
            parameters: parameters(),
            phones: cast::PHONES.iter().map(phone).collect(),
            linked: true,
            running: true,
            store: Store::Ready,
            directory: Directory::Ready,
            odd: Odd::Nothing,
            alerts: Alerts::Taken,
            stored: Vec::new(),
            writes: Vec::new(),
            unconfirmed: Vec::new(),
            questions: Vec::new(),
            calls: 0,
            links: 0,
            epoch: Epoch(1),
            ids: 0,
            saves: 0,
            requests: Vec::new(),
            known: vec![Known::default(); cast::PHONES.len()],
            lines: vec![LineKnown::default(); cast::LINES.len()],
            inbox: VecDeque::new(),
            said: Vec::new(),
            notices: Vec::new(),
            refused: Vec::new(),
            moves: Vec::new(),
            cause: "",
        }
    }

    /// The request of a phone, whether it is accepted yet or not.
    pub(crate) fn of(&self, p: PhoneNo) -> Option<usize> {
        self.requests.iter().position(|r| r.p == p && r.stage == Stage::Accepted)
    }

    /// The request of a phone that is being saved.
    pub(crate) fn saving(&self, p: PhoneNo) -> Option<usize> {
        self.requests.iter().position(|r| r.p == p && r.stage != Stage::Accepted)
    }

    /// Whether the directory has been asked on behalf of a caller.
    pub(crate) fn asks(&self) -> bool {
        self.known.iter().any(|known| known.question.is_some())
    }

    fn index(&self, id: RequestId) -> Option<usize> {
        self.requests.iter().position(|r| r.record.id == id)
    }

    /// The callers who wait for a line and have not been notified, longest waiting first.
    pub(crate) fn waiting(&self, l: LineNo) -> Vec<RequestId> {
        let waits = |r: &&Request| r.l == l && r.stage == Stage::Accepted && r.record.phase == Phase::Waiting;
        let mut all: Vec<_> =
            self.requests.iter().filter(waits).map(|r| (r.record.since, r.record.id)).collect();
        all.sort();
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// R23, section 2: a line is open while somebody waits for it or a turn runs.
    pub(crate) fn is_watched(&self, l: LineNo) -> bool {
        let watches = |r: &Request| match r.record.phase {
            Phase::Lapsed => false,
            Phase::Dialing { in_turn } => in_turn,
            _ => true,
        };
        self.requests.iter().any(|r| r.l == l && watches(r))
    }

    /// R23, section 2: the phone of a request, one with a screen of ours, and those of a watched line.
    pub(crate) fn device_is_open(&self, p: PhoneNo) -> bool {
        self.running
            && (self.requests.iter().any(|r| r.p == p)
                || self.known[p].screen.is_some()
                || self.known[p].undelivered
                || (0..self.lines.len()).any(|l| self.appears_on(l, p)))
    }

    fn appears_on(&self, l: LineNo, p: PhoneNo) -> bool {
        self.is_watched(l) && self.lines[l].located.as_ref().is_some_and(|phones| phones.contains(&p))
    }

    /// The line of a caller, and the called line on each of its phones.
    pub(crate) fn line_is_open(&self, p: PhoneNo, l: LineNo) -> bool {
        let calls_from = |r: &Request| r.p == p && cast::first_line(p) == l;
        self.running && (self.requests.iter().any(calls_from) || self.appears_on(l, p))
    }

    fn idle(&self, p: PhoneNo) -> bool {
        matches!(self.known[p].seen, Some(Seen::Here { busy: false, .. }))
    }

    fn can_see(&self, p: PhoneNo) -> bool {
        matches!(self.known[p].seen, Some(Seen::Here { .. }))
    }

    fn tell(&mut self, p: PhoneNo, notice: Notice) {
        self.notices.push((p, notice));
    }

    /// Notes a move of a request, for the table of transitions.
    fn moved(&mut self, from: &'static str, to: &'static str) {
        self.moves.push((from, self.cause, to));
    }

    /// Something ended or was closed: what is not open is not known any more.
    fn forget_what_is_closed(&mut self) {
        for p in 0..self.phones.len() {
            if !self.device_is_open(p) {
                self.known[p].seen = None;
            }
            for l in cast::PHONES[p].1 {
                if !self.line_is_open(p, *l) {
                    self.lines[*l].read.retain(|(other, _)| other != &p);
                }
            }
        }
        for l in 0..self.lines.len() {
            if !self.requests.iter().any(|r| r.l == l) {
                self.lines[l].located = None;
            }
            if !self.is_watched(l) {
                // What it does now is not seen.
                self.requests.iter_mut().filter(|r| r.l == l).for_each(|r| r.used_since_dial = true);
                let line = std::mem::take(&mut self.lines[l]);
                self.lines[l] = LineKnown { located: line.located, read: line.read, ..LineKnown::default() };
            }
        }
    }

    /// R23: an ending clears the screen and closes what was open. Nothing later.
    fn end(&mut self, i: usize, how: Ending) {
        let r = self.requests.remove(i);
        let (p, id) = (r.p, r.record.id);
        self.moved(phase_name(&r), ending_name(how));
        let write = self.write_removal(&r);
        self.tell(p, Notice::Ended { request: id, how });
        let known = &mut self.known[p];
        if how == Ending::CallerReset {
            // The phone has lost its screen by itself.
            known.screen = None;
            known.undelivered = false;
        } else if known.screen.as_ref().is_some_and(|screen| screen.about == Some(id)) {
            known.clear_after = Some(write);
        }
        self.forget_what_is_closed();
        self.serve(r.l);
    }
}

/// Short times, so that much happens in a history. Each is told apart from every other, were it to be mixed up.
pub(crate) fn parameters() -> Parameters {
    Parameters { max_per_line: 3, max_in_all: 4, ..Parameters::default() }
}

/// The name of a phase in the table of transitions.
pub(crate) fn phase_name(r: &Request) -> &'static str {
    match r.record.phase {
        _ if r.stage != Stage::Accepted => "being saved",
        Phase::Waiting if r.suspended => "suspended",
        Phase::Waiting => "waiting",
        Phase::Turn { .. } if r.turn_write.is_some() => "turn being saved",
        Phase::Turn { .. } => "turn",
        Phase::Lapsed => "lapsed",
        Phase::Dialing { .. } => "dialing",
        _ => "another phase",
    }
}

pub(crate) fn ending_name(how: Ending) -> &'static str {
    match how {
        Ending::Cancelled => "ended: cancelled",
        Ending::Reached => "ended: reached",
        Ending::Answered => "ended: answered",
        Ending::Replaced => "ended: replaced",
        Ending::Expired => "ended: expired",
        Ending::CallerReset => "ended: caller reset",
        Ending::CallerUserChanged => "ended: user changed",
        _ => "ended otherwise",
    }
}
