//! The ports in memory: for tests, simulations, and whoever needs no durability.

mod directory;
mod feed;
mod shared;
mod store;
mod tables;

pub use directory::MemoryDirectory;
pub use feed::MemoryFeed;
pub use store::{MemoryStore, StoreBackup};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. The data stays usable if a thread panicked meanwhile: every change here is made after all checks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
