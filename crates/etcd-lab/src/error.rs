use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no server to test with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// etcd is not installed: a reason to skip.
    #[error("no etcd in the search path: run tests/install-needs")]
    NotInstalled,
    /// The folder for data cannot be made.
    #[error("{} cannot be prepared: {reason}", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A program failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which program.
        program: String,
        /// What it said.
        said: String,
    },
    /// The server did not get ready.
    #[error("etcd did not start: {log}")]
    NotStarted {
        /// The last it wrote to its log.
        log: String,
    },
}
