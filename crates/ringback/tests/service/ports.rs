//! A provider, a renderer and a store for these tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ringback::callback::{Record, View};
use ringback::cti::message::{Activity, Answer, CallInfo, CtiError, DeviceStatus};
use ringback::cti::{Capabilities, Command, CtiProvider, Dedup, Fencing, ProviderEvent, RequestFailure, Tag};
use ringback::db::{Difference, MemoryStore, News, Position, RequestStore, StoreError, Write};
use ringback::model::{
    Appearance, CallId, DeviceName, Epoch, Group, Locale, RequestId, Timestamp, UtcOffset,
};
use ringback::screen::phone::{SoftKeyPress, SoftKeyPressError};
use ringback::screen::{ScreenError, ScreenRenderer, XmlRenderer};
use tokio::sync::{mpsc, watch};

/// What a call manager does that takes data to phones at once, unless told otherwise.
#[derive(Default)]
pub(crate) struct Manners {
    /// What was asked of the provider, in words.
    pub(crate) log: Vec<String>,
    /// Phones that are not on hook and idle.
    pub(crate) busy: Vec<DeviceName>,
    /// Calls on lines that are opened.
    pub(crate) calls: BTreeMap<Appearance, Vec<CallInfo>>,
    /// What becomes of data; `None`: it is never told.
    pub(crate) data: Option<Result<(), RequestFailure>>,
    /// Phones play an alert again under the same id.
    pub(crate) plays_again: bool,
    /// What becomes of a call.
    pub(crate) dial: Option<Result<(), RequestFailure>>,
}

/// The test's end of a provider.
#[derive(Clone)]
pub(crate) struct Switchboard {
    events: mpsc::UnboundedSender<ProviderEvent>,
    pub(crate) manners: Arc<Mutex<Manners>>,
}

impl Switchboard {
    pub(crate) fn happens(&self, event: ProviderEvent) {
        self.events.send(event).expect("the provider is in use");
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Manners) -> T) -> T {
        change(&mut self.manners.lock().unwrap())
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.with(|manners| std::mem::take(&mut manners.log))
    }
}

pub(crate) struct Provider {
    board: Switchboard,
    events: mpsc::UnboundedReceiver<ProviderEvent>,
    last_tag: Option<Tag>,
}

impl Provider {
    pub(crate) fn new() -> (Self, Switchboard) {
        let (sender, events) = mpsc::unbounded_channel();
        let manners = Manners { data: Some(Ok(())), dial: Some(Ok(())), ..Manners::default() };
        let board = Switchboard { events: sender, manners: Arc::new(Mutex::new(manners)) };
        (Self { board: board.clone(), events, last_tag: None }, board)
    }

    fn answer(&self, tag: Tag, outcome: Option<Result<(), RequestFailure>>, done: Answer) {
        if let Some(outcome) = outcome {
            self.board.happens(ProviderEvent::Answer { tag, result: outcome.map(|()| done) });
        }
    }
}

fn at_name(at: &Appearance) -> String {
    format!("{}/{}", at.device.as_str(), at.line.dn.as_str())
}

#[async_trait]
impl CtiProvider for Provider {
    fn capabilities(&self) -> Capabilities {
        let dedup = if self.board.with(|manners| manners.plays_again) { Dedup::None } else { Dedup::ById };
        Capabilities::new(Fencing::Strict, dedup)
    }

    fn submit(&mut self, command: Command) {
        let (busy, calls, data, dial) = self.board.with(|manners| {
            (manners.busy.clone(), manners.calls.clone(), manners.data.clone(), manners.dial.clone())
        });
        let words = match command {
            Command::Assume(epoch) => format!("assume {epoch}"),
            Command::Relinquish => "relinquish".to_owned(),
            Command::OpenDevice(device) => {
                let activity = if busy.contains(&device) { Activity::Active } else { Activity::Idle };
                let status = Some(DeviceStatus { activity, do_not_disturb: false });
                let words = format!("open {}", device.as_str());
                self.board.happens(ProviderEvent::Device { device, status });
                words
            }
            Command::CloseDevice(device) => format!("close {}", device.as_str()),
            Command::OpenLine(at) => {
                let words = format!("open {}", at_name(&at));
                let calls = calls.get(&at).cloned().unwrap_or_default();
                self.board.happens(ProviderEvent::LineOpened { at, calls });
                words
            }
            Command::CloseLine(at) => format!("close {}", at_name(&at)),
            Command::AnswerFeature { invocation, accepted } => {
                format!("key {} {}", invocation.0, if accepted { "taken" } else { "not active" })
            }
            Command::MakeCall { tag, from, to, override_forwarding } => {
                self.answer(tag, dial, Answer::CallMade(CallId(99)));
                self.last_tag = Some(tag);
                let how = if override_forwarding { " overriding" } else { "" };
                format!("call {} from {}{how}", to.as_str(), at_name(&from))
            }
            Command::SendData { tag, device, id, content } => {
                self.answer(tag, data, Answer::Done);
                let id = id.map(|id| format!(" #{:x}", id.0)).unwrap_or_default();
                format!("{} <- {content}{id}", device.as_str())
            }
            other => panic!("{other:?}"),
        };
        self.board.with(|manners| manners.log.push(words));
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        // `None` as soon as the test says so by an event that is none.
        match self.events.recv().await {
            Some(ProviderEvent::LinkFailed { manager, .. }) if manager == "the end" => None,
            event => event,
        }
    }
}

/// Draws a screen as a line of text.
pub(crate) struct Plain;

