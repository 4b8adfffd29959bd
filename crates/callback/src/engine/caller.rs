//! The caller's phone and the screens on it (R3, R5, R17, R40).

use ringback_model::{Appearance, CallId, DeviceName, RequestId};

use super::Engine;
use super::activation::{Pressed, Proposal};
use crate::input::{CallProgress, DeviceState, Ticket};
use crate::output::{Ending, Notice, Output, SaveId, SoftKey, View};
use crate::record::Phase;

/// What of ours is on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Screen {
    /// Nothing.
    #[default]
    Nothing,
    /// Perhaps something: another instance may have put it there.
    Unknown,
    /// This.
    Up { view: View, about: Option<RequestId> },
}

/// A phone that has a request, a screen of ours, or is about to.
#[derive(Debug, Default)]
pub(super) struct Caller {
    /// Its request.
    pub(super) request: Option<RequestId>,
    /// A request that is being accepted.
    pub(super) saving: Option<RequestId>,
    /// A press of the key for which the directory is being asked.
    pub(super) asking: Option<(Ticket, Pressed)>,
    /// What *Replace?* proposes.
    pub(super) proposal: Option<Proposal>,
    pub(super) screen: Screen,
    /// The screen, or its absence, has not been sent: the phone could not be reached.
    pub(super) unsent: bool,
    /// The screen goes when this removal has its outcome.
    pub(super) clearing: Option<SaveId>,
    /// Whether the device is open for it.
    open: bool,
}

impl Caller {
    fn needs_device(&self) -> bool {
        self.request.is_some()
            || self.saving.is_some()
            || self.screen != Screen::Nothing
            || self.unsent
            || self.clearing.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.needs_device() && self.asking.is_none() && self.proposal.is_none()
    }
}

