//! What is on record. A write is durable in the order in which it came for its request.

use super::*;

impl Reference {
    /// Puts a request on record as it is now.
    pub(super) fn write(&mut self, i: usize, replaces: Option<RequestId>) -> u64 {
        let r = &self.requests[i];
        let (request, p, record) = (r.record.id, r.p, r.record.clone());
        self.put(request, p, Some(Box::new(record)), replaces)
    }

    pub(super) fn write_removal(&mut self, r: &Request) -> u64 {
        self.put(r.record.id, r.p, None, None)
    }

    fn put(
        &mut self,
        request: RequestId,
        p: PhoneNo,
        record: Option<Box<Record>>,
        replaces: Option<RequestId>,
    ) -> u64 {
        self.saves += 1;
        let number = self.saves;
        self.writes.push(Write { number, request, p, record, replaces });
        match self.store {
            Store::Ready => {
                while !self.writes.is_empty() {
                    let number = self.commit(0);
                    self.inbox.push_back(Inner::Saved(number));
                }
            }
            Store::Slow => {}
            Store::Down => self.inbox.push_back(Inner::SaveFailed(number)),
        }
        number
    }

    /// The store carries out a write.
    fn commit(&mut self, at: usize) -> u64 {
        let write = self.writes.remove(at);
        let gone = [Some(write.request), write.replaces];
        self.stored.retain(|record| !gone.contains(&Some(record.id)));
        self.stored.extend(write.record.map(|record| *record));
        write.number
    }

    pub(super) fn revoke(&mut self, number: u64, request: RequestId) {
        self.writes.retain(|write| write.number != number);
        self.stored.retain(|record| record.id != request);
    }

    /// The oldest write of a caller, if none for the same requests comes before it.
    pub(crate) fn next_write_of(&self, p: PhoneNo) -> Option<usize> {
        self.writes.iter().position(|write| write.p == p)
    }

    pub(super) fn store_writes_of(&mut self, p: PhoneNo, silently: bool) {
        if let Some(at) = self.next_write_of(p) {
            let number = self.commit(at);
            if silently {
                self.unconfirmed.push((number, p));
            } else {
                self.inbox.push_back(Inner::Saved(number));
            }
        }
    }

    pub(super) fn store_is(&mut self, store: Store) {
        self.store = store;
        if store == Store::Ready {
            for (number, _) in std::mem::take(&mut self.unconfirmed) {
                self.learn(Inner::Saved(number));
            }
            while !self.writes.is_empty() {
                let number = self.commit(0);
                self.learn(Inner::Saved(number));
            }
        }
    }

    pub(super) fn store_fails(&mut self) {
        let left: Vec<u64> = self.writes.iter().map(|write| write.number).collect();
        for number in left {
            self.learn(Inner::SaveFailed(number));
        }
    }

    /// A write is durable.
    pub(super) fn saved(&mut self, number: u64) {
        if let Some(i) = self.requests.iter().position(|r| r.turn_write == Some(number)) {
            self.requests[i].turn_write = None;
            self.turn_is_on_record(i);
        } else if let Some(i) = self.requests.iter().position(|r| r.dial_write == Some(number)) {
            self.place_call(i);
        } else if let Some(i) = self.saving_by(number) {
            self.accept(i);
        } else {
            self.clear_after(number);
        }
    }

    /// A write cannot be made now: R37 refuses new requests; R47 lets notifications wait. What the user has asked for
    /// on a phone is not held up: Dial dials, Cancel takes the screen away.
    pub(super) fn save_failed(&mut self, number: u64) {
        if let Some(i) = self.requests.iter().position(|r| r.dial_write == Some(number)) {
            self.place_call(i);
        } else if let Some(i) = self.saving_by(number) {
            self.not_saved(i);
        } else {
            self.clear_after(number);
        }
    }

    fn saving_by(&self, number: u64) -> Option<usize> {
        self.requests.iter().position(|r| matches!(r.stage, Stage::Saving { write, .. } if write == number))
    }

    fn clear_after(&mut self, number: u64) {
        if let Some(p) = self.known.iter().position(|known| known.clear_after == Some(number)) {
            self.known[p].clear_after = None;
            self.clear(p);
        }
    }

    /// R4: durable first, then Activated.
    fn accept(&mut self, i: usize) {
        let Stage::Saving { replaces, .. } = self.requests[i].stage else { return };
        self.moved("being saved", "waiting");
        self.requests[i].stage = Stage::Accepted;
        let (p, l, id) = (self.requests[i].p, self.requests[i].l, self.requests[i].record.id);
        if let Some(old) = replaces.and_then(|old| self.index(old)) {
            let gone = self.requests.remove(old);
            self.moved(phase_name(&gone), ending_name(Ending::Replaced));
            // The transaction has removed it; what was written of it since must not stay either.
            if self.stored.iter().any(|record| record.id == gone.record.id)
                || self.writes.iter().any(|write| write.request == gone.record.id && write.record.is_some())
            {
                self.write_removal(&gone);
            }
            self.tell(p, Notice::Ended { request: gone.record.id, how: Ending::Replaced });
            self.forget_what_is_closed();
            self.serve(gone.l);
        }
        self.tell(p, Notice::Accepted { request: id });
        let Some(i) = self.index(id) else { return };
        if self.requests[i].changed {
            self.write(i, None);
        }
        let dn = self.requests[i].record.dialled.clone();
        self.show(p, View::Activated { dn }, Some(id));
        self.serve(l);
    }

    /// R4, R37: not saved in time, or not at all. R38: an earlier request is as it was.
    pub(super) fn not_saved(&mut self, i: usize) {
        let r = self.requests.remove(i);
        self.moved("being saved", "refused");
        let Stage::Saving { write, replaces, .. } = r.stage else { return };
        self.refuse(r.p, self.number_of(&r), vec![Refusal::StoreUnavailable]);
        self.revoke(write, r.record.id);
        self.forget_what_is_closed();
        self.old_goes_on(replaces);
        self.serve(r.l);
    }

    /// R38. The transaction that is undone may have removed the old request: it is written again.
    pub(super) fn old_goes_on(&mut self, replaces: Option<RequestId>) {
        if let Some(old) = replaces.and_then(|old| self.index(old)) {
            self.requests[old].being_replaced = false;
            let number = self.write(old, None);
            // What waits for its write waits for this one: the undone transaction may have come after the other.
            let r = &mut self.requests[old];
            r.turn_write = r.turn_write.map(|_| number);
            r.dial_write = r.dial_write.map(|_| number);
            self.serve(self.requests[old].l);
        }
    }
}

impl Request {
    pub(super) fn new(record: Record, p: PhoneNo, l: LineNo, stage: Stage) -> Self {
        Self {
            changed: false,
            record,
            p,
            l,
            stage,
            turn_write: None,
            dial_write: None,
            call: None,
            asked_on: None,
            looked_at: false,
            busy_first: false,
            used_since_dial: false,
            suspended: false,
            dnd_told: false,
            owed: false,
            doubt: false,
            repeats: 0,
            being_replaced: false,
        }
    }
}
