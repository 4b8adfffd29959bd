use std::collections::BTreeMap;

use ringback_cti::message::{CallInfo, CallState, Cause};
use ringback_model::{CallId, DeviceName, DirectoryNumber, Timestamp};

use crate::ami::Message;

/// The states of a channel that matter here, by the server's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// 0, 1: it exists.
    Down,
    /// 2: the phone is off hook.
    OffHook,
    /// 4: the phone calls.
    Ring,
    /// 3, 5, 8, 9: the phone is being called.
    Ringing,
    /// 6: answered, by the phone or by the server.
    Up,
    /// 7: busy.
    Busy,
}

impl Stage {
    /// As the message tells it; `None` if it does not.
    pub(super) fn of(message: &Message) -> Option<Self> {
        Some(match message.get("ChannelState")? {
            "0" | "1" => Self::Down,
            "2" => Self::OffHook,
            "4" => Self::Ring,
            "3" | "5" | "8" | "9" => Self::Ringing,
            "6" => Self::Up,
            "7" => Self::Busy,
            _ => return None,
        })
    }
}

/// Why a server ends a call for which it called nobody (Q.850): no such number, no way there, busy, nobody there, refused,
/// moved, out of order, no room. Others (a caller who gives up, for one) say nothing about the number.
const REFUSALS: [u16; 15] = [1, 2, 3, 17, 18, 19, 20, 21, 22, 27, 28, 34, 38, 41, 42];

/// The ids of channels that are alerts begin with it.
pub(crate) const RECALL: &str = "ringback-recall-";

/// What a channel that this program asked for is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It rings a phone to tell its user something: no call of the user's, so nothing is told of it.
    Alert,
    /// A call made for the phone to this number: it rings the phone first.
    Call(DirectoryNumber),
}

/// Somebody who is called for a channel.
#[derive(Debug, Clone, Default)]
struct Leg {
    rings: bool,
    /// The phone's number, if it is one of this server's.
    number: Option<DirectoryNumber>,
}

/// What became of calling somebody for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing yet.
    Open,
    /// One of them answered.
    Answered,
    /// The phone itself gave up while somebody's rang: nobody has answered.
    GivenUp,
    /// It failed, and stays so while the phone hears tones and announcements.
    Failed(CallState, Cause),
}

/// One channel between the server and a phone: one call as that phone sees it.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    /// The phone.
    pub(super) phone: DeviceName,
    /// The call it belongs to.
    pub(super) call: CallId,
    /// The server's name of the call, if the id is shared with the other end.
    pub(super) linked: Option<String>,
    /// Whether the phone began it: then the phone was off hook before the server knew.
    pub(super) origin: bool,
    /// Its state.
    pub(super) stage: Stage,
    /// The number dialled.
    pub(super) called: Option<DirectoryNumber>,
    /// The other end, as the server shows it to the phone.
    pub(super) peer: Option<DirectoryNumber>,
    /// Whom the server is calling for it, by their ids.
    legs: BTreeMap<String, Leg>,
    /// At the other end, as far as that is a phone of this server: it called this one, or it was called for it and rings, or
    /// has answered.
    far: Option<DirectoryNumber>,
    /// The channel for which it is called.
    pub(super) caller: Option<String>,
    /// The listing of calls says that it dials.
    pub(super) dials: bool,
    /// What became of calling them.
    outcome: Outcome,
    /// Whether it is in a bridge.
    pub(super) bridged: bool,
    /// Whether a feature code was dialled on it: then it is not the call that the feature is about.
    pub(super) feature: bool,
    /// This program asked for it.
    ours: bool,
    /// Nothing is told of it.
    pub(super) hidden: bool,
    /// When the server was told to end it.
    pub(super) ends_since: Option<Timestamp>,
    /// What has been told, or queued to be told, last.
    pub(super) told: Option<CallInfo>,
}

