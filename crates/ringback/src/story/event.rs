use ringback_callback::{Ending, SoftKey, View};
use ringback_model::{Epoch, Timestamp, UtcOffset};

use super::LocalTime;

/// What the called line does, all its appearances taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineUse {
    /// None of its phones is registered.
    Away,
    /// On hook.
    Free,
    /// It only rings.
    Rings,
    /// Off hook.
    Busy,
}

/// Which screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScreenKind {
    /// *CallBack is activated*.
    Activated,
    /// *Has become available*.
    Available,
    /// *Already active*: replace it?
    Replace,
    /// *Is available now but on DND*.
    DoNotDisturb,
    /// Another one.
    Other,
}

impl From<&View> for ScreenKind {
    fn from(view: &View) -> Self {
        match view {
            View::Activated { .. } => Self::Activated,
            View::Available { .. } => Self::Available,
            View::Replace { .. } => Self::Replace,
            View::DoNotDisturb { .. } => Self::DoNotDisturb,
            _ => Self::Other,
        }
    }
}

/// What can happen to a request. *You* in its sentences is the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoryEvent {
    /// It was accepted and is durable.
    Accepted,
    /// This instance has taken it over, in this epoch.
    TakenOver(Epoch),
    /// This instance acts no more.
    HandedOver,
    /// A screen was sent.
    Shown(ScreenKind),
    /// A screen did not reach the phone.
    ScreenLost,
    /// The caller pressed CallBack again.
    PressedCallBack,
    /// The caller pressed a key of a screen.
    Pressed(SoftKey),
    /// The called line changed.
    Called(LineUse),
    /// The called party is available, but the caller is busy.
    Suspended,
    /// The caller has the turn.
    TurnStarted {
        /// Until then.
        until: Timestamp,
    },
    /// The called party is no more available.
    TurnWithdrawn,
    /// The caller let the turn pass.
    TurnLapsed,
    /// The alert was sent.
    AlertSent {
        /// Which alert of the request.
        number: u32,
    },
    /// Its outcome was in doubt: it was sent again under its id.
    AlertRepeated {
        /// Which alert of the request.
        number: u32,
    },
    /// The phone has taken it.
    AlertConfirmed {
        /// Which alert of the request.
        number: u32,
    },
    /// The phone has refused it.
    AlertFailed,
    /// The service dials.
    Dialled {
        /// The called party's forwarding is overridden.
        override_forwarding: bool,
    },
    /// The call could not be made.
    NotDialled,
    /// The called party was busy when dialled.
    Retained,
    /// The call failed or went elsewhere.
    DialFailed,
    /// The store did not confirm: what waits for it is late.
    StoreLate,
    /// The store has confirmed what was late.
    StoreBack,
    /// The link to the call manager is lost.
    LinkLost,
    /// It is back.
    LinkBack,
    /// It ended.
    Ended(Ending),
}

impl StoryEvent {
    /// A sentence to the caller, without a full stop. `called` is what the called party is named.
    #[must_use]
    pub fn sentence(&self, called: &str, offset: UtcOffset) -> String {
        match self {
            Self::Accepted => "accepted and stored".to_owned(),
            Self::TakenOver(epoch) => format!("taken over from the store in epoch {epoch}"),
            Self::HandedOver => "this instance acts no more: another one goes on".to_owned(),
            Self::Shown(screen) => match screen {
                ScreenKind::Activated => "your phone shows that CallBack is activated".to_owned(),
                ScreenKind::Available => format!("your phone shows that {called} is available"),
                ScreenKind::Replace => {
                    "your phone asks whether another request is to take its place".to_owned()
                }
                ScreenKind::DoNotDisturb => {
                    format!("not alerted: {called} is free, but does not want to be disturbed")
                }
                ScreenKind::Other => "your phone shows another screen".to_owned(),
            },
            Self::ScreenLost => "the screen did not reach your phone".to_owned(),
            Self::PressedCallBack => "you pressed CallBack".to_owned(),
            Self::Pressed(key) => format!("you pressed {key}"),
            Self::Called(LineUse::Away) => format!("{called} is not registered"),
            Self::Called(LineUse::Free) => format!("{called} is on hook"),
            Self::Called(LineUse::Rings) => format!("{called} rings"),
            Self::Called(LineUse::Busy) => format!("{called} is off hook"),
            Self::Suspended => "not alerted: your phone was busy".to_owned(),
            Self::TurnStarted { until } => {
                format!("{called} is available: it is your turn until {}", LocalTime(*until, offset))
            }
            Self::TurnWithdrawn => format!("your turn is withdrawn: {called} is no more available"),
            Self::TurnLapsed => "you let your turn pass: not alerted again".to_owned(),
            Self::AlertSent { number } => format!("alert {number} sent"),
            Self::AlertRepeated { number } => {
                format!("alert {number} sent again: it was in doubt whether your phone had it")
            }
            Self::AlertConfirmed { number } => format!("alert {number} taken by your phone"),
            Self::AlertFailed => "your phone refused the alert".to_owned(),
            Self::Dialled { override_forwarding: true } => {
                format!("{called} is called, forwarding overridden")
            }
            Self::Dialled { override_forwarding: false } => format!("{called} is called"),
            Self::NotDialled => "the call could not be made".to_owned(),
            Self::Retained => format!("{called} was busy: you are back in your place in the queue"),
            Self::DialFailed => format!("the call did not reach {called}: the request stays"),
            Self::StoreLate => "the request store does not answer: what follows is late".to_owned(),
            Self::StoreBack => "the request store has answered".to_owned(),
            Self::LinkLost => "the link to the call manager is lost".to_owned(),
            Self::LinkBack => "the link to the call manager is back".to_owned(),
            Self::Ended(how) => format!("ended: {}", ended(*how, called)),
        }
    }
}

fn ended(how: Ending, called: &str) -> String {
    match how {
        Ending::Cancelled => "you cancelled".to_owned(),
        Ending::Reached => format!("{called} rings for you"),
        Ending::Answered => format!("{called} answered your first call"),
        Ending::Replaced => "another request took its place".to_owned(),
        Ending::Expired => "its time is over".to_owned(),
        Ending::CallerReset => "your phone was reset or unregistered".to_owned(),
        Ending::CallerUserChanged => "another user logged in or out at your phone".to_owned(),
        _ => format!("{how:?}"),
    }
}
