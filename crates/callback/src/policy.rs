use std::fmt::Debug;

use ringback_model::{RequestId, Timestamp};

use crate::parameters::QueuePolicyName;
use crate::record::Kind;

/// A caller who could be notified now: waiting, not suspended, and B is available for this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The request.
    pub request: RequestId,
    /// When it was accepted.
    pub since: Timestamp,
    /// Busy or no answer.
    pub kind: Kind,
    /// How many alerts it has had.
    pub alerts: u32,
}

/// Decides who is notified when a line is available. An extension point: give another one to
/// [`Engine::with_policy`](crate::Engine::with_policy).
pub trait QueuePolicy: Debug + Send + Sync {
    /// Chooses among the candidates, who come longest waiting first; `turns` callers have the turn on this line
    /// already. Reads only as many candidates as it needs.
    fn choose(&self, turns: usize, candidates: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId>;
}

/// One caller after the other, the longest waiting first (R24).
#[derive(Debug, Clone, Copy, Default)]
pub struct Fifo;

impl QueuePolicy for Fifo {
    fn choose(&self, turns: usize, candidates: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
        if turns > 0 { Vec::new() } else { candidates.take(1).map(|c| c.request).collect() }
    }
}

/// Everybody at once (R28).
#[derive(Debug, Clone, Copy, Default)]
pub struct All;

impl QueuePolicy for All {
    fn choose(&self, _turns: usize, candidates: &mut dyn Iterator<Item = Candidate>) -> Vec<RequestId> {
        candidates.map(|c| c.request).collect()
    }
}

/// The policy that a service parameter names.
pub(crate) fn named(name: QueuePolicyName) -> &'static dyn QueuePolicy {
    match name {
        QueuePolicyName::Fifo => &Fifo,
        QueuePolicyName::All => &All,
    }
}
