//! Served links, met by hand-made frames.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use bytes::BytesMut;
use ringback_cti::codec::{self, Frame, Message};
use ringback_cti::message::{Answer, CtiError, Event, ProviderOpen, Request, Version};
use ringback_cti::server::ServerLoss;
use ringback_cti_net::{ServeError, ServerConfig, serve_connection};
use ringback_model::{Epoch, Group, Millis};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

struct Peer {
    stream: DuplexStream,
    input: BytesMut,
    served: JoinHandle<Result<(), ServeError>>,
    server: Arc<Answering>,
}

impl Peer {
    fn new(config: ServerConfig) -> Self {
        let (stream, far) = tokio::io::duplex(1024);
        let server = Arc::<Answering>::default();
        let served = tokio::spawn(serve_connection(far, Arc::clone(&server) as _, config));
        Self { stream, input: BytesMut::new(), served, server }
    }

    async fn open(config: ServerConfig) -> Self {
        let mut peer = Self::new(config);
        peer.ask(1, Request::ProviderOpen(open((1, 9)))).await;
        let opened = Answer::ProviderOpened { version: Version(1), heartbeat: Millis(30_000) };
        assert_eq!(peer.answer().await, (1, Ok(opened)));
        peer
    }

    async fn ask(&mut self, sequence: u32, request: Request) {
        let mut out = BytesMut::new();
        codec::encode(Version(1), sequence, &Message::Request(request), &mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
    }

    /// The next frame; `None`: the connection has been closed.
    async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = codec::decode(&mut self.input).unwrap() {
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return None;
            }
        }
    }

    async fn answer(&mut self) -> (u32, Result<Answer, CtiError>) {
        let frame = self.frame().await.unwrap();
        match frame.message {
            Message::Answer(result) => (frame.sequence, result),
            other => panic!("{other:?}"),
        }
    }

    async fn told_closed(&mut self) -> CtiError {
        let told = match self.frame().await.unwrap().message {
            Message::Event(Event::ProviderClosed(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert!(self.frame().await.is_none());
        told
    }
}

fn open(versions: (u16, u16)) -> ProviderOpen {
    ProviderOpen {
        versions: (Version(versions.0), Version(versions.1)),
        user: "user".into(),
        password: "secret".into(),
        application: "test".into(),
        group: Group::default(),
        epoch: Epoch(1),
        heartbeat: Millis(30_000),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_passes_before_provider_open() {
    let mut peer = Peer::new(ServerConfig::default());
    peer.ask(5, Request::DeviceOpen(device("PHONE"))).await;
    assert_eq!(peer.answer().await, (5, Err(CtiError::ProviderNotOpen)));
    assert!(peer.server.seen().is_empty());
    let begun = tokio::time::Instant::now();
    assert!(peer.frame().await.is_none());
    assert_eq!(begun.elapsed().as_secs(), 30);
    let error = peer.served.await.unwrap().unwrap_err();
    assert!(matches!(error, ServeError::Session(ServerLoss::OpenTimeout)));
    assert!(peer.server.closed.lock().unwrap().is_empty(), "the server never knew of it");
}

#[tokio::test(start_paused = true)]
async fn versions_without_a_common_one_are_refused() {
    let mut peer = Peer::new(ServerConfig::default());
    peer.ask(1, Request::ProviderOpen(open((2, 9)))).await;
    assert_eq!(peer.answer().await, (1, Err(CtiError::IncompatibleProtocolVersion)));
    assert!(peer.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_second_open_is_refused_and_closing_is_orderly() {
    let mut peer = Peer::open(ServerConfig::default()).await;
    peer.ask(2, Request::ProviderOpen(open((1, 1)))).await;
    assert_eq!(peer.answer().await, (2, Err(CtiError::ProviderAlreadyOpen)));
    peer.ask(3, Request::ProviderClose).await;
    assert_eq!(peer.answer().await, (3, Ok(Answer::Done)));
    assert!(peer.frame().await.is_none());
    peer.served.await.unwrap().unwrap();
    assert_eq!(peer.server.closed.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn answers_and_events_keep_their_order() {
    let mut peer = Peer::open(ServerConfig::default()).await;
    peer.server.mute.store(true, std::sync::atomic::Ordering::Relaxed);
    peer.ask(2, Request::DeviceOpen(device("PHONE"))).await;
    peer.ask(3, Request::DeviceOpen(device("OTHER"))).await;
    while peer.server.kept.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let link = peer.server.link();
    let mut kept = std::mem::take(&mut *peer.server.kept.lock().unwrap());
    link.send(in_service("A"));
    kept.pop().unwrap().send(Ok(Answer::Done));
    link.send(in_service("B"));
    drop(kept);
    let mut order = Vec::new();
    for _ in 0..4 {
        let frame = peer.frame().await.unwrap();
        order.push(match frame.message {
            Message::Event(Event::DeviceInService(device)) => device.as_str().to_owned(),
            Message::Answer(result) => format!("{} {result:?}", frame.sequence),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(order, ["A", "3 Ok(Done)", "B", "2 Err(Timeout)"], "a dropped reply refuses");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_sent_and_silence_is_noticed() {
    let mut peer = Peer::open(ServerConfig::default()).await;
    let begun = tokio::time::Instant::now();
    assert!(matches!(peer.frame().await.unwrap().message, Message::Heartbeat(Millis(30_000))));
    assert_eq!(begun.elapsed().as_secs(), 30);
    assert!(peer.frame().await.is_none(), "no message for twice the interval");
    assert_eq!(begun.elapsed().as_secs(), 60);
    let error = peer.served.await.unwrap().unwrap_err();
    assert!(matches!(error, ServeError::Session(ServerLoss::Silent)));
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_read_is_disconnected() {
    let mut peer = Peer::open(ServerConfig { queue: 100, ..ServerConfig::default() }).await;
    let link = peer.server.link();
    // What the pipe and the encoded buffer hold, and then the queue.
    for _ in 0..1_000 {
        (0..50).for_each(|_| link.send(in_service("PHONE")));
        tokio::task::yield_now().await;
    }
    assert!(peer.served.is_finished());
    let error = (&mut peer.served).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "application too slow: more than 100 answers and events wait for it");
    assert_eq!(peer.server.closed.lock().unwrap().len(), 1);
    link.send(in_service("PHONE"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_protocol_is_named_and_ends_the_link() {
    for (bytes, told) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], CtiError::MessageTooBig),
        (&[0, 1, 0, 1, 0, 1, 1, 6], CtiError::MessageTooBig),
        (&[0, 0, 0, 3], CtiError::UnrecognizablePdu),
        (&[0, 0, 0, 13, 0, 1, 1, 6, 0, 0, 0, 2, 9], CtiError::UnrecognizablePdu),
        (&[0, 0, 0, 12, 0, 1, 2, 5, 0, 0, 0, 2], CtiError::UnrecognizablePdu),
        (&[0, 0, 0, 12, 0, 2, 1, 2, 0, 0, 0, 2], CtiError::UnrecognizablePdu),
    ] {
        let mut peer = Peer::open(ServerConfig::default()).await;
        peer.stream.write_all(bytes).await.unwrap();
        assert_eq!(peer.told_closed().await, told, "{bytes:?}");
        assert_eq!(peer.server.closed.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_request_is_refused_and_the_link_lives() {
    let mut peer = Peer::open(ServerConfig::default()).await;
    peer.stream.write_all(&[0, 0, 0, 12, 0, 1, 1, 0x77, 0, 0, 0, 2]).await.unwrap();
    assert_eq!(peer.answer().await, (2, Err(CtiError::NotSupported)));
    peer.ask(3, Request::DeviceOpen(device("PHONE"))).await;
    assert_eq!(peer.answer().await, (3, Ok(Answer::DeviceOpened(IDLE))));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_task_tells_the_server_once() {
    let peer = Peer::open(ServerConfig::default()).await;
    peer.served.abort();
    assert!(peer.served.await.unwrap_err().is_cancelled());
    assert_eq!(peer.server.closed.lock().unwrap().len(), 1);
}
