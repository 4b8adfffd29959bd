//! Messages of both sides of the protocol, built from the fuzzer's decisions. There are few names, so that they meet.

use bytes::{Bytes, BytesMut};
use ringback_cti::codec::{Message, encode};
use ringback_cti::message::{
    Activity, Answer, CallInfo, CallState, Cause, CtiError, DeviceStatus, Event, Feature, FeatureInvocation,
    InvocationId, ProviderOpen, Request, Version,
};
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Millis, Partition,
};

use super::input::Input;

fn text<T, E: std::fmt::Debug>(made: Result<T, E>) -> T {
    made.unwrap_or_else(|error| panic!("a constant: {error:?}"))
}

pub(super) fn device(input: &mut Input<'_>) -> DeviceName {
    text(DeviceName::new(input.pick(["P", "Q", "R"])))
}

pub(super) fn number(input: &mut Input<'_>) -> DirectoryNumber {
    text(DirectoryNumber::new(input.pick(["1001", "1002"])))
}

pub(super) fn line(input: &mut Input<'_>) -> Appearance {
    let device = device(input);
    Appearance { device, line: LineId::new(Partition::default(), number(input)) }
}

pub(super) fn error(input: &mut Input<'_>) -> CtiError {
    input.pick([
        CtiError::DeviceOutOfService,
        CtiError::DeviceAlreadyOpen,
        CtiError::DeviceNotOpen,
        CtiError::LineAlreadyOpen,
        CtiError::UndefinedLine,
        CtiError::EpochSuperseded,
        CtiError::LoginFailed,
        CtiError::Timeout,
    ])
}

fn status(input: &mut Input<'_>) -> DeviceStatus {
    let activity = input.pick([Activity::Idle, Activity::Active, Activity::Unknown(9)]);
    DeviceStatus { activity, do_not_disturb: input.below(2) == 1 }
}

fn call(input: &mut Input<'_>) -> CallInfo {
    CallInfo {
        call: CallId(u64::from(input.below(4))),
        state: input.pick([
            CallState::Ringing,
            CallState::Connected,
            CallState::Idle,
            CallState::Unknown(99),
        ]),
        cause: Cause(u16::from(input.byte())),
        called: (input.below(2) == 1).then(|| number(input)),
        peer: None,
    }
}

pub(super) fn answer(input: &mut Input<'_>) -> Result<Answer, CtiError> {
    match input.below(8) {
        0 => Ok(Answer::ProviderOpened {
            version: Version(input.pick([1, 1, 1, 0, 2])),
            heartbeat: Millis(input.pick([30_000, 1000, 1, 0, 3_600_000])),
        }),
        1 => Ok(Answer::DeviceOpened(status(input))),
        2 => {
            let calls = input.below(4);
            Ok(Answer::LineOpened((0..calls).map(|_| call(input)).collect()))
        }
        3 => Ok(Answer::CallMade(CallId(u64::from(input.byte())))),
        4 | 5 => Ok(Answer::Done),
        _ => Err(error(input)),
    }
}

pub(super) fn event(input: &mut Input<'_>) -> Event {
    match input.below(9) {
        0 | 1 => Event::DeviceInService(device(input)),
        2 => Event::DeviceOutOfService(device(input)),
        3 => Event::DeviceStatus { device: device(input), status: status(input) },
        4 => Event::DeviceUserChanged(device(input)),
        5 => Event::Call { at: line(input), info: call(input) },
        6 => Event::FeatureInvoked(FeatureInvocation {
            invocation: InvocationId(u64::from(input.below(4))),
            feature: input.pick([Feature::CallBack, Feature::Unknown(9)]),
            from: line(input),
            call: None,
            state: CallState::Idle,
            cause: Cause::NONE,
            called: None,
        }),
        7 => Event::DeviceData {
            device: device(input),
            content: String::from_utf8_lossy(input.bytes()).into_owned(),
        },
        _ => Event::ProviderClosed(error(input)),
    }
}

pub(super) fn request(input: &mut Input<'_>) -> Request {
    match input.below(12) {
        0 | 1 => Request::ProviderOpen(ProviderOpen {
            versions: input.pick([
                (Version(1), Version(1)),
                (Version(1), Version(9)),
                (Version(2), Version(3)),
                (Version(3), Version(1)),
            ]),
            user: "user".to_owned(),
            password: "secret".into(),
            application: "CallBack".to_owned(),
            group: Group::default(),
            epoch: Epoch(u64::from(input.below(3))),
            heartbeat: Millis(input.span()),
        }),
        2 => Request::ProviderClose,
        3 => Request::Assume(Epoch(u64::from(input.below(3)))),
        4 => Request::FeatureRegister(Feature::CallBack),
        5 => Request::FeatureAnswer {
            invocation: InvocationId(u64::from(input.below(4))),
            accepted: input.below(2) == 1,
        },
        6 => Request::DeviceOpen(device(input)),
        7 => Request::DeviceClose(device(input)),
        8 => Request::LineOpen(line(input)),
        9 => Request::LineClose(line(input)),
        10 => Request::MakeCall { from: line(input), to: number(input), override_forwarding: true },
        _ => Request::DeviceData {
            device: device(input),
            id: None,
            content: String::from_utf8_lossy(input.bytes()).into_owned(),
        },
    }
}

pub(super) fn heartbeat(input: &mut Input<'_>) -> Message {
    Message::Heartbeat(Millis(input.span()))
}

pub(super) fn unknown(input: &mut Input<'_>) -> Message {
    let kind = input.pick([0x7000, 0x01f0, 0x02f0, 0x03f0]);
    Message::Unknown { kind, body: Bytes::copy_from_slice(input.bytes()) }
}

/// Appends a frame.
pub(super) fn put(version: u16, sequence: u32, message: &Message, out: &mut BytesMut) {
    let written = encode(Version(version), sequence, message, out);
    assert_eq!(written, Ok(()), "{message:?}");
}
