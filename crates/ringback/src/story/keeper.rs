use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use ringback_callback::{
    AlertId, DeviceState, DialOutcome, Input, Notice, Occupancy, Output, Record, SaveId,
};
use ringback_model::{DeviceName, Epoch, LineId, RequestId, Timestamp, UtcOffset};
use ringback_serviceability::trace::target;

use super::Story;
use super::event::{LineUse, StoryEvent};

/// So many stories of ended requests are kept.
const ENDED: usize = 256;

/// The called line of live requests.
#[derive(Debug, Default)]
struct Called {
    requests: Vec<RequestId>,
    appearances: BTreeMap<DeviceName, LineUse>,
    last: Option<LineUse>,
}

/// Writes the stories: it listens to what the engine is told and what it wants done, and decides nothing. What it keeps
/// is bounded: so many entries a request, every live request, so many ended ones.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    stories: HashMap<RequestId, Story>,
    /// Accepted, once their first save is durable: nobody hears of them before.
    drafts: HashMap<RequestId, Story>,
    ended: VecDeque<RequestId>,
    callers: HashMap<DeviceName, RequestId>,
    called: HashMap<LineId, Called>,
    appearing: HashMap<DeviceName, Vec<LineId>>,
    /// The latest write of each request that has no outcome yet, and whose it is.
    latest: HashMap<RequestId, SaveId>,
    saves: HashMap<SaveId, RequestId>,
    late: HashSet<RequestId>,
    offsets: HashMap<DeviceName, UtcOffset>,
    link_lost: bool,
    /// The alert that is about to be sent is one that was sent before.
    repeated: Option<AlertId>,
}

impl Stories {
    /// What the engine is about to be told.
    pub(crate) fn heard(&mut self, now: Timestamp, epoch: Epoch, input: &Input) {
        match input {
            Input::Restored(records) => {
                for record in records {
                    self.begin(record);
                    self.note(now, record.id, StoryEvent::TakenOver(epoch));
                }
            }
            Input::Line { at, occupancy, .. } => {
                let seen = match occupancy {
                    Occupancy::Idle => LineUse::Free,
                    Occupancy::Ringing => LineUse::Rings,
                    Occupancy::InUse => LineUse::Busy,
                };
                self.line(now, &at.line, &at.device, Some(seen));
            }
            Input::Device { device, state: DeviceState::OutOfService } => {
                for line in self.appearing.get(device).cloned().unwrap_or_default() {
                    self.line(now, &line, device, None);
                }
            }
            Input::CallBackKey { from, .. } => self.at_phone(now, &from.device, StoryEvent::PressedCallBack),
            Input::ScreenKey { key, about: Some(request), .. } => {
                self.note(now, *request, StoryEvent::Pressed(*key));
            }
            Input::ScreenLost(device) => self.at_phone(now, device, StoryEvent::ScreenLost),
            Input::Alerted { alert, delivered: true } => {
                self.note(now, alert.request, StoryEvent::AlertConfirmed { number: alert.number });
            }
            Input::Dialled { request, outcome: DialOutcome::Failed } => {
                self.note(now, *request, StoryEvent::NotDialled)
            }
            Input::Saved(save) => {
                if let Some(request) = self.saves.remove(save) {
                    self.latest.remove(&request);
                    if self.late.remove(&request) {
                        self.note(now, request, StoryEvent::StoreBack);
                    }
                }
            }
            Input::SaveFailed(save) => {
                if let Some(request) = self.saves.get(save).copied()
                    && self.late.insert(request)
                {
                    self.note(now, request, StoryEvent::StoreLate);
                }
            }
            Input::LinkLost => {
                self.link_lost = true;
                self.note_all(now, StoryEvent::LinkLost);
            }
            _ => {}
        }
    }

    /// What the engine wants done.
    pub(crate) fn wanted(&mut self, now: Timestamp, output: &Output) {
        match output {
            Output::Save { save, record, .. } => {
                self.saved(*save, record.id);
                if !self.stories.contains_key(&record.id) {
                    let offset = self.offsets.get(&record.caller.device).copied().unwrap_or_default();
                    self.drafts.entry(record.id).or_insert_with(|| Story { offset, ..Story::of(record) });
                }
            }
            Output::Remove { save, request } => self.saved(*save, *request),
            Output::Revoke { request, .. } => {
                if let Some(save) = self.latest.remove(request) {
                    self.saves.remove(&save);
                }
                self.late.remove(request);
                self.drafts.remove(request);
            }
            Output::CloseDevice(device) => {
                self.offsets.remove(device);
            }
            Output::Show { view, about: Some(request), .. } => {
                self.note(now, *request, StoryEvent::Shown(view.into()));
            }
            Output::Alert { alert, .. } => {
                let number = alert.number;
                let what = if self.repeated.take() == Some(*alert) {
                    StoryEvent::AlertRepeated { number }
                } else {
                    StoryEvent::AlertSent { number }
                };
                self.note(now, alert.request, what);
            }
            Output::Dial { request, override_forwarding, .. } => {
                let override_forwarding = *override_forwarding;
                self.note(now, *request, StoryEvent::Dialled { override_forwarding });
            }
            Output::Notice(notice) => self.noticed(now, notice),
            _ => {}
        }
    }

