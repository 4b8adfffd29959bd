use std::fmt;

use ringback_model::Pii;

use super::error::PhoneXmlError;
use crate::limits::{self, LimitError};

/// An XML object as a phone takes or sends it.
///
/// `{:?}` hides the text of a screen, because it holds numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneObject {
    /// `CiscoIPPhoneText`: a screen of text with softkeys below it. It replaces the screen before.
    Text {
        /// Above the text; empty if none is given.
        title: String,
        /// Below the text; empty if none is given.
        prompt: String,
        /// The text, lines separated by `\n`.
        text: String,
        /// The softkeys, in the order in which they are written. If there is any, the phone shows none of its own.
        soft_keys: Vec<SoftKeyItem>,
    },
    /// `CiscoIPPhoneExecute`: things to be done, in order.
    Execute {
        /// At most three.
        items: Vec<ExecuteItem>,
    },
    /// `CiscoIPPhoneError`: the phone's own answer to an object that it refuses.
    Error {
        /// 1 cannot parse, 2 cannot frame the response, 3 internal error, 4 not authenticated; others may come.
        number: u8,
    },
}

/// A softkey of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftKeyItem {
    /// What the phone shows, in the caller's language.
    pub name: String,
    /// What happens when it is pressed; see [`SoftKeyPress`](super::SoftKeyPress).
    pub url: String,
    /// From the left, 1 to 16.
    pub position: u8,
}

/// One thing a phone is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteItem {
    /// What to do: `Play:...`, `Init:...`, `http://...`.
    pub url: String,
    /// When to do it.
    pub priority: Priority,
}

/// When a phone does what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// `0`: at once, whatever it is doing.
    AtOnce,
    /// `1`: as soon as it is idle.
    WhenIdle,
    /// `2`: at once if it is idle, otherwise never.
    OnlyIfIdle,
}

impl Priority {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::AtOnce => 0,
            Self::WhenIdle => 1,
            Self::OnlyIfIdle => 2,
        }
    }
}

impl PhoneObject {
    /// Checks everything that a phone bounds, but for the size of the whole, which only its XML has.
    pub(super) fn check(&self) -> Result<(), PhoneXmlError> {
        match self {
            Self::Text { title, prompt, soft_keys, .. } => {
                limits::check_chars("title", title, limits::HEADING_CHARS)?;
                limits::check_chars("prompt", prompt, limits::HEADING_CHARS)?;
                check_keys(soft_keys)
            }
            Self::Execute { items } => check_items(items),
            Self::Error { .. } => Ok(()),
        }
    }
}

impl fmt::Debug for PhoneObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { title, prompt, text, soft_keys } => f
                .debug_struct("Text")
                .field("title", &Pii(title))
                .field("prompt", &Pii(prompt))
                .field("text", &Pii(text))
                .field("soft_keys", soft_keys)
                .finish(),
            Self::Execute { items } => f.debug_struct("Execute").field("items", items).finish(),
            Self::Error { number } => f.debug_struct("Error").field("number", number).finish(),
        }
    }
}

fn check_keys(keys: &[SoftKeyItem]) -> Result<(), PhoneXmlError> {
    for (index, key) in keys.iter().enumerate() {
        if key.name.is_empty() {
            return Err(PhoneXmlError::Empty { part: "Name", parent: "SoftKeyItem" });
        }
        limits::check_chars("softkey name", &key.name, limits::SOFT_KEY_NAME_CHARS)?;
        check_url(&key.url, "SoftKeyItem")?;
        if !(1..=limits::LAST_POSITION).contains(&usize::from(key.position)) {
            return Err(PhoneXmlError::Position { found: key.position.to_string() });
        }
        if keys.iter().take(index).any(|other| other.position == key.position) {
            return Err(PhoneXmlError::SamePosition { position: key.position });
        }
    }
    Ok(())
}

fn check_items(items: &[ExecuteItem]) -> Result<(), PhoneXmlError> {
    if items.is_empty() {
        return Err(PhoneXmlError::Missing { part: "ExecuteItem", parent: "CiscoIPPhoneExecute" });
    }
    limits::check("items to execute", "items", items.len(), limits::EXECUTE_ITEMS)?;
    for item in items {
        check_url(&item.url, "ExecuteItem")?;
    }
    let http = items.iter().filter(|item| is_http(&item.url)).count();
    limits::check("HTTP items to execute", "items", http, limits::EXECUTE_HTTP_ITEMS)?;
    Ok(())
}

fn check_url(url: &str, parent: &'static str) -> Result<(), PhoneXmlError> {
    if url.is_empty() {
        return Err(PhoneXmlError::Empty { part: "URL", parent });
    }
    limits::check_chars("URL", url, limits::URL_CHARS).map_err(|e: LimitError| e.into())
}

fn is_http(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}
