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
//! Each suite asks for a fresh, empty implementation per case. They hold made-up names and numbers only; call
//! [`reveal_personal_data`](ringback_model::reveal_personal_data) to see them in a violation.

mod directory;
mod feed;
mod store;

use std::fmt::Debug;

use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Partition};
use thiserror::Error;

pub use directory::directory;
pub use feed::feed;
pub use store::{durable, store};

/// What an implementation does otherwise than its port demands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{rule}: {saw}")]
pub struct Violation {
    /// What is demanded.
    pub rule: &'static str,
    /// What was seen.
    pub saw: String,
}

impl Violation {
    fn new(rule: &'static str, saw: impl Debug) -> Self {
        Self { rule, saw: format!("saw {saw:?}") }
    }
}

fn same<T: PartialEq + Debug>(rule: &'static str, saw: T, expected: T) -> Result<(), Violation> {
    if saw == expected {
        return Ok(());
    }
    Err(Violation { rule, saw: format!("expected {expected:?}, saw {saw:?}") })
}

trait OrViolation<T> {
    /// The value; an error breaks the rule.
    fn or_violation(self, rule: &'static str) -> Result<T, Violation>;
}

impl<T, E: Debug> OrViolation<T> for Result<T, E> {
    fn or_violation(self, rule: &'static str) -> Result<T, Violation> {
        self.map_err(|error| Violation::new(rule, error))
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
