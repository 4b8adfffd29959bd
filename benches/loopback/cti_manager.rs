//! A CTIManager that does as little as it can: it is not what is measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringback_cti::codec::{self, Frame, Message};
use ringback_cti::message::{
    Activity, Answer, CallInfo, CallState, Cause, DeviceStatus, Event, Request, Version,
};
use ringback_model::{CallId, Millis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::PENDING;
use crate::service::called;

/// The bytes of the event.
pub(crate) const EVENT: usize = 38;

/// The bytes of a notification, until one has been seen.
const LIKELY: usize = 900;

const VERSION: Version = Version(1);

pub(crate) struct CtiManager {
    listener: TcpListener,
    stream: Option<TcpStream>,
    input: BytesMut,
    output: BytesMut,
    /// The bytes of the last notification.
    notification: usize,
    /// When something was last read.
    read_at: Instant,
}

/// What came.
enum Came {
    Opened,
    Screen,
    Alert,
    Other,
}

fn call(number: usize, state: CallState) -> CallInfo {
    CallInfo { call: CallId(number as u64 + 1), state, cause: Cause::NORMAL, called: None, peer: None }
}

impl CtiManager {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (input, output) = (BytesMut::with_capacity(64 * 1024), BytesMut::new());
        Self { listener, stream: None, input, output, notification: LIKELY, read_at: Instant::now() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// How long the last notification was.
    pub(crate) fn notification(&self) -> usize {
        self.notification
    }

    /// Serves until the phones and lines of all callers and called are open.
    pub(crate) async fn serve_start(&mut self) {
        let (stream, _) = self.listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        self.stream = Some(stream);
        let mut opened = 0;
        while opened < 4 * PENDING {
            opened += self.read().await.iter().filter(|came| matches!(came, Came::Opened)).count();
        }
    }

    /// B hangs up: how long until screen and alert are here.
    pub(crate) async fn hang_up(&mut self, number: usize) -> Duration {
        let info = call(number, CallState::Idle);
        let event = Message::Event(Event::Call { at: called(number), info });
        codec::encode(VERSION, 0, &event, &mut self.output).unwrap();
        assert_eq!(self.output.len() / 10, EVENT / 10);
        let begun = Instant::now();
        self.stream.as_mut().unwrap().write_all_buf(&mut self.output).await.unwrap();
        self.notification = 0;
        loop {
            if self.read().await.iter().any(|came| matches!(came, Came::Alert)) {
                return self.read_at - begun;
            }
        }
    }

    /// B is busy again: A is told so, and waits as before.
    pub(crate) async fn take_up(&mut self, number: usize) {
        let notification = self.notification;
        let info = call(number, CallState::Connected);
        let event = Message::Event(Event::Call { at: called(number), info });
        codec::encode(VERSION, 0, &event, &mut self.output).unwrap();
        self.stream.as_mut().unwrap().write_all_buf(&mut self.output).await.unwrap();
        while !self.read().await.iter().any(|came| matches!(came, Came::Screen)) {}
        self.notification = notification;
    }

    /// Reads what is there, and answers it.
    async fn read(&mut self) -> Vec<Came> {
        let stream = self.stream.as_mut().unwrap();
        let read = stream.read_buf(&mut self.input).await.unwrap();
        self.read_at = Instant::now();
        assert!(read > 0, "the service has closed the connection");
        let mut all = Vec::new();
        let mut before = self.input.len();
        while let Some(frame) = codec::decode(&mut self.input).unwrap() {
            let came = self.answer(frame);
            if matches!(came, Came::Screen | Came::Alert) {
                self.notification += before - self.input.len();
            }
            before = self.input.len();
            all.push(came);
        }
        if !self.output.is_empty() {
            self.stream.as_mut().unwrap().write_all_buf(&mut self.output).await.unwrap();
        }
        all
    }

    fn answer(&mut self, frame: Frame) -> Came {
        let Message::Request(request) = frame.message else { return Came::Other };
        let idle = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };
        let (answer, came) = match request {
            Request::ProviderOpen(_) => {
                (Answer::ProviderOpened { version: VERSION, heartbeat: Millis::from_mins(60) }, Came::Other)
            }
            Request::DeviceOpen(_) => (Answer::DeviceOpened(idle), Came::Opened),
            Request::LineOpen(at) => {
                let number: usize = at.line.dn.as_str().parse().unwrap();
                let calls = match number.checked_sub(200_000) {
                    Some(number) => vec![call(number, CallState::Connected)],
                    None => Vec::new(),
                };
                (Answer::LineOpened(calls), Came::Opened)
            }
            Request::DeviceData { id: Some(_), .. } => (Answer::Done, Came::Alert),
            Request::DeviceData { .. } => (Answer::Done, Came::Screen),
            _ => (Answer::Done, Came::Other),
        };
        let answer = Message::Answer(Ok(answer));
        codec::encode(VERSION, frame.sequence, &answer, &mut self.output).unwrap();
        came
    }
}
