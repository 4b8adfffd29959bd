//! The application's side of a link, without sockets and without a clock.

mod config;

pub use config::{Config, ConfigError, Manager};
