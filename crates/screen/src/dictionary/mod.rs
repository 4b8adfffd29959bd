//! The texts of the screens, one dictionary a locale.

mod error;
mod fit;
mod key;
mod read;
mod set;
mod template;

pub use error::{DictionaryError, DictionaryErrors, DictionaryWarning};
pub use key::{Key, Parameter};
pub use set::{Dictionaries, Loaded};
pub use template::TemplateError;
pub(crate) use template::Values;

pub(crate) use set::Dictionary;
