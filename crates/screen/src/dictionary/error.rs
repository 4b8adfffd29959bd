use std::fmt;

use ringback_model::Locale;
use thiserror::Error;

use super::key::Key;
use super::template::TemplateError;
use crate::limits::LimitError;
use crate::xml::XmlError;

/// What is wrong with a dictionary file. No dictionary was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DictionaryError {
    /// It is not XML that can be read.
    #[error("dictionary {file}: {why}")]
    Xml {
        /// The file.
        file: String,
        /// Why.
        why: XmlError,
    },
    /// The name of the file is not that of a locale with `.xml`.
    #[error("dictionary {file}: the name of the file must be that of a locale, like fr_FR.xml")]
    FileName {
        /// The file.
        file: String,
    },
    /// The file does not say the locale that its name says.
    #[error(
        "dictionary {file}: locale={found:?} in <dictionary>, but the name of the file says {expected:?}: make them equal"
    )]
    WrongLocale {
        /// The file.
        file: String,
        /// What the name of the file says.
        expected: String,
        /// What the file says; empty if nothing.
        found: String,
    },
    /// Two files are for the same locale.
    #[error("dictionary {file}: a second one for {locale}: keep one")]
    DuplicateLocale {
        /// The second file.
        file: String,
        /// The locale.
        locale: Locale,
    },
    /// There is something other than `<dictionary>`, `<text key="...">` and `<line>`.
    #[error(
        "dictionary {file}: {found} is not known here: a <dictionary locale=\"...\"> holds <text key=\"...\">, and that holds <line>"
    )]
    Structure {
        /// The file.
        file: String,
        /// What was met.
        found: String,
    },
    /// A key is not one of ours.
    #[error("dictionary {file}: key {found:?} is not known: remove it, or correct its spelling")]
    UnknownKey {
        /// The file.
        file: String,
        /// What was met.
        found: String,
    },
    /// A key is there twice.
    #[error("dictionary {file}: key {key} is there twice: keep one")]
    DuplicateKey {
        /// The file.
        file: String,
        /// The key.
        key: Key,
    },
    /// A key of `en_US` is missing, which all other locales fall back to.
    #[error(
        "dictionary {file}: key {key} is missing: add it, because every other locale falls back to this one"
    )]
    MissingKey {
        /// The file.
        file: String,
        /// The key.
        key: Key,
    },
    /// A text cannot be the one of its key.
    #[error("dictionary {file}: key {key}: {why}")]
    Template {
        /// The file.
        file: String,
        /// The key.
        key: Key,
        /// Why.
        why: TemplateError,
    },
    /// With the longest numbers the text is more than a phone takes.
    #[error("dictionary {file}: key {key}: with the longest numbers, {why}")]
    TooLong {
        /// The file.
        file: String,
        /// The key.
        key: Key,
        /// What is too long.
        why: LimitError,
    },
}

/// Everything that is wrong with the dictionary files, at least one thing. No dictionary was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryErrors(pub Vec<DictionaryError>);

impl fmt::Display for DictionaryErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for DictionaryErrors {}

/// What a caller will see in English though his phone asks for another language.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DictionaryWarning {
    /// A dictionary has no text for a key.
    #[error("dictionary {file}: key {key} is missing: the text of en_US is shown instead")]
    MissingKey {
        /// The file.
        file: String,
        /// The key.
        key: Key,
    },
    /// There is no dictionary for a locale.
    #[error("no dictionary for locale {locale}: that of en_US is used instead")]
    MissingLocale {
        /// The locale.
        locale: Locale,
    },
}
