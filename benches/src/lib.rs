//! Measurements: `cargo bench -p ringback-benches`.
