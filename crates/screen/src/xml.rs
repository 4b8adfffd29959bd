//! The subset of XML that phones and dictionaries share, read into a small tree: UTF-8, elements, attributes and the
//! five named entities. Nothing is ever expanded, so the size of a result is bounded by the size of its input.

use quick_xml::Reader;
use quick_xml::errors::{Error as QuickError, IllFormedError, SyntaxError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use thiserror::Error;

/// The deepest nesting that anything of ours uses is 3; more is an attack on the stack of whoever walks the tree.
const MAX_DEPTH: usize = 8;

/// Why a text is not the XML that phones and dictionaries are written in. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlError {
    /// The text is too long to be looked at.
    #[error("{size} bytes of XML, but at most {limit} are taken: shorten it")]
    TooLong {
        /// The most that is taken, in bytes.
        limit: usize,
        /// What was met, in bytes.
        size: usize,
    },
    /// The bytes are not UTF-8.
    #[error("not UTF-8 from byte {position} on: save it as UTF-8")]
    NotUtf8 {
        /// Where the first wrong byte is, from 0.
        position: usize,
    },
    /// The declaration names another encoding.
    #[error("declared as {declared:?}, but only UTF-8 is read: save it as UTF-8 and declare that")]
    Encoding {
        /// What is declared.
        declared: String,
    },
    /// There is a document type definition. It could define entities that grow without bound, so none is read.
    #[error("a document type definition (<!DOCTYPE>) is not allowed: remove it")]
    DocumentType,
    /// There is a reference to an entity other than `&amp;`, `&lt;`, `&gt;`, `&quot;` and `&apos;`.
    #[error("entity &{name}; is not known: only amp, lt, gt, quot and apos are")]
    UnknownEntity {
        /// Its name, or `#` and a number.
        name: String,
    },
    /// A `&` begins no entity.
    #[error("an & stands alone: write &amp;")]
    BareAmpersand,
    /// An element does not end.
    #[error("<{tag}> is not closed: add </{tag}>")]
    Unclosed {
        /// The element.
        tag: String,
    },
    /// An element is closed by another's end tag.
    #[error("<{expected}> is closed by </{found}>: tags are case sensitive and must nest")]
    WrongEndTag {
        /// The element that is open.
        expected: String,
        /// The end tag met.
        found: String,
    },
    /// An end tag closes nothing.
    #[error("</{tag}> closes nothing: remove it")]
    StrayEndTag {
        /// The end tag.
        tag: String,
    },
    /// An attribute is given twice.
    #[error("<{tag}> has the same attribute twice: remove one")]
    DuplicateAttribute {
        /// The element.
        tag: String,
    },
    /// There is markup that is not read.
    #[error("{what} is not allowed here: remove it")]
    Unsupported {
        /// What it is.
        what: &'static str,
    },
    /// There is a character that XML does not allow.
    #[error("character U+{:04X} is not allowed in XML: remove it", u32::from(*.found))]
    Character {
        /// The character.
        found: char,
    },
    /// Elements are nested too deep.
    #[error("elements are nested deeper than {limit}: nothing that is read here is")]
    TooDeep {
        /// The deepest nesting taken.
        limit: usize,
    },
    /// There is no element at all.
    #[error("no element in it: it is empty")]
    Empty,
    /// Something stands before or after the one outermost element.
    #[error("something stands outside the outermost element: remove it")]
    OutsideRoot,
    /// It is not XML in some other way.
    #[error("not XML: {0}")]
    Syntax(String),
}

/// What a document may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The longest document, in bytes.
    pub(crate) max_bytes: usize,
    /// Whether comments are skipped; otherwise they are an error.
    pub(crate) comments: bool,
    /// Whether a text that is all ASCII may declare any encoding; otherwise only UTF-8.
    pub(crate) ascii_encodings: bool,
}

/// An element with everything in it. `text` is all text directly in it, entities resolved, line ends as `\n`.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

