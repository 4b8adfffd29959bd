//! The CallBack key, the screens, and their softkeys: R1 to R7, R17, R18, R30 to R38.

use ringback_callback::{Cycle, Kind, SoftKey};

use super::*;

impl Reference {
    /// R1 to R6.
    pub(super) fn callback_key(&mut self, question: Question) {
        let (p, during) = (question.caller, question.during);
        self.said.push((p, Said::Verdict(during != PressedDuring::Other)));
        if during == PressedDuring::Other {
            return;
        }
        // **Freedom**: while a request of this phone is being saved, its screen comes by itself; nothing else does. An
        // earlier request's own number brings up its screen (R5) all the same.
        let saving = self.saving(p).is_some();
        if during == PressedDuring::Idle {
            if !saving {
                self.show_request(p);
            }
            return;
        }
        self.known[p].question = None;
        if let Some(i) = self.of(p).filter(|i| self.requests[*i].record.dialled == cast::number(question.n)) {
            return self.same_number_again(i, question.call);
        }
        if saving {
            return;
        }
        self.known[p].proposal = None;
        self.known[p].question = Some(question.clone());
        let answer = Inner::Resolved(question);
        if self.directory == Directory::Slow {
            self.questions.push(answer);
        } else {
            self.inbox.push_back(answer);
        }
    }

    /// R5: the screen again; from now on, B's answering this call ends the request (R7).
    fn same_number_again(&mut self, i: usize, call: CallId) {
        self.requests[i].record.origin = Some(call);
        self.show_request(self.requests[i].p);
    }

    /// The directory's answer to the latest question of a phone.
    pub(super) fn resolved(&mut self, question: Question) {
        let p = question.caller;
        if self.known[p].question.as_ref() != Some(&question) {
            return;
        }
        self.known[p].question = None;
        let number = cast::number(question.n);
        let leads_to = cast::DIALLED[question.n].1.filter(|l| !self.listed(*l).is_empty());
        let mut reasons = Vec::new();
        if number.as_str().contains(['#', '*']) {
            reasons.push(Refusal::NotDiallable);
        }
        if self.directory == Directory::Down {
            reasons.push(Refusal::DirectoryUnavailable);
        } else if leads_to.is_none() {
            reasons.push(Refusal::NotInDirectory);
        }
        let Some(l) = leads_to.filter(|_| reasons.is_empty()) else {
            return self.refuse(p, number, reasons);
        };
        let mine = self.of(p);
        reasons.extend(self.odd.reason());
        // **Freedom**: spelt in another way it is another DN until the directory has told where it leads, so that what
        // the directory says against it comes before R5.
        if let Some(i) = mine.filter(|i| self.requests[*i].l == l && reasons.is_empty()) {
            return self.same_number_again(i, question.call);
        }
        if cast::PHONES[p].1.contains(&l) {
            reasons.push(Refusal::OwnLine);
        }
        reasons.extend(self.no_slot(l, mine));
        if !reasons.is_empty() {
            return self.refuse(p, number, reasons);
        }
        let located = self.listed(l);
        match mine {
            Some(i) => {
                let active = self.requests[i].record.dialled.clone();
                self.show(p, View::Replace { active, wanted: number }, None);
                self.known[p].proposal = Some(Proposal { question, line: l, located });
            }
            None => self.create(question, l, located, None),
        }
    }

    fn listed(&self, l: LineNo) -> Vec<PhoneNo> {
        cast::phones_with(l).into_iter().filter(|p| self.phones[*p].listed).collect()
    }

    /// R35, R36: one that replaces another has that one's slot.
    fn no_slot(&self, l: LineNo, replaces: Option<usize>) -> Vec<Refusal> {
        let others = || self.requests.iter().enumerate().filter(|(i, _)| Some(*i) != replaces);
        let full = |limit: u32, taken: usize| limit > 0 && taken >= limit as usize;
        let mut reasons = Vec::new();
        if full(self.parameters.max_per_line, others().filter(|(_, r)| r.l == l).count()) {
            reasons.push(Refusal::TooManyForLine);
        }
        if full(self.parameters.max_in_all, others().count()) {
            reasons.push(Refusal::TooManyInAll);
        }
        reasons
    }

