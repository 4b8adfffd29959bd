use ringback_cti::message::{CallInfo, CallState, Cause};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Timestamp};

/// One end of a call, at one appearance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) device: DeviceName,
    pub(super) line: LineId,
    pub(super) state: CallState,
    pub(super) cause: Cause,
}

impl Leg {
    pub(super) fn new(device: DeviceName, line: LineId, state: CallState) -> Self {
        Self { device, line, state, cause: Cause::NONE }
    }

    pub(super) fn at(&self) -> Appearance {
        Appearance { device: self.device.clone(), line: self.line.clone() }
    }

    /// Whether the handset (or the loudspeaker) is busy with this call now.
    pub(super) fn is_active(&self) -> bool {
        self.state.is_off_hook() && self.state != CallState::OnHold
    }
}

/// A call lives exactly as long as its caller takes part in it. The other side is nobody (dial tone, busy, reorder),
/// the appearances that ring, or the one that answered. No phone takes part in a call twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) caller: Leg,
    pub(super) callees: Vec<Leg>,
    /// The number that was dialled.
    pub(super) dialled: Option<DirectoryNumber>,
    /// The number that was reached, which after forwarding is another.
    pub(super) reached: Option<DirectoryNumber>,
    /// When the caller gives up waiting for an answer.
    pub(super) no_answer_at: Option<Timestamp>,
}

impl Call {
    pub(super) fn legs(&self) -> impl Iterator<Item = &Leg> {
        std::iter::once(&self.caller).chain(&self.callees)
    }

    pub(super) fn leg(&self, device: &DeviceName) -> Option<&Leg> {
        self.legs().find(|leg| leg.device == *device)
    }

    pub(super) fn leg_mut(&mut self, device: &DeviceName) -> Option<&mut Leg> {
        std::iter::once(&mut self.caller).chain(&mut self.callees).find(|leg| leg.device == *device)
    }

    /// The number at the other end, as this phone sees it.
    pub(super) fn peer(&self, device: &DeviceName) -> Option<&DirectoryNumber> {
        if self.caller.device == *device { self.reached.as_ref() } else { Some(&self.caller.line.dn) }
    }

    /// The call as this phone sees it.
    pub(super) fn info(&self, leg: &Leg) -> CallInfo {
        CallInfo {
            call: self.id,
            state: leg.state,
            cause: leg.cause,
            called: self.dialled.clone(),
            peer: self.peer(&leg.device).cloned(),
        }
    }
}
