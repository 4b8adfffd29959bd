//! What is written is read back unchanged, and no input makes the reader do anything but answer.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use ringback_callback::SoftKey;
use ringback_model::{Epoch, RequestId};
use ringback_screen::phone::{
    ApplicationId, ExecuteItem, PhoneObject, Priority, SoftKeyItem, SoftKeyPress, SoftKeyPressError, parse,
};

fn text(max: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::sample::select(vec!['&', '<', '>', '"', '\'', '\n', ' ', ']', '{', 'é', '東', '😀']),
        prop::char::range(' ', '~'),
    ];
    prop::collection::vec(character, 0..max).prop_map(String::from_iter)
}

fn soft_keys() -> impl Strategy<Value = Vec<SoftKeyItem>> {
    prop::collection::btree_map(1..=16_u8, ("[a-zA-Z&<é ]{1,32}", "[!-~]{1,60}"), 0..5).prop_map(|keys| {
        keys.into_iter().map(|(position, (name, url))| SoftKeyItem { name, url, position }).collect()
    })
}

fn object() -> impl Strategy<Value = PhoneObject> {
    let screen = (text(32), text(32), text(120), soft_keys())
        .prop_map(|(title, prompt, text, soft_keys)| PhoneObject::Text { title, prompt, text, soft_keys });
    let priority = prop::sample::select(vec![Priority::AtOnce, Priority::WhenIdle, Priority::OnlyIfIdle]);
    let item = ("Play:[!-~]{0,50}", priority).prop_map(|(url, priority)| ExecuteItem { url, priority });
    let execute = prop::collection::vec(item, 1..4).prop_map(|items| PhoneObject::Execute { items });
    prop_oneof![4 => screen, 2 => execute, 1 => any::<u8>().prop_map(|number| PhoneObject::Error { number })]
}

fn press() -> impl Strategy<Value = SoftKeyPress> {
    let key = prop::sample::select(vec![SoftKey::Dial, SoftKey::Cancel, SoftKey::Exit, SoftKey::Ok]);
    let about = prop::option::of((any::<u64>(), any::<u64>()))
        .prop_map(|id| id.map(|(epoch, number)| RequestId { epoch: Epoch(epoch), number }));
    (key, "[A-Za-z0-9._-]{1,64}", about).prop_map(|(key, application, about)| SoftKeyPress {
        key,
        application: ApplicationId::new(application).unwrap(),
        about,
    })
}

proptest! {
    #[test]
    fn objects_come_back(object in object()) {
        match object.to_xml() {
            Ok(xml) => {
                prop_assert!(xml.len() <= 2000);
                prop_assert!(parse(xml.as_bytes()).unwrap() == object);
            }
            Err(error) => prop_assert!(error.to_string().contains("at most 2000"), "{error}"),
        }
    }

    #[test]
    fn key_presses_come_back(press in press()) {
        prop_assert!(press.url().len() <= 256);
        prop_assert_eq!(SoftKeyPress::parse(&press.url()), Ok(press.clone()));
        prop_assert_eq!(SoftKeyPress::parse(&press.content()), Ok(press));
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn what_is_taken_is_written_and_taken_again(
        tags in prop::collection::vec(prop::sample::select(vec![
            "<CiscoIPPhoneText>", "</CiscoIPPhoneText>", "<Title>", "</Title>", "<Text>", "</Text>", "<Text/>", "a",
            "&amp;", "&lol;", "<SoftKeyItem>", "</SoftKeyItem>", "<!--", "-->", "\r\n", "\u{0}", "<", ">", "&",
        ]), 0..12)
    ) {
        if let Ok(object) = parse(tags.concat().as_bytes()) {
            let xml = object.to_xml().unwrap();
            prop_assert!(parse(xml.as_bytes()).unwrap() == object);
        }
    }
}

#[test]
fn what_is_no_key_press_is_named() {
    for (content, error) in [
        ("", SoftKeyPressError::Form),
        ("Dial", SoftKeyPressError::Form),
        ("Dial:ringback", SoftKeyPressError::Form),
        ("http://host/page", SoftKeyPressError::Form),
        ("dial:ringback:7-12", SoftKeyPressError::Key),
        ("Wählen:ringback:7-12", SoftKeyPressError::Key),
        ("SoftKey:Exit:", SoftKeyPressError::Key),
        ("Dial::7-12", SoftKeyPressError::Application),
        ("Dial:ring back:7-12", SoftKeyPressError::Application),
        ("Dial:ringback:7", SoftKeyPressError::Request),
        ("Dial:ringback:7-12:more", SoftKeyPressError::Request),
    ] {
        assert_eq!(SoftKeyPress::parse(content), Err(error), "{content}");
    }
}

#[test]
fn an_application_id_cannot_split_the_url() {
    for id in ["", "a:b", "ü", &"a".repeat(65)] {
        assert!(ApplicationId::new(id).is_err(), "{id}");
    }
}

#[test]
fn what_a_phone_would_refuse_is_not_written() {
    let item = |url: &str| ExecuteItem { url: url.to_owned(), priority: Priority::AtOnce };
    let items = vec![item("http://a"), item("https://b")];
    assert_eq!(
        PhoneObject::Execute { items }.to_xml().unwrap_err().to_string(),
        "HTTP items to execute: 2 items, but a phone takes at most 1: shorten it"
    );
    let screen = |text: &str| PhoneObject::Text {
        title: String::new(),
        prompt: String::new(),
        text: text.to_owned(),
        soft_keys: Vec::new(),
    };
    assert_eq!(
        screen("a\rb").to_xml().unwrap_err().to_string(),
        "character U+000D is not allowed in XML: remove it"
    );
    assert!(screen(&"x".repeat(2000)).to_xml().unwrap_err().to_string().contains("at most 2000"));
}

#[test]
fn a_printed_screen_hides_its_numbers() {
    let xml = b"<CiscoIPPhoneText><Text>CallBack is activated on 1002</Text></CiscoIPPhoneText>";
    let printed = format!("{:?}", parse(xml).unwrap());
    assert!(!printed.contains("1002"), "{printed}");
}
