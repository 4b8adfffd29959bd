use bytes::BytesMut;
use proptest::prelude::*;
use ringback_model::{DeviceName, Millis, Timestamp};

use super::*;
use crate::codec::Message;
use crate::message::{Answer, Event};

const NOW: Timestamp = Timestamp(5_000);

fn heard(session: &mut ServerSession, now: Timestamp, message: &Message) {
    let mut input = BytesMut::new();
    codec::encode(Version(1), 4, message, &mut input).unwrap();
    session.received(now, &mut input);
}

fn sent(session: &mut ServerSession) -> Vec<String> {
    let mut out = session.transmit().split();
    std::iter::from_fn(|| codec::decode(&mut out).unwrap())
        .map(|frame| format!("{} {:?}", frame.sequence, frame.message))
        .collect()
}

fn open(heartbeat: u64) -> Message {
    Message::Request(Request::ProviderOpen(ProviderOpen {
        versions: codec::VERSIONS,
        user: "user".into(),
        password: "secret".into(),
        application: "test".into(),
        group: ringback_model::Group::default(),
        epoch: ringback_model::Epoch(0),
        heartbeat: Millis(heartbeat),
    }))
}

fn opened(heartbeat: u64) -> ServerSession {
    let mut session = ServerSession::new(NOW, ServerParameters::default());
    heard(&mut session, NOW, &open(heartbeat));
    assert!(matches!(
        session.poll_output(),
        Some(ServerOutput::Open { sequence: 4, version: Version(1), .. })
    ));
    session.event(NOW, Event::DeviceInService(DeviceName::new("P").unwrap())).unwrap();
    assert_eq!(sent(&mut session), [""; 0], "no event before the answer");
    let answer = Answer::ProviderOpened { version: Version(0), heartbeat: Millis(heartbeat) };
    session.answer(NOW, 4, Ok(answer));
    session
}

#[test]
fn the_interval_is_kept_within_bounds_and_follows_the_wish() {
    let mut session = opened(5);
    let answer = "4 Answer(Ok(ProviderOpened { version: Version(1), heartbeat: Millis(1000) }))";
    assert_eq!(sent(&mut session), [answer]);
    assert_eq!(session.next_timeout(), Some(NOW + Millis(1000)));
    heard(&mut session, NOW, &Message::Heartbeat(Millis(1000)));
    assert_eq!(sent(&mut session), [""; 0]);
    heard(&mut session, NOW, &Message::Heartbeat(Millis(4000)));
    assert_eq!(sent(&mut session), ["0 Heartbeat(Millis(4000))"]);
    session.handle_timeout(NOW + Millis(4000));
    assert_eq!(sent(&mut session), ["0 Heartbeat(Millis(4000))"]);
    session.handle_timeout(NOW + Millis(8000));
    assert!(matches!(session.poll_output(), Some(ServerOutput::Disconnect(ServerLoss::Silent))));
    assert_eq!(session.next_timeout(), None);
}

#[test]
fn an_answer_that_cannot_be_carried_becomes_a_refusal() {
    let mut session = opened(30_000);
    sent(&mut session);
    let info = crate::message::CallInfo {
        call: ringback_model::CallId(1),
        state: crate::message::CallState::Ringing,
        cause: crate::message::Cause::NONE,
        called: None,
        peer: None,
    };
    session.answer(NOW, 9, Ok(Answer::LineOpened(vec![info; 300])));
    assert_eq!(sent(&mut session), ["9 Answer(Err(MessageTooBig))"]);
}

#[test]
fn an_ended_link_says_no_more() {
    let mut session = opened(30_000);
    session.close(CtiError::EpochSuperseded);
    session.close(CtiError::ProviderClosed);
    session.answer(NOW, 9, Ok(Answer::Done));
    heard(&mut session, NOW, &Message::Request(Request::ProviderClose));
    assert_eq!(sent(&mut session).len(), 2, "the answer to open, and the end");
    assert!(matches!(
        session.poll_output(),
        Some(ServerOutput::Disconnect(ServerLoss::ClosedByUs(CtiError::EpochSuperseded)))
    ));
    assert!(session.poll_output().is_none());
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_and_end_the_link_once(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
        is_open in any::<bool>(),
    ) {
        let mut session = if is_open {
            opened(30_000)
        } else {
            ServerSession::new(NOW, ServerParameters::default())
        };
        let mut input = BytesMut::new();
        let mut ends = 0;
        for chunk in chunks {
            input.extend_from_slice(&chunk);
            session.received(NOW, &mut input);
            ends += std::iter::from_fn(|| session.poll_output())
                .filter(|output| matches!(output, ServerOutput::Disconnect(_)))
                .count();
        }
        prop_assert!(ends <= 1);
    }
}
