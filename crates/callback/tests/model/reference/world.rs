//! The world's events, and the order in which the service learns of them.

use ringback_callback::{DialOutcome, QueuePolicyName};
use ringback_model::Millis;

use super::*;
use crate::step::{Change, Progress, Step};

impl Reference {
    /// One step of a history.
    pub(crate) fn take(&mut self, step: Step) {
        self.said.clear();
        self.notices.clear();
        self.refused.clear();
        self.moves.clear();
        self.cause = cause(step);
        self.happen(step);
        self.settle();
        self.read_what_is_new();
        self.pass(Millis::ZERO);
    }

    fn happen(&mut self, step: Step) {
        match step {
            Step::Press(p, n, during) => {
                self.calls += 1;
                let call = CallId(self.calls);
                self.phones[p].calls = vec![(call, n)];
                self.phones[p].busy = true;
                self.phone_changed(p);
                self.callback_key(Question { caller: p, n, call, during });
            }
            Step::PressIdle(p) => {
                let during = PressedDuring::Idle;
                self.callback_key(Question { caller: p, n: 0, call: CallId(0), during });
            }
            Step::Key(p, key) => {
                let about = self.known[p].screen.as_ref().and_then(|screen| screen.about);
                self.screen_key(p, key, about);
            }
            Step::StaleKey(p, key, n) => {
                let number = (self.ids + 1).saturating_sub(n);
                self.screen_key(p, key, Some(RequestId { epoch: self.epoch, number }));
            }
            Step::Busy(p, busy) => {
                self.phones[p].busy = busy;
                self.phone_changed(p);
            }
            Step::HangUp(p) => {
                for (call, n) in std::mem::take(&mut self.phones[p].calls) {
                    self.call(p, call, n, Progress::Ended);
                    self.settle();
                }
                self.phones[p].busy = false;
                self.phone_changed(p);
            }
            Step::Line(p, l, occupancy) => {
                for (other, now) in &mut self.phones[p].lines {
                    if *other == l {
                        *now = occupancy;
                    }
                }
                self.line_changed(p, l);
            }
            Step::Dnd(p, on) => {
                self.phones[p].dnd = on;
                self.phone_changed(p);
            }
            Step::Unregister(p) => {
                self.phones[p].registered = false;
                self.phones[p].calls.clear();
                self.phone_changed(p);
            }
            Step::Register(p) => {
                let phone = &mut self.phones[p];
                phone.registered = true;
                phone.busy = false;
                phone.lines.iter_mut().for_each(|(_, occupancy)| *occupancy = Occupancy::Idle);
                self.phone_changed(p);
                for l in cast::PHONES[p].1 {
                    self.line_changed(p, *l);
                }
            }
            Step::UserChanged(p) => self.user_changed(p),
            Step::Dialled(p) => self.dialled(p),
            Step::NotDialled(p, outcome) => self.not_dialled(p, outcome),
            Step::Progress(p, progress) => {
                if let Some((call, n)) = self.phones[p].calls.first().copied() {
                    self.call(p, call, n, progress);
                }
            }
            Step::ScreenLost(p) => self.known[p].undelivered = true,
            Step::Alerts(alerts) => self.alerts = alerts,
            Step::Wait(ms) => self.pass(Millis(ms)),
            Step::Store(store) => self.store_is(store),
            Step::Writes(p) => self.store_writes_of(p, false),
            Step::WritesSilently(p) => self.store_writes_of(p, true),
            Step::StoreFails => self.store_fails(),
            Step::Directory(directory) => {
                self.directory = directory;
                if directory == Directory::Ready {
                    for answer in std::mem::take(&mut self.questions) {
                        self.learn(answer);
                    }
                }
            }
            Step::Odd(odd) => self.odd = odd,
            Step::Listed(p, listed) => {
                self.phones[p].listed = listed;
                for l in cast::PHONES[p].1 {
                    self.learn(Inner::Located(*l));
                }
            }
            Step::Link(up) => self.link(up),
            Step::Crash => self.crash(),
            Step::Start => self.start(),
            Step::Parameter(change) => self.parameter(change),
        }
    }

    /// What comes back at once of what the service did: one after the other.
    fn settle(&mut self) {
        while let Some(inner) = self.inbox.pop_front() {
            match inner {
                Inner::Saved(number) => self.saved(number),
                Inner::SaveFailed(number) => self.save_failed(number),
                Inner::Alerted(alert, delivered) => self.alerted(alert, delivered),
                Inner::Resolved(question) => self.resolved(question),
                Inner::Located(l) => self.locate(l),
            }
        }
    }

