//! The caller's phone and the screens on it (R3, R5, R17, R40).

use ringback_model::{CallId, DeviceName, RequestId};

use super::activation::{Pressed, Proposal};
use super::{Engine, PhoneSlot, RequestSlot};
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
    /// This. In a box: most callers have left their screens.
    Up(Box<Shown>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    view: View,
    about: Option<RequestId>,
}

/// A phone that has a request, a screen of ours, or is about to.
#[derive(Debug, Default)]
pub(super) struct Caller {
    /// Its request.
    pub(super) request: Option<RequestSlot>,
    /// A request that is being accepted.
    pub(super) saving: Option<RequestSlot>,
    /// A press of the key for which the directory is being asked.
    pub(super) asking: Option<Box<(Ticket, Pressed)>>,
    /// What *Replace?* proposes.
    pub(super) proposal: Option<Box<Proposal>>,
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
    pub(super) fn tend_caller(&mut self, phone: PhoneSlot) {
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        let (needed, empty) = (caller.needs_device(), caller.is_empty());
        if needed != caller.open {
            caller.open = needed;
            if needed {
                self.watch.open_device(phone, &mut self.out);
            } else {
                self.watch.close_device(phone, &mut self.out);
            }
        }
        if empty {
            self.watch.forget_caller(phone);
        }
    }

    /// Puts a screen on a phone, at the latest when it can be reached.
    pub(super) fn show(&mut self, phone: PhoneSlot, view: View, about: Option<RequestId>) {
        let Some(caller) = self.watch.enter_caller(phone) else { return };
        caller.clearing = None;
        if !matches!(view, View::Replace { .. }) {
            // OK is not on the phone any more.
            caller.proposal = None;
        }
        caller.screen = Screen::Up(Box::new(Shown { view, about }));
        caller.unsent = true;
        self.tend_caller(phone);
        self.send_screen(phone);
    }

    /// Takes our screen away.
    pub(super) fn clear(&mut self, phone: PhoneSlot) {
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        caller.clearing = None;
        if caller.screen != Screen::Nothing {
            caller.screen = Screen::Nothing;
            caller.unsent = true;
            self.send_screen(phone);
        }
        self.tend_caller(phone);
    }

    fn send_screen(&mut self, phone: PhoneSlot) {
        if !self.watch.is_in_service(phone) {
            return;
        }
        let Some(device) = self.watch.name(phone).cloned() else { return };
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        // A screen that is about to go is not sent once more.
        if caller.clearing.is_some() || !std::mem::take(&mut caller.unsent) {
            return;
        }
        match &caller.screen {
            Screen::Nothing => self.out.push(Output::Clear(device)),
            Screen::Up(shown) => {
                self.out.push(Output::Show { device, view: shown.view.clone(), about: shown.about });
            }
            Screen::Unknown => {}
        }
        self.tend_caller(phone);
    }

    /// The latest screen did not get through: it is sent again with the phone's next sign of life.
    pub(super) fn screen_lost(&mut self, device: &DeviceName) {
        let Some(phone) = self.watch.find(device) else { return };
        if let Some(caller) = self.watch.caller_mut(phone)
            && caller.screen != Screen::Unknown
        {
            caller.unsent = true;
            self.tend_caller(phone);
        }
    }

    /// A phone with a request or screen of ours reported its state; `before` is what it reported before over the same
    /// link.
    pub(super) fn caller_device(
        &mut self,
        phone: PhoneSlot,
        before: Option<DeviceState>,
        state: DeviceState,
    ) {
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        if state == DeviceState::OutOfService {
            // R40. The screen went with the phone.
            caller.screen = Screen::Nothing;
            caller.unsent = false;
            caller.clearing = None;
            self.end_all_of(phone, Ending::CallerReset);
            self.tend_caller(phone);
            return;
        }
        self.send_screen(phone);
        let Some(slot) = self.watch.caller(phone).and_then(|caller| caller.request) else { return };
        if before.is_none()
            && let Some(line) = self.doubt_alert(slot)
        {
            self.settle_doubts(line);
            self.evaluate(line);
        }
        if !self.watch.is_idle(phone) {
            return;
        }
        let Some(request) = self.requests.get(slot) else { return };
        match request.record.phase {
            Phase::Lapsed if request.reshow => self.show_available(slot),
            Phase::Waiting => self.evaluate(request.line),
            _ => {}
        }
    }

