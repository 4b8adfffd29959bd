//! The texts of the screens, one dictionary a locale.
//!
//! A dictionary is an XML file `<locale>.xml`, in UTF-8:
//!
//! ```xml
//! <dictionary locale="en_US">
//!   <text key="softkey.dial"><line>Dial</line></text>
//!   <text key="available">
//!     <line>{dn} has become available</line>
//!     <line>Time {hour}:{minute} {month}/{day}/{year}</line>
//!   </text>
//! </dictionary>
//! ```
//!
//! A `<line>` is a line of the phone's screen; `{name}` stands for a parameter. [`Key`] lists all keys,
//! [`Key::parameters`] the parameters of each. Comments are allowed.

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
