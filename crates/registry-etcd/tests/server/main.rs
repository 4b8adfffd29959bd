//! With a real server; each test has a prefix of its own, or a server.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

mod conformance;
mod registry;
mod site;
