//! An Asterisk as the call manager of the service: how it is configured, reached, and looked up, and how its phones are
//! told something.

mod config;
mod connect;
mod doctor;
mod ways;

pub use config::{AsteriskConfig, AsteriskTlsConfig, CommonWay, PhoneWay, PushConfig};
pub use connect::{ConnectError, connector, provider, session};
pub use doctor::{Examination, examine};
pub use ways::ways;
