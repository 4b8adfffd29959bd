//! Asterisk for ringback: a site with Asterisk and PJSIP phones gets call completion, which that PBX no longer offers by
//! itself.
//!
//! This crate promises that a phone on an Asterisk looks like any other phone of the CTI model: its states come out
//! right although the manager interface tells them in several families of events whose order among each other means
//! nothing, leaves some out, and folds others together; and that what cannot be known is not told. Everything that decides
//! is pure, without sockets and without a clock; a thin shell over tokio moves the bytes.
//!
//! - [`provider`]: [`AsteriskProvider`](provider::AsteriskProvider), the port `CtiProvider` over a live server, and what it
//!   cannot promise;
//! - [`directory`]: the port `Directory` and its feed, from the same link;
//! - [`doctor`]: what at a live server is not as Call Back needs it, and what to change;
//! - [`notify`]: the ways to tell a phone something, chosen per phone; phones that show phone XML with the feature `push`;
//! - [`client`], [`session`], [`ami`]: the manager interface (AMI): the shell over TCP or TLS, the machine, the protocol;
//! - [`map`]: from events to the CTI model; [`trace`]: recorded streams.
//!
//! ```text
//!   socket ── client ── session ── provider ──┬── map ──► ProviderEvents
//!             tokio     login,     snapshot,  ├── notify ◄─ screens, alerts
//!                       actions    calls      └── directory ──► Directory, ChangeFeed
//! ```
//!
//! ```no_run
//! use std::sync::Arc;
//! use ringback_cti_asterisk::{client::TcpConnector, directory::Profile, provider, session};
//!
//! # fn main() -> Result<(), session::ConfigError> {
//! let server = session::Server::new("pbx", "127.0.0.1:5038", "ringback", "secret".into());
//! let config = provider::Config::new(session::Config::new(server));
//! let provider = provider::AsteriskProvider::new(config, Arc::new(TcpConnector))?;
//! let (directory, feed) = (provider.directory(Profile::default()), provider.feed());
//! # let _ = (directory, feed);
//! # Ok(())
//! # }
//! ```
//!
//! # Why a client of its own
//!
//! There are clients of this interface as crates (asterisk-rs-ami 0.8, asterisk-ami 0.1). The former is careful (bounds,
//! deadlines, actions that never reach the wire once they expired) and was considered. It hands answers and events over on
//! separate channels, so that it cannot be told any more whether an event came before or after the listing of calls: taking
//! up the present state after a reconnect needs just that. It takes a refused login as final, so that a secret that is
//! corrected at the server does not help without a restart; it begins to log in without waiting for the greeting, and knows
//! neither TLS nor another stream than TCP, which tests on a paused clock need. What would have remained of it, the parser,
//! was here already.
#![forbid(unsafe_code)]

pub mod ami;
pub mod client;
pub mod directory;
pub mod doctor;
pub mod map;
pub mod notify;
pub mod provider;
pub mod session;
pub mod trace;
