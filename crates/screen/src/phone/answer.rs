use thiserror::Error;

use super::error::PhoneXmlError;
use super::parse::unknown;
use super::write::Writer;
use crate::limits;
use crate::xml::{self, Element, Rules};

/// What a phone answers to a [`PhoneObject::Execute`](super::PhoneObject::Execute) that it was sent over HTTP.
///
/// ```
/// use ringback_screen::phone::{PhoneAnswer, PhoneFault};
/// let answer = PhoneAnswer::parse(b"<CiscoIPPhoneError Number=\"4\"/>")?;
/// assert_eq!(answer, PhoneAnswer::Failed(PhoneFault::Authentication));
/// # Ok::<(), ringback_screen::phone::PhoneXmlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneAnswer {
    /// `CiscoIPPhoneResponse`: it does what it was told; at most three items, in any order.
    Done {
        /// What became of each item.
        items: Vec<ResponseItem>,
    },
    /// `CiscoIPPhoneError`: it does nothing of it.
    Failed(PhoneFault),
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseItem {
    /// The item's URL.
    pub url: String,
    /// What the phone has to say about it, often nothing.
    pub data: String,
    /// 0: no error.
    pub status: i32,
}

/// The number of a `CiscoIPPhoneError`. The screen of the phone is what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum PhoneFault {
    /// 1.
    #[error(
        "the phone could not parse what it was to do (error 1): update its firmware; if that does not help, report its model"
    )]
    Parse,
    /// 2. What it was to do may have been done.
    #[error(
        "the phone could not frame its response (error 2): look at the phone what it has done; restart it if that comes \
         again"
    )]
    Framing,
    /// 3.
    #[error(
        "the phone met an internal file error (error 3): check that the file of the service parameter Audio File Name is \
         on the server from which the phone loads its ring tones"
    )]
    File,
    /// 4.
    #[error(
        "the phone does not accept user and password (error 4): in the user database that the phone's authentication URL \
         asks, create that user with that password and associate the phone with it; without such a database, set the \
         phone's authentication URL to /authenticate of ringback's own address for phones"
    )]
    Authentication,
    /// Any other.
    #[error("the phone refuses with error {0}: see the notes of its model")]
    Other(u8),
}

impl PhoneFault {
    /// The fault with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Parse,
            2 => Self::Framing,
            3 => Self::File,
            4 => Self::Authentication,
            other => Self::Other(other),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Parse => 1,
            Self::Framing => 2,
            Self::File => 3,
            Self::Authentication => 4,
            Self::Other(number) => number,
        }
    }
}

const RESPONSE: &str = "CiscoIPPhoneResponse";
const ITEM: &str = "ResponseItem";
const ERROR: &str = "CiscoIPPhoneError";

impl PhoneAnswer {
    /// Reads an answer. Phones differ in what they say besides, thus attributes that are not known, and the text that may
    /// stand in an error, are skipped; any declared encoding is taken as long as all is ASCII.
    ///
    /// # Errors
    /// It is no answer of a phone, or longer than [`ANSWER_BYTES`](crate::ANSWER_BYTES).
    pub fn parse(xml: &[u8]) -> Result<Self, PhoneXmlError> {
        let rules = Rules { max_bytes: limits::ANSWER_BYTES, comments: true, ascii_encodings: true };
        let root = xml::read(xml, rules)?;
        match root.name.as_str() {
            RESPONSE => {
                let children = root.children.len();
                limits::check("items of an answer", "items", children, limits::EXECUTE_ITEMS)?;
                let items = root.children.into_iter().map(item).collect::<Result<_, _>>()?;
                Ok(Self::Done { items })
            }
            ERROR => {
                let found = attribute(&root, "Number")
                    .ok_or(PhoneXmlError::Missing { part: "Number", parent: ERROR })?;
                let number = found.trim().parse();
                let number = number.map_err(|_| PhoneXmlError::ErrorNumber { found: found.to_owned() })?;
                Ok(Self::Failed(PhoneFault::from_number(number)))
            }
            _ => Err(PhoneXmlError::UnknownObject { tag: root.name }),
        }
    }

    /// Writes the answer as a phone does. What is written, [`parse`](Self::parse) reads back unchanged.
    ///
    /// # Errors
    /// It is longer than an answer may be, or holds a character that XML does not allow.
    pub fn to_xml(&self) -> Result<String, PhoneXmlError> {
        let mut xml = Writer::new();
        match self {
            Self::Done { items } => {
                limits::check("items of an answer", "items", items.len(), limits::EXECUTE_ITEMS)?;
                xml.raw("<CiscoIPPhoneResponse>\n");
                for item in items {
                    xml.raw("<ResponseItem");
                    xml.attribute("URL", &item.url)?;
                    xml.attribute("Data", &item.data)?;
                    xml.attribute("Status", &item.status.to_string())?;
                    xml.raw("/>\n");
                }
                xml.raw("</CiscoIPPhoneResponse>\n");
            }
            Self::Failed(fault) => {
                xml.raw("<CiscoIPPhoneError");
                xml.attribute("Number", &fault.number().to_string())?;
                xml.raw("/>\n");
            }
        }
        Ok(xml.finish("answer of a phone", limits::ANSWER_BYTES)?)
    }
}

fn item(element: Element) -> Result<ResponseItem, PhoneXmlError> {
    if element.name != ITEM {
        return Err(unknown(element, RESPONSE));
    }
    let text = |name| attribute(&element, name).unwrap_or_default().to_owned();
    let status = attribute(&element, "Status");
    let status = status.ok_or(PhoneXmlError::Missing { part: "Status", parent: ITEM })?;
    let found = || PhoneXmlError::Status { found: status.to_owned() };
    Ok(ResponseItem {
        url: text("URL"),
        data: text("Data"),
        status: status.trim().parse().map_err(|_| found())?,
    })
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
}
