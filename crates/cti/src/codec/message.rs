use bytes::Bytes;
use ringback_model::{CallId, Epoch, Group, Millis};
use secrecy::{ExposeSecret, SecretString};

use super::error::{DecodeError, EncodeError};
use super::frame::Frame;
use super::limits;
use super::reader::Reader;
use super::value::{
    LEAST_CALL, appearance, call, data, device, error, error_number, feature, feature_number, invalid,
    invocation, number, put_appearance, put_call, put_data, put_device, put_invocation, put_number,
    put_status, status,
};
use super::writer::Writer;
use crate::message::{Answer, CtiError, Event, InvocationId, ProviderOpen, Request, Version};
use crate::provider::DataId;

/// What a frame says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Message {
    /// The sender is alive. From the application the interval is the one it wishes for; from the CTIManager it is
    /// the one in force from now on.
    Heartbeat(Millis),
    /// A request of the application.
    Request(Request),
    /// The CTIManager's answer to the request of the same sequence number.
    Answer(Result<Answer, CtiError>),
    /// What the CTIManager tells without being asked.
    Event(Event),
    /// A type this version does not know, kept as it came.
    Unknown {
        /// The type.
        kind: u16,
        /// The body.
        body: Bytes,
    },
}

/// The message types.
pub(super) mod kind {
    pub(crate) const HEARTBEAT: u16 = 0x0001;
    pub(crate) const PROVIDER_OPEN: u16 = 0x0101;
    pub(crate) const PROVIDER_CLOSE: u16 = 0x0102;
    pub(crate) const ASSUME: u16 = 0x0103;
    pub(crate) const FEATURE_REGISTER: u16 = 0x0104;
    pub(crate) const FEATURE_ANSWER: u16 = 0x0105;
    pub(crate) const DEVICE_OPEN: u16 = 0x0106;
    pub(crate) const DEVICE_CLOSE: u16 = 0x0107;
    pub(crate) const LINE_OPEN: u16 = 0x0108;
    pub(crate) const LINE_CLOSE: u16 = 0x0109;
    pub(crate) const MAKE_CALL: u16 = 0x010a;
    pub(crate) const DATA_TO_DEVICE: u16 = 0x010b;
    pub(crate) const PROVIDER_OPENED: u16 = 0x0201;
    pub(crate) const DEVICE_OPENED: u16 = 0x0202;
    pub(crate) const LINE_OPENED: u16 = 0x0203;
    pub(crate) const CALL_MADE: u16 = 0x0204;
    pub(crate) const DONE: u16 = 0x0205;
    pub(crate) const REFUSED: u16 = 0x02ff;
    pub(crate) const DEVICE_IN_SERVICE: u16 = 0x0301;
    pub(crate) const DEVICE_OUT_OF_SERVICE: u16 = 0x0302;
    pub(crate) const DEVICE_STATUS: u16 = 0x0303;
    pub(crate) const DEVICE_USER_CHANGED: u16 = 0x0304;
    pub(crate) const CALL: u16 = 0x0305;
    pub(crate) const FEATURE_INVOKED: u16 = 0x0306;
    pub(crate) const DATA_FROM_DEVICE: u16 = 0x0307;
    pub(crate) const PROVIDER_CLOSED: u16 = 0x0308;
}

pub(super) fn kind_of(message: &Message) -> u16 {
    match message {
        Message::Heartbeat(_) => kind::HEARTBEAT,
        Message::Request(request) => match request {
            Request::ProviderOpen(_) => kind::PROVIDER_OPEN,
            Request::ProviderClose => kind::PROVIDER_CLOSE,
            Request::Assume(_) => kind::ASSUME,
            Request::FeatureRegister(_) => kind::FEATURE_REGISTER,
            Request::FeatureAnswer { .. } => kind::FEATURE_ANSWER,
            Request::DeviceOpen(_) => kind::DEVICE_OPEN,
            Request::DeviceClose(_) => kind::DEVICE_CLOSE,
            Request::LineOpen(_) => kind::LINE_OPEN,
            Request::LineClose(_) => kind::LINE_CLOSE,
            Request::MakeCall { .. } => kind::MAKE_CALL,
            Request::DeviceData { .. } => kind::DATA_TO_DEVICE,
        },
        Message::Answer(Ok(answer)) => match answer {
            Answer::ProviderOpened { .. } => kind::PROVIDER_OPENED,
            Answer::DeviceOpened(_) => kind::DEVICE_OPENED,
            Answer::LineOpened(_) => kind::LINE_OPENED,
            Answer::CallMade(_) => kind::CALL_MADE,
            Answer::Done => kind::DONE,
        },
        Message::Answer(Err(_)) => kind::REFUSED,
        Message::Event(event) => match event {
            Event::DeviceInService(_) => kind::DEVICE_IN_SERVICE,
            Event::DeviceOutOfService(_) => kind::DEVICE_OUT_OF_SERVICE,
            Event::DeviceStatus { .. } => kind::DEVICE_STATUS,
            Event::DeviceUserChanged(_) => kind::DEVICE_USER_CHANGED,
            Event::Call { .. } => kind::CALL,
            Event::FeatureInvoked(_) => kind::FEATURE_INVOKED,
            Event::DeviceData { .. } => kind::DATA_FROM_DEVICE,
            Event::ProviderClosed(_) => kind::PROVIDER_CLOSED,
        },
        Message::Unknown { kind, .. } => *kind,
    }
}

