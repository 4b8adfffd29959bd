//! What can happen.

use proptest::prelude::*;

/// A device by its place among three, and one of its two lines.
pub(crate) type Which = (u8, u8);

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// The application asks for something.
    Submit(Ask),
    /// The connection that is being made is made.
    Connected,
    ConnectFailed,
    /// Something is told of a connection of before.
    OfAnOlderConnection,
    /// The far side closes.
    Closed,
    /// It answers provider open.
    Opened(Welcome),
    /// It answers a request.
    Answer(Whom, Reply),
    /// It answers all that wait, the last one first.
    AnswerAllBackwards,
    /// It tells an event.
    Tell(Told),
    /// It sends so many heartbeats of this interval.
    Heartbeats(u8, u32),
    /// It sends what it may not.
    Break(Violation),
    /// It sends these bytes.
    Garbage(Vec<u8>),
    /// It sends the beginning of a heartbeat.
    Half(u8),
    /// The network takes so many bytes; 255: all.
    Take(u8),
    /// Time goes on to the moment that the session waits for.
    Next,
    /// Time goes on, in ms, and the session is woken whenever it wants.
    Pass(u32),
    /// Time goes on, in ms, and the session is woken only then.
    Oversleep(u32),
}

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Assume(u8),
    Relinquish,
    OpenDevice(u8),
    CloseDevice(u8),
    OpenLine(Which),
    CloseLine(Which),
    AnswerFeature(u8),
    MakeCall(Which),
    SendData(u8),
    /// More than the protocol can carry.
    SendTooMuch(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Welcome {
    /// As it should, with this interval.
    Well(u32),
    Version(u16),
    IntervalOfZero,
    Refused,
    /// An answer to something else.
    Wrong,
    /// The right answer to another number.
    OtherNumber,
}

/// Which request is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whom {
    /// One that waits.
    Waiting(u8),
    /// One that has been answered or given up, or never sent.
    Other(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    /// As it should.
    Right,
    /// Refused with one of the errors.
    Refused(u8),
    /// The answer to something else.
    Wrong(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    InService(u8),
    OutOfService(u8),
    Status(u8, bool),
    UserChanged(u8),
    Call(Which, u8),
    Data(u8),
    FeatureInvoked(u8),
    ProviderClosed,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Violation {
    OtherVersion,
    Request,
    IntervalOfZero,
    /// Not a violation: a type of a later version is passed over.
    UnknownType,
}

fn which() -> impl Strategy<Value = Which> {
    (0_u8..3, 0_u8..2)
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => (1_u8..4).prop_map(Ask::Assume),
        1 => Just(Ask::Relinquish),
        6 => (0_u8..3).prop_map(Ask::OpenDevice),
        2 => (0_u8..3).prop_map(Ask::CloseDevice),
        8 => which().prop_map(Ask::OpenLine),
        2 => which().prop_map(Ask::CloseLine),
        2 => (0_u8..4).prop_map(Ask::AnswerFeature),
        4 => which().prop_map(Ask::MakeCall),
        4 => (0_u8..3).prop_map(Ask::SendData),
        1 => (0_u8..3).prop_map(Ask::SendTooMuch),
    ]
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let interval = prop::sample::select(vec![30_000_u32, 30_000, 10_000, 1000, 3_600_000]);
    prop_oneof![
        16 => interval.prop_map(Welcome::Well),
        1 => prop::sample::select(vec![0_u16, 2, 9]).prop_map(Welcome::Version),
        1 => Just(Welcome::IntervalOfZero),
        2 => Just(Welcome::Refused),
        1 => Just(Welcome::Wrong),
        1 => Just(Welcome::OtherNumber),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        12 => Just(Reply::Right),
        5 => (0_u8..8).prop_map(Reply::Refused),
        1 => (0_u8..4).prop_map(Reply::Wrong),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        4 => (0_u8..3).prop_map(Told::InService),
        3 => (0_u8..3).prop_map(Told::OutOfService),
        3 => (0_u8..3, any::<bool>()).prop_map(|(device, dnd)| Told::Status(device, dnd)),
        2 => (0_u8..3).prop_map(Told::UserChanged),
        6 => (which(), 0_u8..4).prop_map(|(which, call)| Told::Call(which, call)),
        2 => (0_u8..3).prop_map(Told::Data),
        3 => (0_u8..4).prop_map(Told::FeatureInvoked),
        1 => Just(Told::ProviderClosed),
    ]
}

fn violation() -> impl Strategy<Value = Violation> {
    prop::sample::select(vec![
        Violation::OtherVersion,
        Violation::Request,
        Violation::IntervalOfZero,
        Violation::UnknownType,
        Violation::UnknownType,
    ])
}

/// One act. What would end links is rare enough that most links live for a while.
pub(crate) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        40 => ask().prop_map(Act::Submit),
        12 => Just(Act::Connected),
        2 => Just(Act::ConnectFailed),
        1 => Just(Act::OfAnOlderConnection),
        1 => Just(Act::Closed),
        14 => welcome().prop_map(Act::Opened),
        30 => (any::<u8>(), reply()).prop_map(|(which, reply)| Act::Answer(Whom::Waiting(which), reply)),
        6 => (any::<u8>(), reply()).prop_map(|(which, reply)| Act::Answer(Whom::Other(which), reply)),
        6 => Just(Act::AnswerAllBackwards),
        24 => told().prop_map(Act::Tell),
        4 => (1_u8..5, prop::sample::select(vec![30_000_u32, 12_000, 1000])).prop_map(|(n, ms)| Act::Heartbeats(n, ms)),
        2 => violation().prop_map(Act::Break),
        1 => vec_of_bytes().prop_map(Act::Garbage),
        1 => (1_u8..16).prop_map(Act::Half),
        8 => prop_oneof![3 => Just(255_u8), 1 => any::<u8>()].prop_map(Act::Take),
        6 => Just(Act::Next),
        6 => (0_u32..4000).prop_map(Act::Pass),
        1 => (0_u32..90_000).prop_map(Act::Pass),
        1 => (0_u32..40_000).prop_map(Act::Oversleep),
    ]
}

fn vec_of_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => 0_u8..16, 1 => any::<u8>()], 1..40)
}