    /// A request has ended: the phone does not have it any more, and its screen goes.
    pub(super) fn caller_lost_request(
        &mut self,
        phone: PhoneSlot,
        slot: RequestSlot,
        id: RequestId,
        removal: Option<SaveId>,
    ) {
        let Some(device) = self.watch.name(phone).cloned() else { return };
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        if caller.request == Some(slot) {
            caller.request = None;
        }
        if caller.saving == Some(slot) {
            caller.saving = None;
        }
        let concerned = match &caller.screen {
            Screen::Nothing => false,
            Screen::Unknown => true,
            Screen::Up(shown) => shown.about == Some(id),
        };
        // Where nothing is to be removed, another request takes its place, and the screen is that one's.
        if let Some(save) = removal.filter(|_| concerned) {
            caller.clearing = Some(save);
            self.clears.insert(save, device);
        }
        self.tend_caller(phone);
    }

    /// The screen that belongs to a request's phase (R3, R5).
    pub(super) fn show_present(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        // Until its turn is on record, the caller has not been notified.
        let notified = match request.record.phase {
            Phase::Waiting => false,
            Phase::Turn { .. } => request.gate.is_none(),
            Phase::Lapsed | Phase::Dialing { .. } => true,
        };
        if notified {
            return self.show_available(slot);
        }
        let (phone, id, dn) = (request.phone, request.record.id, request.record.dialled.clone());
        let on_dnd = request.told_dnd && self.lines.get(request.line).is_some_and(|line| line.dnd);
        let view = if on_dnd { View::DoNotDisturb { dn } } else { View::Activated { dn } };
        self.show(phone, view, Some(id));
    }

    /// R27: *Activated* replaces *Available*, if that is up.
    pub(super) fn replace_available(&mut self, slot: RequestSlot) {
        let Some(request) = self.requests.get(slot) else { return };
        let record = &request.record;
        let is_up = match self.watch.caller(request.phone).map(|caller| &caller.screen) {
            Some(Screen::Up(shown)) => {
                matches!(shown.view, View::Available { .. }) && shown.about == Some(record.id)
            }
            // Another instance has put it there: the request had its turn.
            Some(Screen::Unknown) => record.notified.is_some(),
            Some(Screen::Nothing) | None => false,
        };
        if is_up {
            self.show_present(slot);
        }
    }

    /// A softkey of a screen of ours.
    pub(super) fn screen_key(&mut self, device: &DeviceName, key: SoftKey, about: Option<RequestId>) {
        let phone = self.watch.find(device);
        let Some((phone, caller)) = phone.and_then(|phone| Some((phone, self.watch.caller_mut(phone)?)))
        else {
            self.notice(Notice::Ignored("a softkey of a phone that has no screen of ours"));
            return;
        };
        if key == SoftKey::Exit {
            // R17
            caller.proposal = None;
            self.clear(phone);
            return;
        }
        let (request, proposal) = (caller.request, caller.proposal.take_if(|_| key == SoftKey::Ok));
        let is_about = |slot: &RequestSlot| self.requests.get(*slot).map(|r| r.record.id) == about;
        match (key, request.filter(is_about)) {
            (SoftKey::Ok, _) => match proposal {
                Some(proposal) => self.accept_proposal(phone, *proposal),
                None => {
                    self.notice(Notice::Ignored("OK, but nothing was proposed"));
                    self.refresh_stale_screen(phone);
                }
            },
            (SoftKey::Cancel, Some(slot)) => self.end(slot, Ending::Cancelled),
            (SoftKey::Dial, Some(slot)) => self.dial(slot),
            _ => {
                self.notice(Notice::Ignored("a softkey of a screen that is out of date"));
                self.refresh_stale_screen(phone);
            }
        }
    }

    /// A key was pressed on a screen that should not be there: what should be there is put in its place.
    fn refresh_stale_screen(&mut self, phone: PhoneSlot) {
        let Some(caller) = self.watch.caller_mut(phone) else { return };
        match caller.request {
            // The screen of the one that takes its place comes by itself.
            _ if caller.saving.is_some() => {}
            Some(slot) => self.show_present(slot),
            None if caller.clearing.is_none() => {
                caller.screen = Screen::Unknown;
                self.clear(phone);
            }
            // It is about to go.
            None => {}
        }
    }

    /// R7 for a request that is only proposed: the call it is about was answered.
    pub(super) fn drop_answered_proposal(&mut self, phone: PhoneSlot, call: CallId, progress: &CallProgress) {
        if !matches!(progress, CallProgress::Connected { .. }) {
            return;
        }
        if let Some(caller) = self.watch.caller_mut(phone)
            && caller.proposal.as_ref().is_some_and(|proposal| proposal.is_about(call))
        {
            caller.proposal = None;
            self.clear(phone);
        }
    }
}