    pub(super) fn learn(&mut self, inner: Inner) {
        self.inbox.push_back(inner);
        self.settle();
    }

    /// What was opened is read: the phones in the order of their names, then the lines.
    fn read_what_is_new(&mut self) {
        while self.linked && self.running {
            let new_phone =
                (0..self.phones.len()).find(|p| self.known[*p].seen.is_none() && self.device_is_open(*p));
            if let Some(p) = new_phone {
                self.phone_changed(p);
                self.settle();
                continue;
            }
            let new_line = |p: &PhoneNo| {
                let unread = |l: &&LineNo| !self.lines[**l].read.iter().any(|(other, _)| other == p);
                let mut open = cast::PHONES[*p].1.iter().filter(|l| self.line_is_open(*p, **l));
                self.phones[*p].registered.then(|| open.find(unread).map(|l| (*p, *l))).flatten()
            };
            let Some((p, l)) = (0..self.phones.len()).find_map(|p| new_line(&p)) else { return };
            self.read_line(p, l);
            self.settle();
        }
    }

    /// A phone's state is reported, if the phone is open.
    fn phone_changed(&mut self, p: PhoneNo) {
        if !self.linked || !self.device_is_open(p) {
            return;
        }
        let phone = &self.phones[p];
        let now = if phone.registered { Seen::Here { busy: phone.busy, dnd: phone.dnd } } else { Seen::Away };
        if self.known[p].seen.replace(now).is_none() {
            self.doubt_alert_of(p);
        }
        if now == Seen::Away {
            self.caller_is_away(p);
            self.lines.iter_mut().for_each(|line| line.read.retain(|(other, _)| *other != p));
        } else {
            self.deliver(p);
            self.show_what_is_owed(p);
        }
        for l in 0..self.lines.len() {
            if self.lines[l].located.as_ref().is_some_and(|phones| phones.contains(&p)) {
                self.look_at(l);
            }
        }
        if let Some(i) = self.of(p) {
            self.caller_changed(i);
        }
        self.settle();
    }

    /// R16: idle again, or busy.
    fn caller_changed(&mut self, i: usize) {
        let (p, l) = (self.requests[i].p, self.requests[i].l);
        if self.idle(p) && self.requests[i].suspended {
            self.moved("suspended", "waiting");
            self.requests[i].suspended = false;
        }
        self.serve(l);
    }

    /// R40: no alert, no screen, nothing.
    fn caller_is_away(&mut self, p: PhoneNo) {
        self.known[p].question = None;
        self.known[p].proposal = None;
        if let Some(i) = self.of(p) {
            self.end(i, Ending::CallerReset);
        }
        if let Some(i) = self.saving(p) {
            self.give_up_saving(i, ending_name(Ending::CallerReset));
        }
        let known = &mut self.known[p];
        known.screen = None;
        known.undelivered = false;
        known.clear_after = None;
        self.forget_what_is_closed();
    }

    /// R43.
    fn user_changed(&mut self, p: PhoneNo) {
        if !self.device_is_open(p) {
            return;
        }
        self.known[p].question = None;
        let proposed = self.known[p].proposal.is_some();
        if let Some(i) = self.of(p) {
            self.end(i, Ending::CallerUserChanged);
        }
        if let Some(i) = self.saving(p) {
            self.give_up_saving(i, ending_name(Ending::CallerUserChanged));
        }
        if proposed {
            self.clear(p);
        }
    }

    fn line_changed(&mut self, p: PhoneNo, l: LineNo) {
        if self.linked && self.phones[p].registered && self.line_is_open(p, l) {
            let occupancy = self.occupancy(p, l);
            self.lines[l].read.retain(|(other, _)| *other != p);
            self.lines[l].read.push((p, occupancy));
            self.look_at(l);
            self.settle();
        }
    }

    fn occupancy(&self, p: PhoneNo, l: LineNo) -> Occupancy {
        let mut lines = self.phones[p].lines.iter();
        lines.find(|(other, _)| *other == l).map_or(Occupancy::Idle, |(_, occupancy)| *occupancy)
    }

    /// A whole line is read: a call of ours that is not there is gone (R44).
    fn read_line(&mut self, p: PhoneNo, l: LineNo) {
        self.line_changed(p, l);
        if l != cast::first_line(p) {
            return;
        }
        let calls: Vec<CallId> = self.phones[p].calls.iter().map(|(call, _)| *call).collect();
        for r in self.requests.iter_mut().filter(|r| r.p == p) {
            r.record.origin = r.record.origin.filter(|call| calls.contains(call));
        }
        if let Some(i) = self.of(p)
            && matches!(self.requests[i].record.phase, Phase::Dialing { .. })
        {
            // A Dial of an earlier link or instance. A call of it that goes on would have been told before the reading.
            let r = &self.requests[i];
            let earlier = r.asked_on != Some(self.links) && r.dial_write.is_none();
            if earlier && r.call.is_none_or(|call| !calls.contains(&call)) {
                self.dial_failed(i);
            }
        }
    }

