use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::{TextError, check};

/// The name of a group: one call manager cluster with its own directory, requests and election. One process can
/// serve many groups; nothing is ever shared between two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Group(Arc<str>);

impl Group {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Checks the name: letters and digits of any script, `-`, `_` or `.`; 1 to 64 bytes.
    ///
    /// # Errors
    /// The name is empty, too long, or holds another character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, TextError> {
        let name = name.as_ref();
        check("a group", name, 1, Self::MAX_LEN, |c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))?;
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Group {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Group {
    type Error = TextError;
    fn try_from(name: String) -> Result<Self, TextError> {
        Self::new(name)
    }
}

impl From<Group> for String {
    fn from(group: Group) -> String {
        group.0.as_ref().to_owned()
    }
}
