//! Scenario files: the behaviour of Call Back, written down so that it runs.
//!
//! A scenario (`*.scn`) is plain text, one statement a line; a telephony engineer reads it without knowing Rust.
//! This crate promises to read the whole language ([`parse`]) and to say of every mistake where it is and what
//! could stand there, never to panic over a file, and to give the same verdict for the same file every time.
//!
//! ```
//! use ringback_scenario::{Outcome, parse, simulate};
//!
//! let scenario = parse(
//!     "
//! phone A 1001
//! phone B 1002
//! phone C 1003
//!
//! C calls 1002
//! B answers
//! A calls 1002
//! expect A hears busy
//! A presses CallBack
//! expect A shows \"CallBack is activated on 1002\"
//! A presses Exit
//! A hangs up
//! C hangs up
//! expect A alerted 1 times
//! ",
//! )?;
//! assert!(matches!(simulate(&scenario)?.outcome, Outcome::Passed { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The parts, from text to verdict:
//!
//! ```text
//! text ──► language ──► runner ──► world ──► sim: phones, switch, CTIManagers, network
//!             │            │          ├────► db: directory and store
//!             │            │          └────► nodes: instances of the real service
//!             │            └── compares what was seen with what is expected ──► Outcome
//!             └── SyntaxError with line and column
//! schedule: the same world under random faults, judged by invariants instead of expectations
//! postgres: the same world with its database on a real server (feature `postgres`)
//! asterisk: another world for the same runner, a real PBX with real phones (feature `asterisk`)
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "asterisk")]
pub mod asterisk;
pub mod language;
pub mod nodes;
#[cfg(feature = "postgres")]
pub mod postgres;
mod report;
pub mod runner;
pub mod schedule;
mod simulation;
pub mod world;

pub use language::{Names, Scenario, SyntaxError, parse, parse_action};
pub use report::{Failure, FileError, Outcome, Report, collect, read};
pub use simulation::{Played, simulate};