    /// Asks on which phones a line appears, if that is needed and not known.
    pub(super) fn ask_where(&mut self, l: LineNo) {
        let answer = Inner::Located(l);
        if !self.is_watched(l) || self.lines[l].located.is_some() || self.questions.contains(&answer) {
            return;
        }
        if self.directory == Directory::Ready {
            self.inbox.push_back(answer);
        } else {
            self.questions.push(answer);
        }
    }

    fn locate(&mut self, l: LineNo) {
        if self.requests.iter().any(|r| r.l == l) {
            let listed = cast::phones_with(l).into_iter().filter(|p| self.phones[*p].listed).collect();
            self.is_located(l, listed);
        }
    }

    pub(super) fn is_located(&mut self, l: LineNo, phones: Vec<PhoneNo>) {
        self.lines[l].located = Some(phones);
        self.forget_what_is_closed();
        self.look_at(l);
    }

    fn not_dialled(&mut self, p: PhoneNo, outcome: DialOutcome) {
        let Some(i) = self.of(p) else { return };
        match outcome {
            DialOutcome::Busy => self.retained(i),
            _ => self.dial_failed(i),
        }
    }

    fn dialled(&mut self, p: PhoneNo) {
        let Some(i) = self.of(p) else { return };
        self.calls += 1;
        let call = CallId(self.calls);
        let n =
            cast::DIALLED.iter().position(|(digits, _)| *digits == self.requests[i].record.dialled.as_str());
        self.phones[p].calls = vec![(call, n.unwrap_or_default())];
        self.requests[i].call = Some(call);
        self.settle();
        self.phones[p].busy = true;
        self.phone_changed(p);
    }

    fn call(&mut self, p: PhoneNo, call: CallId, n: usize, progress: Progress) {
        if !self.linked || !self.line_is_open(p, cast::first_line(p)) {
            return;
        }
        let dials = self.of(p).filter(|i| {
            let r = &self.requests[*i];
            let ours = match r.call {
                Some(ours) => ours == call,
                None => r.record.dialled == cast::number(n) && r.record.origin != Some(call),
            };
            matches!(r.record.phase, Phase::Dialing { .. }) && r.dial_write.is_none() && ours
        });
        if progress == Progress::Ended {
            // Nobody will answer it any more (R7).
            let ended = |r: &&mut Request| r.p == p && r.record.origin == Some(call);
            self.requests.iter_mut().filter(ended).for_each(|r| r.record.origin = None);
        }
        if matches!(progress, Progress::Answers | Progress::AnswersElsewhere) {
            self.proposal_is_over(p, call);
        }
        match (dials, progress) {
            (Some(i), Progress::Rings | Progress::RingsSomebody | Progress::Answers) => self.reached(i),
            (Some(i), Progress::RingsElsewhere | Progress::AnswersElsewhere | Progress::Ended) => {
                self.dial_failed(i);
            }
            (Some(i), Progress::Busy) => self.retained(i),
            (None, Progress::Answers) => self.answered(p, call),
            _ => {}
        }
    }

    /// R44: what was seen is old. Nothing that the callers see.
    fn link(&mut self, up: bool) {
        self.linked = up;
        if up {
            return;
        }
        self.links += 1;
        for known in &mut self.known {
            known.seen = None;
        }
        for line in &mut self.lines {
            line.read.clear();
            line.latest = line::Use::Unknown;
        }
    }

    fn crash(&mut self) {
        self.running = false;
        self.requests.clear();
        self.writes.clear();
        self.unconfirmed.clear();
        self.questions.clear();
        self.known = vec![Known::default(); cast::PHONES.len()];
        self.lines = vec![LineKnown::default(); cast::LINES.len()];
    }

