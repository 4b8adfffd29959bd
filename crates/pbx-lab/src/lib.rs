//! A real Asterisk, real SIP phones, and phones that show screens, for tests.
//!
//! This crate promises that nothing is left behind: every server and phone ends with its value, also when a test panics,
//! and nothing outside a folder of its own and 127.0.0.0/8 is touched. The server is fetched from a Debian mirror once
//! and kept ([`Asterisk::fetch`]): where the mirror cannot be reached tests are skipped with the reason, and a server that
//! was fetched but does not start is a failure.
//!
//! ```no_run
//! # async fn test() -> Result<(), ringback_pbx_lab::LabError> {
//! use ringback_pbx_lab::{Asterisk, Phone, Release, Server, Site};
//! let Some(asterisk) = Asterisk::fetch_or_skip(Release::V22) else { return Ok(()) };
//! let server = Server::start(&asterisk, &Site::with_phones(["1001", "1002"])).await?;
//! let b = Phone::register(&server, "1002").await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod address;
mod error;
mod fetch;
mod phone;
mod server;
mod site;
mod xml_phone;

pub use error::LabError;
pub use fetch::{Asterisk, Release};
pub use phone::{Answering, CallOutcome, IncomingCall, Phone, PhoneCall, PhoneEvent, Seen, Sound};
pub use server::Server;
pub use site::Site;
pub use xml_phone::{XmlDisplay, XmlManner, XmlPhone, XmlScreen, XmlSoftKey};
