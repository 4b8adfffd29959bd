use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error;

/// Why there is no server to test with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// The server is not installed: a reason to skip.
    #[error("no {0}: run tests/install-needs")]
    NotInstalled(
        /// What was looked for, and where.
        &'static str,
    ),
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
    #[error("{server} did not start: {log}")]
    NotStarted {
        /// Which server.
        server: &'static str,
        /// The last it wrote to its log.
        log: String,
    },
}

impl LabError {
    /// The server did not get ready; the end of the log in its folder says why.
    #[must_use]
    pub fn not_started(server: &'static str, folder: &Path) -> Self {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        Self::NotStarted { server, log: last.into_iter().rev().collect::<Vec<_>>().join("; ") }
    }
}