impl Engine {
    /// Opens the phone if it is needed, closes it if not, and forgets it when nothing is left.
    pub(super) fn tend_caller(&mut self, device: &DeviceName) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        let needed = caller.needs_device();
        if needed != caller.open {
            caller.open = needed;
            if needed {
                self.watch.open_device(device, &mut self.out);
            } else {
                self.watch.close_device(device, &mut self.out);
            }
        }
        if self.callers.get(device).is_some_and(Caller::is_empty) {
            self.callers.remove(device);
        }
    }

    /// Puts a screen on a phone, at the latest when it can be reached.
    pub(super) fn show(&mut self, device: &DeviceName, view: View, about: Option<RequestId>) {
        let caller = self.callers.entry(device.clone()).or_default();
        caller.clearing = None;
        if !matches!(view, View::Replace { .. }) {
            // OK is not on the phone any more.
            caller.proposal = None;
        }
        caller.screen = Screen::Up { view, about };
        caller.unsent = true;
        self.tend_caller(device);
        self.send_screen(device);
    }

    /// Takes our screen away.
    pub(super) fn clear(&mut self, device: &DeviceName) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        caller.clearing = None;
        if caller.screen != Screen::Nothing {
            caller.screen = Screen::Nothing;
            caller.unsent = true;
            self.send_screen(device);
        }
        self.tend_caller(device);
    }

    fn send_screen(&mut self, device: &DeviceName) {
        if !self.watch.is_in_service(device) {
            return;
        }
        let Some(caller) = self.callers.get_mut(device) else { return };
        // A screen that is about to go is not sent once more.
        if caller.clearing.is_some() || !std::mem::take(&mut caller.unsent) {
            return;
        }
        match &caller.screen {
            Screen::Nothing => self.out.push(Output::Clear(device.clone())),
            Screen::Up { view, about } => {
                self.out.push(Output::Show { device: device.clone(), view: view.clone(), about: *about });
            }
            Screen::Unknown => {}
        }
        self.tend_caller(device);
    }

    /// The latest screen did not get through: it is sent again with the phone's next sign of life.
    pub(super) fn screen_lost(&mut self, device: &DeviceName) {
        if let Some(caller) = self.callers.get_mut(device)
            && caller.screen != Screen::Unknown
        {
            caller.unsent = true;
            self.tend_caller(device);
        }
    }

    /// A phone with a request or screen of ours reported its state; `before` is what it reported before over the same
    /// link.
    pub(super) fn caller_device(
        &mut self,
        device: &DeviceName,
        before: Option<DeviceState>,
        state: DeviceState,
    ) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        if state == DeviceState::OutOfService {
            // R40. The screen went with the phone.
            caller.screen = Screen::Nothing;
            caller.unsent = false;
            caller.clearing = None;
            self.end_all_of(device, Ending::CallerReset);
            self.tend_caller(device);
            return;
        }
        self.send_screen(device);
        let Some(id) = self.callers.get(device).and_then(|caller| caller.request) else { return };
        if before.is_none()
            && let Some(line) = self.doubt_alert(id)
        {
            self.settle_doubts(&line);
            self.evaluate(&line);
        }
        if !self.watch.is_idle(device) {
            return;
        }
        let Some(request) = self.requests.get(&id) else { return };
        match request.record.phase {
            Phase::Lapsed if request.reshow => self.show_available(id),
            Phase::Waiting => {
                let line = request.record.called.clone();
                self.evaluate(&line);
            }
            _ => {}
        }
    }

    /// A request has ended: the phone does not have it any more, and its screen goes.
    pub(super) fn caller_lost_request(
        &mut self,
        device: &DeviceName,
        id: RequestId,
        removal: Option<SaveId>,
    ) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        if caller.request == Some(id) {
            caller.request = None;
        }
        if caller.saving == Some(id) {
            caller.saving = None;
        }
        let concerned = match &caller.screen {
            Screen::Nothing => false,
            Screen::Unknown => true,
            Screen::Up { about, .. } => *about == Some(id),
        };
        match removal {
            Some(save) if concerned => {
                caller.clearing = Some(save);
                self.clears.insert(save, device.clone());
            }
            None if concerned => self.clear(device),
            _ => {}
        }
        self.tend_caller(device);
    }

    /// The screen that belongs to a request's phase (R3, R5).
    pub(super) fn show_present(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        // Until its turn is on record, the caller has not been notified.
        let notified = match request.record.phase {
            Phase::Waiting => false,
            Phase::Turn { .. } => request.gate.is_none(),
            Phase::Lapsed | Phase::Dialing { .. } => true,
        };
        if notified {
            return self.show_available(id);
        }
        let (device, dn) = (request.record.caller.device.clone(), request.record.dialled.clone());
        let on_dnd = request.told_dnd && self.lines.get(&request.record.called).is_some_and(|line| line.dnd);
        let view = if on_dnd { View::DoNotDisturb { dn } } else { View::Activated { dn } };
        self.show(&device, view, Some(id));
    }

    /// R27: *Activated* replaces *Available*, if that is up.
    pub(super) fn replace_available(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(&id) else { return };
        let up = self.callers.get(&request.record.caller.device).map(|caller| &caller.screen);
        if matches!(up, Some(Screen::Up { view: View::Available { .. }, about }) if *about == Some(id))
            // Another instance has put it there: the request had its turn.
            || (up == Some(&Screen::Unknown) && request.record.notified.is_some())
        {
            self.show_present(id);
        }
    }

    /// A softkey of a screen of ours.
    pub(super) fn screen_key(&mut self, device: &DeviceName, key: SoftKey, about: Option<RequestId>) {
        let Some(caller) = self.callers.get_mut(device) else {
            self.notice(Notice::Ignored("a softkey of a phone that has no screen of ours"));
            return;
        };
        if key == SoftKey::Exit {
            // R17
            caller.proposal = None;
            self.clear(device);
            return;
        }
        let request = caller.request;
        match (key, request) {
            (SoftKey::Ok, _) => match caller.proposal.take() {
                Some(proposal) => self.accept_proposal(device, proposal),
                None => {
                    self.notice(Notice::Ignored("OK, but nothing was proposed"));
                    self.refresh_stale_screen(device);
                }
            },
            (SoftKey::Cancel, Some(id)) if about == Some(id) => self.end(id, Ending::Cancelled),
            (SoftKey::Dial, Some(id)) if about == Some(id) => self.dial(id),
            _ => {
                self.notice(Notice::Ignored("a softkey of a screen that is out of date"));
                self.refresh_stale_screen(device);
            }
        }
    }

    /// A key was pressed on a screen that should not be there: what should be there is put in its place.
    fn refresh_stale_screen(&mut self, device: &DeviceName) {
        let Some(caller) = self.callers.get_mut(device) else { return };
        match caller.request {
            // The screen of the one that takes its place comes by itself.
            _ if caller.saving.is_some() => {}
            Some(id) => self.show_present(id),
            None if caller.clearing.is_none() => {
                caller.screen = Screen::Unknown;
                self.clear(device);
            }
            // It is about to go.
            None => {}
        }
    }

    /// R7 for a request that is only proposed: the call it is about was answered.
    pub(super) fn drop_answered_proposal(&mut self, at: &Appearance, call: CallId, progress: &CallProgress) {
        if !matches!(progress, CallProgress::Connected { .. }) {
            return;
        }
        if let Some(caller) = self.callers.get_mut(&at.device)
            && caller.proposal.as_ref().is_some_and(|proposal| proposal.is_about(call))
        {
            caller.proposal = None;
            self.clear(&at.device);
        }
    }
}
