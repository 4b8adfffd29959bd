use thiserror::Error;

use super::message::Message;

/// How much the parser takes before it gives up. A peer that sends more is not a manager interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line in bytes, its end not counted. 64 KiB: variables can be long.
    pub line: usize,
    /// The most bytes of one message. 1 MiB: output of a command is one message.
    pub message: usize,
    /// The most headers of one message. 16 384, for the same reason.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 64 * 1024, message: 1024 * 1024, headers: 16_384 }
    }
}

/// Why a stream cannot be read on. Nothing after it was taken: close the connection and open it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AmiError {
    /// A line is longer than allowed.
    #[error("line longer than {limit} bytes: this is no manager interface, check host and port")]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// A message is larger than allowed.
    #[error("message larger than {limit} bytes: ask for less in one action")]
    MessageTooLarge {
        /// The limit.
        limit: usize,
    },
    /// A message has more headers than allowed.
    #[error("message with more than {limit} headers: ask for less in one action")]
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// A message begins with a line that is no header.
    #[error("expected \"Key: Value\", found a line of {len} bytes without a colon: check host and port")]
    NoColon {
        /// The length of that line.
        len: usize,
    },
    /// A line begins with the colon.
    #[error("expected \"Key: Value\", found a line with an empty key")]
    EmptyKey,
}

/// What the stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The first line of a connection, for example `Asterisk Call Manager/9.0.0`: the part behind the slash.
    Greeting(String),
    /// A message.
    Message(Message),
}

const GREETING: &str = "Asterisk Call Manager/";
const END_OF_COMMAND: &str = "--END COMMAND--";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing of the stream was read yet.
    Start,
    /// Inside or between messages.
    Headers,
    /// Behind `Response: Follows`, where `Privilege` and `ActionID` may still come before the raw output.
    FollowsHead,
    /// In the raw output.
    Output,
}

/// The incremental parser: bytes go in as they come, in pieces of any size.
///
/// Bytes that are not UTF-8 (names in an old encoding) are replaced by U+FFFD and harm nothing else.
///
/// ```
/// use ringback_cti_asterisk::ami::{Item, Parser};
/// let mut items = Vec::new();
/// Parser::default().feed(b"Asterisk Call Manager/9.0.0\r\nEvent: FullyBooted\r\n\r\n", &mut items)?;
/// assert_eq!(items[0], Item::Greeting("9.0.0".into()));
/// # Ok::<(), ringback_cti_asterisk::ami::AmiError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parser {
    limits: Limits,
    place: Place,
    line: Vec<u8>,
    message: Message,
    bytes: usize,
    failed: Option<AmiError>,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Parser {
    /// A parser at the start of a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            place: Place::Start,
            line: Vec::new(),
            message: Message::default(),
            bytes: 0,
            failed: None,
        }
    }

    /// Takes bytes and appends what they complete.
    ///
    /// # Errors
    /// The stream breaks a bound or is not the protocol. What was complete before that point has been appended; the
    /// parser takes nothing more and gives the same error again.
    pub fn feed(&mut self, mut bytes: &[u8], items: &mut Vec<Item>) -> Result<(), AmiError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = (|| {
            while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                self.hold(&bytes[..end])?;
                bytes = &bytes[end + 1..];
                self.end_line(items)?;
            }
            self.hold(bytes)
        })();
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }

    /// Whether the stream may end here: not inside a line or a message.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.line.is_empty() && self.message.is_empty()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), AmiError> {
        // One byte more for the carriage return that does not count.
        if self.line.len() + bytes.len() > self.limits.line + 1 {
            return Err(AmiError::LineTooLong { limit: self.limits.line });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, items: &mut Vec<Item>) -> Result<(), AmiError> {
        let raw = std::mem::take(&mut self.line);
        let line = raw.strip_suffix(b"\r").unwrap_or(&raw);
        if line.len() > self.limits.line {
            return Err(AmiError::LineTooLong { limit: self.limits.line });
        }
        self.bytes += line.len();
        if self.bytes > self.limits.message {
            return Err(AmiError::MessageTooLarge { limit: self.limits.message });
        }
        let text = String::from_utf8_lossy(line);
        match self.place {
            Place::Start | Place::Headers => self.header_line(&text, items),
            Place::FollowsHead if is_follows_header(&text) => self.header(&text),
            Place::FollowsHead | Place::Output => {
                self.place = Place::Output;
                self.output_line(&text)
            }
        }
    }

    fn header_line(&mut self, text: &str, items: &mut Vec<Item>) -> Result<(), AmiError> {
        let first = self.place == Place::Start;
        self.place = Place::Headers;
        if let Some(version) = text.strip_prefix(GREETING).filter(|_| first) {
            self.bytes = 0;
            items.push(Item::Greeting(version.to_owned()));
            return Ok(());
        }
        if text.is_empty() {
            self.bytes = 0;
            if !self.message.is_empty() {
                items.push(Item::Message(std::mem::take(&mut self.message)));
            }
            return Ok(());
        }
        self.header(text)?;
        if self.message.len() == 1 && self.message.get("Response").is_some_and(|v| v == "Follows") {
            self.place = Place::FollowsHead;
        }
        Ok(())
    }

    fn header(&mut self, text: &str) -> Result<(), AmiError> {
        match text.split_once(':') {
            Some(("", _)) => Err(AmiError::EmptyKey),
            Some((key, value)) => self.push(key.trim(), value.strip_prefix(' ').unwrap_or(value)),
            // Some servers let a line break through inside a value: it belongs to the header before.
            None if self.message.continue_last(text) => Ok(()),
            None => Err(AmiError::NoColon { len: text.len() }),
        }
    }

    fn output_line(&mut self, text: &str) -> Result<(), AmiError> {
        match text.strip_suffix(END_OF_COMMAND) {
            None => self.push("Output", text),
            Some(rest) => {
                self.place = Place::Headers;
                if rest.is_empty() { Ok(()) } else { self.push("Output", rest) }
            }
        }
    }

    fn push(&mut self, key: &str, value: &str) -> Result<(), AmiError> {
        if self.message.len() >= self.limits.headers {
            return Err(AmiError::TooManyHeaders { limit: self.limits.headers });
        }
        self.message.push(key.to_owned(), value.to_owned());
        Ok(())
    }
}

fn is_follows_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| matches!(key, "Privilege" | "ActionID"))
}

#[cfg(test)]
mod tests;
