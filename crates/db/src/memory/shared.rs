use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use ringback_model::Group;
use tokio::sync::watch;

use super::tables::Tables;
use crate::feed::Change;

/// What a directory and its feeds share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Wakes the feeds.
    pub(super) changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) groups: BTreeMap<Group, Tables>,
    pub(super) unavailable: bool,
    /// How often it has become unavailable.
    pub(super) outages: u64,
    /// The number of the last change.
    pub(super) seq: u64,
    /// The last changes; their numbers have no gaps.
    pub(super) log: VecDeque<(Group, Change)>,
}
