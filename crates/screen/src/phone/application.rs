use std::fmt;

use thiserror::Error;

/// The application that a softkey answers to: what the service calls itself at provider open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ApplicationId(String);

impl ApplicationId {
    /// The longest id, in characters: with the longest request id a key's URL stays within its limit.
    pub const MAX_LEN: usize = 64;

    /// Checks the id: 1 to 64 ASCII letters, digits, `-`, `_` or `.`.
    ///
    /// # Errors
    /// The id is empty, too long, or holds another character (a colon would split the softkey's URL).
    pub fn new(id: impl Into<String>) -> Result<Self, ApplicationIdError> {
        let id = id.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > Self::MAX_LEN || !id.chars().all(allowed) {
            return Err(ApplicationIdError { id });
        }
        Ok(Self(id))
    }

    /// An id of the greatest length, to measure with.
    pub(crate) fn longest() -> Self {
        Self("a".repeat(Self::MAX_LEN))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ApplicationId {
    fn default() -> Self {
        Self("ringback".to_owned())
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot be an application id. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("application id {id:?}: give 1 to 64 letters, digits, '-', '_' or '.'")]
pub struct ApplicationIdError {
    /// What was given.
    pub id: String,
}
