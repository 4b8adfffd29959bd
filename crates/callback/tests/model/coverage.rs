//! Every transition of a request, counted: from which phase, by which event, to which phase or ending.

use std::collections::BTreeMap;

/// A transition: phase, event, phase or ending.
pub(crate) type Transition = (&'static str, &'static str, &'static str);

/// How often each transition was taken.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<Transition, u64>);

/// The transitions of the diagram in the crate's documentation, by phase and outcome, whatever the event.
pub(crate) const DIAGRAM: &[(&str, &str)] = &[
    ("none", "being saved"),
    ("being saved", "waiting"),
    ("being saved", "refused"),
    ("being saved", "ended: answered"),
    ("being saved", "ended: caller reset"),
    ("being saved", "ended: user changed"),
    ("waiting", "suspended"),
    ("suspended", "waiting"),
    ("waiting", "turn being saved"),
    ("turn being saved", "turn"),
    ("turn being saved", "waiting"),
    ("turn", "waiting"),
    ("turn", "lapsed"),
    ("turn", "dialing"),
    ("turn", "turn"),
    ("lapsed", "dialing"),
    ("dialing", "lapsed"),
    ("dialing", "waiting"),
    ("dialing", "ended: reached"),
    ("waiting", "ended: cancelled"),
    ("waiting", "ended: expired"),
    ("waiting", "ended: caller reset"),
    ("waiting", "ended: user changed"),
    ("waiting", "ended: replaced"),
    ("waiting", "ended: answered"),
    ("suspended", "ended: cancelled"),
    ("suspended", "ended: expired"),
    ("suspended", "ended: caller reset"),
    ("suspended", "ended: user changed"),
    ("suspended", "ended: replaced"),
    ("suspended", "ended: answered"),
    ("turn being saved", "ended: cancelled"),
    ("turn being saved", "ended: expired"),
    ("turn being saved", "ended: caller reset"),
    ("turn being saved", "ended: user changed"),
    ("turn", "ended: cancelled"),
    ("turn", "ended: expired"),
    ("turn", "ended: caller reset"),
    ("turn", "ended: user changed"),
    ("turn", "ended: replaced"),
    ("turn", "ended: answered"),
    ("lapsed", "ended: cancelled"),
    ("lapsed", "ended: expired"),
    ("lapsed", "ended: caller reset"),
    ("lapsed", "ended: user changed"),
    ("lapsed", "ended: replaced"),
    ("lapsed", "ended: answered"),
    ("dialing", "ended: cancelled"),
    ("dialing", "ended: expired"),
    ("dialing", "ended: caller reset"),
    ("dialing", "ended: user changed"),
];

impl Coverage {
    pub(crate) fn count(&mut self, taken: &[Transition]) {
        for transition in taken {
            *self.0.entry(*transition).or_default() += 1;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (transition, count) in other.0 {
            *self.0.entry(transition).or_default() += count;
        }
    }

    fn of(&self, from: &str, to: &str) -> u64 {
        self.0.iter().filter(|((a, _, b), _)| (*a, *b) == (from, to)).map(|(_, count)| count).sum()
    }

    /// The whole table, by phase and outcome, with the events that led there.
    pub(crate) fn table(&self) -> String {
        let mut lines = Vec::new();
        for (from, to) in DIAGRAM {
            let events = self.0.iter().filter(|((a, _, b), _)| a == from && b == to);
            let events: Vec<String> =
                events.map(|((_, event, _), count)| format!("{event} {count}")).collect();
            lines.push(format!("{from:>16} -> {to:<20} {:>9}  ({})", self.of(from, to), events.join(", ")));
        }
        lines.join("\n")
    }

    /// The transitions that were taken less often than this.
    pub(crate) fn rarer_than(&self, least: u64) -> Vec<(&'static str, &'static str, u64)> {
        let counts = DIAGRAM.iter().map(|(from, to)| (*from, *to, self.of(from, to)));
        counts.filter(|(_, _, count)| *count < least).collect()
    }
}
