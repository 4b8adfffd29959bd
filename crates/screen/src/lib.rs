//! Screens: views to phone XML and back, in the caller's language.
//!
//! This crate promises that whatever it writes a phone can take (every limit is enforced, and every dictionary is
//! checked against them when it is loaded, with the longest number), that whatever it reads is refused by name if a
//! phone would refuse it, and that it does no I/O: reading dictionary files is the caller's business.
//!
//! - [`XmlRenderer`] writes [`View`](ringback_callback::View)s through [`ScreenRenderer`];
//! - [`Dictionaries`] holds the texts of all locales: built in, or loaded from files;
//! - [`phone`] is the phone's side: the strict reader, what a pressed softkey sends back, and what a phone answers to an
//!   order over HTTP.
//!
//! ```
//! use ringback_callback::{SoftKey, View};
//! use ringback_model::{DirectoryNumber, Locale, RequestId, UtcOffset};
//! use ringback_screen::phone::{PhoneObject, SoftKeyPress, parse};
//! use ringback_screen::{Dictionaries, ScreenRenderer, XmlRenderer};
//!
//! // The service's side: a view becomes what the phone of a German takes.
//! let renderer = XmlRenderer::new(Dictionaries::built_in());
//! let view = View::Activated { dn: DirectoryNumber::new("1002")? };
//! let about: RequestId = "7-12".parse()?;
//! let xml = renderer.screen(&view, Some(about), &Locale::new("de_DE")?, UtcOffset::default())?;
//!
//! // The phone's side: it shows the text and the keys, and one of them is pressed.
//! let PhoneObject::Text { text, soft_keys, .. } = parse(xml.as_bytes())? else { panic!("not a screen") };
//! assert!(text.contains("1002"));
//! assert_eq!(soft_keys[0].name, "Löschen");
//! let pressed = SoftKeyPress::parse(&soft_keys[0].url)?;
//! assert_eq!((pressed.key, pressed.about), (SoftKey::Cancel, Some(about)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//!  View, locale ──► Key + values ──► Dictionary ──► text ──┐
//!                                                          ├──► phone XML ──► phone
//!  keys of the view, request id ──► SoftKeyPress ──► URL ──┘                    │ key pressed
//!  SoftKey, request id ◄── SoftKeyPress::parse ◄── "Dial:ringback:7-12" ◄───────┘
//! ```
#![forbid(unsafe_code)]

mod dictionary;
mod limits;
pub mod phone;
mod render;
mod xml;

pub use dictionary::{
    Dictionaries, DictionaryError, DictionaryErrors, DictionaryWarning, Key, Loaded, Parameter, TemplateError,
};
pub use limits::{
    ANSWER_BYTES, EXECUTE_HTTP_ITEMS, EXECUTE_ITEMS, HEADING_CHARS, LAST_POSITION, LimitError, MESSAGE_BYTES,
    SOFT_KEY_NAME_CHARS, URL_CHARS,
};
pub use render::{ScreenError, ScreenRenderer, XmlRenderer};
pub use xml::XmlError;
