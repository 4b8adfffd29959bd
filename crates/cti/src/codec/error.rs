use ringback_model::TextError;
use thiserror::Error;

/// A frame that is not the protocol. The peer is to blame; nothing was taken from it but the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length field is smaller than a header.
    #[error("frame length {len} is less than a header: the peer does not speak this protocol")]
    FrameTooShort {
        /// The length given.
        len: usize,
    },
    /// The length field is larger than allowed.
    #[error("message too big: {len} bytes where at most {max} are allowed")]
    MessageTooBig {
        /// The length given.
        len: usize,
        /// The largest allowed.
        max: usize,
    },
    /// The version field is 0, which no version is.
    #[error("frame of protocol version 0")]
    NoVersion,
    /// The body ends inside a field.
    #[error("the message ends inside {field}")]
    Truncated {
        /// Which field.
        field: &'static str,
    },
    /// A text is longer than its field allows.
    #[error("{field} is {len} bytes long: at most {max} are allowed")]
    TextTooLong {
        /// Which field.
        field: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The longest allowed.
        max: usize,
    },
    /// A list is longer than its field allows.
    #[error("{field} has {len} entries: at most {max} are allowed")]
    ListTooLong {
        /// Which field.
        field: &'static str,
        /// Its entries.
        len: usize,
        /// The most allowed.
        max: usize,
    },
    /// A text is not UTF-8.
    #[error("{field} is not UTF-8")]
    NotUtf8 {
        /// Which field.
        field: &'static str,
    },
    /// A text is not a valid number or name.
    #[error("{field} is not valid: {why}")]
    InvalidText {
        /// Which field.
        field: &'static str,
        /// Why.
        why: TextError,
    },
    /// A yes-or-no field holds neither 0 nor 1.
    #[error("{field} is {value} where 0 or 1 is expected")]
    InvalidFlag {
        /// Which field.
        field: &'static str,
        /// The value given.
        value: u8,
    },
}

/// A message that the wire cannot carry. The caller is to blame; nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A text or list is longer than its field allows.
    #[error("{field} is {len} long: at most {max} are allowed")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its length, in bytes or entries.
        len: usize,
        /// The longest allowed.
        max: usize,
    },
}
