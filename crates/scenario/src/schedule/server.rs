//! How a PostgreSQL fails, as far as its users can tell.

use std::collections::BTreeMap;

use fastrand::Rng;
use ringback_model::Millis;

use super::plan::{Fault, Moment, Plan, Step};

/// Something fails at the database server that holds directory, requests and lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// All sessions are ended: what is under way is done, or it is not, and nobody is told which.
    EndSessions,
    /// The links are reset: what is under way is done so much later, over sessions that nobody listens to any more.
    ResetLinks(Millis),
    /// The server restarts, for so long: what has not been done by then is not done.
    Restart(Millis),
    /// The server is lost, and after so long a standby takes its place, which was so far behind. With synchronous replication
    /// nothing was confirmed that it does not have.
    Promote(Millis, Millis),
    /// For so long the server gives up whatever it is to write.
    TimeOut(Millis),
    /// The session that hears of changes is lost for a moment.
    Deafen,
    /// The clock steps.
    Step(i64),
}

/// A step of the clock is so small, or it goes back: more than the margin of a lease leaves over must be slewed.
const STEP_AHEAD: i64 = 80;
const STEP_BACK: i64 = 3000;
/// Where nobody takes care that the clock is slewed.
const CARELESS_STEP: i64 = 3000;

impl ServerFault {
    /// What it is called where it is counted.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EndSessions => "all sessions ended",
            Self::ResetLinks(_) => "links reset",
            Self::Restart(_) => "restarts",
            Self::Promote(..) => "promotions of a standby",
            Self::TimeOut(_) => "statement time-outs",
            Self::Deafen => "notification lost",
            Self::Step(_) => "steps of the clock",
        }
    }

    fn any(rng: &mut Rng, slewed: bool) -> Self {
        let time = Millis(if rng.bool() { rng.u64(20..1500) } else { rng.u64(1500..6000) });
        match rng.u8(0..100) {
            0..20 => Self::EndSessions,
            20..45 => Self::ResetLinks(time),
            45..60 => Self::Restart(time),
            60..75 => Self::Promote(time, Millis(rng.u64(50..1500))),
            75..85 => Self::TimeOut(time),
            85..93 => Self::Deafen,
            _ if !slewed => Self::Step(CARELESS_STEP),
            _ if rng.bool() => Self::Step(STEP_AHEAD),
            _ => Self::Step(-rng.i64(1..STEP_BACK)),
        }
    }
}

/// Puts failures of the server into a schedule that knows none.
pub(super) fn weave(seed: u64, plan: &mut Plan, slewed: bool) {
    const OFTEN: u8 = 12;
    const MOMENTS: [Moment; 4] = [Moment::WriteIssued, Moment::WriteIssued, Moment::Written, Moment::Shown];
    let mut rng = Rng::with_seed(seed ^ 0x7067);
    // Nothing breaks on the way where there is none.
    plan.store_delay = plan.store_delay.max(Millis(2));
    let mut woven = Vec::with_capacity(plan.steps.len());
    for (gap, step) in plan.steps.drain(..) {
        if rng.u8(0..100) < OFTEN {
            let fault = Fault::Server(ServerFault::any(&mut rng, slewed));
            let struck = if rng.u8(0..4) == 0 {
                Step::Fault(fault)
            } else {
                Step::When(MOMENTS[rng.usize(0..MOMENTS.len())], fault)
            };
            woven.push((Millis(rng.u64(0..200)), struck));
        }
        woven.push((gap, step));
    }
    plan.steps = woven;
}

/// How often each thing happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strikes(BTreeMap<&'static str, u32>);

impl Strikes {
    pub(super) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// What happened, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().map(|(what, times)| (*what, *times))
    }

    /// How often this happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u32 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl Extend<(&'static str, u32)> for Strikes {
    fn extend<T: IntoIterator<Item = (&'static str, u32)>>(&mut self, more: T) {
        for (what, times) in more {
            *self.0.entry(what).or_default() += times;
        }
    }
}
