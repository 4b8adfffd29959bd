//! Suites that prove an implementation of a port, for whoever writes one:
//!
//! ```
//! # use std::sync::Arc;
//! # use ringback_db::{MemoryStore, conformance};
//! # use ringback_model::Timestamp;
//! # fn main() -> Result<(), conformance::Violation> {
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(async {
//! conformance::store(async || MemoryStore::new(Arc::new(|| Timestamp(0)))).await
//! # })
//! # }
//! ```
//!
//! A [`Violation`] tells what was expected, what came, and which part of the port's documentation demands it.
//!
//! Each suite asks for a fresh, empty implementation per case. They hold made-up names and numbers only; call
//! [`reveal_personal_data`](ringback_model::reveal_personal_data) to see them in a violation.

mod directory;
mod feed;
mod store;

use std::fmt::Debug;

use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Partition};
use thiserror::Error;

pub use directory::directory;
pub use feed::{feed, feed_after_loss, two_feeds};
pub use store::{durable, shared, store};

/// What an implementation does otherwise than its port demands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{rule}: expected {expected}, saw {saw} (documentation of `{paragraph}`)")]
pub struct Violation {
    /// What is demanded.
    pub rule: &'static str,
    /// Where the documentation of the port demands it.
    pub paragraph: &'static str,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub saw: String,
}

impl Violation {
    fn new(rule: &'static str, expected: impl Into<String>, saw: impl Debug) -> Self {
        Self { rule, paragraph: "", expected: expected.into(), saw: format!("{saw:?}") }
    }
}

trait Demanded {
    /// Names the paragraph that demands what was looked at.
    fn demanded_by(self, paragraph: &'static str) -> Self;
}

impl Demanded for Result<(), Violation> {
    fn demanded_by(self, paragraph: &'static str) -> Self {
        self.map_err(|violation| Violation { paragraph, ..violation })
    }
}

fn same<T: PartialEq + Debug>(rule: &'static str, saw: T, expected: T) -> Result<(), Violation> {
    if saw == expected { Ok(()) } else { Err(Violation::new(rule, format!("{expected:?}"), saw)) }
}

trait OrViolation<T> {
    /// The value; an error breaks the rule.
    fn or_violation(self, rule: &'static str) -> Result<T, Violation>;
}

impl<T, E: Debug> OrViolation<T> for Result<T, E> {
    fn or_violation(self, rule: &'static str) -> Result<T, Violation> {
        self.map_err(|error| Violation::new(rule, "success", error))
    }
}

const CONSTANT: &str = "invariant: the suite's own constants are valid";

#[expect(clippy::expect_used, reason = "invariant: the suite's own constants are valid")]
fn group(name: &str) -> Group {
    Group::new(name).expect(CONSTANT)
}

#[expect(clippy::expect_used, reason = "invariant: the suite's own constants are valid")]
fn device(name: &str) -> DeviceName {
    DeviceName::new(name).expect(CONSTANT)
}

#[expect(clippy::expect_used, reason = "invariant: the suite's own constants are valid")]
fn dn(number: &str) -> DirectoryNumber {
    DirectoryNumber::new(number).expect(CONSTANT)
}

#[expect(clippy::expect_used, reason = "invariant: the suite's own constants are valid")]
fn line(partition: &str, number: &str) -> LineId {
    LineId::new(Partition::new(partition).expect(CONSTANT), dn(number))
}

/// The texts that implementations get wrong: empty halves, case, what databases and wires treat as special, letters
/// beyond ASCII in two spellings, and one of the greatest length in bytes.
fn strange_texts(longest: usize) -> Vec<String> {
    let texts = [
        "a", "A", "a ", " a", "%", "_", "'; --", "\"", "\\", "/", "NULL", "0", "00", "\u{e9}", "e\u{301}",
        "\u{130}",
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).to_vec();
    texts.push("\u{65e5}".repeat(longest / 3) + &"x".repeat(longest % 3));
    texts
}
