//! Ways to tell a phone something: which one is chosen per phone.
//!
//! The service speaks phone XML. For a phone that takes no XML from the server ringback plays the phone's part: it keeps
//! the screen, tells it in a [`Way`] that the phone understands, and turns the user's answer into the softkey that the
//! answer means. A way says what is to be done as [`Step`]s: actions of the server, recalls, or [`Errand`]s that its own
//! [`Courier`] does.
//!
//! A key works whoever showed the screen, this instance or one before it. What the keys of a phone's last screen mean is kept
//! in the server's database for the digits and recalls that answer it; the addresses of phone XML say it themselves.
//!
//! | way | screens | alerts | answers |
//! |---|---|---|---|
//! | [`RecallWay`] | texts (SIP MESSAGE) | the phone rings; picked up, it dials | feature codes, texts |
//! | [`TextWay`] | texts | texts | feature codes, texts |
//! | [`NotifyWay`] | notifications (SIP NOTIFY) | notifications | feature codes, texts |
//! | `push::PushWay` (feature `push`) | phone XML over HTTP | the phone plays the audio file | its softkeys; feature codes, texts |

mod errands;
#[cfg(feature = "push")]
pub mod push;
mod screen;
mod way;
mod ways;

pub(crate) use errands::{Errands, Happened};
pub use errands::{Place, Press, Presses};
pub(crate) use screen::Content;
pub use screen::Screen;
pub use way::{Alert, Courier, Errand, Recipient, Step, Way, Ways};
pub use ways::{NotifyWay, RecallWay, TextWay};
