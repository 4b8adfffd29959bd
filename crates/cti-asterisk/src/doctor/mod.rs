//! What at a PBX is not as Call Back needs it, and what to change, line by line.
//!
//! [`look()`] asks a live server, [`findings()`] judges what it answered, [`reasons()`] says what to do if it could not be asked.
//! Judging is pure: answers in, findings out.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use ringback_cti_asterisk::{client::TcpConnector, doctor, session};
//! # use ringback_model::{Millis, Timestamp};
//! # async fn example(clock: impl Fn() -> Timestamp) -> Result<(), doctor::Blind> {
//! let server = session::Server::new("pbx", "127.0.0.1:5038", "ringback", "secret".into());
//! let site = doctor::Site::new("127.0.0.1:5038", "ringback");
//! let config = session::Config::new(server);
//! let answers = doctor::look(config, Arc::new(TcpConnector), Millis::from_secs(5), clock).await?;
//! for finding in doctor::findings(&site, &answers) {
//!     println!("{finding}");
//! }
//! # Ok(())
//! # }
//! ```

mod answers;
mod dialplan;
mod filters;
mod finding;
mod findings;
mod look;
mod needs;
mod reasons;

#[cfg(test)]
mod tests;

pub use answers::{Answers, Question};
pub use finding::{Change, Edit, Finding, Weight};
pub use findings::findings;
pub use look::{Blind, look};
pub use needs::{Module, Site};
pub use reasons::reasons;
