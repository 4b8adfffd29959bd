use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the laboratory does not work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// The packages cannot be had here. A reason to skip.
    #[error("no Asterisk to be had here: {0}")]
    Unreachable(String),
    /// The packages were fetched, but not unpacked to something that runs. A failure.
    #[error("fetched, but unusable: {0}")]
    Fetch(String),
    /// The server did not come up. A failure.
    #[error("Asterisk did not start: {reason}; its log:\n{log}")]
    Start {
        /// Why.
        reason: String,
        /// The end of what it wrote.
        log: String,
    },
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A command could not be carried out.
    #[error("{what}: {source}")]
    Command {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// No free address was found in 127.0.0.0/8.
    #[error("no free address in 127.0.0.0/8: end servers of older tests")]
    NoAddress,
    /// A phone could not do what it was told.
    #[error("phone {phone}: {what}")]
    Phone {
        /// Which.
        phone: String,
        /// What.
        what: String,
    },
}
