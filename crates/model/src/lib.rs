//! The few words that every ringback crate shares.
//!
//! This crate promises to stay small, pure and boring: values only, no clock, no I/O, no behaviour beyond
//! checking and comparing. If a word is used by one crate alone, it does not belong here.
//!
//! Numbers and names are personal data: [`DirectoryNumber`], [`DeviceName`] and everything in a [`Pii`] print as
//! `<redacted>` with `{:?}` unless the program asked for them with [`reveal_personal_data`].
//!
//! ```
//! use ringback_model::{DirectoryNumber, LineId, Millis, Partition, RequestId, Timestamp};
//!
//! let line = LineId::new(Partition::new("sales")?, DirectoryNumber::new("1002")?);
//! assert_eq!(format!("{:?}", line.dn), "<redacted>", "not in a trace by accident");
//! assert_eq!(line.dn.as_str(), "1002", "but on a screen");
//! assert!(DirectoryNumber::new("").is_err(), "a number that exists is valid");
//!
//! let noon = Timestamp(1_767_614_400_000);
//! assert_eq!((noon + Millis::from_mins(30)).since(noon), Millis::from_secs(1800));
//! assert_eq!("7-12".parse::<RequestId>()?.to_string(), "7-12", "the 12th request of epoch 7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
