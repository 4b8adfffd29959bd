//! Scenario files: the behaviour of Call Back, written down so that it runs.
//!
//! A scenario (`*.scn`) is plain text, one statement a line; a telephony engineer reads it without knowing Rust.
//! This crate promises to read the whole language ([`parse`]) and to say of every mistake where it is and what
//! could stand there, never to panic over a file, and to give the same verdict for the same file every time.
#![forbid(unsafe_code)]

pub mod language;
pub mod nodes;
mod report;
pub mod runner;
pub mod schedule;
mod simulation;
pub mod world;

pub use language::{Names, Scenario, SyntaxError, parse, parse_action};
pub use report::{Failure, FileError, Outcome, Report, collect, read};
pub use simulation::{Played, simulate};
