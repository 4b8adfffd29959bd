//! With a real server, one for all of these tests; each has a database of its own.
#![allow(clippy::unwrap_used, reason = "tests")]

mod conformance;
mod feed;
mod losses;
mod opening;
mod registry;
mod requests;
mod site;
