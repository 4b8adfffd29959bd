//! Mistakes that others have made, to be switched on one by one: a test that does not find them proves nothing.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The limit in all is compared, but with a count that never grows.
    LimitNotCounted,
    /// The service duration is added in seconds where milliseconds are meant.
    DurationInAnotherUnit,
    /// A line is taken for idle as soon as one of its calls has ended, though another is up.
    SecondCallIgnored,
    /// When the first caller lets the turn pass, nobody is served.
    NextNeverServed,
    /// A caller whose alert was taken is called again when the phone is read anew.
    CalledTwice,
    /// What became of the lines while the link was down is not looked at over the new one.
    LostWithTheLink,
}