impl Channel {
    pub(super) fn new(phone: DeviceName, call: CallId, linked: Option<String>, message: &Message) -> Self {
        let stage = Stage::of(message).unwrap_or(Stage::Down);
        let exten = message.known("Exten").filter(|exten| !matches!(*exten, "s" | "h"));
        let first_of_call = message.get("Uniqueid") == message.get("Linkedid");
        // A channel of which only its being up is known counts as begun by the phone: the cautious reading.
        let origin = match stage {
            Stage::OffHook | Stage::Ring | Stage::Up | Stage::Busy => true,
            Stage::Down => exten.is_some() && first_of_call,
            Stage::Ringing => false,
        };
        let called = exten.filter(|_| origin).and_then(|number| DirectoryNumber::new(number).ok());
        Self {
            phone,
            call,
            linked,
            origin,
            stage,
            called,
            peer: None,
            legs: BTreeMap::new(),
            far: None,
            caller: None,
            dials: false,
            outcome: Outcome::Open,
            bridged: false,
            feature: false,
            ours: false,
            hidden: false,
            ends_since: None,
            told: None,
        }
    }

    /// This program asked for it: the phone did not begin it, whatever it looks like.
    pub(super) fn is_ours(&mut self, expected: Expected) {
        (self.ours, self.origin) = (true, false);
        match expected {
            Expected::Alert => self.hidden = true,
            Expected::Call(to) => self.called = Some(to),
        }
    }

    /// The alert has become a call to this number.
    pub(super) fn becomes_call(&mut self, to: DirectoryNumber) {
        (self.hidden, self.called) = (false, Some(to));
    }

    /// Whether it is a call from the phone to this number.
    pub(super) fn calls(&self, number: &DirectoryNumber) -> bool {
        (self.origin || self.ours) && self.called.as_ref() == Some(number)
    }

