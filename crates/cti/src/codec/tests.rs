use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;
use ringback_model::{
    Appearance, CallId, DeviceName, DirectoryNumber, Epoch, Group, LineId, Millis, Partition, TextError,
    reveal_personal_data,
};
use secrecy::SecretString;

use super::*;
use crate::message::*;
use crate::provider::DataId;

fn dn(text: &str) -> DirectoryNumber {
    DirectoryNumber::new(text).unwrap()
}

fn device() -> DeviceName {
    DeviceName::new("SEP00112233445566").unwrap()
}

fn at() -> Appearance {
    Appearance { device: device(), line: LineId::new(Partition::new("inside").unwrap(), dn("1002")) }
}

fn call(state: CallState, called: Option<&str>, peer: Option<&str>) -> CallInfo {
    CallInfo { call: CallId(7), state, cause: Cause(17), called: called.map(dn), peer: peer.map(dn) }
}

/// Every message, each enum value at least once.
fn all() -> Vec<Message> {
    let open = ProviderOpen {
        versions: (Version(1), Version(3)),
        user: "ccmuser".into(),
        password: SecretString::from("sécret"),
        application: "CallBack".into(),
        group: Group::new("site-1").unwrap(),
        epoch: Epoch(u64::MAX),
        heartbeat: Millis(30_000),
    };
    let pressed = |call| FeatureInvocation {
        invocation: InvocationId(5),
        feature: Feature::CallBack,
        from: at(),
        call,
        state: CallState::Busy,
        cause: Cause::USER_BUSY,
        called: Some(dn("1003")),
    };
    let status = |activity, do_not_disturb| DeviceStatus { activity, do_not_disturb };
    let mut messages = vec![
        Message::Heartbeat(Millis(1)),
        Message::Request(Request::ProviderOpen(open)),
        Message::Request(Request::ProviderClose),
        Message::Request(Request::Assume(Epoch(3))),
        Message::Request(Request::FeatureRegister(Feature::CallBack)),
        Message::Request(Request::FeatureRegister(Feature::Unknown(9))),
        Message::Request(Request::FeatureAnswer { invocation: InvocationId(1), accepted: true }),
        Message::Request(Request::DeviceOpen(device())),
        Message::Request(Request::DeviceClose(device())),
        Message::Request(Request::LineOpen(at())),
        Message::Request(Request::LineClose(at())),
        Message::Request(Request::MakeCall { from: at(), to: dn("*86#"), override_forwarding: true }),
        Message::Request(Request::DeviceData { device: device(), id: None, content: String::new() }),
        Message::Request(Request::DeviceData {
            device: device(),
            id: Some(DataId(u128::MAX - 1)),
            content: "ü".repeat(1000),
        }),
        Message::Answer(Ok(Answer::ProviderOpened { version: Version(1), heartbeat: Millis(5000) })),
        Message::Answer(Ok(Answer::LineOpened(vec![]))),
        Message::Answer(Ok(Answer::LineOpened(vec![call(CallState::Busy, Some("1"), None); limits::CALLS]))),
        Message::Answer(Ok(Answer::CallMade(CallId(8)))),
        Message::Answer(Ok(Answer::Done)),
        Message::Event(Event::DeviceInService(device())),
        Message::Event(Event::DeviceOutOfService(device())),
        Message::Event(Event::DeviceUserChanged(device())),
        Message::Event(Event::FeatureInvoked(pressed(Some(CallId(7))))),
        Message::Event(Event::FeatureInvoked(pressed(None))),
        Message::Event(Event::DeviceData { device: device(), content: "x".repeat(limits::DATA) }),
        Message::Unknown { kind: 0x7001, body: Bytes::from_static(b"later") },
    ];
    for number in 0..=11 {
        let info = call(value::state(number), (number % 2 == 0).then_some("1"), Some(&"9".repeat(50)));
        messages.push(Message::Event(Event::Call { at: at(), info }));
    }
    for number in 0..=4 {
        let status = status(value::activity(number), number % 2 == 0);
        messages.push(Message::Event(Event::DeviceStatus { device: device(), status }));
        messages.push(Message::Answer(Ok(Answer::DeviceOpened(status))));
    }
    for number in 0..=0x0700 {
        messages.push(Message::Answer(Err(value::error(number))));
    }
    messages.push(Message::Event(Event::ProviderClosed(CtiError::EpochSuperseded)));
    messages
}

