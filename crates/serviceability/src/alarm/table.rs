use std::collections::{BTreeMap, VecDeque};

use ringback_model::{Group, Millis, Timestamp};

use super::catalogue::{AlarmKind, Condition};
use super::model::{Alarm, Report};

/// When a condition that comes and goes counts as fluttering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damping {
    /// So many alarms of one condition within [`window`](Self::window) are told; then it flutters. Default 10. Less
    /// than 2 would hide that a condition has cleared, so 2 is taken then.
    pub alarms: usize,
    /// Default 60 s.
    pub window: Millis,
    /// A fluttering condition is told again once it has not changed for this long. Default 30 s. Longer means
    /// fewer alarms, and later ones.
    pub settle: Millis,
}

impl Default for Damping {
    fn default() -> Self {
        Self { alarms: 10, window: Millis::from_secs(60), settle: Millis::from_secs(30) }
    }
}

/// Decides which reports are news. Pure: the time is an argument, the alarms to be sent are the result.
///
/// Events always are. A condition's report is if it changes what was last told of it. A condition that comes and goes too
/// often is held back until it has settled: then [`AlarmTable::tick`] tells how it stands.
#[derive(Debug, Clone, Default)]
pub struct AlarmTable {
    damping: Damping,
    conditions: BTreeMap<(Condition, Option<Group>), State>,
}

/// What is known of one condition.
#[derive(Debug, Clone)]
struct State {
    /// The last report, told or not.
    now: Report,
    wrong: bool,
    /// What was told last: wrong or right.
    told: bool,
    /// When the last alarms were told.
    recent: VecDeque<Timestamp>,
    held_back: u32,
    /// While it flutters: when it will have settled.
    settles: Option<Timestamp>,
}

impl AlarmTable {
    /// A table in which nothing is known yet.
    #[must_use]
    pub fn new(damping: Damping) -> Self {
        Self { damping, conditions: BTreeMap::new() }
    }

    /// Takes a report and gives the alarm to be sent, if it is news.
    pub fn report(&mut self, now: Timestamp, report: Report) -> Option<Alarm> {
        let (condition, wrong) = match report.name.kind() {
            AlarmKind::Event => return Some(Alarm { at: now, report, held_back: 0, fluttering: false }),
            AlarmKind::Raises(condition) => (condition, true),
            AlarmKind::Clears(condition) => (condition, false),
        };
        let damping = self.damping;
        let key = (condition, report.group.clone());
        let Some(state) = self.conditions.get_mut(&key) else {
            self.conditions.insert(key, State::first(now, report.clone(), wrong));
            return Some(Alarm { at: now, report, held_back: 0, fluttering: false });
        };
        let changed = state.wrong != wrong;
        state.wrong = wrong;
        state.now = report;
        if state.settles.is_some() {
            state.held_back += 1;
            if changed {
                state.settles = Some(now + damping.settle);
            }
            return None;
        }
        if state.told == wrong {
            state.held_back += 1;
            return None;
        }
        Some(state.tell(now, damping))
    }

    /// Gives the alarms of fluttering conditions that have settled by now.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        for state in self.conditions.values_mut() {
            if state.settles.is_none_or(|settles| now < settles) {
                continue;
            }
            state.settles = None;
            state.recent.clear();
            if state.told != state.wrong {
                alarms.push(state.tell(now, self.damping));
            }
        }
        alarms
    }

    /// When [`tick`](Self::tick) has something to do; `None` while nothing flutters.
    #[must_use]
    pub fn next_tick(&self) -> Option<Timestamp> {
        self.conditions.values().filter_map(|state| state.settles).min()
    }

    /// The conditions that are wrong now, by their last report.
    pub fn standing(&self) -> impl Iterator<Item = &Report> {
        self.conditions.values().filter(|state| state.wrong).map(|state| &state.now)
    }
}

impl State {
    fn first(at: Timestamp, report: Report, wrong: bool) -> Self {
        Self { now: report, wrong, told: wrong, recent: VecDeque::from([at]), held_back: 0, settles: None }
    }

    fn tell(&mut self, now: Timestamp, damping: Damping) -> Alarm {
        while self.recent.front().is_some_and(|told| now.since(*told) >= damping.window) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let fluttering = self.recent.len() >= damping.alarms.max(2);
        if fluttering {
            self.settles = Some(now + damping.settle);
        }
        self.told = self.wrong;
        let held_back = std::mem::take(&mut self.held_back);
        Alarm { at: now, report: self.now.clone(), held_back, fluttering }
    }
}