/// Reads one message. Each arm makes the whole result, so that a message is put where it belongs at once: moving it
/// would cost more than reading it.
pub(super) fn read(
    version: Version,
    sequence: u32,
    kind: u16,
    body: &[u8],
) -> Result<Option<Frame>, DecodeError> {
    let whole = |message| Ok(Some(Frame { version, sequence, message }));
    let mut reader = Reader::new(body);
    let r = &mut reader;
    match kind {
        kind::HEARTBEAT => whole(Message::Heartbeat(Millis(u64::from(r.u32("heartbeat interval")?)))),
        kind::PROVIDER_OPEN => whole(Message::Request(Request::ProviderOpen(read_open(r)?))),
        kind::PROVIDER_CLOSE => whole(Message::Request(Request::ProviderClose)),
        kind::ASSUME => whole(Message::Request(Request::Assume(Epoch(r.u64("epoch")?)))),
        kind::FEATURE_REGISTER => {
            whole(Message::Request(Request::FeatureRegister(feature(r.u16("feature")?))))
        }
        kind::FEATURE_ANSWER => whole(Message::Request(Request::FeatureAnswer {
            invocation: InvocationId(r.u64("invocation id")?),
            accepted: r.flag("acceptance")?,
        })),
        kind::DEVICE_OPEN => whole(Message::Request(Request::DeviceOpen(device(r)?))),
        kind::DEVICE_CLOSE => whole(Message::Request(Request::DeviceClose(device(r)?))),
        kind::LINE_OPEN => whole(Message::Request(Request::LineOpen(appearance(r)?))),
        kind::LINE_CLOSE => whole(Message::Request(Request::LineClose(appearance(r)?))),
        kind::MAKE_CALL => whole(Message::Request(Request::MakeCall {
            from: appearance(r)?,
            to: number(r, "dialled number")?,
            override_forwarding: r.flag("override of forwarding")?,
        })),
        kind::DATA_TO_DEVICE => whole(Message::Request(Request::DeviceData {
            device: device(r)?,
            id: if r.flag("presence of a data id")? { Some(DataId(r.u128("data id")?)) } else { None },
            content: data(r)?,
        })),
        kind::PROVIDER_OPENED => whole(Message::Answer(Ok(Answer::ProviderOpened {
            version: Version(r.u16("version")?),
            heartbeat: Millis(u64::from(r.u32("heartbeat interval")?)),
        }))),
        kind::DEVICE_OPENED => whole(Message::Answer(Ok(Answer::DeviceOpened(status(r)?)))),
        kind::LINE_OPENED => {
            let count = r.count("calls", limits::CALLS, LEAST_CALL)?;
            let mut calls = Vec::with_capacity(count);
            for _ in 0..count {
                calls.push(call(r)?);
            }
            whole(Message::Answer(Ok(Answer::LineOpened(calls))))
        }
        kind::CALL_MADE => whole(Message::Answer(Ok(Answer::CallMade(CallId(r.u64("call id")?))))),
        kind::DONE => whole(Message::Answer(Ok(Answer::Done))),
        kind::REFUSED => whole(Message::Answer(Err(error(r.u16("error")?)))),
        kind::DEVICE_IN_SERVICE => whole(Message::Event(Event::DeviceInService(device(r)?))),
        kind::DEVICE_OUT_OF_SERVICE => whole(Message::Event(Event::DeviceOutOfService(device(r)?))),
        kind::DEVICE_STATUS => {
            whole(Message::Event(Event::DeviceStatus { device: device(r)?, status: status(r)? }))
        }
        kind::DEVICE_USER_CHANGED => whole(Message::Event(Event::DeviceUserChanged(device(r)?))),
        kind::CALL => whole(Message::Event(Event::Call { at: appearance(r)?, info: call(r)? })),
        kind::FEATURE_INVOKED => whole(Message::Event(Event::FeatureInvoked(invocation(r)?))),
        kind::DATA_FROM_DEVICE => {
            whole(Message::Event(Event::DeviceData { device: device(r)?, content: data(r)? }))
        }
        kind::PROVIDER_CLOSED => whole(Message::Event(Event::ProviderClosed(error(r.u16("error")?)))),
        kind => whole(Message::Unknown { kind, body: Bytes::copy_from_slice(reader.rest()) }),
    }
}