    pub(super) fn refuse(&mut self, p: PhoneNo, dn: DirectoryNumber, reasons: Vec<Refusal>) {
        let view = View::Cannot { dn, reason: reasons[0] };
        self.refused.push((p, reasons));
        self.show(p, view, None);
    }

    fn create(&mut self, question: Question, l: LineNo, located: Vec<PhoneNo>, replaces: Option<RequestId>) {
        self.ids += 1;
        let p = question.caller;
        let busy = question.during == PressedDuring::Busy;
        let lives = if busy { self.parameters.busy_duration } else { self.parameters.no_answer_duration };
        if self.requests.iter().any(|r| r.l == l) {
            self.is_located(l, located.clone());
        }
        self.lines[l].located = Some(located);
        // A use that is going on counts when it ends.
        let in_use = self.lines[l].latest == line::Use::OffHook;
        let cycle = if in_use { Cycle::OffHook } else { Cycle::Untouched };
        let record = Record {
            id: RequestId { epoch: self.epoch, number: self.ids },
            caller: cast::at(p, cast::first_line(p)),
            called: cast::line(l),
            dialled: cast::number(question.n),
            kind: if busy { Kind::Busy } else { Kind::NoAnswer },
            since: self.now,
            expires: (lives.0 > 0).then(|| self.now + lives),
            origin: Some(question.call),
            phase: Phase::Waiting,
            cycle: (!busy).then_some(cycle),
            alerts: 0,
            notified: None,
        };
        let until = self.now + self.parameters.save_timeout;
        let stage = Stage::Saving { write: 0, until, replaces };
        self.moved("none", "being saved");
        if let Some(old) = replaces.and_then(|old| self.index(old)) {
            self.requests[old].being_replaced = true;
        }
        self.requests.push(Request::new(record, p, l, stage));
        self.look_at(l);
        let write = self.write(self.requests.len() - 1, replaces);
        if let Some(r) = self.requests.last_mut() {
            r.stage = Stage::Saving { write, until, replaces };
            r.changed = false;
        }
    }

    /// R3, R5: the screen of a phone's request.
    pub(super) fn show_request(&mut self, p: PhoneNo) {
        match self.of(p) {
            Some(i) => {
                let (view, id) = (self.view_of(i), self.requests[i].record.id);
                self.requests[i].owed = false;
                self.show(p, view, Some(id));
            }
            None => self.show(p, View::NotActive, None),
        }
    }

    fn view_of(&self, i: usize) -> View {
        let r = &self.requests[i];
        let dn = r.record.dialled.clone();
        let on_dnd = self.lines[r.l].dnd;
        match (r.record.phase, r.record.notified) {
            (Phase::Waiting, _) if on_dnd && r.dnd_told => View::DoNotDisturb { dn },
            (Phase::Waiting, _) => View::Activated { dn },
            (Phase::Turn { .. }, _) if r.turn_write.is_some() => View::Activated { dn },
            (_, Some(at)) => View::Available { dn, at },
            (_, None) => View::Activated { dn },
        }
    }

    /// A screen is state: what the phone cannot get now it gets as soon as it is read again.
    pub(super) fn show(&mut self, p: PhoneNo, view: View, about: Option<RequestId>) {
        let can_see = self.can_see(p);
        let known = &mut self.known[p];
        known.screen = Some(Screen { view: Some(view.clone()), about });
        known.clear_after = None;
        known.proposal = None;
        known.undelivered = !can_see;
        if can_see {
            self.said.push((p, Said::Show(view, about)));
        }
    }

