//! With a real server; each test has a prefix of its own, or a server.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

mod cluster;
mod conformance;
mod losses;
mod opening;
mod proxy;
mod registry;
mod site;
