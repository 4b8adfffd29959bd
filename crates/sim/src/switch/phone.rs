use std::collections::BTreeSet;

use ringback_cti::DataId;
use ringback_cti::message::DeviceStatus;
use ringback_model::LineId;

use super::event::ScreenView;

/// A phone: its configuration, its registration, and what an application has put on it.
#[derive(Debug, Default)]
pub(super) struct Phone {
    pub(super) lines: Vec<LineId>,
    pub(super) calls_per_line: usize,
    pub(super) registered: bool,
    /// Not in the database any more. It is kept while its calls run, and so that it can be added again.
    pub(super) removed: bool,
    pub(super) do_not_disturb: bool,
    pub(super) screen: Option<Screen>,
    pub(super) prompt: Option<String>,
    pub(super) alerts: u64,
    /// The data that it has acted on and must not act on again.
    pub(super) seen: BTreeSet<DataId>,
    /// What it is to do as soon as it is idle.
    pub(super) when_idle: Vec<String>,
    /// The status told last.
    pub(super) told: Option<DeviceStatus>,
}

/// What an application has put on a phone.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) view: ScreenView,
    /// What each key sends, in the order of the keys.
    pub(super) sends: Vec<String>,
}
