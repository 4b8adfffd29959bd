use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

static REVEALED: AtomicBool = AtomicBool::new(false);

/// Says for this process whether `{:?}` prints personal data. The default is that it does not.
///
/// An operator asks for it to follow one call in a trace; tests ask for it to see what differs.
pub fn reveal_personal_data(yes: bool) {
    REVEALED.store(yes, Ordering::Relaxed);
}

/// Whether `{:?}` prints personal data at present.
#[must_use]
pub fn personal_data_is_revealed() -> bool {
    REVEALED.load(Ordering::Relaxed)
}

/// Personal data (a number, a name): prints as `<redacted>` with `{:?}` unless [`reveal_personal_data`] was
/// called with `true`. There is no `Display`: showing it to a person is always spelled out.
///
/// ```
/// use ringback_model::Pii;
/// assert_eq!(format!("{:?}", Pii("Ada")), "<redacted>");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(pub T);

impl<T: fmt::Debug> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if personal_data_is_revealed() { self.0.fmt(f) } else { f.write_str("<redacted>") }
    }
}
