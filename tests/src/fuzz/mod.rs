//! The targets of the fuzzer: each takes any bytes whatever and panics if a promise of the crate behind it is broken.
//!
//! A target is written once and used twice: `tests/fuzz` runs it under coverage guidance, `tests/tests/fuzz.rs` over the
//! checked-in corpus. How to run one, and how to add one, is told in `tests/fuzz/README.md`.

mod codec;
mod configuration;
mod input;
mod manager;
mod scenario;
mod screen;
mod server;
mod session;
mod wire;

/// A target: any bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name that its corpus and the fuzzer's command have.
pub const TARGETS: &[(&str, Target)] = &[
    ("configuration", configuration::target),
    ("dictionary", screen::dictionary),
    ("frame", codec::frame),
    ("manager", manager::target),
    ("message", codec::message),
    ("phone", screen::phone),
    ("scenario", scenario::target),
    ("server", server::target),
    ("session", session::target),
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
