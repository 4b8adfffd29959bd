//! What is to be sent to phones, in each phone's own language and in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ringback_callback::{AlertId, View};
use ringback_model::{DeviceName, Locale, RequestId, UtcOffset};
use ringback_screen::{ScreenError, ScreenRenderer};

/// How a phone is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Profile {
    pub(crate) locale: Locale,
    pub(crate) offset: UtcOffset,
}

/// Something for a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Screen { view: View, about: Option<RequestId> },
    Clear,
    Alert(AlertId),
}

impl Item {
    /// The request it is about.
    pub(crate) fn request(&self) -> Option<RequestId> {
        match self {
            Self::Screen { about, .. } => *about,
            Self::Clear => None,
            Self::Alert(alert) => Some(alert.request),
        }
    }
}

#[derive(Debug, Default)]
struct Phone {
    profile: Option<Profile>,
    waiting: VecDeque<Item>,
}

/// The phones that are spoken to. A screen waits until the phone's language is known, and what comes after it waits
/// behind it.
pub(crate) struct Phones {
    renderer: Arc<dyn ScreenRenderer>,
    phones: HashMap<DeviceName, Phone>,
    /// Phones with something waiting.
    waiting: usize,
    /// Planted: the recall is not in the caller's language.
    #[cfg(feature = "planted")]
    language_lost: bool,
}

impl Phones {
    pub(crate) fn new(renderer: Arc<dyn ScreenRenderer>) -> Self {
        Self {
            renderer,
            phones: HashMap::new(),
            waiting: 0,
            #[cfg(feature = "planted")]
            language_lost: false,
        }
    }

    #[cfg(feature = "planted")]
    pub(crate) fn lose_language(&mut self, lost: bool) {
        self.language_lost = lost;
    }

    /// Takes an item, and says what is to be done with it.
    pub(crate) fn take(&mut self, device: &DeviceName, item: Item) -> Take {
        let phone = self.phones.entry(device.clone()).or_default();
        if !phone.waiting.is_empty() {
            phone.waiting.push_back(item);
            return Take::Wait;
        }
        if matches!(item, Item::Screen { .. }) && phone.profile.is_none() {
            phone.waiting.push_back(item);
            self.waiting += 1;
            return Take::LookUp;
        }
        Take::Send(item)
    }

    /// The profile has come: what waited can be sent.
    pub(crate) fn profile(&mut self, device: &DeviceName, profile: Profile) -> VecDeque<Item> {
        let phone = self.phones.entry(device.clone()).or_default();
        phone.profile = Some(profile);
        let waiting = std::mem::take(&mut phone.waiting);
        self.waiting -= usize::from(!waiting.is_empty());
        waiting
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting == 0
    }

    /// The phone is closed: nothing more is sent to it.
    pub(crate) fn close(&mut self, device: &DeviceName) {
        if let Some(phone) = self.phones.remove(device) {
            self.waiting -= usize::from(!phone.waiting.is_empty());
        }
    }

    /// The phone's settings may have changed.
    pub(crate) fn forget(&mut self, device: &DeviceName) {
        if let Some(phone) = self.phones.get_mut(device) {
            phone.profile = None;
        }
    }

    /// The settings of every phone may have changed.
    pub(crate) fn forget_all(&mut self) {
        self.phones.values_mut().for_each(|phone| phone.profile = None);
    }

    /// An item as the phone takes it.
    pub(crate) fn draw(
        &self,
        device: &DeviceName,
        item: &Item,
        audio_file: &str,
    ) -> Result<String, ScreenError> {
        match item {
            Item::Screen { view, about } => {
                let profile =
                    self.phones.get(device).and_then(|phone| phone.profile.clone()).unwrap_or_default();
                #[cfg(feature = "planted")]
                let profile = match view {
                    View::Available { .. } if self.language_lost => {
                        Profile { locale: Locale::default(), ..profile }
                    }
                    _ => profile,
                };
                self.renderer.screen(view, *about, &profile.locale, profile.offset)
            }
            Item::Clear => Ok(self.renderer.clear()),
            Item::Alert(_) => self.renderer.alert(audio_file),
        }
    }
}

/// What is to be done with an item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Send it now.
    Send(Item),
    /// It waits; look up the profile.
    LookUp,
    /// It waits behind others.
    Wait,
}
