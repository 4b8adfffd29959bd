//! An Asterisk as the call manager of the service: how it is configured, reached, and looked up.

mod config;
mod connect;
mod directory;
mod doctor;

pub use config::{AsteriskConfig, AsteriskTlsConfig, PhoneWay};
pub use connect::{ConnectError, connector, provider};
pub use directory::SiteDirectory;
pub use doctor::{Examination, examine};
