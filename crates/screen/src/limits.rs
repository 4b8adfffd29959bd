//! What a phone can take, and the error that names what was too much.

use thiserror::Error;

/// The longest title or prompt, in characters.
pub const HEADING_CHARS: usize = 32;
/// The longest name of a softkey, in characters.
pub const SOFT_KEY_NAME_CHARS: usize = 32;
/// The longest URL, in characters.
pub const URL_CHARS: usize = 256;
/// The highest position of a softkey; the lowest is 1.
pub const LAST_POSITION: usize = 16;
/// The longest message to a phone through CTI, in bytes.
pub const MESSAGE_BYTES: usize = 2000;
/// The longest answer that is read of a phone, in bytes.
pub const ANSWER_BYTES: usize = 4096;
/// The most items of one `CiscoIPPhoneExecute`.
pub const EXECUTE_ITEMS: usize = 3;
/// The most of them that may be HTTP.
pub const EXECUTE_HTTP_ITEMS: usize = 1;

/// Something is larger than a phone takes. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what}: {size} {unit}, but a phone takes at most {limit}: shorten it")]
pub struct LimitError {
    /// What is too large.
    pub what: &'static str,
    /// What is counted: `characters`, `bytes`, `items`.
    pub unit: &'static str,
    /// The most that is allowed.
    pub limit: usize,
    /// What was met.
    pub size: usize,
}

/// Checks a text against a limit in characters.
pub(crate) fn check_chars(what: &'static str, text: &str, limit: usize) -> Result<(), LimitError> {
    check(what, "characters", text.chars().count(), limit)
}

/// Checks a size against a limit.
pub(crate) fn check(
    what: &'static str,
    unit: &'static str,
    size: usize,
    limit: usize,
) -> Result<(), LimitError> {
    if size > limit { Err(LimitError { what, unit, limit, size }) } else { Ok(()) }
}
