//! Screens: views to phone XML and back, in the caller's language.
//!
//! This crate promises that whatever it writes a phone can take (every limit is enforced, and every dictionary is
//! checked against them when it is loaded, with the longest number), that whatever it reads is refused by name if a
//! phone would refuse it, and that it does no I/O: reading dictionary files is the caller's business.
//!
//! - [`XmlRenderer`] writes [`View`](ringback_callback::View)s through [`ScreenRenderer`];
//! - [`Dictionaries`] holds the texts of all locales: built in, or loaded from files;
//! - [`phone`] is the phone's side: the strict reader, and what a pressed softkey sends back.
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
    EXECUTE_HTTP_ITEMS, EXECUTE_ITEMS, HEADING_CHARS, LAST_POSITION, LimitError, MESSAGE_BYTES,
    SOFT_KEY_NAME_CHARS, URL_CHARS,
};
pub use render::{ScreenError, ScreenRenderer, XmlRenderer};
pub use xml::XmlError;
