use std::collections::{BTreeMap, BTreeSet};

use ringback_cti::message::{Activity, CallInfo, CallState, Cause, DeviceStatus};
use ringback_model::{CallId, DirectoryNumber, Timestamp};

/// The server's summary of a phone, a family of events of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceState {
    /// No call.
    Idle,
    /// It rings.
    Ringing,
    /// In use, on hold, or both in use and ringing. `BUSY` too, though with `device_state_busy_at=1` it may only ring.
    InUse,
    /// Not registered.
    Unavailable,
}

impl DeviceState {
    /// `None`: the server does not know either.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "NOT_INUSE" => Self::Idle,
            "RINGING" => Self::Ringing,
            "INUSE" | "BUSY" | "ONHOLD" | "RINGINUSE" => Self::InUse,
            "UNAVAILABLE" | "INVALID" => Self::Unavailable,
            _ => return None,
        })
    }

    pub(super) fn has_calls(self) -> bool {
        matches!(self, Self::Ringing | Self::InUse)
    }
}

/// The last call that a phone made, kept for a feature code dialled after it.
#[derive(Debug, Clone)]
pub(super) struct LastCall {
    pub(super) call: CallId,
    pub(super) called: DirectoryNumber,
    pub(super) state: CallState,
    pub(super) cause: Cause,
}

/// What is known of one phone and its line.
#[derive(Debug, Default)]
pub(super) struct Phone {
    /// What registration events say.
    pub(super) registered: Option<bool>,
    /// Where it is registered, as far as that was told.
    pub(super) contacts: BTreeSet<String>,
    /// What device states say.
    pub(super) device_state: Option<DeviceState>,
    /// Its device state is known to lag behind: do not believe that there is a call.
    pub(super) stale: bool,
    /// Something else proved that it is there.
    pub(super) seen: bool,
    /// Its channels, by id.
    pub(super) channels: BTreeSet<String>,
    /// The call that stands for a device state in use without any channel (begun before this program).
    pub(super) shadow: Option<CallId>,
    /// From when on that is believed.
    pub(super) shadow_due: Option<Timestamp>,
    /// Its calls as told.
    pub(super) calls: BTreeMap<CallId, CallInfo>,
    /// Its user does not want to be disturbed.
    pub(super) do_not_disturb: bool,
    /// Its last call.
    pub(super) last: Option<LastCall>,
    /// Its status as told last; `None`: never.
    pub(super) told: Option<Option<DeviceStatus>>,
}

impl Phone {
    /// Whether it is in service; `None` while nothing is known.
    pub(super) fn in_service(&self) -> Option<bool> {
        match (self.registered, self.device_state) {
            (Some(false), _) | (_, Some(DeviceState::Unavailable)) => Some(false),
            (Some(true), _) | (None, Some(_)) => Some(true),
            (None, None) => self.seen.then_some(true),
        }
    }

    /// Its status by the calls told; `None`: out of service.
    pub(super) fn status(&self) -> Option<Option<DeviceStatus>> {
        let activity = if self.calls.values().any(|call| call.state.is_off_hook()) {
            Activity::Active
        } else if self.calls.is_empty() {
            Activity::Idle
        } else {
            Activity::Alerting
        };
        Some(self.in_service()?.then_some(DeviceStatus { activity, do_not_disturb: self.do_not_disturb }))
    }

    /// A registration event. A phone that comes back has no device state yet that would count.
    pub(super) fn register(&mut self, registered: bool) {
        if registered && self.registered == Some(false) && self.device_state == Some(DeviceState::Unavailable)
        {
            self.device_state = None;
        }
        self.registered = Some(registered);
    }

    /// A contact of the phone was told. It is gone with the last one.
    pub(super) fn contact(&mut self, uri: &str, status: &str) {
        match status {
            "Removed" | "Unreachable" => {
                self.contacts.remove(uri);
                if self.contacts.is_empty() {
                    self.register(false);
                }
            }
            "Created" | "Updated" | "Reachable" | "NonQualified" => {
                self.contacts.insert(uri.to_owned());
                self.register(true);
            }
            _ => {}
        }
    }
}
