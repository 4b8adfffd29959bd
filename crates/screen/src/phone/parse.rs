use super::error::PhoneXmlError;
use super::object::{ExecuteItem, PhoneObject, Priority, SoftKeyItem};
use crate::limits;
use crate::xml::{self, Element, Rules, XmlError};

/// Reads an object as a phone does: known tags only, case sensitive, every limit enforced.
///
/// ```
/// use ringback_screen::phone::{PhoneObject, parse};
/// let xml = b"<CiscoIPPhoneText><Title>Hello</Title><Text>A &amp; B</Text></CiscoIPPhoneText>";
/// let PhoneObject::Text { title, text, .. } = parse(xml)? else { panic!("not a text") };
/// assert_eq!((title.as_str(), text.as_str()), ("Hello", "A & B"));
/// # Ok::<(), ringback_screen::phone::PhoneXmlError>(())
/// ```
///
/// # Errors
/// See [`PhoneXmlError`]: each way to be wrong has its name.
pub fn parse(xml: &[u8]) -> Result<PhoneObject, PhoneXmlError> {
    let rules = Rules { max_bytes: limits::MESSAGE_BYTES, comments: false, ascii_encodings: false };
    let root = xml::read(xml, rules).map_err(|e| match e {
        XmlError::TooLong { limit, size } => {
            PhoneXmlError::Limit(limits::LimitError { what: "phone XML", unit: "bytes", limit, size })
        }
        other => other.into(),
    })?;
    let object = match root.name.as_str() {
        "CiscoIPPhoneText" => text(root)?,
        "CiscoIPPhoneExecute" => execute(root)?,
        "CiscoIPPhoneError" => error(root)?,
        _ => return Err(PhoneXmlError::UnknownObject { tag: root.name }),
    };
    object.check()?;
    Ok(object)
}

fn text(root: Element) -> Result<PhoneObject, PhoneXmlError> {
    const PARENT: &str = "CiscoIPPhoneText";
    only_elements(&root, &[])?;
    let (mut title, mut prompt, mut text) = (None, None, None);
    let mut soft_keys = Vec::new();
    for child in root.children {
        match child.name.as_str() {
            "Title" => once(&mut title, leaf(child)?, "Title", PARENT)?,
            "Prompt" => once(&mut prompt, leaf(child)?, "Prompt", PARENT)?,
            "Text" => once(&mut text, leaf(child)?, "Text", PARENT)?,
            "SoftKeyItem" => soft_keys.push(soft_key(child)?),
            _ => return Err(unknown(child, PARENT)),
        }
    }
    Ok(PhoneObject::Text {
        title: title.unwrap_or_default(),
        prompt: prompt.unwrap_or_default(),
        text: text.ok_or(PhoneXmlError::Missing { part: "Text", parent: PARENT })?,
        soft_keys,
    })
}

fn soft_key(item: Element) -> Result<SoftKeyItem, PhoneXmlError> {
    const PARENT: &str = "SoftKeyItem";
    only_elements(&item, &[])?;
    let (mut name, mut url, mut position) = (None, None, None);
    for child in item.children {
        match child.name.as_str() {
            "Name" => once(&mut name, leaf(child)?, "Name", PARENT)?,
            "URL" => once(&mut url, leaf(child)?, "URL", PARENT)?,
            "Position" => once(&mut position, leaf(child)?, "Position", PARENT)?,
            _ => return Err(unknown(child, PARENT)),
        }
    }
    let missing = |part| PhoneXmlError::Missing { part, parent: PARENT };
    let position = position.ok_or(missing("Position"))?;
    Ok(SoftKeyItem {
        name: name.ok_or(missing("Name"))?,
        url: url.ok_or(missing("URL"))?,
        position: position.trim().parse().map_err(|_| PhoneXmlError::Position { found: position })?,
    })
}

fn execute(root: Element) -> Result<PhoneObject, PhoneXmlError> {
    only_elements(&root, &[])?;
    let mut items = Vec::new();
    for child in root.children {
        if child.name != "ExecuteItem" {
            return Err(unknown(child, "CiscoIPPhoneExecute"));
        }
        items.push(execute_item(child)?);
    }
    Ok(PhoneObject::Execute { items })
}

fn execute_item(item: Element) -> Result<ExecuteItem, PhoneXmlError> {
    only_elements(&item, &["Priority", "URL"])?;
    if let Some(child) = item.children.into_iter().next() {
        return Err(unknown(child, "ExecuteItem"));
    }
    let (mut url, mut priority) = (None, Priority::AtOnce);
    for (attribute, value) in item.attributes {
        if attribute == "URL" {
            url = Some(value);
        } else {
            priority = match value.as_str() {
                "0" => Priority::AtOnce,
                "1" => Priority::WhenIdle,
                "2" => Priority::OnlyIfIdle,
                _ => return Err(PhoneXmlError::Priority { found: value }),
            };
        }
    }
    let url = url.ok_or(PhoneXmlError::Missing { part: "URL", parent: "ExecuteItem" })?;
    Ok(ExecuteItem { url, priority })
}

fn error(root: Element) -> Result<PhoneObject, PhoneXmlError> {
    only_elements(&root, &["Number"])?;
    if let Some(child) = root.children.into_iter().next() {
        return Err(unknown(child, "CiscoIPPhoneError"));
    }
    let (_, found) = root
        .attributes
        .into_iter()
        .next()
        .ok_or(PhoneXmlError::Missing { part: "Number", parent: "CiscoIPPhoneError" })?;
    match found.parse() {
        Ok(number) => Ok(PhoneObject::Error { number }),
        Err(_) => Err(PhoneXmlError::ErrorNumber { found }),
    }
}

/// The element holds no text, and no attributes but these.
fn only_elements(element: &Element, attributes: &[&str]) -> Result<(), PhoneXmlError> {
    if !element.text.trim().is_empty() {
        return Err(PhoneXmlError::StrayText { parent: element.name.clone() });
    }
    match element.attributes.iter().find(|(name, _)| !attributes.contains(&name.as_str())) {
        Some((attribute, _)) => {
            Err(PhoneXmlError::UnknownAttribute { attribute: attribute.clone(), tag: element.name.clone() })
        }
        None => Ok(()),
    }
}

/// The text of an element that holds nothing else.
fn leaf(element: Element) -> Result<String, PhoneXmlError> {
    if let Some((attribute, _)) = element.attributes.into_iter().next() {
        return Err(PhoneXmlError::UnknownAttribute { attribute, tag: element.name });
    }
    match element.children.into_iter().next() {
        Some(child) => Err(unknown(child, &element.name)),
        None => Ok(element.text),
    }
}

fn once(
    slot: &mut Option<String>,
    value: String,
    tag: &'static str,
    parent: &'static str,
) -> Result<(), PhoneXmlError> {
    match slot.replace(value) {
        Some(_) => Err(PhoneXmlError::Duplicate { tag, parent }),
        None => Ok(()),
    }
}

pub(super) fn unknown(element: Element, parent: &str) -> PhoneXmlError {
    PhoneXmlError::UnknownTag { tag: element.name, parent: parent.to_owned() }
}
