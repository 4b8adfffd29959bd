//! Each of these implementations has one fault, and the suite of its port names it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod directory;
mod feed;
mod store;

use ringback_db::conformance::Violation;

/// What the suite says, and the rule and the paragraph that it should name.
fn caught<F: std::fmt::Debug>(fault: F, verdict: Result<(), Violation>, rule: &str, paragraph: &str) {
    let told = verdict.map_err(|violation| (violation.rule, violation.paragraph));
    assert_eq!(told, Err((rule, paragraph)), "{fault:?}");
}
