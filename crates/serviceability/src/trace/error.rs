use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why traces could not be set up or changed. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The folder cannot be used.
    #[error("trace folder {}: {why}: give a folder that can be written, with free space", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// The prefix of the files would lead elsewhere.
    #[error("trace file prefix {found:?}: give 1 to 64 letters, digits, '-', '_' or '.'")]
    Prefix {
        /// What was given.
        found: String,
    },
    /// A limit of rotation is zero.
    #[error("trace files: {lines} lines a file and {files} files: give at least 1 of each")]
    Rotation {
        /// Lines a file.
        lines: u64,
        /// Files kept.
        files: usize,
    },
    /// The process has traces already.
    #[error("traces are installed already: install them once, at the start of the program")]
    Installed,
    /// The subscriber that the levels belong to is gone.
    #[error("trace levels cannot be changed: what they belong to is gone")]
    Gone,
}

/// Why trace lines are being lost. The service goes on, and each further line tries again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "trace file {}: {why}: free space on the disk or make the folder writable; {dropped} lines dropped so far, the \
     service goes on",
    .file.display()
)]
pub struct TraceFault {
    /// The file.
    pub file: PathBuf,
    /// Why, as the operating system says it.
    pub why: String,
    /// How many lines have been lost since it last worked.
    pub dropped: u64,
}