    fn noticed(&mut self, now: Timestamp, notice: &Notice) {
        match notice {
            Notice::Accepted { request } => {
                if let Some(story) = self.drafts.remove(request) {
                    self.enter(story);
                }
                self.note(now, *request, StoryEvent::Accepted);
            }
            Notice::Ended { request, how } => {
                self.note(now, *request, StoryEvent::Ended(*how));
                self.close(*request);
            }
            Notice::TurnStarted { request, until } => {
                self.note(now, *request, StoryEvent::TurnStarted { until: *until });
            }
            Notice::TurnWithdrawn { request } => self.note(now, *request, StoryEvent::TurnWithdrawn),
            Notice::TurnLapsed { request } => self.note(now, *request, StoryEvent::TurnLapsed),
            Notice::Suspended { request } => self.note(now, *request, StoryEvent::Suspended),
            Notice::Retained { request } => self.note(now, *request, StoryEvent::Retained),
            Notice::DialFailed { request } => self.note(now, *request, StoryEvent::DialFailed),
            // It is sent after what the phone shows.
            Notice::AlertRepeated { alert } => self.repeated = Some(*alert),
            Notice::AlertFailed { request } => self.note(now, *request, StoryEvent::AlertFailed),
            _ => {}
        }
    }

    /// The link to the call manager is up.
    pub(crate) fn link_up(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.link_lost) {
            self.note_all(now, StoryEvent::LinkBack);
        }
    }

    /// The office is left: whatever comes, another instance sees it.
    pub(crate) fn left(&mut self, now: Timestamp) {
        self.note_all(now, StoryEvent::HandedOver);
        let mut live: Vec<RequestId> = self.callers.values().copied().collect();
        live.sort_unstable();
        live.into_iter().for_each(|request| self.close(request));
        self.drafts.clear();
        self.latest.clear();
        self.saves.clear();
        self.late.clear();
        self.offsets.clear();
        self.link_lost = false;
    }

    /// What the clock of a phone shows.
    pub(crate) fn set_offset(&mut self, device: &DeviceName, offset: UtcOffset) {
        if let Some(story) = self.callers.get(device).and_then(|request| self.stories.get_mut(request)) {
            story.offset = offset;
        }
        self.offsets.insert(device.clone(), offset);
    }

    /// The story of a request, if it is known.
    pub(crate) fn story(&self, request: RequestId) -> Option<Story> {
        self.stories.get(&request).cloned()
    }

    /// The requests whose stories are known, oldest first.
    pub(crate) fn known(&self) -> Vec<RequestId> {
        let mut known: Vec<RequestId> = self.stories.keys().copied().collect();
        known.sort_unstable();
        known
    }

    fn begin(&mut self, record: &Record) {
        let story = match self.stories.remove(&record.id) {
            // It was ours before, and is again.
            Some(story) => {
                self.ended.retain(|ended| *ended != record.id);
                story
            }
            None => Story::of(record),
        };
        self.enter(story);
    }

    fn enter(&mut self, story: Story) {
        let request = story.request;
        self.callers.insert(story.caller.device.clone(), request);
        self.called.entry(story.called.clone()).or_default().requests.push(request);
        self.stories.insert(request, story);
    }

    /// The request is live no more; its story stays for a while.
    fn close(&mut self, request: RequestId) {
        let Some(story) = self.stories.get(&request) else { return };
        if self.callers.get(&story.caller.device) == Some(&request) {
            self.callers.remove(&story.caller.device);
        }
        if let Some(called) = self.called.get_mut(&story.called) {
            called.requests.retain(|other| *other != request);
            if called.requests.is_empty() {
                let appearances = self.called.remove(&story.called).unwrap_or_default().appearances;
                for device in appearances.keys() {
                    if let Some(lines) = self.appearing.get_mut(device) {
                        lines.retain(|line| *line != story.called);
                        if lines.is_empty() {
                            self.appearing.remove(device);
                        }
                    }
                }
            }
        }
        self.ended.push_back(request);
        while self.ended.len() > ENDED {
            if let Some(oldest) = self.ended.pop_front() {
                self.stories.remove(&oldest);
            }
        }
    }

    fn line(&mut self, now: Timestamp, line: &LineId, device: &DeviceName, seen: Option<LineUse>) {
        let Some(called) = self.called.get_mut(line) else { return };
        let seen = seen.unwrap_or(LineUse::Away);
        if called.appearances.insert(device.clone(), seen).is_none() {
            let lines = self.appearing.entry(device.clone()).or_default();
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        let whole = called.appearances.values().copied().max();
        if called.last == whole {
            return;
        }
        called.last = whole;
        let (requests, whole) = (called.requests.clone(), whole.unwrap_or(LineUse::Away));
        for request in requests {
            self.note(now, request, StoryEvent::Called(whole));
        }
    }

    /// A write of this request is on its way; an earlier one has no outcome of its own any more.
    fn saved(&mut self, save: SaveId, request: RequestId) {
        if let Some(earlier) = self.latest.insert(request, save) {
            self.saves.remove(&earlier);
        }
        self.saves.insert(save, request);
    }

    fn at_phone(&mut self, now: Timestamp, device: &DeviceName, what: StoryEvent) {
        if let Some(request) = self.callers.get(device).copied() {
            self.note(now, request, what);
        }
    }

    fn note(&mut self, now: Timestamp, request: RequestId, what: StoryEvent) {
        let Some(story) = self.stories.get_mut(&request) else { return };
        let sentence = || what.sentence("the called party", story.offset);
        tracing::info!(target: target::HANDLER, %request, "{}", sentence());
        story.add(now, what);
    }

    /// Not traced for each: the event is traced once, by whoever tells of it.
    fn note_all(&mut self, now: Timestamp, what: StoryEvent) {
        for request in self.callers.values() {
            if let Some(story) = self.stories.get_mut(request) {
                story.add(now, what);
            }
        }
    }
}