    /// R48, R49: another instance goes on with what the store holds.
    fn start(&mut self) {
        self.running = true;
        self.linked = true;
        self.epoch = self.epoch.next();
        self.ids = 0;
        let mut records = self.stored.clone();
        records.sort_by_key(|record| (record.since, record.id));
        for record in records {
            let (p, l) = (cast::phone_no(&record.caller.device), cast::line_no(&record.called));
            let doubt = matches!(record.phase, Phase::Turn { alerted: false, .. });
            // An earlier instance may have put a screen there.
            self.known[p].screen = Some(Screen { view: None, about: Some(record.id) });
            let mut request = Request::new(record, p, l, Stage::Accepted);
            request.doubt = doubt;
            self.requests.push(request);
        }
        (0..self.lines.len()).for_each(|l| self.ask_where(l));
        // The store may hold one that was replaced: what was written of it came after, and its removal did not come.
        let replaced = |all: &[Request]| {
            let later = |i: usize| all[i + 1..].iter().any(|r| r.p == all[i].p);
            (0..all.len()).find(|i| later(*i))
        };
        while let Some(i) = replaced(&self.requests) {
            self.end(i, Ending::Replaced);
        }
        let passed = |r: &Request, now: Timestamp| r.record.expires.is_some_and(|at| at <= now);
        while let Some(i) = self.requests.iter().position(|r| passed(r, self.now)) {
            self.end(i, Ending::Expired);
        }
        for l in 0..self.lines.len() {
            self.keep_the_latest_turn(l);
        }
        self.do_what_is_due();
    }

    fn parameter(&mut self, change: Change) {
        let p = &mut self.parameters;
        match change {
            Change::Recall(ms) => p.recall_timer = Millis(ms),
            Change::Guard(ms) => p.idle_guard = Millis(ms),
            Change::BusyDuration(ms) => p.busy_duration = Millis(ms),
            Change::NoAnswerDuration(ms) => p.no_answer_duration = Millis(ms),
            Change::PolicyAll(true) => p.queue_policy = QueuePolicyName::All,
            Change::PolicyAll(false) => p.queue_policy = QueuePolicyName::Fifo,
            Change::PerLine(limit) => p.max_per_line = limit,
            Change::InAll(limit) => p.max_in_all = limit,
        }
        for l in 0..self.lines.len() {
            self.serve(l);
        }
    }

    /// Time passes: at each moment, whoever is due is served.
    fn pass(&mut self, span: Millis) {
        let end = self.now + span;
        let outside = std::mem::replace(&mut self.cause, "time passes");
        while let Some(due) = self.next_due().filter(|due| *due <= end && self.running) {
            self.now = self.now.max(due);
            self.do_what_is_due();
            self.settle();
            self.read_what_is_new();
        }
        self.now = end;
        self.cause = outside;
    }

    fn next_due(&self) -> Option<Timestamp> {
        let requests = self.requests.iter().filter_map(request_due);
        requests.chain((0..self.lines.len()).filter_map(|l| self.line_due(l))).min()
    }

    fn do_what_is_due(&mut self) {
        let due = |r: &Request, now: Timestamp| request_due(r).is_some_and(|due| due <= now);
        while let Some(i) = self.requests.iter().position(|r| due(r, self.now)) {
            let r = &self.requests[i];
            if let Stage::Saving { .. } = r.stage {
                self.not_saved(i);
            } else if r.record.expires.is_some_and(|at| at <= self.now) {
                self.end(i, Ending::Expired);
            } else {
                self.turn_is_over(i);
            }
        }
        for l in 0..self.lines.len() {
            self.serve(l);
        }
    }
}

/// When something becomes due for a request by time alone: R4, R26, R29.
fn request_due(r: &Request) -> Option<Timestamp> {
    if let Stage::Saving { until, .. } = r.stage {
        return Some(until);
    }
    let turn = match r.record.phase {
        Phase::Turn { until, .. } if r.turn_write.is_none() && !r.doubt => Some(until),
        _ => None,
    };
    turn.into_iter().chain(r.record.expires).min()
}

fn cause(step: Step) -> &'static str {
    match step {
        Step::Press(..) | Step::PressIdle(_) => "CallBack pressed",
        Step::Key(..) | Step::StaleKey(..) => "softkey",
        Step::Busy(..) | Step::HangUp(_) | Step::Dnd(..) => "phone changes",
        Step::Line(..) => "line changes",
        Step::Unregister(_) | Step::Register(_) => "registration",
        Step::UserChanged(_) => "login",
        Step::Dialled(_) | Step::NotDialled(..) | Step::Progress(..) => "call goes on",
        Step::ScreenLost(_) | Step::Alerts(_) => "delivery",
        Step::Wait(_) => "time passes",
        Step::Store(_) | Step::Writes(_) | Step::WritesSilently(_) | Step::StoreFails => "store",
        Step::Directory(_) | Step::Odd(_) | Step::Listed(..) => "directory",
        Step::Link(_) => "link",
        Step::Crash | Step::Start => "another instance",
        Step::Parameter(_) => "parameter",
    }
}