fn bytes_of(message: &Message) -> BytesMut {
    let mut out = BytesMut::new();
    encode(Version(1), 77, message, &mut out).unwrap();
    out
}

fn frame(kind: u16, body: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u32(u32::try_from(HEADER + body.len()).unwrap());
    out.put_u16(1);
    out.put_u16(kind);
    out.put_u32(3);
    out.put_slice(body);
    out
}

fn rejected(mut input: BytesMut) -> DecodeError {
    decode(&mut input).unwrap_err()
}

#[test]
fn every_message_survives_the_wire() {
    reveal_personal_data(true);
    for message in all() {
        let bytes = bytes_of(&message);
        let mut input = bytes.clone();
        let frame = decode(&mut input).unwrap().unwrap();
        assert!(input.is_empty());
        assert_eq!((frame.version, frame.sequence), (Version(1), 77));
        assert_eq!(format!("{:?}", frame.message), format!("{message:?}"));
        assert_eq!(bytes_of(&frame.message), bytes, "{message:?}");
    }
}

#[test]
fn one_byte_at_a_time_gives_the_same_messages() {
    let messages: Vec<_> = all().into_iter().take(60).collect();
    let stream: Vec<u8> = messages.iter().flat_map(|message| bytes_of(message).to_vec()).collect();
    let mut input = BytesMut::new();
    let mut seen = Vec::new();
    for byte in stream {
        input.put_u8(byte);
        while let Some(frame) = decode(&mut input).unwrap() {
            seen.push(bytes_of(&frame.message));
        }
    }
    assert_eq!(seen, messages.iter().map(bytes_of).collect::<Vec<_>>());
    assert!(input.is_empty());
}

#[test]
fn the_documented_layout() {
    let bytes = bytes_of(&Message::Event(Event::Call {
        at: Appearance {
            device: DeviceName::new("P").unwrap(),
            line: LineId::new(Partition::default(), dn("12")),
        },
        info: call(CallState::Busy, Some("3"), None),
    }));
    let expected = [
        &[0, 0, 0, 32, 0, 1, 3, 5, 0, 0, 0, 77][..], // length, version, type, sequence
        &[1, b'P', 0, 2, b'1', b'2'],                // device, partition, number
        &[0, 0, 0, 0, 0, 0, 0, 7, 9, 0, 17],         // call id, state, cause
        &[1, b'3', 0],                               // called, peer
    ];
    assert_eq!(bytes[..], expected.concat()[..]);
}

#[test]
fn every_truncated_body_is_named() {
    for message in all().into_iter().filter(|message| !matches!(message, Message::Unknown { .. })).take(40) {
        let bytes = bytes_of(&message);
        let (kind, body) = (u16::from_be_bytes([bytes[6], bytes[7]]), &bytes[HEADER..]);
        for len in (0..body.len()).step_by(1 + body.len() / 300) {
            assert!(
                matches!(rejected(frame(kind, &body[..len])), DecodeError::Truncated { .. }),
                "{message:?} cut to {len}"
            );
        }
    }
}

#[test]
fn malformed_frames_have_names() {
    let max = limits::FRAME;
    let head = |len: u32| BytesMut::from(&len.to_be_bytes()[..]);
    assert_eq!(rejected(head(65_537)), DecodeError::MessageTooBig { len: 65_537, max });
    let foreign = BytesMut::from(&b"GET / HTTP/1.1\r\n\r\n"[..]);
    assert_eq!(rejected(foreign), DecodeError::MessageTooBig { len: 0x4745_5420, max });
    assert_eq!(rejected(head(0)), DecodeError::FrameTooShort { len: 0 });
    assert_eq!(rejected(head(11)), DecodeError::FrameTooShort { len: 11 });
    let mut nothing = frame(1, &[0; 4]);
    nothing[5] = 0;
    assert_eq!(rejected(nothing), DecodeError::NoVersion);
}

