//! The same messages for `prost`: the same fields with the same values, framed by their length.

use bytes::{Buf, BytesMut};
use prost::Message as _;
use ringback_cti::codec;
use ringback_cti::message::{Answer, CallInfo, Event, Request};
use ringback_model::{Appearance, DirectoryNumber};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Frame {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    sequence: u32,
    #[prost(oneof = "Message", tags = "3, 4, 5, 6, 7, 8, 9")]
    message: Option<Message>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Message {
    #[prost(uint64, tag = "3")]
    Heartbeat(u64),
    #[prost(message, tag = "4")]
    Call(CallEvent),
    #[prost(string, tag = "5")]
    DeviceInService(String),
    #[prost(message, tag = "6")]
    LineOpen(Place),
    #[prost(message, tag = "7")]
    DeviceData(Data),
    #[prost(message, tag = "8")]
    LineOpened(Calls),
    #[prost(message, tag = "9")]
    Done(()),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Place {
    #[prost(string, tag = "1")]
    device: String,
    #[prost(string, tag = "2")]
    partition: String,
    #[prost(string, tag = "3")]
    number: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Call {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(enumeration = "State", tag = "2")]
    state: i32,
    #[prost(uint32, tag = "3")]
    cause: u32,
    #[prost(string, optional, tag = "4")]
    called: Option<String>,
    #[prost(string, optional, tag = "5")]
    peer: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CallEvent {
    #[prost(message, required, tag = "1")]
    at: Place,
    #[prost(message, required, tag = "2")]
    call: Call,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Calls {
    #[prost(message, repeated, tag = "1")]
    calls: Vec<Call>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Data {
    #[prost(string, tag = "1")]
    device: String,
    #[prost(message, optional, tag = "2")]
    id: Option<DataId>,
    #[prost(string, tag = "3")]
    content: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct DataId {
    #[prost(fixed64, tag = "1")]
    high: u64,
    #[prost(fixed64, tag = "2")]
    low: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum State {
    Idle = 0,
    Offering = 1,
    Ringing = 2,
    DialTone = 3,
    Dialing = 4,
    Proceeding = 5,
    Ringback = 6,
    Connected = 7,
    OnHold = 8,
    Busy = 9,
    Disconnected = 10,
}

/// The same as ours; `None` for a message that is not compared.
pub(crate) fn same(ours: &codec::Frame) -> Option<Frame> {
    let message = match &ours.message {
        codec::Message::Heartbeat(interval) => Message::Heartbeat(interval.0),
        codec::Message::Event(Event::Call { at, info }) => {
            Message::Call(CallEvent { at: place(at), call: call(info) })
        }
        codec::Message::Event(Event::DeviceInService(device)) => {
            Message::DeviceInService(device.as_str().to_owned())
        }
        codec::Message::Request(Request::LineOpen(at)) => Message::LineOpen(place(at)),
        codec::Message::Request(Request::DeviceData { device, id, content }) => Message::DeviceData(Data {
            device: device.as_str().to_owned(),
            id: id.map(|id| DataId { high: (id.0 >> 64) as u64, low: id.0 as u64 }),
            content: content.clone(),
        }),
        codec::Message::Answer(Ok(Answer::LineOpened(calls))) => {
            Message::LineOpened(Calls { calls: calls.iter().map(call).collect() })
        }
        codec::Message::Answer(Ok(Answer::Done)) => Message::Done(()),
        _ => return None,
    };
    Some(Frame { version: ours.version.0.into(), sequence: ours.sequence, message: Some(message) })
}

fn place(at: &Appearance) -> Place {
    Place {
        device: at.device.as_str().to_owned(),
        partition: at.line.partition.as_str().to_owned(),
        number: at.line.dn.as_str().to_owned(),
    }
}

fn call(info: &CallInfo) -> Call {
    let number = |dn: &Option<DirectoryNumber>| dn.as_ref().map(|dn| dn.as_str().to_owned());
    Call {
        id: info.call.0,
        state: State::Connected.into(),
        cause: info.cause.0.into(),
        called: number(&info.called),
        peer: number(&info.peer),
    }
}

/// Appends one frame.
pub(crate) fn encode(frame: &Frame, out: &mut BytesMut) -> Option<()> {
    frame.encode_length_delimited(out).ok()
}

/// Takes the next whole frame, as a receiver must who does not know where one ends.
pub(crate) fn decode(input: &mut BytesMut) -> Option<Frame> {
    if input.is_empty() {
        return None;
    }
    let mut rest: &[u8] = input;
    let len = prost::decode_length_delimiter(&mut rest).ok()?;
    let body = rest.get(..len)?;
    let frame = Frame::decode(body).ok()?;
    let taken = input.len() - rest.len() + len;
    input.advance(taken);
    Some(frame)
}
