use std::fmt;

use ringback_callback::SoftKey;
use ringback_model::RequestId;
use thiserror::Error;

use super::application::ApplicationId;

const SCHEME: &str = "UserDataSoftKey:";

/// A softkey of one of our screens, as the phone carries it.
///
/// A screen's key has the URL `UserDataSoftKey:<key>:<application id>:<data>`. When it is pressed the phone sends what
/// follows the scheme, `<key>:<application id>:<data>`, to the application as device data. `<key>` is the key's
/// logical name whatever the locale shows (`Dial`, `Cancel`, `Exit`, `OK`); `<data>` is the id of the request that
/// the screen is about, empty if it is about none.
///
/// ```
/// use ringback_callback::SoftKey;
/// use ringback_screen::phone::SoftKeyPress;
/// let press = SoftKeyPress::parse("UserDataSoftKey:Dial:ringback:7-12")?;
/// assert_eq!(press.key, SoftKey::Dial);
/// assert_eq!(press.content(), "Dial:ringback:7-12");
/// assert_eq!(SoftKeyPress::parse(&press.content())?, press);
/// # Ok::<(), ringback_screen::phone::SoftKeyPressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftKeyPress {
    /// Which key.
    pub key: SoftKey,
    /// The application it answers to.
    pub application: ApplicationId,
    /// The request that the screen was about, if about one.
    pub about: Option<RequestId>,
}

impl SoftKeyPress {
    /// Reads a key's URL, or the content that the phone sends when it is pressed.
    ///
    /// # Errors
    /// It is not of that form: a key of someone else's screen, or a phone that lies. Nothing was changed.
    pub fn parse(text: &str) -> Result<Self, SoftKeyPressError> {
        let content = text.strip_prefix(SCHEME).unwrap_or(text);
        let mut parts = content.splitn(3, ':');
        let (Some(key), Some(application), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SoftKeyPressError::Form);
        };
        Ok(Self {
            key: key.parse().map_err(|_| SoftKeyPressError::Key)?,
            application: ApplicationId::new(application).map_err(|_| SoftKeyPressError::Application)?,
            about: match data {
                "" => None,
                id => Some(id.parse().map_err(|_| SoftKeyPressError::Request)?),
            },
        })
    }

    /// What the phone sends when the key is pressed.
    #[must_use]
    pub fn content(&self) -> String {
        self.to_string()
    }

    /// The URL of the key.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{SCHEME}{self}")
    }
}

impl fmt::Display for SoftKeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.key, self.application)?;
        self.about.map_or(Ok(()), |id| id.fmt(f))
    }
}

/// The data is no press of a key of ours. Nothing was changed. What was met is not repeated: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SoftKeyPressError {
    /// It does not have three parts.
    #[error("not a key press: expected KEY:APPLICATION:DATA")]
    Form,
    /// It names no key of ours.
    #[error("not a key press of ours: the key must be Dial, Cancel, Exit or OK")]
    Key,
    /// The application id cannot be one.
    #[error("not a key press of ours: the application id is malformed")]
    Application,
    /// It answers to another application.
    #[error("not a key press of ours: it answers to another application")]
    OtherApplication,
    /// The data is not a request id.
    #[error("not a key press of ours: the data must be empty or a request id like 7-12")]
    Request,
}