#[inline(always)]
pub(super) fn write(w: &mut Writer<'_>, message: &Message) -> Result<(), EncodeError> {
    match message {
        Message::Heartbeat(interval) => w.u32(wire_interval(*interval)),
        Message::Request(request) => write_request(w, request)?,
        Message::Answer(Ok(answer)) => write_answer(w, answer)?,
        Message::Answer(Err(refusal)) => w.u16(error_number(*refusal)),
        Message::Event(event) => write_event(w, event)?,
        Message::Unknown { body, .. } => w.raw(body),
    }
    Ok(())
}

fn write_request(w: &mut Writer<'_>, request: &Request) -> Result<(), EncodeError> {
    match request {
        Request::ProviderOpen(open) => write_open(w, open)?,
        Request::ProviderClose => {}
        Request::Assume(epoch) => w.u64(epoch.0),
        Request::FeatureRegister(feature) => w.u16(feature_number(*feature)),
        Request::FeatureAnswer { invocation, accepted } => {
            w.u64(invocation.0);
            w.flag(*accepted);
        }
        Request::DeviceOpen(device) | Request::DeviceClose(device) => put_device(w, device)?,
        Request::LineOpen(at) | Request::LineClose(at) => put_appearance(w, at)?,
        Request::MakeCall { from, to, override_forwarding } => {
            put_appearance(w, from)?;
            put_number(w, "dialled number", to)?;
            w.flag(*override_forwarding);
        }
        Request::DeviceData { device, id, content } => {
            put_device(w, device)?;
            w.flag(id.is_some());
            if let Some(id) = id {
                w.u128(id.0);
            }
            put_data(w, content)?;
        }
    }
    Ok(())
}

#[inline(always)]
fn write_answer(w: &mut Writer<'_>, answer: &Answer) -> Result<(), EncodeError> {
    match answer {
        Answer::ProviderOpened { version, heartbeat } => {
            w.u16(version.0);
            w.u32(wire_interval(*heartbeat));
        }
        Answer::DeviceOpened(status) => put_status(w, *status),
        Answer::LineOpened(calls) => {
            w.count("calls", calls.len(), limits::CALLS)?;
            for info in calls {
                put_call(w, info)?;
            }
        }
        Answer::CallMade(call) => w.u64(call.0),
        Answer::Done => {}
    }
    Ok(())
}

#[inline(always)]
fn write_event(w: &mut Writer<'_>, event: &Event) -> Result<(), EncodeError> {
    match event {
        Event::DeviceInService(device)
        | Event::DeviceOutOfService(device)
        | Event::DeviceUserChanged(device) => put_device(w, device)?,
        Event::DeviceStatus { device, status } => {
            put_device(w, device)?;
            put_status(w, *status);
        }
        Event::Call { at, info } => {
            put_appearance(w, at)?;
            put_call(w, info)?;
        }
        Event::FeatureInvoked(pressed) => put_invocation(w, pressed)?,
        Event::DeviceData { device, content } => {
            put_device(w, device)?;
            put_data(w, content)?;
        }
        Event::ProviderClosed(reason) => w.u16(error_number(*reason)),
    }
    Ok(())
}

fn read_open(r: &mut Reader<'_>) -> Result<ProviderOpen, DecodeError> {
    Ok(ProviderOpen {
        versions: (Version(r.u16("oldest version")?), Version(r.u16("newest version")?)),
        epoch: Epoch(r.u64("epoch")?),
        heartbeat: Millis(u64::from(r.u32("heartbeat interval")?)),
        user: r.text("user", limits::USER)?.to_owned(),
        password: SecretString::from(r.text("password", limits::PASSWORD)?),
        application: r.text("application", limits::APPLICATION)?.to_owned(),
        group: Group::new(r.text("group", Group::MAX_LEN)?).map_err(|why| invalid("group", why))?,
    })
}

fn write_open(w: &mut Writer<'_>, open: &ProviderOpen) -> Result<(), EncodeError> {
    w.u16(open.versions.0.0);
    w.u16(open.versions.1.0);
    w.u64(open.epoch.0);
    w.u32(wire_interval(open.heartbeat));
    w.text("user", &open.user, limits::USER)?;
    w.text("password", open.password.expose_secret(), limits::PASSWORD)?;
    w.text("application", &open.application, limits::APPLICATION)?;
    w.text("group", open.group.as_str(), Group::MAX_LEN)
}

/// An interval on the wire: four bytes hold 49 days, which is as good as for ever.
fn wire_interval(interval: Millis) -> u32 {
    u32::try_from(interval.0).unwrap_or(u32::MAX)
}
