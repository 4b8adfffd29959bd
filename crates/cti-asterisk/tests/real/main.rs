//! Against a real Asterisk with real SIP phones. Skipped loudly where the packages cannot be fetched.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conformance;
mod lab;
mod link;
mod names;
mod office;
mod provider;
mod push;
mod seat;
mod takeover;
mod tls;
