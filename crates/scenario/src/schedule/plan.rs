use std::net::IpAddr;

use ringback_model::Millis;
use ringback_sim::Cut;

use super::server::ServerFault;

/// A whole schedule as data: the site, and what happens when.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The instances that run at the start.
    pub nodes: Vec<IpAddr>,
    /// How many CTIManagers there are.
    pub managers: usize,
    /// The numbers of the lines of each phone.
    pub phones: Vec<Vec<u32>>,
    /// How many calls a line holds.
    pub calls_per_line: u32,
    /// Service parameters that differ from those of every schedule.
    pub parameters: Vec<(&'static str, String)>,
    /// How much faster (or slower) than the instances' clocks the registry's runs, in per mille.
    pub drift: i64,
    /// How long a write takes at most to reach the store, and its answer to come back.
    pub store_delay: Millis,
    /// What happens, each so long after the one before.
    pub steps: Vec<(Millis, Step)>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The user of a phone does something.
    Phone(usize, Intent),
    /// Something fails, or is mended.
    Fault(Fault),
    /// Something fails as soon as this has happened the next time.
    When(Moment, Fault),
}

/// What a user means to do; what comes of it depends on what the phone is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Calls a number.
    Call(u32),
    /// Presses CallBack, whatever the phone is doing.
    CallBack,
    /// Hangs up, calls a number, and presses CallBack at once; leaves the call up.
    Want(u32),
    /// Presses one of the keys that are shown; the next phone does that shows some.
    Key(usize),
    /// Presses this key; the next phone does that shows it.
    Press(&'static str),
    /// Answers; the next phone does that rings.
    Answer,
    /// Ends its call; the next phone does that has one.
    HangUp,
    /// Lifts the handset.
    Lift,
    /// Forwards all calls to a number, or none.
    Forward(Option<u32>),
    /// Wants not to be disturbed, or does again.
    DoNotDisturb(bool),
    /// The phone resets.
    Reset,
    /// The phone unregisters.
    Unregister,
    /// The phone registers.
    Register,
    /// Another user logs in.
    LogIn,
}

/// Which instance a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The one that acts, or else any.
    Active,
    /// The one at this address.
    At(IpAddr),
}

/// What fails, and what is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An instance dies, and is started again so long after.
    Kill(Target, Millis),
    /// An instance stops in good order, and is started again so long after.
    Stop(Target, Millis),
    /// An instance joins.
    Join(IpAddr),
    /// An instance stands still for so long.
    Pause(Target, Millis),
    /// An instance is cut off from everything for so long, one way or both.
    Cut(Target, Cut, Millis),
    /// An instance is cut off from the registry alone.
    CutRegistry(Target, Millis),
    /// Answers of the registry to an instance are lost.
    DeafRegistry(Target, Millis),
    /// An instance is cut off from the CTIManagers alone.
    CutManagers(Target, Cut, Millis),
    /// A CTIManager stops for so long.
    StopManager(usize, Millis),
    /// A CTIManager hangs for so long.
    FreezeManager(usize, Millis),
    /// The store stops for so long.
    StopStore(Millis),
    /// Writes happen, but their answers are lost, for so long.
    LoseAnswers(Millis),
    /// Writes arrive so much later, for so long.
    SlowStore(Millis, Millis),
    /// The directory stops for so long.
    StopDirectory(Millis),
    /// The server that holds all of that fails.
    Server(ServerFault),
}

/// After what a fault is wanted: where it hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A write is on its way to the store.
    WriteIssued,
    /// The store has written.
    Written,
    /// A phone has played an alert.
    Alerted,
    /// The service has made a call.
    Dialled,
    /// A phone shows a screen of the service.
    Shown,
}