impl ScreenRenderer for Plain {
    fn screen(
        &self,
        view: &View,
        about: Option<RequestId>,
        locale: &Locale,
        _: UtcOffset,
    ) -> Result<String, ScreenError> {
        let text = match view {
            View::Activated { dn } => format!("Activated {}", dn.as_str()),
            View::Available { dn, .. } => format!("Available {}", dn.as_str()),
            View::NotActive => "Not active".to_owned(),
            View::Replace { active, wanted } => format!("Replace {} by {}", active.as_str(), wanted.as_str()),
            View::Cannot { dn, reason } => format!("Cannot {} {reason:?}", dn.as_str()),
            View::DoNotDisturb { dn } => format!("Do not disturb {}", dn.as_str()),
            other => format!("{other:?}"),
        };
        let about = about.map(|id| format!(" {id}")).unwrap_or_default();
        Ok(format!("{text} [{}]{about}", locale.as_str()))
    }

    fn alert(&self, audio_file: &str) -> Result<String, ScreenError> {
        Ok(format!("plays {audio_file}"))
    }

    fn clear(&self) -> String {
        "clear".to_owned()
    }

    fn pressed(&self, content: &str) -> Result<SoftKeyPress, SoftKeyPressError> {
        XmlRenderer::default().pressed(content)
    }
}

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// No answer comes until this is over; then what was asked is done.
    Hangs,
    /// Everything is done, but whether it was is never known.
    LosesAnswers,
    /// It can be read but not written.
    Full,
    /// Something else is in its place.
    Replaced,
}

#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) inner: MemoryStore,
    trouble: watch::Sender<Trouble>,
    /// Added to its clock.
    skew: Arc<Mutex<i64>>,
    /// How many requests were read, one number each time.
    read: Arc<Mutex<Vec<usize>>>,
    /// News are not complete.
    forgets: Arc<AtomicBool>,
}

impl Store {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            trouble: watch::Sender::new(Trouble::None),
            skew: Arc::default(),
            read: Arc::default(),
            forgets: Arc::default(),
        }
    }

    pub(crate) fn set(&self, trouble: Trouble) {
        self.trouble.send_replace(trouble);
    }

    pub(crate) fn set_clock_by(&self, seconds: i64) {
        *self.skew.lock().unwrap() = seconds * 1000;
    }

    /// The requests it holds.
    pub(crate) async fn held(&self) -> Vec<String> {
        let records = self.inner.load(&Group::default()).await.unwrap();
        records.into_iter().map(|record| record.id.to_string()).collect()
    }

    /// From now on one of the requests that were written is missing in the news.
    pub(crate) fn lose_one_from_news(&self) {
        self.forgets.store(true, Ordering::Relaxed);
    }

    /// How many requests were read since the last time, one number each time.
    pub(crate) fn read(&self) -> Vec<usize> {
        std::mem::take(&mut self.read.lock().unwrap())
    }

    async fn passes(&self) -> Trouble {
        let passes = |trouble: &Trouble| *trouble != Trouble::Hangs;
        self.trouble.subscribe().wait_for(passes).await.map(|trouble| *trouble).unwrap()
    }

    async fn changing<T>(&self, done: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.passes().await {
            Trouble::Full => Err(StoreError::Unavailable("no space left".to_owned())),
            Trouble::LosesAnswers => {
                done.await?;
                Err(StoreError::OutcomeUnknown("the answer is lost".to_owned()))
            }
            Trouble::Replaced => Err(replaced()),
            Trouble::None | Trouble::Hangs => done.await,
        }
    }
}

#[async_trait]
impl RequestStore for Store {
    async fn epoch(&self, group: &Group) -> Result<Epoch, StoreError> {
        self.passes().await;
        self.inner.epoch(group).await
    }

    async fn claim(&self, group: &Group, epoch: Epoch) -> Result<(), StoreError> {
        self.changing(self.inner.claim(group, epoch)).await
    }

    async fn load(&self, group: &Group) -> Result<Vec<Record>, StoreError> {
        self.passes().await;
        let records = self.inner.load(group).await?;
        self.read.lock().unwrap().push(records.len());
        Ok(records)
    }

    async fn news(&self, group: &Group, since: Option<Position>) -> Result<News, StoreError> {
        self.passes().await;
        let mut news = self.inner.news(group, since).await?;
        if let Difference::Since { put, .. } = &mut news.difference
            && self.forgets.load(Ordering::Relaxed)
        {
            put.pop();
        }
        self.read.lock().unwrap().push(match &news.difference {
            Difference::All(records) => records.len(),
            Difference::Since { put, .. } => put.len(),
        });
        Ok(news)
    }

    async fn newer(&self, group: &Group, since: Option<Position>) {
        self.inner.newer(group, since).await;
    }

    async fn apply(
        &self,
        group: &Group,
        epoch: Epoch,
        writes: &[Write],
    ) -> Result<Option<Position>, StoreError> {
        self.changing(self.inner.apply(group, epoch, writes)).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        if self.passes().await == Trouble::Replaced {
            return Err(replaced());
        }
        let now = self.inner.now().await?;
        Ok(Timestamp(now.0.saturating_add_signed(*self.skew.lock().unwrap())))
    }
}

fn replaced() -> StoreError {
    StoreError::Invalid("ringback.db is another file than before".to_owned())
}

/// A phone's refusal.
pub(crate) fn refused(error: CtiError) -> Option<Result<(), RequestFailure>> {
    Some(Err(RequestFailure::Refused(error)))
}
