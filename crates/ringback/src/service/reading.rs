//! Whether what was read of the directory is what it holds.

/// One thing at a time is read once at a time, so that what was read last is what is in force last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Done,
    /// It could not be read.
    Wanted,
    UnderWay,
    /// It may have changed since the reading began.
    Again,
}

impl Reading {
    /// Whether to read it now; otherwise it will be once more, after the reading that is under way.
    pub(super) fn begin(&mut self) -> bool {
        let now = matches!(self, Self::Done | Self::Wanted);
        *self = if now { Self::UnderWay } else { Self::Again };
        now
    }

    /// The reading is over; whether another is to begin at once.
    pub(super) fn end(&mut self, successful: bool) -> bool {
        let again = *self == Self::Again;
        *self = if again || !successful { Self::Wanted } else { Self::Done };
        again
    }
}
