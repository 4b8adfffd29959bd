//! A CTIManager that writes without end: the client still sends, hears of changes, and lets others have their turn.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::BytesMut;
use ringback_cti::codec::{self, Message};
use ringback_cti::message::{Answer, Request, Version};
use ringback_cti::{Command, CtiProvider, LinkLoss, ProviderEvent, Tag};
use ringback_cti_net::{ClientProvider, Connector, Manager, Stream};
use ringback_model::{Epoch, Millis};
use support::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the CTIManager does, and what it saw.
struct State {
    /// So many heartbeats are still there to be read.
    left: usize,
    /// Whether it reads what comes after provider open.
    reads: bool,
    opened: bool,
    waiting: BytesMut,
    received: BytesMut,
    /// Each request, and how many heartbeats were left when it came.
    seen: Vec<(&'static str, usize)>,
}

#[derive(Clone)]
struct Flood(Arc<Mutex<State>>);

impl Flood {
    fn of(left: usize, reads: bool) -> Self {
        let (waiting, received) = (BytesMut::new(), BytesMut::new());
        Self(Arc::new(Mutex::new(State { left, reads, opened: false, waiting, received, seen: vec![] })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn provider(&self) -> ClientProvider {
        let mut provider = ClientProvider::new(config(&["a"]), Arc::new(self.clone())).unwrap();
        provider.submit(Command::Assume(Epoch(1)));
        provider
    }
}

fn written(message: &Message, sequence: u32, to: &mut BytesMut) {
    codec::encode(Version(1), sequence, message, to).unwrap();
}

impl AsyncRead for Flood {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.waiting.is_empty() && state.opened && state.left > 0 {
            state.left -= 1;
            written(&Message::Heartbeat(Millis(30_000)), 0, &mut state.waiting);
        }
        if state.waiting.is_empty() {
            return Poll::Pending;
        }
        into.put_slice(&state.waiting.split());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.state();
        if state.opened && !state.reads {
            return Poll::Pending;
        }
        state.received.extend_from_slice(bytes);
        while let Some(frame) = codec::decode(&mut state.received).unwrap() {
            let Message::Request(request) = frame.message else { continue };
            let (what, answer) = match request {
                Request::ProviderOpen(open) => {
                    state.opened = true;
                    ("open", Answer::ProviderOpened { version: Version(1), heartbeat: open.heartbeat })
                }
                Request::DeviceData { .. } => ("data", Answer::Done),
                _ => ("other", Answer::Done),
            };
            state.seen.push((what, state.left));
            written(&Message::Answer(Ok(answer)), frame.sequence, &mut state.waiting);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Connector for Flood {
    async fn connect(&self, _: &Manager) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.clone()))
    }
}

fn data(tag: u64, len: usize) -> Command {
    Command::SendData { tag: Tag(tag), device: device("PHONE"), id: None, content: "x".repeat(len) }
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_sent_is_sent_between_the_reads() {
    let flood = Flood::of(1000, true);
    let mut provider = flood.provider();
    assert_eq!(provider.next().await, Some(up("a", false)));
    provider.submit(data(1, 10));
    let done = ProviderEvent::Answer { tag: Tag(1), result: Ok(Answer::Done) };
    assert_eq!(during(&mut provider, 10).await, [done]);
    let (what, left) = *flood.state().seen.last().unwrap();
    assert!(what == "data" && left > 900, "{what}, {left} left");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_configuration_is_heard() {
    let flood = Flood::of(1000, true);
    let mut provider = flood.provider();
    assert_eq!(provider.next().await, Some(up("a", false)));
    provider.control().configure(config(&["b"])).unwrap();
    assert_eq!(provider.next().await, Some(lost("a", LinkLoss::Reconfigured)));
    assert!(flood.state().left > 900, "{} left", flood.state().left);
}

#[tokio::test(start_paused = true)]
async fn who_waits_beside_it_has_a_turn() {
    let flood = Flood::of(1000, true);
    let mut provider = flood.provider();
    assert_eq!(provider.next().await, Some(up("a", false)));
    let mut next = pin!(provider.next());
    // As a `select!` whose first branch it is.
    for _ in 0..10 {
        let polled = std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await;
        assert_eq!(polled, Poll::Pending);
    }
    assert!(flood.state().left > 900, "{} left", flood.state().left);
}

#[tokio::test(start_paused = true)]
async fn one_that_reads_nothing_is_given_up() {
    let flood = Flood::of(usize::MAX, false);
    let mut provider = flood.provider();
    assert_eq!(provider.next().await, Some(up("a", false)));
    let reason = (1..100_000).find_map(|tag| {
        provider.submit(data(tag, 1900));
        let mut next = pin!(provider.next());
        match next.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(Some(ProviderEvent::Answer { result: Err(failure), .. })) => {
                Some(failure.to_string())
            }
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => None,
        }
    });
    let expected = "never sent: more than 67108864 bytes wait for the CTIManager, which does not read them: look what \
         keeps it, or the network before it, from reading, or restart it";
    assert_eq!(reason.unwrap(), expected);
}
