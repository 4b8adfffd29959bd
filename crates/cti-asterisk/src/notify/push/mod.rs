//! Phones that show phone XML, told over HTTP.
//!
//! Such a phone is told what to do by a form that is posted to it (`/CGI/Execute`), and fetches what it is to show by
//! itself. Thus ringback tells it to fetch a screen from an address of ringback's own, and the softkeys of that screen
//! lead back there:
//!
//! ```text
//!   PushWay ── POST http://PHONE/CGI/Execute  XML=CiscoIPPhoneExecute(http://PUBLIC/screen/TOKEN) ──► phone
//!           ◄─ CiscoIPPhoneResponse, or CiscoIPPhoneError 1 to 4 ─────────────────────────────────
//!   PushServer ◄── GET /screen/TOKEN ─────── the phone fetches the screen: now it counts as shown
//!              ◄── GET /key/TOKEN/Dial ───── its user presses Dial: the provider is told, the screen is answered again
//! ```
//!
//! - One [`PushServer`] serves all phones; [`PushServer::phone`] gives the [`PushWay`] of one of them, which is chosen
//!   with [`Ways::with`](super::Ways::with).
//! - A token is 128 random bits, new with each screen: whoever does not see the screen cannot press its keys. Only the
//!   latest screens of a phone have keys: a key of an older one, or of one from before this program was started, takes that
//!   screen away. Nothing is encrypted, as such phones want it: keep them in a network of their own.
//! - A screen counts as shown once it was fetched, an alert as played once the phone has said so. What failed is traced
//!   with what to do about it ([`PushError`]); the service is told whether trying again can help.
//! - An order is shorter than 512 bytes, which is all that the oldest such phones take.
//! - What waits is bounded: so many phones at a time, so many connections, so many bytes, so long ([`Config`]).
//!
//! # User and password
//!
//! A phone does not know who may tell it something. It passes user and password of the order on to the *authentication
//! URL* of its configuration, and obeys if that answers `AUTHORIZED`; otherwise it answers error 4. Where a call manager
//! serves that URL, create the user there and associate the phones with it. Where nobody does, let ringback answer
//! ([`Config::authenticates`]), and put into the phones' configuration
//! `<authenticationURL>http://PUBLIC/authenticate</authenticationURL>`.
//!
//! # Use
//!
//! ```no_run
//! use ringback_cti_asterisk::notify::push::{Config, Login, PushServer};
//! use ringback_cti_asterisk::notify::Ways;
//! use ringback_model::DeviceName;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let login = Login::new("ringback", "secret".into());
//! let mut config = Config::new("0.0.0.0:8188".parse()?, login);
//! config.public = Some("192.0.2.1:8188".to_owned());
//! let server = PushServer::start(config).await?;
//! let ways = Ways::default().with(DeviceName::new("1001")?, server.phone("192.0.2.71")?);
//! # let _ = ways;
//! # Ok(())
//! # }
//! ```
//!
//! The phone itself must let itself be told: switch its web access on (`<webAccess>0</webAccess>` in the configuration
//! files of many), and put the audio file where it finds its ring tones.

mod answer;
mod config;
mod error;
mod post;
mod server;
mod table;
mod way;

#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError, Login};
pub use error::PushError;
pub use server::{PushServer, StartError};
pub use way::PushWay;
