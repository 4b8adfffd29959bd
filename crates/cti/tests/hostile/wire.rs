//! What goes over the wire, made from small numbers.

use bytes::BytesMut;
use ringback_cti::codec::{Message, encode};
use ringback_cti::message::{
    Activity, Answer, CallInfo, CallState, Cause, CtiError, DeviceStatus, Event, Feature, FeatureInvocation,
    InvocationId, Request, Version,
};
use ringback_model::{Appearance, CallId, DeviceName, DirectoryNumber, LineId, Millis, Partition};

use crate::act::{Reply, Told, Welcome, Which};

pub(crate) const IDLE: DeviceStatus = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };

pub(crate) fn device(which: u8) -> DeviceName {
    DeviceName::new(["P", "Q", "R"][usize::from(which)]).unwrap()
}

pub(crate) fn number(which: u8) -> DirectoryNumber {
    DirectoryNumber::new(["1001", "1002"][usize::from(which)]).unwrap()
}

pub(crate) fn line((device_at, line): Which) -> Appearance {
    Appearance { device: device(device_at), line: LineId::new(Partition::default(), number(line)) }
}

pub(crate) fn frame(version: u16, sequence: u32, message: &Message) -> BytesMut {
    let mut out = BytesMut::new();
    encode(Version(version), sequence, message, &mut out).unwrap();
    out
}

pub(crate) fn event(told: Told) -> Event {
    match told {
        Told::InService(which) => Event::DeviceInService(device(which)),
        Told::OutOfService(which) => Event::DeviceOutOfService(device(which)),
        Told::Status(which, do_not_disturb) => {
            Event::DeviceStatus { device: device(which), status: DeviceStatus { do_not_disturb, ..IDLE } }
        }
        Told::UserChanged(which) => Event::DeviceUserChanged(device(which)),
        Told::Call(which, call) => Event::Call { at: line(which), info: info(call) },
        Told::Data(which) => Event::DeviceData { device: device(which), content: "Dial:ringback:1-1".into() },
        Told::FeatureInvoked(number) => Event::FeatureInvoked(FeatureInvocation {
            invocation: InvocationId(number.into()),
            feature: Feature::CallBack,
            from: line((0, 0)),
            call: None,
            state: CallState::Idle,
            cause: Cause::NONE,
            called: None,
        }),
        Told::ProviderClosed => Event::ProviderClosed(CtiError::ProviderClosed),
    }
}

fn info(call: u8) -> CallInfo {
    let state = [CallState::Ringing, CallState::Connected, CallState::Idle, CallState::Unknown(200)];
    CallInfo {
        call: CallId(u64::from(call) % 2),
        state: state[usize::from(call)],
        cause: Cause::NONE,
        called: None,
        peer: None,
    }
}

pub(crate) fn welcome(how: Welcome) -> Result<Answer, CtiError> {
    let opened = |version, interval| {
        Ok(Answer::ProviderOpened { version: Version(version), heartbeat: Millis(u64::from(interval)) })
    };
    match how {
        Welcome::Well(interval) => opened(1, interval),
        Welcome::Version(version) => opened(version, 30_000),
        Welcome::IntervalOfZero => opened(1, 0),
        Welcome::Refused => Err(CtiError::LoginFailed),
        Welcome::Wrong => Ok(Answer::Done),
        Welcome::OtherNumber => opened(1, 30_000),
    }
}

/// The answer to a request as a CTIManager would give it that has it done.
pub(crate) fn right(request: &Request) -> Answer {
    match request {
        Request::ProviderOpen(_) => Answer::ProviderOpened { version: Version(1), heartbeat: Millis(30_000) },
        Request::DeviceOpen(_) => Answer::DeviceOpened(IDLE),
        Request::LineOpen(_) => Answer::LineOpened(Vec::new()),
        Request::MakeCall { .. } => Answer::CallMade(CallId(7)),
        _ => Answer::Done,
    }
}

pub(crate) fn reply(request: &Request, how: Reply) -> Result<Answer, CtiError> {
    match how {
        Reply::Right => Ok(right(request)),
        Reply::Refused(which) => Err([
            CtiError::DeviceOutOfService,
            CtiError::DeviceAlreadyOpen,
            CtiError::LineAlreadyOpen,
            CtiError::DeviceNotOpen,
            CtiError::UndefinedLine,
            CtiError::EpochSuperseded,
            CtiError::Timeout,
            CtiError::Unknown(0x7777),
        ][usize::from(which)]),
        Reply::Wrong(which) => Ok([
            Answer::Done,
            Answer::CallMade(CallId(1)),
            Answer::DeviceOpened(IDLE),
            Answer::LineOpened(Vec::new()),
        ][usize::from(which)]
        .clone()),
    }
}
