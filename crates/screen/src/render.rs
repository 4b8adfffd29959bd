use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};
use ringback_callback::View;
use ringback_model::{Locale, RequestId, Timestamp, UtcOffset};
use thiserror::Error;

use crate::dictionary::{Dictionaries, Dictionary, Key, Parameter, Values};
use crate::phone::{
    ApplicationId, ExecuteItem, PhoneObject, PhoneXmlError, Priority, SoftKeyItem, SoftKeyPress,
    SoftKeyPressError,
};

/// What closes the screen of an application and brings the phone's own back.
const CLOSE_SCREEN: &str = "Init:Services";

/// Why a screen was not drawn. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScreenError {
    /// A phone would not take it. With dictionaries that were checked and valid numbers only a character that XML
    /// does not allow, or the name of an audio file, can cause it.
    #[error("screen not drawn: {0}")]
    Phone(#[from] PhoneXmlError),
    /// The time is beyond what a calendar can show.
    #[error("screen not drawn: {at:?} is beyond the calendar: check the clock of the request store")]
    Time {
        /// The time.
        at: Timestamp,
    },
    /// It is a screen that this renderer does not know.
    #[error("screen not drawn: this renderer does not know it: build it with the same version as the engine")]
    UnknownView,
}

/// Draws screens as a phone takes them, and reads what their keys send. Implement it to show Call Back on other phones.
pub trait ScreenRenderer: Send + Sync {
    /// A screen; its keys carry the id of the request that it is about.
    ///
    /// # Errors
    /// The phone would not take it.
    fn screen(
        &self,
        view: &View,
        about: Option<RequestId>,
        locale: &Locale,
        offset: UtcOffset,
    ) -> Result<String, ScreenError>;

    /// What makes the phone play this file at once.
    ///
    /// # Errors
    /// The phone would not take it: the name of the file is too long.
    fn alert(&self, audio_file: &str) -> Result<String, ScreenError>;

    /// What takes our screen away.
    fn clear(&self) -> String;

    /// What a phone has sent, read as the press of a key of one of these screens.
    ///
    /// # Errors
    /// It is none: a key of someone else's screen, or a phone that lies.
    fn pressed(&self, content: &str) -> Result<SoftKeyPress, SoftKeyPressError>;
}

/// Draws screens as phone XML, with the texts of [`Dictionaries`].
#[derive(Debug, Clone, Default)]
pub struct XmlRenderer {
    dictionaries: Dictionaries,
    application: ApplicationId,
}

impl XmlRenderer {
    /// A renderer with these texts whose keys answer to the application `ringback`.
    #[must_use]
    pub fn new(dictionaries: Dictionaries) -> Self {
        Self { dictionaries, application: ApplicationId::default() }
    }

    /// The same, but the keys answer to this application.
    #[must_use]
    pub fn with_application(self, application: ApplicationId) -> Self {
        Self { application, ..self }
    }

    /// The texts.
    #[must_use]
    pub fn dictionaries(&self) -> &Dictionaries {
        &self.dictionaries
    }
}

impl ScreenRenderer for XmlRenderer {
    fn screen(
        &self,
        view: &View,
        about: Option<RequestId>,
        locale: &Locale,
        offset: UtcOffset,
    ) -> Result<String, ScreenError> {
        let dictionary = self.dictionaries.dictionary(locale);
        Ok(compose(dictionary, &self.application, view, about, offset)?.to_xml()?)
    }

    fn alert(&self, audio_file: &str) -> Result<String, ScreenError> {
        Ok(execute(format!("Play:{audio_file}")).to_xml()?)
    }

    #[expect(
        clippy::expect_used,
        reason = "invariant: a constant object within every limit, drawn by a test"
    )]
    fn clear(&self) -> String {
        execute(CLOSE_SCREEN.to_owned()).to_xml().expect("a constant within every limit")
    }

    fn pressed(&self, content: &str) -> Result<SoftKeyPress, SoftKeyPressError> {
        let press = SoftKeyPress::parse(content)?;
        if press.application == self.application {
            Ok(press)
        } else {
            Err(SoftKeyPressError::OtherApplication)
        }
    }
}

/// A screen as an object.
pub(crate) fn compose(
    dictionary: &Dictionary,
    application: &ApplicationId,
    view: &View,
    about: Option<RequestId>,
    offset: UtcOffset,
) -> Result<PhoneObject, ScreenError> {
    let soft_keys = view.keys().iter().zip(1..).map(|(&key, position)| SoftKeyItem {
        name: dictionary.text(Key::of_soft_key(key)),
        url: SoftKeyPress { key, application: application.clone(), about }.url(),
        position,
    });
    Ok(PhoneObject::Text {
        title: dictionary.text(Key::Title),
        prompt: dictionary.text(Key::Prompt),
        text: text(dictionary, view, offset)?,
        soft_keys: soft_keys.collect(),
    })
}

fn text(dictionary: &Dictionary, view: &View, offset: UtcOffset) -> Result<String, ScreenError> {
    let key = Key::of_view(view).ok_or(ScreenError::UnknownView)?;
    let fill = |values: Vec<_>| Ok(dictionary.fill(key, &Values(values)));
    match view {
        View::Activated { dn } | View::DoNotDisturb { dn } => fill(vec![(Parameter::Dn, dn.as_str())]),
        View::Available { dn, at } => {
            let local = local_time(*at, offset)?;
            fill(vec![
                (Parameter::Dn, dn.as_str()),
                (Parameter::Hour, &format!("{:02}", local.hour())),
                (Parameter::Minute, &format!("{:02}", local.minute())),
                (Parameter::Day, &format!("{:02}", local.day())),
                (Parameter::Month, &format!("{:02}", local.month())),
                (Parameter::Year, &format!("{:04}", local.year())),
            ])
        }
        View::NotActive => fill(Vec::new()),
        View::Replace { active, wanted } => {
            fill(vec![(Parameter::Active, active.as_str()), (Parameter::Wanted, wanted.as_str())])
        }
        View::Cannot { dn, reason } => {
            let reason = dictionary.text(Key::of_refusal(*reason));
            fill(vec![(Parameter::Dn, dn.as_str()), (Parameter::Reason, &reason)])
        }
        _ => Err(ScreenError::UnknownView),
    }
}

/// What the phone's clock shows at that time.
fn local_time(at: Timestamp, offset: UtcOffset) -> Result<NaiveDateTime, ScreenError> {
    i64::try_from(at.0)
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .and_then(|utc| utc.naive_utc().checked_add_signed(TimeDelta::minutes(offset.minutes().into())))
        .ok_or(ScreenError::Time { at })
}

fn execute(url: String) -> PhoneObject {
    PhoneObject::Execute { items: vec![ExecuteItem { url, priority: Priority::AtOnce }] }
}
