//! The manager protocol: text lines `Key: Value`, a message ended by an empty line.
//!
//! Keys repeat and their order counts, values hold colons, a greeting line comes first, and command output comes
//! either as repeated `Output` headers or, from older servers, as raw lines behind `Response: Follows`; both are
//! given as `Output` headers here.

mod action;
mod message;
mod parser;

pub use action::{Action, ActionError};
pub use message::{Message, MessageKind};
pub use parser::{AmiError, Item, Limits, Parser};
