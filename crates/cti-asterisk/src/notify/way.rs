use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ringback_cti::RequestFailure;
use ringback_model::DeviceName;
use ringback_screen::phone::ExecuteItem;

use super::errands::Presses;
use super::{RecallWay, Screen};
use crate::ami::{Action, ActionError};

/// A phone that is to be told something.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// Its name.
    pub device: &'a DeviceName,
    /// The technology and name by which the server calls it: `PJSIP/1001`.
    pub dial: &'a str,
    /// The id of a channel on which its user can be spoken to now, if there is one.
    pub in_call: Option<&'a str>,
}

/// What is to draw a user's attention.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    /// The screen that was shown last.
    pub screen: Option<&'a Screen>,
    /// What a phone that shows screens would be told to do: to play the file that the service is configured with.
    pub items: &'a [ExecuteItem],
}

/// One thing to be done for a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// An action of the server, with its name for errors.
    Act(&'static str, Action),
    /// The first action, or the second if the server refuses the first.
    Either([(&'static str, Action); 2]),
    /// Ring the phone as its recall: picked up, it is connected with whom the screen is about.
    Recall {
        /// The name shown while it rings.
        name: String,
        /// The number shown.
        number: Option<String>,
    },
    /// Something that the server has no part in: the way's own [`Courier`] does it.
    Errand(Errand),
}

/// What a [`Courier`] does for a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Errand {
    /// Show this screen, in place of the one before.
    Show(Screen),
    /// Say this besides: the screen stays.
    Prompt(String),
    /// Take the screen away, by these orders.
    Clear(Vec<ExecuteItem>),
    /// Have the phone carry these orders out.
    Execute(Vec<ExecuteItem>),
}

/// A way to tell a phone something. Implement it for phones of your own.
pub trait Way: Send + Sync + fmt::Debug {
    /// What shows this screen.
    ///
    /// # Errors
    /// It cannot be said in the server's protocol. Nothing is sent.
    fn show(&self, phone: Recipient<'_>, screen: &Screen) -> Result<Vec<Step>, ActionError>;

    /// What draws the user's attention to the screen that was shown last.
    ///
    /// # Errors
    /// It cannot be said in the server's protocol. Nothing is sent.
    fn alert(&self, phone: Recipient<'_>, alert: Alert<'_>) -> Result<Vec<Step>, ActionError>;

    /// What says something besides, such as that a key is not active now. Unless it is given, it is shown as a screen
    /// without keys.
    ///
    /// # Errors
    /// It cannot be said in the server's protocol. Nothing is sent.
    fn prompt(&self, phone: Recipient<'_>, text: &str) -> Result<Vec<Step>, ActionError> {
        self.show(phone, &Screen { lines: vec![text.to_owned()], ..Screen::default() })
    }

    /// What takes the screen away; `items` is what a phone that shows screens would be told to do. Unless it is given,
    /// nothing: a text cannot be taken back.
    ///
    /// # Errors
    /// It cannot be said in the server's protocol. Nothing is sent.
    fn clear(&self, phone: Recipient<'_>, items: &[ExecuteItem]) -> Result<Vec<Step>, ActionError> {
        let _ = (phone, items);
        Ok(Vec::new())
    }

    /// Who does the errands among the steps. Unless it is given, nobody: all steps are the server's.
    fn courier(&self) -> Option<Arc<dyn Courier>> {
        None
    }
}

/// Does what a way does without the server. Of one phone one errand is run at a time, in order, and a screen that another
/// replaces before its turn is left out; of several phones, errands are run at the same time.
#[async_trait]
pub trait Courier: Send + Sync + fmt::Debug {
    /// Where softkeys are told that were pressed on a screen which no errand of this provider has shown: another instance has,
    /// or this program before it was started anew. Of this phone; `None`: of every phone that has no way of its own. Told once,
    /// before anything else. Unless it is given, such a key does nothing.
    fn listen(&self, phone: Option<&DeviceName>, presses: &Presses) {
        let _ = (phone, presses);
    }

    /// Does this for a phone. Softkeys that its user presses from then on are told through `presses`. It takes a bounded
    /// time: the phone's next errand waits for its end. It may be dropped, when this instance acts no more.
    ///
    /// # Errors
    /// What the service is to hold of it: an outcome that is not known is told as such. What to do about it is traced.
    async fn run(&self, phone: &DeviceName, errand: Errand, presses: Presses) -> Result<(), RequestFailure>;
}

/// Which phone is told in which way.
#[derive(Debug, Clone)]
pub struct Ways {
    others: Arc<dyn Way>,
    phones: BTreeMap<DeviceName, Arc<dyn Way>>,
}

impl Default for Ways {
    /// All phones by recall, with screens as texts.
    fn default() -> Self {
        Self::all(RecallWay::default())
    }
}

impl Ways {
    /// All phones in this way.
    pub fn all(way: impl Way + 'static) -> Self {
        Self { others: Arc::new(way), phones: BTreeMap::new() }
    }

    /// The same, but this phone in another.
    #[must_use]
    pub fn with(mut self, device: DeviceName, way: impl Way + 'static) -> Self {
        self.phones.insert(device, Arc::new(way));
        self
    }

    /// Tells all couriers where presses are told.
    pub(crate) fn listen(&self, presses: &Presses) {
        let others = (None, &self.others);
        let phones = self.phones.iter().map(|(device, way)| (Some(device), way));
        for (phone, way) in std::iter::once(others).chain(phones) {
            if let Some(courier) = way.courier() {
                courier.listen(phone, presses);
            }
        }
    }

    pub(crate) fn of(&self, device: &DeviceName) -> &dyn Way {
        self.phones.get(device).unwrap_or(&self.others).as_ref()
    }
}
