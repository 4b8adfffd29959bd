use std::collections::BTreeMap;

use ringback_model::Locale;

use super::error::DictionaryError;
use super::key::Key;
use super::template::Template;
use crate::xml::{self, Element, Rules};

/// Generous: the longest of ours has a twentieth of it.
const MAX_BYTES: usize = 64 * 1024;

/// One file as it was read: some keys may be missing.
#[derive(Debug)]
pub(super) struct DictionaryFile {
    pub(super) file: String,
    pub(super) locale: Locale,
    pub(super) texts: BTreeMap<Key, Template>,
}

/// Reads one file; gives everything that is wrong with it.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<DictionaryFile, Vec<DictionaryError>> {
    let locale = locale_of(file).map_err(|e| vec![e])?;
    let root = xml::read(bytes, Rules { max_bytes: MAX_BYTES, comments: true, ascii_encodings: false })
        .map_err(|why| vec![DictionaryError::Xml { file: file.to_owned(), why }])?;
    check_root(file, &locale, &root).map_err(|e| vec![e])?;
    let mut texts = BTreeMap::new();
    let mut errors = Vec::new();
    for child in root.children {
        match entry(file, child) {
            Ok((key, template)) => {
                if texts.insert(key, template).is_some() {
                    errors.push(DictionaryError::DuplicateKey { file: file.to_owned(), key });
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(DictionaryFile { file: file.to_owned(), locale, texts }) } else { Err(errors) }
}

fn locale_of(file: &str) -> Result<Locale, DictionaryError> {
    file.strip_suffix(".xml")
        .and_then(|name| Locale::new(name).ok())
        .ok_or_else(|| DictionaryError::FileName { file: file.to_owned() })
}

fn check_root(file: &str, locale: &Locale, root: &Element) -> Result<(), DictionaryError> {
    if root.name != "dictionary" {
        return Err(structure(file, format!("<{}>", root.name)));
    }
    check_text(file, root)?;
    let found = attribute(file, root, "locale")?;
    if found == locale.as_str() {
        Ok(())
    } else {
        Err(DictionaryError::WrongLocale {
            file: file.to_owned(),
            expected: locale.to_string(),
            found: found.to_owned(),
        })
    }
}

fn entry(file: &str, text: Element) -> Result<(Key, Template), DictionaryError> {
    if text.name != "text" {
        return Err(structure(file, format!("<{}>", text.name)));
    }
    check_text(file, &text)?;
    let name = attribute(file, &text, "key")?;
    let key = Key::named(name)
        .ok_or_else(|| DictionaryError::UnknownKey { file: file.to_owned(), found: name.to_owned() })?;
    let lines = text.children.into_iter().map(|child| line(file, child)).collect::<Result<Vec<_>, _>>()?;
    match Template::parse(key, &lines) {
        Ok(template) => Ok((key, template)),
        Err(why) => Err(DictionaryError::Template { file: file.to_owned(), key, why }),
    }
}

/// A line of a screen. Line breaks in the file are layout of the file.
fn line(file: &str, element: Element) -> Result<String, DictionaryError> {
    if element.name != "line" {
        return Err(structure(file, format!("<{}>", element.name)));
    }
    if let Some((name, _)) = element.attributes.first() {
        return Err(structure(file, format!("attribute {name} of <line>")));
    }
    match element.children.first() {
        Some(child) => Err(structure(file, format!("<{}>", child.name))),
        None => Ok(element.text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn check_text(file: &str, element: &Element) -> Result<(), DictionaryError> {
    if element.text.trim().is_empty() {
        Ok(())
    } else {
        Err(structure(file, format!("text directly in <{}>", element.name)))
    }
}

/// The value of the one attribute that an element may have; empty if it is not there.
fn attribute<'a>(file: &str, element: &'a Element, wanted: &str) -> Result<&'a str, DictionaryError> {
    match element.attributes.iter().find(|(name, _)| name != wanted) {
        Some((name, _)) => Err(structure(file, format!("attribute {name} of <{}>", element.name))),
        None => Ok(element.attributes.first().map_or("", |(_, value)| value)),
    }
}

fn structure(file: &str, found: String) -> DictionaryError {
    DictionaryError::Structure { file: file.to_owned(), found }
}
