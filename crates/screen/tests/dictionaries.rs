//! Dictionaries are checked when they are loaded: every mistake is named with file, key and what to do.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use ringback_callback::View;
use ringback_model::{Locale, UtcOffset};
use ringback_screen::phone::{PhoneObject, parse};
use ringback_screen::{Dictionaries, DictionaryWarning, Key, ScreenRenderer, XmlRenderer};

const ENGLISH: &str = include_str!("../dictionaries/en_US.xml");
const GERMAN: &str = include_str!("../dictionaries/de_DE.xml");

fn errors(file: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    match Dictionaries::load(&[(file, content)]) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

/// What is wrong with a German dictionary that holds this.
fn german_with(content: &str) -> Vec<String> {
    errors("de_DE.xml", format!("<dictionary locale=\"de_DE\">{content}</dictionary>"))
}

fn title_of(dictionaries: Dictionaries, locale: &str) -> String {
    let renderer = XmlRenderer::new(dictionaries);
    let locale = Locale::new(locale).unwrap();
    let xml = renderer.screen(&View::NotActive, None, &locale, UtcOffset::default()).unwrap();
    let PhoneObject::Text { title, .. } = parse(xml.as_bytes()).unwrap() else { panic!("{xml}") };
    title
}

#[test]
fn what_is_built_in_is_complete_without_falling_back() {
    let shipped = ["en_US", "de_DE", "fr_FR", "es_ES", "ja_JP"];
    let built_in = Dictionaries::built_in();
    let mut locales: Vec<_> = built_in.locales().map(Locale::as_str).collect();
    locales.sort_by_key(|locale| shipped.iter().position(|name| name == locale));
    assert_eq!(locales, shipped);
    assert!(Dictionaries::load(&[("en_US.xml", ENGLISH)]).unwrap().warnings.is_empty());
}

#[test]
fn no_two_locales_share_a_title() {
    let titles: std::collections::BTreeSet<_> = ["en_US", "de_DE", "fr_FR", "es_ES", "ja_JP"]
        .map(|locale| title_of(Dictionaries::built_in(), locale))
        .into();
    assert_eq!(titles.len(), 5);
}

#[test]
fn a_file_replaces_the_dictionary_of_its_locale() {
    let changed = GERMAN.replace("<line>Rückruf</line>", "<line>Rückruf bei Muster</line>");
    let loaded = Dictionaries::load(&[("de_DE.xml".to_owned(), changed.into_bytes())]).unwrap();
    assert!(loaded.warnings.is_empty());
    assert_eq!(title_of(loaded.dictionaries.clone(), "de_DE"), "Rückruf bei Muster");
    assert_eq!(title_of(loaded.dictionaries, "fr_FR"), "Rappel automatique");
}

#[test]
fn a_missing_locale_falls_back_and_is_a_warning() {
    let built_in = Dictionaries::built_in();
    let brazilian = Locale::new("pt_BR").unwrap();
    assert_eq!(
        built_in.warning_for(&brazilian).unwrap().to_string(),
        "no dictionary for locale pt_BR: that of en_US is used instead"
    );
    assert_eq!(built_in.warning_for(&Locale::default()), None);
    assert_eq!(title_of(built_in, "pt_BR"), "CallBack");
}

#[test]
fn a_missing_key_falls_back_and_is_a_warning() {
    let incomplete = GERMAN.replace("<text key=\"title\"><line>Rückruf</line></text>", "");
    let loaded = Dictionaries::load(&[("de_DE.xml", incomplete)]).unwrap();
    assert_eq!(
        loaded.warnings,
        [DictionaryWarning::MissingKey { file: "de_DE.xml".to_owned(), key: Key::Title }]
    );
    assert_eq!(title_of(loaded.dictionaries, "de_DE"), "CallBack");
}

#[test]
fn a_missing_key_of_english_is_an_error() {
    let incomplete = ENGLISH.replace("<text key=\"title\"><line>CallBack</line></text>", "");
    assert_eq!(
        errors("en_US.xml", incomplete),
        [
            "dictionary en_US.xml: key title is missing: add it, because every other locale falls back to this one"
        ]
    );
}

#[test]
fn a_broken_english_dictionary_is_the_only_thing_named() {
    assert_eq!(errors("en_US.xml", ""), ["dictionary en_US.xml: no element in it: it is empty"]);
}

#[test]
fn keys_are_known_and_there_once() {
    assert_eq!(
        german_with("<text key=\"titel\"><line>x</line></text>"),
        ["dictionary de_DE.xml: key \"titel\" is not known: remove it, or correct its spelling"]
    );
    let title = "<text key=\"title\"><line>x</line></text>";
    assert_eq!(german_with(&title.repeat(2)), ["dictionary de_DE.xml: key title is there twice: keep one"]);
}

#[test]
fn parameters_are_known_and_used() {
    assert_eq!(
        german_with("<text key=\"activated\"><line>{dn} {reason}</line></text>"),
        ["dictionary de_DE.xml: key activated: parameter {reason} is not known here: allowed are {dn}"]
    );
    assert_eq!(
        german_with("<text key=\"title\"><line>{dn}</line></text>"),
        ["dictionary de_DE.xml: key title: parameter {dn} is not known here: allowed are none"]
    );
    assert_eq!(
        german_with("<text key=\"available\"><line>{dn} {hour}:{minute} {day}.{month}.</line></text>"),
        ["dictionary de_DE.xml: key available: parameter {year} is missing: use it"]
    );
    for text in ["{dn", "dn}", "{{dn}}", "}{"] {
        let found = german_with(&format!("<text key=\"activated\"><line>{text}</line></text>"));
        assert_eq!(found.len(), 1, "{text}");
        assert!(found[0].starts_with("dictionary de_DE.xml: key activated: "), "{found:?}");
    }
}

#[test]
fn texts_have_the_lines_they_need() {
    for (content, why) in [
        ("<text key=\"title\"><line>a</line><line>b</line></text>", "2 lines, but exactly one is needed"),
        ("<text key=\"title\"/>", "0 lines, but exactly one is needed"),
        ("<text key=\"title\"><line> </line></text>", "an empty line: write something, or remove it"),
    ] {
        assert_eq!(german_with(content), [format!("dictionary de_DE.xml: key title: {why}")]);
    }
}

#[test]
fn texts_fit_on_a_phone() {
    let long = "ü".repeat(33);
    assert_eq!(
        german_with(&format!("<text key=\"softkey.exit\"><line>{long}</line></text>")),
        [
            "dictionary de_DE.xml: key softkey.exit: with the longest numbers, softkey name: 33 characters, but a \
          phone takes at most 32: shorten it"
        ]
    );
    // A usual number would fit: it is measured with the longest.
    let text = "x".repeat(1250);
    let [error] = &german_with(&format!("<text key=\"activated\"><line>{{dn}} {text}</line></text>"))[..]
    else {
        panic!("not one error")
    };
    let start = "dictionary de_DE.xml: key activated: with the longest numbers, phone XML: ";
    assert!(error.starts_with(start), "{error}");
    assert!(error.ends_with(" bytes, but a phone takes at most 2000: shorten it"), "{error}");
}

#[test]
fn the_file_is_named_after_its_locale() {
    for file in ["de_DE", "de_DE.txt", "Deutsch (alt).xml", ".xml"] {
        assert_eq!(
            errors(file, GERMAN),
            [format!("dictionary {file}: the name of the file must be that of a locale, like fr_FR.xml")]
        );
    }
    assert_eq!(
        errors("de_AT.xml", GERMAN),
        [
            "dictionary de_AT.xml: locale=\"de_DE\" in <dictionary>, but the name of the file says \"de_AT\": make \
          them equal"
        ]
    );
    assert_eq!(
        Dictionaries::load(&[("de_DE.xml", GERMAN), ("de_DE.xml", GERMAN)]).unwrap_err().to_string(),
        "dictionary de_DE.xml: a second one for de_DE: keep one"
    );
}

#[test]
fn the_file_is_xml_in_utf8() {
    assert_eq!(
        errors("de_DE.xml", "title = Rückruf"),
        ["dictionary de_DE.xml: something stands outside the outermost element: remove it"]
    );
    let latin1: Vec<u8> = GERMAN.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    assert_eq!(
        errors("de_DE.xml", latin1),
        ["dictionary de_DE.xml: not UTF-8 from byte 94 on: save it as UTF-8"]
    );
    assert_eq!(
        errors("de_DE.xml", GERMAN.replace("UTF-8", "windows-1252")),
        ["dictionary de_DE.xml: declared as \"windows-1252\", but only UTF-8 is read: save it as UTF-8 and \
          declare that"]
    );
    assert_eq!(
        errors("de_DE.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><dictionary locale='de_DE'/>"),
        ["dictionary de_DE.xml: a document type definition (<!DOCTYPE>) is not allowed: remove it"]
    );
    assert_eq!(
        errors("de_DE.xml", " ".repeat(70_000)),
        ["dictionary de_DE.xml: 70000 bytes of XML, but at most 65536 are taken: shorten it"]
    );
}

#[test]
fn the_file_has_the_structure_of_a_dictionary() {
    let not_known =
        "is not known here: a <dictionary locale=\"...\"> holds <text key=\"...\">, and that holds <line>";
    assert_eq!(errors("de_DE.xml", "<phrases/>"), [format!("dictionary de_DE.xml: <phrases> {not_known}")]);
    for (content, found) in [
        ("hello", "text directly in <dictionary>"),
        ("<entry/>", "<entry>"),
        ("<text key=\"title\">CallBack</text>", "text directly in <text>"),
        ("<text key=\"title\" lang=\"de\"/>", "attribute lang of <text>"),
        ("<text key=\"title\"><p>x</p></text>", "<p>"),
        ("<text key=\"title\"><line a=\"b\">x</line></text>", "attribute a of <line>"),
        ("<text key=\"title\"><line>x<b>y</b></line></text>", "<b>"),
    ] {
        assert_eq!(german_with(content), [format!("dictionary de_DE.xml: {found} {not_known}")]);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let files = [
        ("de_DE.xml", "<dictionary locale='de_DE'><text key='a'/><text key='title'/></dictionary>"),
        ("fr_FR.xml", ""),
    ];
    assert_eq!(
        Dictionaries::load(&files).unwrap_err().to_string(),
        "dictionary de_DE.xml: key \"a\" is not known: remove it, or correct its spelling; dictionary de_DE.xml: \
         key title: 0 lines, but exactly one is needed; dictionary fr_FR.xml: no element in it: it is empty"
    );
}