/// Reads a document.
pub(crate) fn read(bytes: &[u8], rules: Rules) -> Result<Element, XmlError> {
    if bytes.len() > rules.max_bytes {
        return Err(XmlError::TooLong { limit: rules.max_bytes, size: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| XmlError::NotUtf8 { position: e.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(found) = text.chars().find(|c| !is_xml_char(*c)) {
        return Err(XmlError::Character { found });
    }
    let mut tree = Tree::default();
    let mut reader = Reader::from_str(text);
    let mut first = true;
    loop {
        match reader.read_event().map_err(|e| named(e, &tree))? {
            Event::Start(start) => {
                let element = opened(&start)?;
                tree.open(element)?;
            }
            Event::Empty(start) => {
                let element = opened(&start)?;
                tree.open(element)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(name) => tree.text(resolve(&name)?.encode_utf8(&mut [0; 4]))?,
            Event::Decl(declaration) if first => {
                check_declaration(&declaration, rules.ascii_encodings && text.is_ascii())?;
            }
            Event::Comment(_) if rules.comments => {}
            Event::Decl(_) => return Err(XmlError::Unsupported { what: "an XML declaration" }),
            Event::Comment(_) => return Err(XmlError::Unsupported { what: "a comment" }),
            Event::CData(_) => return Err(XmlError::Unsupported { what: "a CDATA section" }),
            Event::PI(_) => return Err(XmlError::Unsupported { what: "a processing instruction" }),
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Eof => return tree.finish(),
        }
        first = false;
    }
}

/// Appends a text to a document, escaped for text and for attributes alike.
pub(crate) fn escape_into(xml: &mut String, text: &str) -> Result<(), XmlError> {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // A reader turns it into a line feed: it would not come back as what it was.
            '\r' => return Err(XmlError::Character { found: c }),
            c if is_xml_char(c) => xml.push(c),
            found => return Err(XmlError::Character { found }),
        }
    }
    Ok(())
}

/// The elements that are open, outermost first, and the one that has been closed last.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(XmlError::OutsideRoot);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::TooDeep { limit: MAX_DEPTH });
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::OutsideRoot)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::OutsideRoot),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Element, XmlError> {
        match self.open.pop() {
            Some(element) => Err(XmlError::Unclosed { tag: element.name }),
            None => self.root.ok_or(XmlError::Empty),
        }
    }
}

fn opened(start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let mut element = Element { name: start.name().as_ref().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| match e {
            AttrError::Duplicated(..) => XmlError::DuplicateAttribute { tag: element.name.clone() },
            other => XmlError::Syntax(other.to_string()),
        })?;
        let value = unescaped(&attribute.value)?;
        element.attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Ok(element)
}

/// An attribute's value: entities resolved, line ends and tabs as blanks, as XML demands.
fn unescaped(raw: &str) -> Result<String, XmlError> {
    if raw.contains('<') {
        return Err(XmlError::Syntax("an attribute holds <: write &lt;".to_owned()));
    }
    let mut parts = raw.split('&');
    let mut value = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').ok_or(XmlError::BareAmpersand)?;
        value.push(resolve(name)?);
        value.push_str(rest);
    }
    Ok(value.replace(['\t', '\n', '\r'], " "))
}

fn resolve(name: &str) -> Result<char, XmlError> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlError::UnknownEntity { name: name.to_owned() }),
    }
}

fn check_declaration(declaration: &BytesDecl<'_>, any_encoding: bool) -> Result<(), XmlError> {
    declaration.xml_version().map_err(|e| XmlError::Syntax(e.to_string()))?;
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(_)) if any_encoding => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(encoding)) => Err(XmlError::Encoding { declared: encoding.into_owned() }),
        Some(Err(e)) => Err(XmlError::Syntax(e.to_string())),
    }
}

fn named(error: QuickError, tree: &Tree) -> XmlError {
    match error {
        QuickError::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            XmlError::WrongEndTag { expected, found }
        }
        QuickError::IllFormed(IllFormedError::UnmatchedEndTag(tag)) => XmlError::StrayEndTag { tag },
        QuickError::IllFormed(IllFormedError::UnclosedReference) => XmlError::BareAmpersand,
        QuickError::IllFormed(IllFormedError::MissingDoctypeName) => XmlError::DocumentType,
        QuickError::Syntax(SyntaxError::UnclosedDoctype) => XmlError::DocumentType,
        QuickError::Syntax(reason) => match tree.open.last() {
            Some(element) => XmlError::Unclosed { tag: element.name.clone() },
            None => XmlError::Syntax(reason.to_string()),
        },
        other => XmlError::Syntax(other.to_string()),
    }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}
