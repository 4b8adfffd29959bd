use thiserror::Error;

use crate::limits::LimitError;
use crate::xml::XmlError;

/// Why a phone refuses an XML object. The phone goes on showing what it showed before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PhoneXmlError {
    /// It is not XML as a phone reads it.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Something is larger than a phone takes.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The outermost element is none that a phone knows.
    #[error("<{tag}> is no object that a phone knows: tags are case sensitive")]
    UnknownObject {
        /// The element.
        tag: String,
    },
    /// An element does not belong where it stands.
    #[error("<{tag}> is not known in <{parent}>: tags are case sensitive")]
    UnknownTag {
        /// The element.
        tag: String,
        /// Where it was met.
        parent: String,
    },
    /// An attribute does not belong where it stands.
    #[error("attribute {attribute} is not known in <{tag}>")]
    UnknownAttribute {
        /// The attribute.
        attribute: String,
        /// Where it was met.
        tag: String,
    },
    /// An element is given twice.
    #[error("<{tag}> stands twice in <{parent}>: keep one")]
    Duplicate {
        /// The element.
        tag: &'static str,
        /// Where it was met.
        parent: &'static str,
    },
    /// An element or attribute that must be there is not.
    #[error("<{parent}> has no {part}: add one")]
    Missing {
        /// What is missing.
        part: &'static str,
        /// Where.
        parent: &'static str,
    },
    /// An element or attribute that must say something is empty.
    #[error("{part} of <{parent}> is empty")]
    Empty {
        /// What is empty.
        part: &'static str,
        /// Where.
        parent: &'static str,
    },
    /// Text stands where only elements may.
    #[error("<{parent}> holds text beside its elements: remove it")]
    StrayText {
        /// Where.
        parent: String,
    },
    /// The position of a softkey is not a number from 1 to 16.
    #[error("softkey position {found:?} is not a number from 1 to 16")]
    Position {
        /// What was met.
        found: String,
    },
    /// Two softkeys have the same position.
    #[error("two softkeys have position {position}: move one")]
    SamePosition {
        /// The position.
        position: u8,
    },
    /// The priority of an item is not 0, 1 or 2.
    #[error("priority {found:?} is not 0 (at once), 1 (when idle) or 2 (only if idle)")]
    Priority {
        /// What was met.
        found: String,
    },
    /// The status of an item of an answer is not a number.
    #[error("status {found:?} is not a number")]
    Status {
        /// What was met.
        found: String,
    },
    /// The number of an error object is not a number.
    #[error("error number {found:?} is not a number from 0 to 255")]
    ErrorNumber {
        /// What was met.
        found: String,
    },
}
