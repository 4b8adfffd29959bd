//! The few words that every ringback crate shares.
//!
//! This crate promises to stay small, pure and boring: values only, no clock, no I/O, no behaviour beyond
//! checking and comparing. If a word is used by one crate alone, it does not belong here.
//!
//! Numbers and names are personal data: [`DirectoryNumber`], [`DeviceName`] and everything in a [`Pii`] print as
//! `<redacted>` with `{:?}` unless the program asked for them with [`reveal_personal_data`].
#![forbid(unsafe_code)]

mod group;
mod id;
mod line;
mod locale;
mod pii;
mod text;
mod time;

pub use group::Group;
pub use id::{CallId, Epoch, RequestId, RequestIdError};
pub use line::{Appearance, DeviceName, DirectoryNumber, LineId, Partition};
pub use locale::{Locale, UtcOffset};
pub use pii::{Pii, personal_data_is_revealed, reveal_personal_data};
pub use text::TextError;
pub use time::{Millis, Timestamp};
