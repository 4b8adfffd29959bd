//! A phone and its user: a SIP phone with its calls, and beside it a display for phone XML.

use std::collections::BTreeSet;
use std::time::Duration;

use ringback_model::{DeviceName, DirectoryNumber};
use ringback_pbx_lab::{
    CallOutcome, IncomingCall, LabError, Phone, PhoneCall, Server, Sound, XmlPhone, XmlScreen,
};
use tokio::time::timeout;

use super::server::HOT_LINE;
use crate::language::Tone;
use crate::runner::Screen;
use crate::world::ActionFailure;

/// The name that a call shows which the service makes from this phone.
pub(super) const CALL_BACK: &str = "Call Back";

/// Only what hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The statuses with which a far end says that it is busy.
const BUSY: [u16; 2] = [486, 600];

/// One of the calls at a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leg {
    /// The phone made it.
    Out(u64),
    /// It came.
    In(u64),
}

/// A call that the phone made.
struct Outgoing {
    id: u64,
    dialled: String,
    call: PhoneCall,
}

impl Outgoing {
    /// A call that failed goes on at the phone until its user hangs up; one that was left by the far end does not.
    fn is_over(&self) -> bool {
        self.call.outcome() == CallOutcome::Ended
    }

    fn hears(&self) -> Tone {
        match (self.call.sound(), self.call.outcome()) {
            (Some(sound), _) => tone(sound),
            (None, CallOutcome::Ringing) => Tone::Ringback,
            (None, CallOutcome::Failed(status)) if BUSY.contains(&status) => Tone::Busy,
            (None, CallOutcome::Failed(_)) => Tone::Reorder,
            (None, _) if self.dialled == HOT_LINE => Tone::DialTone,
            (None, _) => Tone::Silence,
        }
    }
}

fn tone(sound: Sound) -> Tone {
    match sound {
        Sound::Dial => Tone::DialTone,
        Sound::Ringback => Tone::Ringback,
        Sound::Busy => Tone::Busy,
        Sound::Congestion => Tone::Reorder,
    }
}

/// What a phone is in a conversation with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    /// With the caller that it shows.
    Caller(String),
    /// With whoever answered.
    Callee,
}

/// What a phone is to be.
pub(super) struct Plan {
    pub(super) name: DeviceName,
    pub(super) number: DirectoryNumber,
    /// How many calls its line takes.
    pub(super) limit: usize,
    /// Whether it is there from the start, not only when it is added.
    pub(super) from_the_start: bool,
}

/// A phone of the scenario.
pub(super) struct Desk {
    pub(super) name: DeviceName,
    pub(super) number: DirectoryNumber,
    /// Whether the directory has it.
    pub(super) is_there: bool,
    pub(super) phone: Phone,
    pub(super) display: XmlPhone,
    limit: usize,
    registered: bool,
    outgoing: Vec<Outgoing>,
    made: u64,
    held: BTreeSet<Leg>,
}

impl Desk {
    /// Plugs a phone in.
    pub(super) async fn plug_in(
        server: &Server,
        plan: &Plan,
        (user, password): (&str, &str),
    ) -> Result<Self, LabError> {
        let display = XmlPhone::start(server.address().into(), user, password).await?;
        let phone = Phone::register(server, plan.number.as_str()).await?;
        phone.listen();
        phone.set_room(plan.limit);
        Ok(Self {
            name: plan.name.clone(),
            number: plan.number.clone(),
            is_there: true,
            phone,
            display,
            limit: plan.limit,
            registered: true,
            outgoing: Vec::new(),
            made: 0,
            held: BTreeSet::new(),
        })
    }

    // --- what there is ---

    fn live_out(&self) -> impl Iterator<Item = &Outgoing> {
        self.outgoing.iter().filter(|call| !call.is_over())
    }

    /// The calls to it that ring, the oldest first.
    pub(super) fn ringing(&self) -> Vec<IncomingCall> {
        self.phone.incoming().into_iter().filter(|call| !call.answered).collect()
    }

    fn answered(&self) -> Vec<IncomingCall> {
        self.phone.incoming().into_iter().filter(|call| call.answered).collect()
    }

    /// The calls in which it is off hook.
    fn off_hook(&self) -> Vec<Leg> {
        let made = self.live_out().map(|call| Leg::Out(call.id));
        made.chain(self.answered().into_iter().map(|call| Leg::In(call.id))).collect()
    }

    fn active(&self) -> Option<Leg> {
        self.off_hook().into_iter().find(|leg| !self.held.contains(leg))
    }

