//! Going on with what the store holds: after a restart, or on a new active instance (R48, R49).

use ringback_model::RequestId;

use super::Engine;
use super::caller::Screen;
use super::request::Request;
use super::timers::Timer;
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
            self.lapse_if_passed_on(id);
        }
    }

    /// Writes of different requests reach the store in any order: it may hold a turn that had ended before the next
    /// one was given. The policy says whether it can have been so; the latest turn counts.
    fn lapse_if_passed_on(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        let Phase::Turn { until, .. } = request.record.phase else { return };
        let later = self.lines.get(&request.record.called).map_or(0, |line| {
            let is_later = |other: &&RequestId| match self.phase(**other) {
                Some(Phase::Turn { until: end, .. }) => (end, **other) > (until, id),
                _ => false,
            };
            line.turns.iter().filter(is_later).count()
        });
        if later > 0 && self.policy().choose(later, &mut std::iter::once(request.candidate())).is_empty() {
            self.lapse(id);
        }
    }

    fn take_over(&mut self, record: Record) {
        let id = record.id;
        if self.requests.contains_key(&id) {
            return;
        }
        if id.epoch == self.epoch {
            self.accepted = self.accepted.max(id.number);
        }
        let (device, line, expires) = (record.caller.device.clone(), record.called.clone(), record.expires);
        let mut request = Request::new(record);
        request.accepted = true;
        self.pending += 1;
        let record = &request.record;
        let called = self.lines.entry(line.clone()).or_default();
        called.members += 1;
        match record.phase {
            Phase::Waiting => called.enqueue(request.place()),
            Phase::Turn { alert, until, alerted } => {
                called.turns.push(id);
                request.due = true;
                if alerted {
                    self.timers.set(until, Timer::Turn(id, alert.number));
                } else {
                    request.in_doubt = true;
                }
            }
            Phase::Dialing { in_turn } => {
                if in_turn {
                    called.turns.push(id);
                }
            }
            Phase::Lapsed => {}
        }
        let caller_line = request.record.caller.clone();
        self.requests.insert(id, request);
        let caller = self.callers.entry(device.clone()).or_default();
        caller.screen = Screen::Unknown;
        let earlier = caller.request.replace(id);
        self.tend_caller(&device);
        self.watch.open_line(&caller_line, &mut self.out);
        self.tend_line(&line);
        self.set_expiry(id, expires);
        if let Some(earlier) = earlier {
            // One active Call Back per phone: should the store hold two, the later one counts.
            self.notice(Notice::Ignored("two stored requests of one phone: the earlier one ends"));
            let save = self.next_save();
            self.out.push(Output::Remove { save, request: earlier });
            self.end(earlier, Ending::Replaced);
        }
    }
}
