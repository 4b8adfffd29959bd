//! Runs one target under the fuzzer. Its name is in `RINGBACK_FUZZ`, because the command line is the fuzzer's.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use ringback_tests::fuzz::{TARGETS, Target, target};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("RINGBACK_FUZZ").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        panic!("RINGBACK_FUZZ={name}: set it to one of {}", names.join(", "))
    })
}

fuzz_target!(|data: &[u8]| CHOSEN.get_or_init(chosen)(data));