    /// The phone was picked up.
    pub(super) fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }

    /// Notes that the server ended it for this cause, though nobody was called; says whether that is news. A phone that
    /// refuses a call that was made for it says nothing about whom that was to reach.
    pub(super) fn refused(&mut self, cause: Cause) -> bool {
        let calls = self.origin || (self.ours && self.is_up());
        let tried = self.outcome != Outcome::Open || self.bridged || !self.legs.is_empty();
        let news = calls && !tried && !self.feature && REFUSALS.contains(&cause.0);
        if news {
            let state = if cause == Cause::USER_BUSY { CallState::Busy } else { CallState::Disconnected };
            self.outcome = Outcome::Failed(state, cause);
        }
        news
    }

    /// Its phone is being called, has not rung, and may refuse: nobody has noticed anything. A phone that refuses because
    /// it is used otherwise was not disturbed, and its line did not ring.
    pub(super) fn is_unnoticed(&self) -> bool {
        self.told.is_none() && !self.ours && self.info().state == CallState::Offering
    }

    /// The server reports a state.
    pub(super) fn staged(&mut self, stage: Stage) {
        self.stage = stage;
        self.origin |= !self.ours && matches!(stage, Stage::OffHook | Stage::Ring);
    }

    /// The server calls somebody for it.
    pub(super) fn dial_begins(&mut self, leg: &str, exten: Option<&str>) {
        self.legs.insert(leg.to_owned(), Leg::default());
        self.outcome = Outcome::Open;
        if !self.origin
            && !self.ours
            && let Some(called) = exten.and_then(|exten| DirectoryNumber::new(exten).ok())
        {
            self.called = Some(called);
        }
    }

    /// Somebody called for it rings.
    pub(super) fn leg_rings(&mut self, leg: &str) {
        let leg = self.legs.entry(leg.to_owned()).or_default();
        leg.rings = true;
        self.far.clone_from(&leg.number);
    }

    /// One of those called for it is the phone with this number.
    pub(super) fn leg_is(&mut self, leg: &str, number: Option<DirectoryNumber>) {
        self.legs.entry(leg.to_owned()).or_default().number = number;
    }

    /// This channel, of the phone with this number if it is one, called.
    pub(super) fn called_by(&mut self, caller: &str, number: Option<DirectoryNumber>) {
        self.caller = Some(caller.to_owned());
        self.far = number.or(self.far.take());
    }

    /// Whether this one is being called for it.
    pub(super) fn awaits(&self, leg: &str) -> bool {
        self.legs.contains_key(leg)
    }

    /// It goes to its phone.
    pub(super) fn comes(&self) -> bool {
        !self.origin && !self.ours
    }

    /// Its phone has said something: that it rings, is busy, or answers.
    pub(super) fn has_reached_its_phone(&self) -> bool {
        matches!(self.stage, Stage::Ringing | Stage::Up | Stage::Busy)
    }

    /// Its phone rings.
    pub(super) fn rings(&self) -> bool {
        self.comes() && self.stage == Stage::Ringing
    }

    /// One of those called for it answered, refused, or was given up.
    pub(super) fn dial_ends(&mut self, leg: &str, status: &str) {
        let leg = self.legs.remove(leg).unwrap_or_default();
        match status {
            "ANSWER" => (self.outcome, self.far) = (Outcome::Answered, leg.number),
            _ if self.outcome == Outcome::Answered => {}
            // What follows is its hang-up.
            "CANCEL" if leg.rings => self.outcome = Outcome::GivenUp,
            "CANCEL" => {}
            _ if !self.legs.is_empty() => {}
            "BUSY" => self.outcome = Outcome::Failed(CallState::Busy, Cause::USER_BUSY),
            "NOANSWER" => self.outcome = Outcome::Failed(CallState::Disconnected, Cause::NO_ANSWER),
            "CHANUNAVAIL" => self.outcome = Outcome::Failed(CallState::Disconnected, Cause::ABSENT),
            _ => self.outcome = Outcome::Failed(CallState::Disconnected, Cause::NONE),
        }
    }

    /// How the call failed, for a key that is pressed after it.
    pub(super) fn failure(&self, hangup: Cause) -> (CallState, Cause) {
        match (self.outcome, hangup) {
            (Outcome::Failed(state, cause), _) => (state, cause),
            (Outcome::GivenUp, _) => (CallState::Disconnected, Cause::NO_ANSWER),
            (_, Cause::USER_BUSY) => (CallState::Busy, hangup),
            (..) => (CallState::Disconnected, hangup),
        }
    }

    /// What its caller hears, or has heard of it.
    pub(super) fn heard(&self) -> (CallState, Cause) {
        match self.outcome {
            Outcome::GivenUp if self.legs.is_empty() => self.failure(Cause::NONE),
            _ => {
                let info = self.info();
                (info.state, info.cause)
            }
        }
    }

    /// The call as the phone sees it now.
    pub(super) fn info(&self) -> CallInfo {
        let (state, cause) = match (self.bridged, self.outcome) {
            (false, Outcome::Failed(state, cause)) => (state, cause),
            (false, _) if self.legs.values().any(|leg| leg.rings) => (CallState::Ringback, Cause::NONE),
            (false, _) if !self.legs.is_empty() => (CallState::Proceeding, Cause::NONE),
            _ => (self.plain_state(), Cause::NONE),
        };
        let peer = self.far.clone().or_else(|| self.peer.clone());
        CallInfo { call: self.call, state, cause, called: self.called.clone(), peer }
    }

    fn plain_state(&self) -> CallState {
        let answered = self.outcome == Outcome::Answered;
        match self.stage {
            // Picked up, and about to be connected with whom it is for.
            Stage::Up if self.ours && !self.bridged && !answered => CallState::Proceeding,
            Stage::Up => CallState::Connected,
            // The far end has answered; that this end is told so comes next.
            Stage::Ring | Stage::Down if self.origin && answered => CallState::Connected,
            Stage::Busy => CallState::Busy,
            Stage::OffHook => CallState::DialTone,
            Stage::Ring => CallState::Proceeding,
            Stage::Ringing => CallState::Ringing,
            Stage::Down if self.origin => CallState::Proceeding,
            Stage::Down => CallState::Offering,
        }
    }
}
