use super::error::PhoneXmlError;
use super::object::PhoneObject;
use crate::limits;
use crate::xml::escape_into;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

impl PhoneObject {
    /// Writes the object as a phone takes it. What is written, [`parse`](super::parse) reads back unchanged.
    ///
    /// # Errors
    /// Something in it, or the whole, is larger than a phone takes; or it holds a character that XML does not allow.
    pub fn to_xml(&self) -> Result<String, PhoneXmlError> {
        self.check()?;
        let mut xml = Writer(DECLARATION.to_owned());
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
                    xml.raw("<ExecuteItem Priority=\"");
                    xml.raw(&item.priority.number().to_string());
                    xml.raw("\" URL=\"");
                    escape_into(&mut xml.0, &item.url)?;
                    xml.raw("\"/>\n");
                }
                xml.raw("</CiscoIPPhoneExecute>\n");
            }
            Self::Error { number } => {
                xml.raw("<CiscoIPPhoneError Number=\"");
                xml.raw(&number.to_string());
                xml.raw("\"/>\n");
            }
        }
        limits::check("phone XML", "bytes", xml.0.len(), limits::MESSAGE_BYTES)?;
        Ok(xml.0)
    }
}

struct Writer(String);

impl Writer {
    fn raw(&mut self, markup: &str) {
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