    fn made(&self, id: u64) -> Option<&Outgoing> {
        self.live_out().find(|call| call.id == id)
    }

    fn came(&self, id: u64) -> Option<IncomingCall> {
        self.answered().into_iter().find(|call| call.id == id)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.live_out().next().is_none() && self.phone.incoming().is_empty()
    }

    pub(super) fn hears(&self) -> Tone {
        match self.active() {
            Some(Leg::Out(id)) => self.made(id).map_or(Tone::Silence, Outgoing::hears),
            Some(Leg::In(id)) => self.came(id).and_then(|call| call.sound).map_or(Tone::Silence, tone),
            None => Tone::Silence,
        }
    }

    /// The conversation that it is in; one that is held does not count.
    pub(super) fn talks(&self) -> Option<Party> {
        match self.active()? {
            Leg::Out(id) => {
                let call = &self.made(id)?.call;
                let talks = call.outcome() == CallOutcome::Answered && call.sound().is_none();
                talks.then_some(Party::Callee)
            }
            Leg::In(id) => match self.came(id)? {
                IncomingCall { sound: Some(_), .. } => None,
                call if call.name.starts_with(CALL_BACK) => Some(Party::Callee),
                call => Some(Party::Caller(call.number)),
            },
        }
    }

    /// Whether it answered a call that shows this number.
    pub(super) fn answered_from(&self, number: &str) -> bool {
        self.answered().iter().any(|call| call.number == number && !call.name.starts_with(CALL_BACK))
    }

    /// The number that the key CallBack is about now; `None`: the phone is idle, or has dial tone.
    pub(super) fn number_at_hand(&self) -> Option<String> {
        match self.active()? {
            Leg::Out(id) => {
                self.made(id).map(|call| call.dialled.clone()).filter(|number| number != HOT_LINE)
            }
            Leg::In(id) => self.came(id).map(|call| call.number),
        }
    }

    pub(super) fn is_registered(&self) -> Result<(), ActionFailure> {
        if self.registered { Ok(()) } else { Err(impossible("the phone is not registered")) }
    }

    /// The service's screen. One without keys and title only says something besides.
    pub(super) fn screen(&self) -> Option<Screen> {
        let shown = self.display.shown().filter(|shown| !is_prompt(shown))?;
        let keys = shown.soft_keys.iter().map(|key| key.key().to_owned()).collect();
        Some(Screen { title: shown.title, prompt: shown.prompt, text: shown.text, keys })
    }

    /// What is said besides.
    pub(super) fn prompt(&self) -> Option<String> {
        let shown = self.display.shown()?;
        let prompt = if is_prompt(&shown) { shown.text } else { shown.prompt };
        Some(prompt).filter(|prompt| !prompt.is_empty())
    }

    // --- what its user does ---

    /// What the PBX calls it.
    pub(super) fn device(&self) -> Option<DeviceName> {
        DeviceName::new(self.number.as_str()).ok()
    }

    /// It leaves the directory, and the PBX. Its calls go on.
    pub(super) async fn goes(&mut self, server: &Server) -> Result<(), LabError> {
        server.console(&format!("dialplan remove extension {}@phones", self.number.as_str())).await?;
        self.phone.unregister().await?;
        (self.is_there, self.registered) = (false, false);
        self.display.leave_screen();
        Ok(())
    }

    /// It is added to the directory.
    pub(super) async fn comes(&mut self, server: &Server) -> Result<(), LabError> {
        let number = self.number.as_str();
        server.console(&format!("dialplan add extension {number},hint,PJSIP/{number} into phones")).await?;
        self.phone.renew().await?;
        (self.is_there, self.registered) = (true, true);
        Ok(())
    }

    /// The user does something: what was said besides goes.
    pub(super) fn acts(&mut self) {
        if self.display.shown().is_some_and(|shown| is_prompt(&shown)) {
            self.display.leave_screen();
        }
    }

    /// Forgets calls that are over, and takes as many as are left of its line's.
    pub(super) fn tidy(&mut self) {
        // Nothing is told by text.
        self.phone.drain();
        self.tidy_calls();
    }

    fn tidy_calls(&mut self) {
        self.outgoing.retain(|call| !call.is_over());
        let there = self.off_hook();
        self.held.retain(|leg| there.contains(leg));
        self.make_room(0);
    }

    /// Says how many calls may come, while so many more are about to be made.
    fn make_room(&self, more: usize) {
        self.phone.set_room(self.limit.saturating_sub(self.outgoing.len() + more));
    }

    fn is_full(&self) -> bool {
        self.outgoing.len() + self.phone.incoming().len() >= self.limit
    }

