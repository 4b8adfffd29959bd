//! Each screen as a phone gets it, to the letter.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use ringback_callback::{Refusal, SoftKey, View};
use ringback_model::{DirectoryNumber, Epoch, Locale, RequestId, Timestamp, UtcOffset};
use ringback_screen::phone::{ApplicationId, PhoneObject, SoftKeyPress, SoftKeyPressError, parse};
use ringback_screen::{Dictionaries, ScreenError, ScreenRenderer, XmlRenderer};

const ABOUT: RequestId = RequestId { epoch: Epoch(7), number: 12 };
/// 2026-01-05 14:02:11 UTC.
const AT: Timestamp = Timestamp(1_767_621_731_000);

fn dn(text: &str) -> DirectoryNumber {
    DirectoryNumber::new(text).unwrap()
}

fn shown(view: &View, locale: &str, minutes: i16) -> (String, Vec<(String, SoftKey, Option<RequestId>)>) {
    let renderer = XmlRenderer::new(Dictionaries::built_in());
    let offset = UtcOffset::from_minutes(minutes).unwrap();
    let xml = renderer.screen(view, Some(ABOUT), &Locale::new(locale).unwrap(), offset).unwrap();
    let PhoneObject::Text { text, soft_keys, .. } = parse(xml.as_bytes()).unwrap() else { panic!("{xml}") };
    let keys = soft_keys.into_iter().map(|item| {
        let press = SoftKeyPress::parse(&item.url).unwrap();
        (item.name, press.key, press.about)
    });
    (text, keys.collect())
}

fn english(view: &View) -> String {
    shown(view, "en_US", 0).0
}

#[test]
fn activated_is_this_xml() {
    let renderer = XmlRenderer::default();
    let view = View::Activated { dn: dn("1002") };
    let xml = renderer.screen(&view, Some(ABOUT), &Locale::default(), UtcOffset::default()).unwrap();
    assert_eq!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CiscoIPPhoneText>\n\
         <Title>CallBack</Title>\n\
         <Prompt>Please choose</Prompt>\n\
         <Text>CallBack is activated on 1002\nPress Cancel to deactivate\nPress Exit to quit this screen</Text>\n\
         <SoftKeyItem>\n\
         <Name>Cancel</Name>\n\
         <URL>UserDataSoftKey:Cancel:ringback:7-12</URL>\n\
         <Position>1</Position>\n\
         </SoftKeyItem>\n\
         <SoftKeyItem>\n\
         <Name>Exit</Name>\n\
         <URL>UserDataSoftKey:Exit:ringback:7-12</URL>\n\
         <Position>2</Position>\n\
         </SoftKeyItem>\n\
         </CiscoIPPhoneText>\n"
    );
}

#[test]
fn available_shows_the_time_of_the_phone() {
    let view = View::Available { dn: dn("1002"), at: AT };
    assert_eq!(
        english(&view),
        "1002 has become available\n\
         Time 14:02 01/05/2026\n\
         Press Dial to call\n\
         Press Cancel to deactivate\n\
         Press Exit to quit this screen"
    );
    let (text, _) = shown(&view, "en_US", -15 * 60);
    assert!(text.contains("\nTime 23:02 01/04/2026\n"), "{text}");
    let (text, _) = shown(&view, "en_US", 5 * 60 + 45);
    assert!(text.contains("\nTime 19:47 01/05/2026\n"), "{text}");
}

#[test]
fn the_date_is_in_the_order_of_the_locale() {
    let view = View::Available { dn: dn("1002"), at: AT };
    for (locale, line) in [
        ("de_DE", "Zeit 14:02 05.01.2026"),
        ("fr_FR", "Heure 14:02 05/01/2026"),
        ("es_ES", "Hora 14:02 05/01/2026"),
        ("ja_JP", "時刻 14:02 2026/01/05"),
        ("pt_BR", "Time 14:02 01/05/2026"),
    ] {
        let (text, _) = shown(&view, locale, 0);
        assert_eq!(text.lines().nth(1), Some(line), "{locale}");
    }
}

#[test]
fn the_other_screens_say_this() {
    for (view, text) in [
        (View::NotActive, "CallBack is not active.\nPress Exit to quit this screen."),
        (
            View::Replace { active: dn("1002"), wanted: dn("1003") },
            "CallBack is already active on 1002.\nPress OK to activate on 1003.\nPress Exit to quit this screen.",
        ),
        (View::DoNotDisturb { dn: dn("1002") }, "1002 is available now but on DND"),
    ] {
        assert_eq!(english(&view), text);
    }
}

