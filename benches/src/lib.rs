//! Measurements: `cargo bench -p ringback-benches`. What several of them need is here.

mod counting;

pub use counting::{Allocations, Counting, count};
