//! What the examples are made of, so that it can be tested; the programs themselves are thin.

#[cfg(unix)]
pub mod asterisk;
pub mod database;
#[cfg(unix)]
pub mod instance;
pub mod journal;
#[cfg(unix)]
pub mod network;
#[cfg(unix)]
pub mod peers;
pub mod percentile;
pub mod replay;
#[cfg(unix)]
pub mod service;
#[cfg(unix)]
pub mod stage;
#[cfg(unix)]
pub mod witness;
