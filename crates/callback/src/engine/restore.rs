//! Going on with what the store holds: after a restart, or on a new active instance (R48, R49).

use ringback_model::RequestId;

use super::caller::Screen;
use super::request::Request;
use super::timers::Timer;
use super::{Engine, RequestSlot};
use crate::output::{Ending, Notice, Output};
use crate::record::{Phase, Record};

impl Engine {
    pub(super) fn restore(&mut self, mut records: Vec<Record>) {
        records.sort_by_key(|record| (record.since, record.id));
        let ids: Vec<RequestId> = records.iter().map(|record| record.id).collect();
        for record in records {
            self.take_over(record);
        }
        for id in &ids {
            self.expire(*id);
        }
        for id in ids {
            if let Some(slot) = self.requests.find(&id) {
                self.lapse_if_passed_on(slot);
            }
        }
    }

    /// Writes of different requests reach the store in any order: it may hold a turn that had ended before the next
    /// one was given. The policy says whether it can have been so; the latest turn counts.
    fn lapse_if_passed_on(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        let Phase::Turn { until, .. } = request.record.phase else { return };
        let later = self.lines.get(request.line).map_or(0, |line| {
            let others = line.turns.iter().filter_map(|other| self.requests.get(*other));
            let is_later = |other: &&Request| match other.record.phase {
                Phase::Turn { until: end, .. } => (end, other.record.id) > (until, request.record.id),
                _ => false,
            };
            others.filter(is_later).count()
        });
        if later > 0 && self.policy().choose(later, &mut std::iter::once(request.candidate())).is_empty() {
            self.lapse(slot);
        }
    }

    fn take_over(&mut self, record: Record) {
        let id = record.id;
        if self.requests.find(&id).is_some() {
            return;
        }
        if id.epoch == self.epoch {
            self.accepted = self.accepted.max(id.number);
        }
        let (expires, phase) = (record.expires, record.phase);
        let slot = self.enter_request(record);
        let Some(request) = self.requests.get_mut(slot) else { return };
        let (phone, line) = (request.phone, request.line);
        request.accepted = true;
        self.pending += 1;
        match phase {
            Phase::Waiting => self.join(slot),
            Phase::Turn { alert, until, alerted } => {
                request.due = true;
                if alerted {
                    self.timers.set(until, Timer::Turn(id, alert.number));
                } else {
                    request.in_doubt = true;
                }
                self.add_turn(slot);
            }
            Phase::Dialing { in_turn: true } => self.add_turn(slot),
            Phase::Dialing { in_turn: false } | Phase::Lapsed => {}
        }
        let earlier = self.watch.enter_caller(phone).and_then(|caller| {
            caller.screen = Screen::Unknown;
            caller.request.replace(slot)
        });
        self.tend_caller(phone);
        self.open_caller_line(slot);
        self.tend_line(line);
        self.set_expiry(id, expires);
        if let Some(earlier) = earlier {
            // One active Call Back per phone: should the store hold two, the later one counts.
            self.notice(Notice::Ignored("two stored requests of one phone: the earlier one ends"));
            let save = self.next_save();
            if let Some(request) = self.requests.get(earlier) {
                self.out.push(Output::Remove { save, request: request.record.id });
            }
            self.end(earlier, Ending::Replaced);
        }
    }
}
