use std::fmt;

use thiserror::Error;

/// Why an action was not built. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ActionError {
    /// A key or value holds a line break or a NUL, which would end the header and begin another.
    #[error("header {key:?} holds a line break or a NUL: remove it")]
    LineBreak {
        /// The key, with what is not printable escaped.
        key: String,
    },
    /// A key is empty or holds something else than letters, digits, `-` and `_`.
    #[error("{key:?} is not a header's key: use letters, digits, - and _")]
    Key {
        /// The key.
        key: String,
    },
    /// A line is longer than the server reads.
    #[error("header {key:?} makes a line of {len} bytes: the server reads at most {}", Action::MAX_LINE)]
    TooLong {
        /// The key.
        key: String,
        /// The length.
        len: usize,
    },
    /// There are more headers than the server reads.
    #[error("more than {} headers: the server reads no more", Action::MAX_HEADERS)]
    TooManyHeaders,
}

/// A request to the server, checked while it is built: no value can end its header and begin another one.
///
/// ```
/// use ringback_cti_asterisk::ami::Action;
/// let action = Action::new("Ping")?.header("ActionID", "7")?;
/// assert_eq!(action.to_bytes(), b"Action: Ping\r\nActionID: 7\r\n\r\n");
/// assert!(Action::new("Ping")?.header("ActionID", "7\r\nAction: Logoff").is_err());
/// # Ok::<(), ringback_cti_asterisk::ami::ActionError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    text: String,
    headers: usize,
}

impl Action {
    /// The longest line the server reads, in bytes, without its end.
    pub const MAX_LINE: usize = 1022;
    /// The most headers the server reads.
    pub const MAX_HEADERS: usize = 128;

    /// An action by its name.
    ///
    /// # Errors
    /// As [`Action::header`].
    pub fn new(name: &str) -> Result<Self, ActionError> {
        Self { text: String::new(), headers: 0 }.header("Action", name)
    }

    /// Adds a header; a key may be repeated.
    ///
    /// # Errors
    /// The key is not one, the value holds a line break or a NUL, the line is too long, or there are too many.
    pub fn header(mut self, key: &str, value: &str) -> Result<Self, ActionError> {
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        if breaks(key) || breaks(value) {
            return Err(ActionError::LineBreak { key: key.escape_default().to_string() });
        }
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return Err(ActionError::Key { key: key.to_owned() });
        }
        let len = key.len() + 2 + value.len();
        if len > Self::MAX_LINE {
            return Err(ActionError::TooLong { key: key.to_owned(), len });
        }
        if self.headers == Self::MAX_HEADERS {
            return Err(ActionError::TooManyHeaders);
        }
        self.headers += 1;
        self.text.extend([key, ": ", value, "\r\n"]);
        Ok(self)
    }

    /// The value of the first header with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut headers = self.text.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The bytes to send.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.text.as_bytes(), b"\r\n"].concat()
    }
}

impl fmt::Debug for Action {
    /// Shows the name only: the rest may be a secret or a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.text.lines().next().unwrap_or_default();
        write!(f, "Action({:?}, {} headers)", name.strip_prefix("Action: ").unwrap_or(name), self.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_bad_keys_are_refused() {
        let action = Action::new("Originate").unwrap();
        for value in ["a\nb", "a\rb", "a\0b", "\r\n"] {
            let error = action.clone().header("CallerID", value).unwrap_err();
            assert_eq!(error, ActionError::LineBreak { key: "CallerID".into() });
        }
        assert_eq!(Action::new("Ping\r\nX: y"), Err(ActionError::LineBreak { key: "Action".into() }));
        assert_eq!(action.clone().header("a\nb", ""), Err(ActionError::LineBreak { key: "a\\nb".into() }));
        for key in ["", "a b", "a:b", "ä"] {
            assert_eq!(action.clone().header(key, "v"), Err(ActionError::Key { key: key.into() }));
        }
    }

    #[test]
    fn bounds_of_the_server_are_kept() {
        let longest = "x".repeat(Action::MAX_LINE - "K: ".len());
        assert!(Action::new("A").unwrap().header("K", &longest).is_ok());
        let error = Action::new("A").unwrap().header("K", &format!("{longest}x")).unwrap_err();
        assert_eq!(error, ActionError::TooLong { key: "K".into(), len: 1023 });
        let mut action = Action::new("A").unwrap();
        for _ in 1..Action::MAX_HEADERS {
            action = action.header("Variable", "v=1").unwrap();
        }
        assert_eq!(action.header("Variable", "v=1"), Err(ActionError::TooManyHeaders));
    }

    #[test]
    fn debug_hides_values() {
        let login = Action::new("Login").unwrap().header("Secret", "s3").unwrap();
        assert_eq!(format!("{login:?}"), r#"Action("Login", 2 headers)"#);
    }
}
