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
//!              ◄── GET /key/SIGNATURE/1001/Dial:ringback:7-12 ──── its user presses Dial: the provider is told
//! ```
//!
//! - One [`PushServer`] serves all phones; [`PushServer::phone`] gives the [`PushWay`] of one of them, which is chosen
//!   with [`Ways::with`](super::Ways::with).
//! - A token is 128 random bits, new with each screen: whoever does not know it cannot fetch the screen.
//! - The address of a key says whose phone it is and which request it is about, and is signed: nobody who does not know the
//!   secret can make one, nor make another phone's of his own. Nothing is encrypted, as such phones want it, so whoever can
//!   read the screens can press their keys: keep the phones in a network of their own.
//! - A screen counts as shown once it was fetched, an alert as played once the phone has said so. What failed is traced
//!   with what to do about it ([`PushError`]); the service is told whether trying again can help.
//! - An order is shorter than 512 bytes, which is all that the oldest such phones take.
//! - What waits is bounded: so many phones at a time, so many connections, so many bytes, so long ([`Config`]).
//!
//! # Several instances
//!
//! A key of a screen works whoever showed the screen: its address holds all that is to be known, and the requests are in the
//! store. So if the instance dies that showed it, or is started anew, the one that acts then takes the key: it takes the
//! screen from the phone and does what the key means, as far as the request is still of that kind. An instance that does not
//! act answers 503.
//!
//! - All instances sign with one secret: [`Config::secret`], or else user and password of [`Config::login`].
//! - A screen is fetched at once, from the instance that shows it: [`Config::public`] is that instance's own address.
//! - A key is pressed later: [`Config::keys`] is one address for all of them, behind which is the instance that acts. That
//!   is, whichever fits the site:
//!   - an address that moves (VRRP: keepalived), held by the machine whose `GET /active` answers 200;
//!   - a name of the phones' own DNS that is moved in the same way, with a short time to live (a phone looks it up anew with
//!     each key);
//!   - a proxy before the instances that asks the next one when one cannot be reached or answers 503
//!     (`proxy_next_upstream error timeout http_503` in nginx, `GET /active` as health check in HAProxy).
//!
//!   Without it the keys of a screen work as long as the machine that showed it runs this program, and that instance acts.
//!   A phone whose key nobody answers shows an error of its own; the CallBack key (`*66`) asks for the screen anew then.
//! - Host, phone's name and request's name share the 256 characters that a phone takes as an address.
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

mod address;
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
