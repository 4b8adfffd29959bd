//! Every screen in every language, as a phone shows it: read `locales.txt` to review the wording.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write;

use ringback_callback::{Refusal, View};
use ringback_model::{DirectoryNumber, Locale, Timestamp, UtcOffset};
use ringback_screen::phone::{PhoneObject, parse};
use ringback_screen::{ScreenRenderer, XmlRenderer};

const REFUSALS: [Refusal; 9] = [
    Refusal::NotInDirectory,
    Refusal::ForwardsAllCalls,
    Refusal::NotDiallable,
    Refusal::OwnLine,
    Refusal::NoCallBackKey,
    Refusal::TooManyForLine,
    Refusal::TooManyInAll,
    Refusal::DirectoryUnavailable,
    Refusal::StoreUnavailable,
];

fn views() -> Vec<View> {
    let dn = || DirectoryNumber::new("1002").unwrap();
    let wanted = DirectoryNumber::new("1003").unwrap();
    let mut views = vec![
        View::Activated { dn: dn() },
        View::Available { dn: dn(), at: Timestamp(1_767_621_731_000) },
        View::NotActive,
        View::Replace { active: dn(), wanted },
        View::DoNotDisturb { dn: dn() },
    ];
    views.extend(REFUSALS.map(|reason| View::Cannot { dn: dn(), reason }));
    views
}

fn drawn(view: &View, locale: &Locale) -> String {
    let xml = XmlRenderer::default().screen(view, None, locale, UtcOffset::default()).unwrap();
    let PhoneObject::Text { title, prompt, text, soft_keys } = parse(xml.as_bytes()).unwrap() else {
        panic!("{xml}")
    };
    let keys: Vec<_> = soft_keys.iter().map(|key| format!("[{}]", key.name)).collect();
    format!("-- {title}\n{text}\n-- {prompt}  {}\n\n", keys.join(" "))
}

#[test]
fn every_screen_in_every_language() {
    let mut all = String::new();
    for locale in ["en_US", "de_DE", "fr_FR", "es_ES", "ja_JP"] {
        write!(all, "==== {locale}\n\n").unwrap();
        let locale = Locale::new(locale).unwrap();
        views().iter().for_each(|view| all.push_str(&drawn(view, &locale)));
    }
    assert!(all == include_str!("locales.txt"), "the screens are now:\n{all}");
}
