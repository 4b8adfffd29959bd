use std::collections::BTreeMap;
use std::sync::Arc;

use ringback_model::Locale;

use super::error::{DictionaryError, DictionaryErrors, DictionaryWarning};
use super::fit::check_fit;
use super::key::Key;
use super::read::{DictionaryFile, read};
use super::template::{Template, Values};

const BUILT_IN: [(&str, &str); 5] = [
    ("en_US.xml", include_str!("../../dictionaries/en_US.xml")),
    ("de_DE.xml", include_str!("../../dictionaries/de_DE.xml")),
    ("fr_FR.xml", include_str!("../../dictionaries/fr_FR.xml")),
    ("es_ES.xml", include_str!("../../dictionaries/es_ES.xml")),
    ("ja_JP.xml", include_str!("../../dictionaries/ja_JP.xml")),
];

/// The texts of all locales. Complete whatever was loaded: a missing locale or key falls back to `en_US`.
///
/// A dictionary is an XML file `<locale>.xml`, in UTF-8:
///
/// ```xml
/// <dictionary locale="en_US">
///   <text key="softkey.dial"><line>Dial</line></text>
///   <text key="available">
///     <line>{dn} has become available</line>
///     <line>Time {hour}:{minute} {month}/{day}/{year}</line>
///   </text>
/// </dictionary>
/// ```
///
/// A `<line>` is a line of the phone's screen; `{name}` stands for a parameter. [`Key`] lists all keys,
/// [`Key::parameters`] the parameters of each. Comments are allowed.
///
/// ```
/// use ringback_screen::Dictionaries;
/// let files = [("it_IT.xml", "<dictionary locale='it_IT'><text key='softkey.exit'><line>Esci</line></text></dictionary>")];
/// let loaded = Dictionaries::load(&files)?;
/// assert_eq!(loaded.dictionaries.locales().count(), 6); // the five that are built in, and this one
/// assert_eq!(loaded.warnings[0].to_string(), "dictionary it_IT.xml: key title is missing: the text of en_US is shown instead");
/// # Ok::<(), ringback_screen::DictionaryErrors>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dictionaries {
    default: Arc<Dictionary>,
    by_locale: BTreeMap<Locale, Arc<Dictionary>>,
}

/// Dictionaries that have been loaded, and what is not as good as it could be with them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The dictionaries.
    pub dictionaries: Dictionaries,
    /// What falls back to `en_US`.
    pub warnings: Vec<DictionaryWarning>,
}

impl Dictionaries {
    /// The dictionaries that are built in: `en_US`, `de_DE`, `fr_FR`, `es_ES`, `ja_JP`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "invariant: a test loads every dictionary that is built in")]
    pub fn built_in() -> Self {
        assemble(BUILT_IN.iter().map(|(file, text)| (*file, text.as_bytes())))
            .map(|loaded| loaded.dictionaries)
            .expect("the dictionaries that are built in are valid")
    }

    /// Checks these files (name and content each) and puts them over the dictionaries that are built in: a file
    /// replaces the whole dictionary of its locale.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files. Then none is used: the caller may go on with
    /// [`Dictionaries::built_in`] or with what it had.
    pub fn load(files: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Result<Loaded, DictionaryErrors> {
        let given = |name: &str| files.iter().any(|(file, _)| file.as_ref() == name);
        let built_in =
            BUILT_IN.iter().filter(|(file, _)| !given(file)).map(|(file, text)| (*file, text.as_bytes()));
        assemble(built_in.chain(files.iter().map(|(file, content)| (file.as_ref(), content.as_ref()))))
    }

    /// The locales that have a dictionary.
    pub fn locales(&self) -> impl Iterator<Item = &Locale> {
        self.by_locale.keys()
    }

    /// What to tell the operator about phones of this locale: there is no dictionary for them. Whatever is wrong
    /// with a dictionary that exists was told when it was loaded.
    #[must_use]
    pub fn warning_for(&self, locale: &Locale) -> Option<DictionaryWarning> {
        let missing = !self.by_locale.contains_key(locale);
        missing.then(|| DictionaryWarning::MissingLocale { locale: locale.clone() })
    }

    /// The dictionary for a locale, or that of `en_US`.
    pub(crate) fn dictionary(&self, locale: &Locale) -> &Dictionary {
        self.by_locale.get(locale).unwrap_or(&self.default)
    }
}

impl Default for Dictionaries {
    fn default() -> Self {
        Self::built_in()
    }
}

/// All texts of one locale.
#[derive(Debug)]
pub(crate) struct Dictionary {
    texts: BTreeMap<Key, Template>,
}

impl Dictionary {
    /// A text with these values.
    pub(crate) fn fill(&self, key: Key, values: &Values<'_>) -> String {
        self.texts.get(&key).map(|template| template.fill(values)).unwrap_or_default()
    }

    /// A text without parameters.
    pub(crate) fn text(&self, key: Key) -> String {
        self.fill(key, &Values::default())
    }
}

fn assemble<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Loaded, DictionaryErrors> {
    let mut errors = Vec::new();
    let mut read_files: Vec<DictionaryFile> = Vec::new();
    for (file, content) in files {
        match read(file, content) {
            Ok(second) if read_files.iter().any(|first| first.locale == second.locale) => {
                errors.push(DictionaryError::DuplicateLocale { file: second.file, locale: second.locale });
            }
            Ok(one) => read_files.push(one),
            Err(mut found) => errors.append(&mut found),
        }
    }
    let english = read_files.iter().find(|file| file.locale == Locale::default());
    let fallback = english.map(|file| file.texts.clone()).unwrap_or_default();
    let mut warnings = Vec::new();
    let mut by_locale = BTreeMap::new();
    for mut file in read_files {
        for &key in Key::ALL {
            if file.texts.contains_key(&key) {
                continue;
            }
            match fallback.get(&key) {
                Some(text) => {
                    file.texts.insert(key, text.clone());
                    warnings.push(DictionaryWarning::MissingKey { file: file.file.clone(), key });
                }
                None if file.locale == Locale::default() => {
                    errors.push(DictionaryError::MissingKey { file: file.file.clone(), key });
                }
                // `en_US` is at fault, and has been named.
                None => {}
            }
        }
        let dictionary = Dictionary { texts: file.texts };
        errors.extend(check_fit(&file.file, &dictionary));
        by_locale.insert(file.locale, Arc::new(dictionary));
    }
    match by_locale.get(&Locale::default()).cloned() {
        Some(default) if errors.is_empty() => {
            Ok(Loaded { dictionaries: Dictionaries { default, by_locale }, warnings })
        }
        _ => Err(DictionaryErrors(errors)),
    }
}
