use thiserror::Error;

/// Why a text is not a valid number, name, partition, group or locale. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is empty where one is required.
    #[error("{what} is empty: give 1 to {max} characters")]
    Empty {
        /// What was to be made.
        what: &'static str,
        /// The longest text allowed, in bytes.
        max: usize,
    },
    /// The text is too long.
    #[error("{what} is {len} bytes long: at most {max} are allowed")]
    TooLong {
        /// What was to be made.
        what: &'static str,
        /// The length met, in bytes.
        len: usize,
        /// The longest text allowed, in bytes.
        max: usize,
    },
    /// The text holds a character that is not allowed there.
    #[error("{what} holds {found:?}, which is not allowed there")]
    Character {
        /// What was to be made.
        what: &'static str,
        /// The first character that is not allowed.
        found: char,
    },
}

/// Checks the length (in bytes) and the characters of a text.
pub(crate) fn check(
    what: &'static str,
    text: &str,
    min: usize,
    max: usize,
    allowed: impl Fn(char) -> bool,
) -> Result<(), TextError> {
    if text.len() < min {
        return Err(TextError::Empty { what, max });
    }
    if text.len() > max {
        return Err(TextError::TooLong { what, len: text.len(), max });
    }
    match text.chars().find(|c| !allowed(*c)) {
        Some(found) => Err(TextError::Character { what, found }),
        None => Ok(()),
    }
}

/// Whether a text is as nearly all are: so long, and of printable ASCII characters only. Short enough to be inlined.
#[inline(always)]
pub(crate) fn is_plain(text: &str, min: usize, max: usize) -> bool {
    let plain = |byte: &u8| (b' '..=b'~').contains(byte);
    (min..=max).contains(&text.len()) && text.as_bytes().iter().all(plain)
}

/// Checks what [`is_plain`] did not take: anything but control characters is allowed.
#[cold]
#[inline(never)]
pub(crate) fn check_printable(
    what: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), TextError> {
    check(what, text, min, max, |c| !c.is_control())
}