#[test]
fn every_refusal_names_its_reason() {
    for (reason, sentence) in [
        (Refusal::NotInDirectory, "This number is not in the directory."),
        (Refusal::ForwardsAllCalls, "This number forwards all its calls."),
        (Refusal::NotDiallable, "Its number or name contains # or *."),
        (Refusal::OwnLine, "This line is on your own phone."),
        (Refusal::NoCallBackKey, "Your phone has no CallBack key."),
        (Refusal::TooManyForLine, "Too many callers are waiting for it."),
        (Refusal::TooManyInAll, "The system holds too many requests."),
        (Refusal::DirectoryUnavailable, "The directory cannot be reached now."),
        (Refusal::StoreUnavailable, "Requests cannot be saved now."),
    ] {
        let text = english(&View::Cannot { dn: dn("1002"), reason });
        assert_eq!(text, format!("CallBack cannot be activated for 1002.\n{sentence}"));
    }
}

#[test]
fn keys_keep_their_logical_name_in_every_locale() {
    let view = View::Available { dn: dn("1002"), at: AT };
    let (_, keys) = shown(&view, "de_DE", 0);
    assert_eq!(
        keys,
        [
            ("Wählen".to_owned(), SoftKey::Dial, Some(ABOUT)),
            ("Löschen".to_owned(), SoftKey::Cancel, Some(ABOUT)),
            ("Beenden".to_owned(), SoftKey::Exit, Some(ABOUT)),
        ]
    );
    let (_, keys) = shown(&View::Replace { active: dn("1"), wanted: dn("2") }, "es_ES", 0);
    assert_eq!(
        keys,
        [("Aceptar".to_owned(), SoftKey::Ok, Some(ABOUT)), ("Salir".to_owned(), SoftKey::Exit, Some(ABOUT))]
    );
}

#[test]
fn a_number_is_escaped_and_comes_back() {
    let text = english(&View::Activated { dn: dn("<&\"'>") });
    assert!(text.starts_with("CallBack is activated on <&\"'>\n"), "{text}");
}

#[test]
fn the_longest_number_fits_on_every_screen_of_every_locale() {
    let long = dn(&"\"".repeat(DirectoryNumber::MAX_LEN));
    let about = Some(RequestId { epoch: Epoch(u64::MAX), number: u64::MAX });
    let renderer = XmlRenderer::default().with_application(ApplicationId::new("a".repeat(64)).unwrap());
    let views = [
        View::Activated { dn: long.clone() },
        View::Available { dn: long.clone(), at: AT },
        View::NotActive,
        View::Replace { active: long.clone(), wanted: long.clone() },
        View::Cannot { dn: long.clone(), reason: Refusal::NoCallBackKey },
        View::DoNotDisturb { dn: long },
    ];
    for locale in renderer.dictionaries().locales() {
        for view in &views {
            let xml = renderer.screen(view, about, locale, UtcOffset::default()).unwrap();
            assert!(xml.len() <= 2000);
            parse(xml.as_bytes()).unwrap();
        }
    }
}

#[test]
fn alert_and_clear_are_this_xml() {
    let renderer = XmlRenderer::default();
    assert_eq!(
        renderer.alert("CallBack.raw").unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneExecute>\n\
         <ExecuteItem Priority=\"0\" URL=\"Play:CallBack.raw\"/>\n</CiscoIPPhoneExecute>\n"
    );
    assert_eq!(
        renderer.clear(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CiscoIPPhoneExecute>\n\
         <ExecuteItem Priority=\"0\" URL=\"Init:Services\"/>\n</CiscoIPPhoneExecute>\n"
    );
}

#[test]
fn what_cannot_be_drawn_is_a_named_error() {
    let renderer = XmlRenderer::default();
    assert_eq!(
        renderer.alert(&"a".repeat(300)).unwrap_err().to_string(),
        "screen not drawn: URL: 305 characters, but a phone takes at most 256: shorten it"
    );
    let at = Timestamp(u64::MAX);
    let view = View::Available { dn: dn("1002"), at };
    let error = renderer.screen(&view, None, &Locale::default(), UtcOffset::default()).unwrap_err();
    assert_eq!(error, ScreenError::Time { at });
    let view = View::Activated { dn: dn("1\u{ffff}") };
    let error = renderer.screen(&view, None, &Locale::default(), UtcOffset::default()).unwrap_err();
    assert_eq!(error.to_string(), "screen not drawn: character U+FFFF is not allowed in XML: remove it");
}

#[test]
fn only_keys_of_our_own_screens_are_pressed() {
    let ours = XmlRenderer::default();
    let theirs = XmlRenderer::default().with_application(ApplicationId::new("conference").unwrap());
    let press = ours.pressed("Cancel:ringback:7-12").unwrap();
    assert_eq!((press.key, press.about), (SoftKey::Cancel, Some(ABOUT)));
    assert_eq!(theirs.pressed("Cancel:ringback:7-12"), Err(SoftKeyPressError::OtherApplication));
    assert_eq!(ours.pressed("Mute:conference:"), Err(SoftKeyPressError::Key));
}
