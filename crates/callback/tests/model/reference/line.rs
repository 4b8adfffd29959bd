//! When B is available, and for whom: R8 to R14, R41, R44.

use ringback_callback::Cycle;
use ringback_model::Millis;

use super::*;

/// The use of a whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Use {
    /// Not all that counts has been read.
    #[default]
    Unknown,
    /// It is on no phone that is registered.
    Away,
    Idle,
    Ringing,
    OffHook,
}

impl Reference {
    /// R9: in use while any appearance is; an unregistered phone does not count.
    pub(super) fn use_of(&self, l: LineNo) -> Use {
        let Some(phones) = &self.lines[l].located else { return Use::Unknown };
        let of = |p: &PhoneNo| match self.known[*p].seen {
            None => Use::Unknown,
            Some(Seen::Away) => Use::Away,
            Some(Seen::Here { .. }) => match self.read_of(l, *p) {
                None => Use::Unknown,
                Some(Occupancy::Idle) => Use::Idle,
                Some(Occupancy::Ringing) => Use::Ringing,
                Some(Occupancy::InUse) => Use::OffHook,
            },
        };
        let all: Vec<Use> = phones.iter().map(of).collect();
        for found in [Use::OffHook, Use::Unknown, Use::Ringing, Use::Idle] {
            if all.contains(&found) {
                return found;
            }
        }
        Use::Away
    }

    fn read_of(&self, l: LineNo, p: PhoneNo) -> Option<Occupancy> {
        self.lines[l].read.iter().find(|(other, _)| *other == p).map(|(_, occupancy)| *occupancy)
    }

    /// R14 **freedom**: a shared line is on DND if every registered phone that has it is.
    fn on_dnd(&self, l: LineNo) -> bool {
        let phones = self.lines[l].located.clone().unwrap_or_default();
        let mut here = phones.iter().filter_map(|p| match self.known[*p].seen {
            Some(Seen::Here { dnd, .. }) => Some(dnd),
            _ => None,
        });
        here.next().is_some_and(|first| first && here.all(|dnd| dnd))
    }

    /// Something about a called line was read, or a phone that has it came or went.
    pub(super) fn look_at(&mut self, l: LineNo) {
        if !self.is_watched(l) {
            return;
        }
        let (before, now) = (self.lines[l].read_last, self.use_of(l));
        self.lines[l].latest = now;
        if now == Use::Unknown {
            return;
        }
        let dnd = self.on_dnd(l);
        let dnd_before = std::mem::replace(&mut self.lines[l].dnd, dnd);
        self.lines[l].read_last = Some(now);
        // **Freedom**: idle before and idle after a lost link counts as idle all the time.
        if now == Use::Idle && before != Some(Use::Idle) {
            self.lines[l].idle_since = self.now;
        }
        if now != Use::Idle {
            self.lines[l].about_to_ring = None;
        }
        if now == Use::OffHook || now == Use::Away {
            self.withdraw_turns(l);
        }
        self.cycles(l, now);
        for i in 0..self.requests.len() {
            let r = &mut self.requests[i];
            if r.l == l && now != Use::Idle {
                r.busy_first = false;
                r.suspended = false;
                r.used_since_dial = true;
                r.dnd_told &= now == Use::Ringing;
            }
        }
        if now == Use::Idle && dnd_before && !self.lines[l].dnd {
            self.dnd_is_off(l);
        }
        let on_dnd = now == Use::Idle && self.lines[l].dnd;
        for r in self.requests.iter_mut().filter(|r| r.l == l) {
            // A request's first look that finds B idle on DND shows nothing new.
            let at_first = !std::mem::replace(&mut r.looked_at, true);
            r.busy_first |=
                at_first && on_dnd && r.record.cycle.is_none() && r.record.phase == Phase::Waiting;
        }
        self.serve(l);
    }

    /// R11: off hook, then on hook again. R41: a reset of B begins it anew.
    fn cycles(&mut self, l: LineNo, now: Use) {
        for i in 0..self.requests.len() {
            let r = &self.requests[i];
            let next = match (r.record.cycle, now) {
                _ if r.l != l || r.record.phase != Phase::Waiting => continue,
                (Some(Cycle::Untouched), Use::OffHook) => Cycle::OffHook,
                (Some(Cycle::OffHook), Use::Idle | Use::Ringing) => Cycle::Complete,
                (Some(Cycle::OffHook | Cycle::Complete), Use::Away) => Cycle::Untouched,
                _ => continue,
            };
            self.cycle_is(i, next);
        }
    }

    /// R14: DND off while B is idle counts as availability for everybody who waits.
    fn dnd_is_off(&mut self, l: LineNo) {
        for i in 0..self.requests.len() {
            let r = &mut self.requests[i];
            if r.l == l && r.record.phase == Phase::Waiting {
                r.dnd_told = false;
                r.busy_first = false;
                if r.record.cycle.is_some_and(|cycle| cycle != Cycle::Complete) {
                    self.cycle_is(i, Cycle::Complete);
                }
            }
        }
    }

    fn cycle_is(&mut self, i: usize, cycle: Cycle) {
        self.requests[i].record.cycle = Some(cycle);
        // What B does while the request is being saved is written when it is accepted.
        if self.requests[i].stage == Stage::Accepted {
            self.moved(phase_name(&self.requests[i]), phase_name(&self.requests[i]));
            self.write(i, None);
        } else {
            self.requests[i].changed = true;
        }
    }

    /// R10, R11, R20: whether an idle line is what this request waits for.
    pub(super) fn is_available_for(&self, i: usize) -> bool {
        let r = &self.requests[i];
        r.record.phase == Phase::Waiting
            && !r.busy_first
            && r.record.cycle.is_none_or(|cycle| cycle == Cycle::Complete)
    }

    /// R13: idle for long enough, and not about to ring.
    pub(super) fn is_free(&self, l: LineNo) -> bool {
        let line = &self.lines[l];
        line.latest == Use::Idle
            && self.now >= line.idle_since + self.parameters.idle_guard
            && line.about_to_ring.is_none_or(|until| self.now >= until)
    }

    /// When something becomes due at a line by time alone.
    pub(super) fn line_due(&self, l: LineNo) -> Option<Timestamp> {
        let line = &self.lines[l];
        let guard = line.idle_since + self.parameters.idle_guard;
        let dues = [Some(guard), line.about_to_ring];
        dues.into_iter().flatten().filter(|due| line.latest == Use::Idle && *due > self.now).min()
    }

    /// B rings or has answered, which its own line may tell a little later.
    pub(super) fn will_be_in_use(&mut self, l: LineNo) {
        if self.lines[l].latest == Use::Idle {
            self.lines[l].about_to_ring = Some(self.now + Millis::from_secs(1));
        }
    }
}