    pub(super) fn clear(&mut self, p: PhoneNo) {
        let can_see = self.can_see(p);
        let known = &mut self.known[p];
        known.screen = None;
        known.clear_after = None;
        known.proposal = None;
        known.undelivered = !can_see;
        if can_see {
            self.said.push((p, Said::Clear));
        }
        self.forget_what_is_closed();
    }

    /// The phone was read: it gets what it did not get before.
    pub(super) fn deliver(&mut self, p: PhoneNo) {
        let known = &mut self.known[p];
        if !known.undelivered || known.clear_after.is_some() {
            return;
        }
        known.undelivered = false;
        match known.screen.clone() {
            Some(Screen { view: Some(view), about }) => self.said.push((p, Said::Show(view, about))),
            Some(Screen { view: None, .. }) => {}
            None => self.said.push((p, Said::Clear)),
        }
        self.forget_what_is_closed();
    }

    pub(super) fn screen_key(&mut self, p: PhoneNo, key: SoftKey, about: Option<RequestId>) {
        if self.of(p).is_none() && self.saving(p).is_none() && self.known[p].screen.is_none() {
            // A phone on which there is nothing of ours.
            return;
        }
        let own = self.of(p).filter(|i| Some(self.requests[*i].record.id) == about);
        match (key, own) {
            (SoftKey::Exit, _) if self.known[p].screen.is_none() => {}
            (SoftKey::Exit, _) => self.clear(p),
            (SoftKey::Cancel, Some(i)) => self.end(i, Ending::Cancelled),
            (SoftKey::Dial, Some(i)) if self.can_dial(i) => self.dial(i),
            (SoftKey::Ok, _) if self.known[p].proposal.is_some() => self.replace(p),
            // The key is for the request that lives: its screen comes up again.
            (SoftKey::Dial, Some(_)) => self.show_request(p),
            // Activated, or Cannot, or the end of the screen is under way.
            _ if self.saving(p).is_some() || self.known[p].clear_after.is_some() => {}
            // The screen is out of date: the right one comes up.
            _ if self.of(p).is_some() => self.show_request(p),
            _ => self.clear(p),
        }
    }

    /// R6: OK.
    fn replace(&mut self, p: PhoneNo) {
        let Some(Proposal { question, line, located }) = self.known[p].proposal.take() else { return };
        let mine = self.of(p);
        let reasons = self.no_slot(line, mine);
        if reasons.is_empty() {
            let old = mine.map(|i| self.requests[i].record.id);
            self.create(question, line, located, old);
        } else {
            self.refuse(p, cast::number(question.n), reasons);
        }
    }

    /// A call on A's line is answered, by whomever: what was proposed because of it is not wanted any more.
    pub(super) fn proposal_is_over(&mut self, p: PhoneNo, call: CallId) {
        if self.known[p].proposal.as_ref().is_some_and(|proposal| proposal.question.call == call) {
            self.clear(p);
        }
    }

    /// R7: B answers a call on A's line.
    pub(super) fn answered(&mut self, p: PhoneNo, call: CallId) {
        if let Some(i) = self.of(p).filter(|i| self.requests[*i].record.origin == Some(call)) {
            self.will_be_in_use(self.requests[i].l);
            self.end(i, Ending::Answered);
        }
        if let Some(i) = self.saving(p).filter(|i| self.requests[*i].record.origin == Some(call)) {
            self.will_be_in_use(self.requests[i].l);
            self.give_up_saving(i, ending_name(Ending::Answered));
        }
    }

    /// A request that is not accepted yet goes without a word.
    pub(super) fn give_up_saving(&mut self, i: usize, to: &'static str) {
        let r = self.requests.remove(i);
        self.moved("being saved", to);
        let Stage::Saving { write, replaces, .. } = r.stage else { return };
        self.revoke(write, r.record.id);
        self.forget_what_is_closed();
        self.old_goes_on(replaces);
        self.serve(r.l);
    }

    pub(super) fn number_of(&self, r: &Request) -> DirectoryNumber {
        r.record.dialled.clone()
    }
}
