use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::text::{TextError, check};

/// A user locale as the call manager writes it, for example `fr_FR`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct Locale(SmolStr);

impl Locale {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 16;

    /// Checks the name: 1 to 16 ASCII letters, digits, `_` or `-`.
    ///
    /// # Errors
    /// The name is empty, too long, or holds another character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, TextError> {
        let name = name.as_ref();
        check("a locale", name, 1, Self::MAX_LEN, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))?;
        Ok(Self(SmolStr::new(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Locale {
    /// `en_US`, the locale that every missing one falls back to.
    fn default() -> Self {
        Self(SmolStr::new_static("en_US"))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<SmolStr> for Locale {
    type Error = TextError;
    fn try_from(name: SmolStr) -> Result<Self, TextError> {
        Self::new(name)
    }
}

impl From<Locale> for SmolStr {
    fn from(locale: Locale) -> SmolStr {
        locale.0
    }
}

/// What a phone's clock shows: minutes to add to UTC, from -1440 to 1440 (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcOffset(i16);

impl UtcOffset {
    /// The offset of so many minutes east of UTC; `None` if that is a day or more.
    #[must_use]
    pub fn from_minutes(minutes: i16) -> Option<Self> {
        (-1440 < minutes && minutes < 1440).then_some(Self(minutes))
    }

    /// Minutes east of UTC.
    #[must_use]
    pub fn minutes(self) -> i16 {
        self.0
    }
}