#[test]
fn malformed_bodies_have_names() {
    let cases: [(u16, &[u8], DecodeError); 9] = [
        (0x0106, &[129], DecodeError::TextTooLong { field: "device name", len: 129, max: 128 }),
        (0x0106, &[5, b'P'], DecodeError::Truncated { field: "device name" }),
        (0x0106, &[1, 0xff], DecodeError::NotUtf8 { field: "device name" }),
        (
            0x0106,
            &[0],
            DecodeError::InvalidText {
                field: "device name",
                why: TextError::Empty { what: "a device name", max: 128 },
            },
        ),
        (
            0x0106,
            &[1, 7],
            DecodeError::InvalidText {
                field: "device name",
                why: TextError::Character { what: "a device name", found: '\u{7}' },
            },
        ),
        (0x0105, &[0, 0, 0, 0, 0, 0, 0, 1, 2], DecodeError::InvalidFlag { field: "acceptance", value: 2 }),
        (0x0203, &[1, 1], DecodeError::ListTooLong { field: "calls", len: 257, max: 256 }),
        (0x0203, &[1, 0, 0], DecodeError::Truncated { field: "calls" }),
        (
            0x0307,
            &[1, b'P', 0x80, 1],
            DecodeError::TextTooLong { field: "data", len: 0x8001, max: limits::DATA },
        ),
    ];
    for (kind, body, error) in cases {
        assert_eq!(rejected(frame(kind, body)), error);
    }
}

#[test]
fn appended_fields_are_skipped() {
    let mut input = frame(0x0103, &[0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3]);
    input.extend_from_slice(&bytes_of(&Message::Answer(Ok(Answer::Done))));
    let first = decode(&mut input).unwrap().unwrap();
    assert!(matches!(first.message, Message::Request(Request::Assume(Epoch(5)))));
    let second = decode(&mut input).unwrap().unwrap();
    assert!(matches!(second.message, Message::Answer(Ok(Answer::Done))));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut out = BytesMut::from(&b"before"[..]);
    let mut refuse = |message: Message| {
        let error = encode(Version(1), 1, &message, &mut out).unwrap_err();
        assert_eq!(out, &b"before"[..]);
        error
    };
    let content = "x".repeat(limits::DATA + 1);
    let data = Message::Request(Request::DeviceData { device: device(), id: None, content });
    assert_eq!(
        refuse(data),
        EncodeError::TooLong { field: "data", len: limits::DATA + 1, max: limits::DATA }
    );
    let calls = vec![call(CallState::Busy, None, None); 257];
    assert_eq!(
        refuse(Message::Answer(Ok(Answer::LineOpened(calls)))),
        EncodeError::TooLong { field: "calls", len: 257, max: 256 }
    );
    let body = Bytes::from(vec![0; limits::FRAME]);
    assert_eq!(
        refuse(Message::Unknown { kind: 0x7000, body }),
        EncodeError::TooLong { field: "the message", len: limits::FRAME + HEADER, max: limits::FRAME }
    );
}

fn kinds() -> impl Strategy<Value = u16> {
    prop_oneof![
        Just(1_u16),
        0x0101_u16..0x010d,
        0x0201_u16..0x0207,
        Just(0x02ff_u16),
        0x0301_u16..0x030a,
        any::<u16>()
    ]
}

proptest! {
    #[test]
    fn decode_encode_decode_is_decode(kind in kinds(), body in proptest::collection::vec(0_u8..12, 0..80)) {
        reveal_personal_data(true);
        if let Ok(Some(first)) = decode(&mut frame(kind, &body)) {
            let again = bytes_of(&first.message);
            let second = decode(&mut again.clone()).unwrap().unwrap();
            prop_assert_eq!(format!("{:?}", first.message), format!("{:?}", second.message));
            prop_assert_eq!(bytes_of(&second.message), again);
        }
    }

    #[test]
    fn a_damaged_message_never_panics(
        which in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let all = all();
        let mut bytes = bytes_of(&all[which.index(all.len().min(60))]);
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let mut input = bytes;
        if let Ok(Some(frame)) = decode(&mut input) {
            let again = bytes_of(&frame.message);
            prop_assert_eq!(bytes_of(&decode(&mut again.clone()).unwrap().unwrap().message), again);
        }
    }
}
