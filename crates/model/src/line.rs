use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::pii::Pii;
use crate::text::{TextError, check_printable, is_plain};

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal ..= $max:literal, $shown:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "SmolStr", into = "SmolStr")]
        pub struct $name(SmolStr);

        impl $name {
            /// The longest text allowed, in bytes.
            pub const MAX_LEN: usize = $max;

            /// Checks the text and takes it.
            ///
            /// # Errors
            /// The text is empty where one is needed, longer than [`Self::MAX_LEN`], or holds a character that
            /// is not allowed.
            #[inline(always)]
            pub fn new(text: impl AsRef<str>) -> Result<Self, TextError> {
                let text = text.as_ref();
                if !is_plain(text, $min, $max) {
                    check_printable($what, text, $min, $max)?;
                }
                Ok(Self(short(text)))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = TextError;
            fn try_from(text: SmolStr) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl From<$name> for SmolStr {
            fn from(value: $name) -> SmolStr {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let shown: fn(&str, &mut fmt::Formatter<'_>) -> fmt::Result = $shown;
                shown(&self.0, f)
            }
        }
    };
}

/// The text as it is kept: up to 23 bytes without allocating. `SmolStr::new` would do the same, but is not inlined, and
/// a text is made for every field of every message.
#[inline]
fn short(text: &str) -> SmolStr {
    const INLINE: usize = 23;
    if text.len() <= INLINE { SmolStr::new_inline(text) } else { SmolStr::new(text) }
}

fn redacted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Debug::fmt(&Pii(text), f)
}

fn plain(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Debug::fmt(text, f)
}

text_type! {
    /// A number as it is dialled or assigned: 1 to 50 bytes, no control character. Whether it
    /// can be *called back* is a rule of the Call Back engine, not of this type.
    ///
    /// ```
    /// use ringback_model::DirectoryNumber;
    /// let dn = DirectoryNumber::new("1002")?;
    /// assert_eq!(dn.as_str(), "1002");
    /// assert_eq!(format!("{dn:?}"), "<redacted>");
    /// # Ok::<(), ringback_model::TextError>(())
    /// ```
    DirectoryNumber, "a directory number", 1..=50, redacted
}

text_type! {
    /// The name of a phone as the call manager knows it: 1 to 128 bytes, no control character.
    DeviceName, "a device name", 1..=128, redacted
}

text_type! {
    /// The partition a number lives in; empty for the one without a name. At most 50 bytes, no control
    /// character. A system that knows no partitions uses the default everywhere.
    Partition, "a partition", 0..=50, plain
}

#[expect(clippy::derivable_impls, reason = "the macro derives for types that have no default, too")]
impl Default for Partition {
    fn default() -> Self {
        Self(SmolStr::default())
    }
}

/// A line: the same number in two partitions is two lines (rule R8).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineId {
    /// The partition.
    pub partition: Partition,
    /// The number.
    pub dn: DirectoryNumber,
}

impl LineId {
    /// The line with this number in this partition.
    #[must_use]
    pub fn new(partition: Partition, dn: DirectoryNumber) -> Self {
        Self { partition, dn }
    }
}

/// A line as it appears on one phone. A shared line has several appearances.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Appearance {
    /// The phone.
    pub device: DeviceName,
    /// The line.
    pub line: LineId,
}