    pub(super) async fn calls(&mut self, number: &str) -> Result<(), ActionFailure> {
        self.is_registered()?;
        if let Some(active) = self.active() {
            if self.hears() == Tone::Ringback {
                return Err(impossible("the active call cannot be held"));
            }
            if self.talks().is_some() {
                if self.is_full() {
                    return Err(impossible("the line has no room for another call"));
                }
                self.held.insert(active);
            } else {
                self.end(active).await?;
            }
        } else if self.is_full() {
            return Err(impossible("the line has no room for another call"));
        }
        self.dial(number).await
    }

    async fn dial(&mut self, number: &str) -> Result<(), ActionFailure> {
        self.make_room(1);
        let mut changed = self.phone.changed();
        let call = self.phone.call(number)?;
        self.made += 1;
        self.outgoing.push(Outgoing { id: self.made, dialled: number.to_owned(), call });
        let made = |desk: &Self| desk.outgoing.last().is_none_or(|made| under_way(&made.call));
        // What does not come is seen by the next expectation.
        let _late =
            timeout(PATIENCE, async { while !made(self) && changed.changed().await.is_ok() {} }).await;
        Ok(())
    }

    pub(super) async fn answers(&mut self) -> Result<(), ActionFailure> {
        if self.ringing().is_empty() {
            return Err(impossible("no call rings at the phone"));
        }
        if let Some(active) = self.active() {
            if self.talks().is_some() {
                self.held.insert(active);
            } else {
                self.end(active).await?;
            }
        }
        self.phone.answer()?;
        Ok(())
    }

    /// Off hook without dialling: answers what rings, else hears dial tone.
    pub(super) async fn lifts(&mut self) -> Result<(), ActionFailure> {
        if self.active().is_some() {
            return Ok(());
        }
        if !self.ringing().is_empty() {
            return self.answers().await;
        }
        self.calls(HOT_LINE).await
    }

    pub(super) async fn replaces(&mut self) -> Result<(), ActionFailure> {
        match self.active() {
            Some(active) => self.end(active).await,
            None => Ok(()),
        }
    }

    pub(super) async fn hangs_up(&mut self, number: Option<&DirectoryNumber>) -> Result<(), ActionFailure> {
        let off_hook = self.off_hook();
        let with = |leg: &Leg, number: &str| match leg {
            Leg::Out(id) => self.made(*id).is_some_and(|call| call.dialled == number),
            Leg::In(id) => self.came(*id).is_some_and(|call| call.number == number),
        };
        let leg = match number {
            Some(number) => off_hook.iter().copied().find(|leg| with(leg, number.as_str())),
            None => self.active().or_else(|| off_hook.last().copied()),
        };
        match leg {
            Some(leg) => self.end(leg).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self, leg: Leg) -> Result<(), ActionFailure> {
        match leg {
            Leg::In(id) => self.phone.hang_up_call(id).await?,
            Leg::Out(id) => {
                if let Some(place) = self.outgoing.iter().position(|call| call.id == id) {
                    let mut made = self.outgoing.remove(place);
                    made.call.hang_up().await?;
                    let over = |outcome| matches!(outcome, CallOutcome::Ended | CallOutcome::Failed(_));
                    made.call.wait_for(PATIENCE, over).await?;
                }
            }
        }
        self.tidy_calls();
        Ok(())
    }

    async fn ends_all(&mut self) -> Result<(), ActionFailure> {
        for leg in self.off_hook() {
            self.end(leg).await?;
        }
        for call in self.ringing() {
            self.phone.hang_up_call(call.id).await?;
        }
        Ok(())
    }

    pub(super) async fn unregisters(&mut self) -> Result<(), ActionFailure> {
        self.phone.unregister().await?;
        self.registered = false;
        self.ends_all().await?;
        self.display.leave_screen();
        Ok(())
    }

    pub(super) async fn registers(&mut self) -> Result<(), ActionFailure> {
        if !self.registered {
            self.phone.renew().await?;
            self.registered = true;
        }
        Ok(())
    }
}

/// Whether more is known of a call than that it was begun.
fn under_way(call: &PhoneCall) -> bool {
    call.outcome() != CallOutcome::Calling || call.sound().is_some()
}

fn is_prompt(shown: &XmlScreen) -> bool {
    shown.title.is_empty() && shown.soft_keys.is_empty()
}

pub(super) fn impossible(saw: impl Into<String>) -> ActionFailure {
    ActionFailure::new("this to be possible", saw)
}

impl From<LabError> for ActionFailure {
    fn from(error: LabError) -> Self {
        impossible(error.to_string())
    }
}
