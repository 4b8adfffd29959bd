use ringback_callback::{Refusal, View};
use ringback_model::{DirectoryNumber, Epoch, RequestId, Timestamp, UtcOffset};

use super::error::DictionaryError;
use super::key::Key;
use super::set::Dictionary;
use crate::limits::{self, LimitError};
use crate::phone::{ApplicationId, PhoneXmlError};
use crate::render::{ScreenError, compose};

/// Every reason that a screen can give.
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

/// The last moment that a calendar of ours knows: its year has the most digits.
const LAST_MOMENT: Timestamp = Timestamp(8_210_266_876_799_000);

/// Draws every screen with the longest texts that can occur in it and gives what a phone would not take, so that it
/// cannot happen while a caller waits.
pub(super) fn check_fit(file: &str, dictionary: &Dictionary) -> Vec<DictionaryError> {
    let too_long = |key, why| DictionaryError::TooLong { file: file.to_owned(), key, why };
    let mut errors: Vec<_> = labels(dictionary).map(|(key, why)| too_long(key, why)).collect();
    if errors.is_empty() {
        errors.extend(screens(dictionary).map(|(key, why)| too_long(key, why)));
    }
    errors
}

fn labels(dictionary: &Dictionary) -> impl Iterator<Item = (Key, LimitError)> {
    let limits = [
        (Key::Title, "title", limits::HEADING_CHARS),
        (Key::Prompt, "prompt", limits::HEADING_CHARS),
        (Key::SoftKeyDial, "softkey name", limits::SOFT_KEY_NAME_CHARS),
        (Key::SoftKeyCancel, "softkey name", limits::SOFT_KEY_NAME_CHARS),
        (Key::SoftKeyExit, "softkey name", limits::SOFT_KEY_NAME_CHARS),
        (Key::SoftKeyOk, "softkey name", limits::SOFT_KEY_NAME_CHARS),
    ];
    limits.into_iter().filter_map(|(key, what, limit)| {
        limits::check_chars(what, &dictionary.text(key), limit).err().map(|why| (key, why))
    })
}

fn screens(dictionary: &Dictionary) -> impl Iterator<Item = (Key, LimitError)> {
    let application = ApplicationId::longest();
    let about = Some(RequestId { epoch: Epoch(u64::MAX), number: u64::MAX });
    longest_views().into_iter().filter_map(move |(key, view)| {
        let drawn = compose(dictionary, &application, &view, about, UtcOffset::default());
        match drawn.and_then(|object| Ok(object.to_xml()?)) {
            Err(ScreenError::Phone(PhoneXmlError::Limit(why))) => Some((key, why)),
            _ => None,
        }
    })
}

fn longest_views() -> Vec<(Key, View)> {
    // A quotation mark takes more bytes of XML than any other character of its size.
    let Ok(dn) = DirectoryNumber::new("\"".repeat(DirectoryNumber::MAX_LEN)) else { return Vec::new() };
    let mut views = vec![
        (Key::Activated, View::Activated { dn: dn.clone() }),
        (Key::Available, View::Available { dn: dn.clone(), at: LAST_MOMENT }),
        (Key::NotActive, View::NotActive),
        (Key::Replace, View::Replace { active: dn.clone(), wanted: dn.clone() }),
        (Key::DoNotDisturb, View::DoNotDisturb { dn: dn.clone() }),
    ];
    views.extend(REFUSALS.map(|reason| (Key::Cannot, View::Cannot { dn: dn.clone(), reason })));
    views
}
