use std::path::{Path, PathBuf};
use std::{fs, io};

use secrecy::SecretString;
use thiserror::Error;

use super::config::Secret;

/// A file with a password or secret cannot be read.
#[derive(Debug, Error)]
#[error("{}: cannot be read: {reason}; name a file whose first line is the secret", path.display())]
pub struct SecretFileError {
    /// Which.
    path: PathBuf,
    /// Why.
    reason: io::Error,
}

/// What is given, or the first line of the file.
///
/// # Errors
/// The file cannot be read.
pub fn secret(given: Option<&Secret>, file: Option<&Path>) -> Result<Option<SecretString>, SecretFileError> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(secret.0.clone())),
        (None, Some(path)) => {
            let text = fs::read_to_string(path)
                .map_err(|reason| SecretFileError { path: path.to_owned(), reason })?;
            Ok(Some(text.lines().next().unwrap_or_default().to_owned().into()))
        }
        (None, None) => Ok(None),
    }
}
