//! The phone's side of a screen: the XML objects a phone takes, read as strictly as a phone reads them, and what it
//! sends back when a softkey is pressed. Simulated phones, tests and gateways use it; the service uses it to
//! understand key presses and refusals.

mod answer;
mod application;
mod error;
mod object;
mod parse;
mod press;
mod write;

pub use answer::{PhoneAnswer, PhoneFault, ResponseItem};
pub use application::{ApplicationId, ApplicationIdError};
pub use error::PhoneXmlError;
pub use object::{ExecuteItem, PhoneObject, Priority, SoftKeyItem};
pub use parse::parse;
pub use press::{SoftKeyPress, SoftKeyPressError};
