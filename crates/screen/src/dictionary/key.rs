use std::fmt;

use ringback_callback::{Refusal, SoftKey, View};

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal, [$($parameter:ident),*];)+) => {
        /// Names one text of a dictionary.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Key {
            $($(#[$doc])* $name,)+
        }

        impl Key {
            /// All keys, in the order of the files.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The key as it is written in a file.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// The parameters of the text. Each must occur in it, no other may.
            #[must_use]
            pub fn parameters(self) -> &'static [Parameter] {
                match self {
                    $(Self::$name => &[$(Parameter::$parameter),*],)+
                }
            }
        }
    };
}

keys! {
    /// The title of every screen.
    Title = "title", [];
    /// The prompt of every screen.
    Prompt = "prompt", [];
    /// The name of the key that calls B.
    SoftKeyDial = "softkey.dial", [];
    /// The name of the key that ends the request.
    SoftKeyCancel = "softkey.cancel", [];
    /// The name of the key that leaves the screen.
    SoftKeyExit = "softkey.exit", [];
    /// The name of the key that replaces the earlier request.
    SoftKeyOk = "softkey.ok", [];
    /// The screen *Activated*.
    Activated = "activated", [Dn];
    /// The screen *Available*.
    Available = "available", [Dn, Hour, Minute, Day, Month, Year];
    /// The screen *Not active*.
    NotActive = "not-active", [];
    /// The screen *Replace?*.
    Replace = "replace", [Active, Wanted];
    /// The screen *Cannot*.
    Cannot = "cannot", [Dn, Reason];
    /// The screen *Do not disturb*.
    DoNotDisturb = "do-not-disturb", [Dn];
    /// Reason: the number is not in the directory (R30).
    NotInDirectory = "reason.not-in-directory", [];
    /// Reason: it forwards all calls (R31).
    ForwardsAllCalls = "reason.forwards-all-calls", [];
    /// Reason: its number or name holds `#` or `*` (R32).
    NotDiallable = "reason.not-diallable", [];
    /// Reason: it is a line of the caller's own phone (R33).
    OwnLine = "reason.own-line", [];
    /// Reason: the caller's phone has no CallBack key (R34).
    NoCallBackKey = "reason.no-callback-key", [];
    /// Reason: too many callers wait for the line (R35).
    TooManyForLine = "reason.too-many-for-line", [];
    /// Reason: too many requests in all (R36).
    TooManyInAll = "reason.too-many-in-all", [];
    /// Reason: the directory cannot be reached (R37).
    DirectoryUnavailable = "reason.directory-unavailable", [];
    /// Reason: the request store cannot be reached (R37).
    StoreUnavailable = "reason.store-unavailable", [];
    /// Reason: one that this version has no sentence for.
    OtherReason = "reason.other", [];
}

impl Key {
    /// The key that is written like this in a file.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The text of a screen.
    pub(crate) fn of_view(view: &View) -> Option<Self> {
        match view {
            View::Activated { .. } => Some(Self::Activated),
            View::Available { .. } => Some(Self::Available),
            View::NotActive => Some(Self::NotActive),
            View::Replace { .. } => Some(Self::Replace),
            View::Cannot { .. } => Some(Self::Cannot),
            View::DoNotDisturb { .. } => Some(Self::DoNotDisturb),
            _ => None,
        }
    }

    /// The name of a softkey.
    pub(crate) fn of_soft_key(key: SoftKey) -> Self {
        match key {
            SoftKey::Dial => Self::SoftKeyDial,
            SoftKey::Cancel => Self::SoftKeyCancel,
            SoftKey::Exit => Self::SoftKeyExit,
            SoftKey::Ok => Self::SoftKeyOk,
        }
    }

    /// The sentence for a refusal.
    pub(crate) fn of_refusal(reason: Refusal) -> Self {
        match reason {
            Refusal::NotInDirectory => Self::NotInDirectory,
            Refusal::ForwardsAllCalls => Self::ForwardsAllCalls,
            Refusal::NotDiallable => Self::NotDiallable,
            Refusal::OwnLine => Self::OwnLine,
            Refusal::NoCallBackKey => Self::NoCallBackKey,
            Refusal::TooManyForLine => Self::TooManyForLine,
            Refusal::TooManyInAll => Self::TooManyInAll,
            Refusal::DirectoryUnavailable => Self::DirectoryUnavailable,
            Refusal::StoreUnavailable => Self::StoreUnavailable,
            _ => Self::OtherReason,
        }
    }

    /// Whether the text must be one line: a heading, a softkey's name, a reason.
    pub(crate) fn is_one_line(self) -> bool {
        !matches!(
            self,
            Self::Activated
                | Self::Available
                | Self::NotActive
                | Self::Replace
                | Self::Cannot
                | Self::DoNotDisturb
        )
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A parameter of a text; written `{dn}` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Parameter {
    /// The called number.
    Dn,
    /// The number of the active request.
    Active,
    /// The number that would replace it.
    Wanted,
    /// Why Call Back cannot be activated: the text of one of the keys `reason.*`.
    Reason,
    /// Two digits, 00 to 23.
    Hour,
    /// Two digits.
    Minute,
    /// Two digits.
    Day,
    /// Two digits.
    Month,
    /// Four digits.
    Year,
}

impl Parameter {
    const ALL: [Self; 9] = [
        Self::Dn,
        Self::Active,
        Self::Wanted,
        Self::Reason,
        Self::Hour,
        Self::Minute,
        Self::Day,
        Self::Month,
        Self::Year,
    ];

    /// The parameter as it is written in a file, without its braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dn => "dn",
            Self::Active => "active",
            Self::Wanted => "wanted",
            Self::Reason => "reason",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.name() == name)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name())
    }
}
