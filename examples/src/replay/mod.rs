//! Replays a recorded manager-interface stream: what would Call Back have done there?
//!
//! The recording goes through the real parser, the real mapping to the CTI model and, for a request, the real engine;
//! only the directory and the store are answered for here: every number is the phone of that name, every write
//! succeeds at once.

mod arguments;
mod player;
mod request;
mod watch;

use std::io::Write;
use std::path::PathBuf;

use ringback_callback::Refusal;
use ringback_cti_asterisk::ami::Message;
use ringback_cti_asterisk::trace::{self, Direction, TraceError};
use ringback_model::{Millis, Timestamp};
use thiserror::Error;

pub use arguments::{Arguments, RequestArgument};

/// Why there is nothing, or not everything, to be seen.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The arguments are wrong, or help was asked for: print it.
    #[error("{0}")]
    Arguments(#[from] clap::Error),
    /// The file cannot be read at all.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a recording.
    #[error("{}:{}: {}", path.display(), source.line, source.kind)]
    Recording {
        /// The file.
        path: PathBuf,
        /// Why, and where.
        source: TraceError,
    },
    /// Call Back refuses such a request.
    #[error(
        "--request {request}: refused ({reason:?}): a phone can wait for another phone's number, of digits only"
    )]
    Refused {
        /// As it was asked for.
        request: String,
        /// Why.
        reason: Refusal,
    },
    /// The result cannot be printed.
    #[error("cannot write the result: {0}")]
    Output(#[from] std::io::Error),
}

impl ReplayError {
    /// The exit status that tells it: 2 for what was typed, 1 for what was found.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Refused { .. } => 2,
            Self::File { .. } | Self::Recording { .. } | Self::Output(_) => 1,
        }
    }
}

/// Reads the recording and prints what was asked for, in the order of time.
///
/// # Errors
/// The recording cannot be read, or a request is refused; nothing was printed then.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<(), ReplayError> {
    let path = &arguments.file;
    let bytes = std::fs::read(path).map_err(|source| ReplayError::File { path: path.clone(), source })?;
    let records =
        trace::read(&bytes).map_err(|source| ReplayError::Recording { path: path.clone(), source })?;
    let stream: Vec<(Timestamp, &Message)> = records
        .iter()
        .filter(|record| record.direction == Direction::FromServer)
        .map(|record| (Timestamp(Millis::from(record.at).0), &record.message))
        .collect();

    let mut found = Vec::new();
    for request in &arguments.request {
        let text =
            |at| (at, format!("available {} for {}", request.called.as_str(), request.caller.as_str()));
        found.extend(request::first_notification(&stream, request)?.map(text));
    }
    for line in &arguments.watch {
        found.extend(
            watch::line(&stream, line).into_iter().map(|at| (at, format!("available {}", line.as_str()))),
        );
    }
    if arguments.keys {
        found.extend(watch::keys(&stream));
    }
    found.sort_by_key(|(at, _)| *at);
    for (at, text) in found {
        let hundredths = (at.0 + 5) / 10;
        writeln!(out, "{}.{:02} {text}", hundredths / 100, hundredths % 100)?;
    }
    Ok(())
}
