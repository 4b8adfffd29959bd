use super::error::PhoneXmlError;
use super::object::PhoneObject;
use crate::limits::{self, LimitError};
use crate::xml::{XmlError, escape_into};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

impl PhoneObject {
    /// Writes the object as a phone takes it. What is written, [`parse`](super::parse) reads back unchanged.
    ///
    /// # Errors
    /// Something in it, or the whole, is larger than a phone takes; or it holds a character that XML does not allow.
    pub fn to_xml(&self) -> Result<String, PhoneXmlError> {
        self.check()?;
        let mut xml = Writer::new();
        match self {
            Self::Text { title, prompt, text, soft_keys } => {
                xml.raw("<CiscoIPPhoneText>\n");
                xml.element("Title", title)?;
                xml.element("Prompt", prompt)?;
                xml.element("Text", text)?;
                for key in soft_keys {
                    xml.raw("<SoftKeyItem>\n");
                    xml.element("Name", &key.name)?;
                    xml.element("URL", &key.url)?;
                    xml.element("Position", &key.position.to_string())?;
                    xml.raw("</SoftKeyItem>\n");
                }
                xml.raw("</CiscoIPPhoneText>\n");
            }
            Self::Execute { items } => {
                xml.raw("<CiscoIPPhoneExecute>\n");
                for item in items {
                    xml.raw("<ExecuteItem");
                    xml.attribute("Priority", &item.priority.number().to_string())?;
                    xml.attribute("URL", &item.url)?;
                    xml.raw("/>\n");
                }
                xml.raw("</CiscoIPPhoneExecute>\n");
            }
            Self::Error { number } => {
                xml.raw("<CiscoIPPhoneError");
                xml.attribute("Number", &number.to_string())?;
                xml.raw("/>\n");
            }
        }
        Ok(xml.finish("phone XML", limits::MESSAGE_BYTES)?)
    }
}

/// Writes a document, its declaration first.
pub(super) struct Writer(String);

impl Writer {
    pub(super) fn new() -> Self {
        Self(DECLARATION.to_owned())
    }

    /// The document, if it is not longer than this.
    pub(super) fn finish(self, what: &'static str, limit: usize) -> Result<String, LimitError> {
        limits::check(what, "bytes", self.0.len(), limit)?;
        Ok(self.0)
    }

    pub(super) fn attribute(&mut self, name: &str, value: &str) -> Result<(), PhoneXmlError> {
        // A reader turns it into a blank: it would not come back as what it was.
        if let Some(found) = value.chars().find(|c| matches!(c, '\t' | '\n')) {
            return Err(XmlError::Character { found }.into());
        }
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape_into(&mut self.0, value)?;
        self.0.push('"');
        Ok(())
    }

    pub(super) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn element(&mut self, tag: &str, text: &str) -> Result<(), PhoneXmlError> {
        self.0.push('<');
        self.0.push_str(tag);
        self.0.push('>');
        escape_into(&mut self.0, text)?;
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push_str(">\n");
        Ok(())
    }
}
