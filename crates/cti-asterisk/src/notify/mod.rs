//! Ways to tell a phone something: which one is chosen per phone.
//!
//! The service speaks phone XML. A phone that shows it takes it as it is; for any other phone ringback plays the phone's
//! part: it keeps the screen, tells it in a [`Way`] that the phone understands, and turns the user's answer into the
//! softkey that the answer means.

mod screen;
mod ways;

pub(crate) use screen::Content;
pub use screen::Screen;
pub use ways::{NotifyWay, RecallWay, TextWay};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ringback_model::DeviceName;

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
    fn alert(&self, phone: Recipient<'_>, screen: Option<&Screen>) -> Result<Vec<Step>, ActionError>;
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

    pub(crate) fn of(&self, device: &DeviceName) -> &dyn Way {
        self.phones.get(device).unwrap_or(&self.others).as_ref()
    }
}
