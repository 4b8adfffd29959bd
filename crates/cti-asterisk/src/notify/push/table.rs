//! The screens that phones can fetch now.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ringback_model::DeviceName;
use ringback_screen::phone::{PhoneObject, PhoneXmlError, SoftKeyItem};
use tokio::sync::oneshot;

use super::address::{Mark, Signer};
use crate::notify::{Presses, Screen};

/// Names a screen; cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(u128);

impl Token {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_ne_bytes(bytes)))
    }

    /// What of it stands in the addresses of its keys.
    pub(super) fn mark(self) -> Mark {
        let [mark @ .., _, _, _, _, _, _, _, _, _, _] = self.0.to_be_bytes();
        mark
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = u128::from_str_radix(text, 16).map_err(|_| ())?;
        if hexadecimal { Ok(Self(parsed)) } else { Err(()) }
    }
}

/// A screen that a phone can fetch.
pub(super) struct Entry {
    token: Token,
    xml: String,
    screen: Screen,
    presses: Presses,
    /// Told when it is fetched for the first time.
    fetched: Option<oneshot::Sender<()>>,
}

impl Entry {
    /// A screen of this phone under this token, its keys at this address; told through the receiver when it is fetched.
    pub(super) fn new(
        token: Token,
        device: &DeviceName,
        (keys, signer): (&str, &Signer),
        screen: Screen,
        presses: Presses,
    ) -> Result<(Self, oneshot::Receiver<()>), PhoneXmlError> {
        let soft_keys = screen.keys.iter().zip(1..=u8::MAX).map(|((name, content), position)| SoftKeyItem {
            name: name.clone(),
            url: format!("http://{keys}{}", signer.path(token.mark(), device, content)),
            position,
        });
        let object = PhoneObject::Text {
            title: screen.title.clone(),
            prompt: screen.prompt.clone(),
            text: screen.lines.join("\n"),
            soft_keys: soft_keys.collect(),
        };
        let xml = object.to_xml()?;
        let (fetched, told) = oneshot::channel();
        Ok((Self { token, xml, screen, presses, fetched: Some(fetched) }, told))
    }

    fn is_fetched(&self) -> bool {
        self.fetched.is_none()
    }
}

/// All of them: of each phone the latest, and the one before, whose key may be under way while the latest is drawn.
#[derive(Default)]
pub(super) struct Table {
    phones: BTreeMap<DeviceName, Vec<Entry>>,
    tokens: BTreeMap<Token, DeviceName>,
}

/// So many screens are kept of a phone.
const OF_ONE_PHONE: usize = 2;

impl Table {
    pub(super) fn insert(&mut self, device: &DeviceName, entry: Entry) {
        let entries = self.phones.entry(device.clone()).or_default();
        while entries.len() >= OF_ONE_PHONE {
            // What was not fetched is not shown either.
            let useless = entries.iter().rposition(|entry| !entry.is_fetched()).unwrap_or(0);
            self.tokens.remove(&entries.remove(useless).token);
        }
        self.tokens.insert(entry.token, device.clone());
        entries.push(entry);
    }

    /// The screen of a phone, as far as is known.
    pub(super) fn shown(&self, device: &DeviceName) -> Option<&Screen> {
        self.phones.get(device).and_then(|entries| entries.last()).map(|entry| &entry.screen)
    }

    /// A phone fetches a screen: it is given this one, or a later one that it has fetched already.
    pub(super) fn fetch(&mut self, token: Token) -> Option<&str> {
        let entries = self.phones.get_mut(self.tokens.get(&token)?)?;
        let entry = entries.iter_mut().find(|entry| entry.token == token)?;
        if let Some(fetched) = entry.fetched.take() {
            // Nobody may wait any more.
            let _late = fetched.send(());
        }
        present(entries)
    }

    /// A key of the screen with this mark is pressed: where it is told, and the screen that the phone is to show meanwhile.
    /// `None`: that screen is none of these, or over.
    pub(super) fn press(&self, device: &DeviceName, mark: Mark) -> Option<(&Presses, &str)> {
        let entries = self.phones.get(device)?;
        let entry = entries.iter().find(|entry| entry.token.mark() == mark && entry.is_fetched())?;
        Some((&entry.presses, present(entries)?))
    }

    /// Whether there is such a screen.
    #[cfg(test)]
    pub(super) fn knows(&self, token: Token) -> bool {
        self.tokens.contains_key(&token)
    }

    /// The phone did not take this one.
    pub(super) fn remove(&mut self, token: Token) {
        if let Some(device) = self.tokens.remove(&token)
            && let Some(entries) = self.phones.get_mut(&device)
        {
            entries.retain(|entry| entry.token != token);
            if entries.is_empty() {
                self.phones.remove(&device);
            }
        }
    }

    /// The phone shows nothing of ours any more.
    pub(super) fn clear(&mut self, device: &DeviceName) {
        for entry in self.phones.remove(device).unwrap_or_default() {
            self.tokens.remove(&entry.token);
        }
    }
}

/// The latest screen that was fetched.
fn present(entries: &[Entry]) -> Option<&str> {
    entries.iter().rfind(|entry| entry.is_fetched()).map(|entry| entry.xml.as_str())
}
