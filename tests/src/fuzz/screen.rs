use ringback_callback::{Refusal, SoftKey, View};
use ringback_model::{DirectoryNumber, Epoch, Locale, RequestId, Timestamp, UtcOffset, reveal_personal_data};
use ringback_screen::phone::{PhoneAnswer, PhoneObject, PhoneXmlError, SoftKeyPress, parse};
use ringback_screen::{Dictionaries, ScreenRenderer, XmlRenderer};

const MESSAGE_BYTES: usize = ringback_screen::MESSAGE_BYTES;

/// Phone XML, what a phone answers, and what it sends when a softkey is pressed.
pub(super) fn phone(data: &[u8]) {
    reveal_personal_data(true);
    if let Ok(object) = parse(data) {
        assert!(data.len() <= MESSAGE_BYTES);
        assert!(text_of(&object) <= data.len(), "nothing is expanded");
        match object.to_xml() {
            Ok(xml) => {
                assert!(xml.len() <= MESSAGE_BYTES);
                assert_eq!(parse(xml.as_bytes()), Ok(object));
            }
            // Written with a declaration, line ends and entities it may be too long.
            Err(PhoneXmlError::Limit(limit)) => assert_eq!(limit.what, "phone XML", "{limit}"),
            Err(other) => panic!("{object:?} was read and cannot be written: {other}"),
        }
    }
    if let Ok(answer) = PhoneAnswer::parse(data) {
        match answer.to_xml() {
            Ok(xml) => assert_eq!(PhoneAnswer::parse(xml.as_bytes()), Ok(answer)),
            Err(PhoneXmlError::Limit(limit)) => assert_eq!(limit.what, "answer of a phone", "{limit}"),
            Err(other) => panic!("{answer:?} was read and cannot be written: {other}"),
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(press) = SoftKeyPress::parse(text) {
        assert!(press.url().chars().count() <= ringback_screen::URL_CHARS);
        assert_eq!(SoftKeyPress::parse(&press.content()), Ok(press.clone()));
        assert_eq!(SoftKeyPress::parse(&press.url()), Ok(press));
    }
}

fn text_of(object: &PhoneObject) -> usize {
    match object {
        PhoneObject::Text { title, prompt, text, soft_keys } => {
            let keys: usize = soft_keys.iter().map(|key| key.name.len() + key.url.len()).sum();
            title.len() + prompt.len() + text.len() + keys
        }
        PhoneObject::Execute { items } => items.iter().map(|item| item.url.len()).sum(),
        _ => 0,
    }
}

/// The names that a dictionary file may come with; the last ones are no locale's.
const FILES: [&str; 6] = ["en_US.xml", "de_DE.xml", "it_IT.xml", "ja_JP.xml", "xml", "it_IT.XML"];

/// Between two files.
const BETWEEN: u8 = 0xff;

/// Up to three dictionary files, each behind a byte that says its name. What is taken draws every screen.
pub(super) fn dictionary(data: &[u8]) {
    reveal_personal_data(true);
    let files: Vec<(&str, &[u8])> = data
        .splitn(3, |byte| *byte == BETWEEN)
        .filter_map(|file| file.split_first())
        .map(|(name, content)| (FILES[usize::from(*name) % FILES.len()], content))
        .collect();
    let loaded = match Dictionaries::load(&files) {
        Ok(loaded) => loaded,
        Err(errors) => {
            assert!(!errors.0.is_empty());
            for error in &errors.0 {
                let error = error.to_string();
                assert!(files.iter().any(|(name, _)| error.contains(name)), "{error} names no file of ours");
            }
            return;
        }
    };
    for (name, _) in &files {
        let locale = name.strip_suffix(".xml").map(Locale::new);
        let Some(Ok(locale)) = locale else { panic!("{name} is no locale's") };
        assert!(loaded.dictionaries.locales().any(|known| *known == locale));
        let renderer = XmlRenderer::new(loaded.dictionaries.clone());
        for view in views() {
            let about = Some(RequestId { epoch: Epoch(u64::MAX), number: u64::MAX });
            let xml = renderer.screen(&view, about, &locale, UtcOffset::default());
            let xml = xml.unwrap_or_else(|error| panic!("{name}: {view:?}: {error}"));
            let Ok(PhoneObject::Text { soft_keys, .. }) = parse(xml.as_bytes()) else {
                panic!("{name}: {view:?}: a phone refuses {xml}")
            };
            let keys: Vec<SoftKey> = soft_keys
                .iter()
                .map(|key| SoftKeyPress::parse(&key.url).map(|press| press.key))
                .collect::<Result<_, _>>()
                .unwrap_or_else(|error| panic!("{name}: {view:?}: {error}"));
            assert_eq!(keys, view.keys());
        }
    }
}

/// Every screen with the longest of everything.
fn views() -> Vec<View> {
    let Ok(dn) = DirectoryNumber::new("\"".repeat(DirectoryNumber::MAX_LEN)) else { return Vec::new() };
    let at = Timestamp(253_402_300_799_999);
    vec![
        View::Activated { dn: dn.clone() },
        View::Available { dn: dn.clone(), at },
        View::NotActive,
        View::Replace { active: dn.clone(), wanted: dn.clone() },
        View::Cannot { dn: dn.clone(), reason: Refusal::TooManyForLine },
        View::Cannot { dn: dn.clone(), reason: Refusal::DirectoryUnavailable },
        View::DoNotDisturb { dn },
    ]
}
