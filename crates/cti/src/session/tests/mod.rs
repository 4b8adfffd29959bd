//! A session on a bench: exact outputs, frame by frame.

mod hostile;
mod link;
mod standing;

use bytes::BytesMut;
use ringback_model::{
    Appearance, DeviceName, DirectoryNumber, Epoch, LineId, Millis, Partition, Timestamp,
    reveal_personal_data,
};

use super::{Attempt, Config, Manager, Output, Session};
use crate::codec::{self, Message};
use crate::message::{Activity, Answer, CtiError, DeviceStatus, Event, Request, Version};
use crate::provider::{Command, LinkLoss, ProviderEvent};

const IDLE: DeviceStatus = DeviceStatus { activity: Activity::Idle, do_not_disturb: false };

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

fn line(name: &str) -> Appearance {
    let line = LineId::new(Partition::default(), DirectoryNumber::new("1001").unwrap());
    Appearance { device: device(name), line }
}

fn config(managers: &[&str]) -> Config {
    let managers = managers.iter().map(|name| Manager::new(*name, *name)).collect();
    Config::new(managers, "user", "secret".into())
}

struct Bench {
    now: Timestamp,
    session: Session,
    attempt: Attempt,
}

impl Bench {
    fn new(managers: &[&str]) -> Self {
        reveal_personal_data(true);
        let now = Timestamp(1_000_000);
        let session = Session::new(now, config(managers)).unwrap();
        Self { now, session, attempt: Attempt(0) }
    }

    /// Open at the first CTIManager, acting, with everything before that taken off.
    fn open() -> Self {
        let mut bench = Self::new(&["a", "b"]);
        bench.session.submit(bench.now, Command::Assume(Epoch(1)));
        bench.accept();
        bench.answer(2, Ok(Answer::Done));
        bench.requests();
        bench.events();
        bench
    }

    /// The CTIManager that is being connected to accepts connection and provider.
    fn accept(&mut self) {
        self.events();
        self.session.connected(self.now, self.attempt);
        let opened = Answer::ProviderOpened { version: Version(1), heartbeat: Millis(30_000) };
        self.answer(1, Ok(opened));
    }

    fn pass(&mut self, time: u64) -> Vec<ProviderEvent> {
        let end = self.now + Millis(time);
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.session.handle_timeout(self.now);
            assert!(self.session.next_timeout().is_none_or(|next| next > self.now), "it would spin");
        }
        self.now = end;
        self.events()
    }

    fn outputs(&mut self) -> Vec<Output> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.session.poll_output()).collect();
        for output in &outputs {
            if let Output::Connect { attempt, .. } = output {
                assert!(*attempt > self.attempt);
                self.attempt = *attempt;
            }
        }
        outputs
    }

    fn events(&mut self) -> Vec<ProviderEvent> {
        let event = |output| if let Output::Event(event) = output { Some(event) } else { None };
        self.outputs().into_iter().filter_map(event).collect()
    }

    /// What has been sent: requests with their numbers, heartbeats as 0.
    fn requests(&mut self) -> Vec<(u32, String)> {
        let mut sent = self.session.transmit().split();
        std::iter::from_fn(|| codec::decode(&mut sent).unwrap())
            .map(|frame| match frame.message {
                Message::Request(request) => (frame.sequence, short(&request)),
                Message::Heartbeat(interval) => (0, format!("heartbeat {interval}")),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn receive(&mut self, sequence: u32, message: &Message) {
        let mut input = BytesMut::new();
        codec::encode(Version(1), sequence, message, &mut input).unwrap();
        self.session.received(self.now, self.attempt, &mut input);
        assert!(input.is_empty());
    }

    fn answer(&mut self, sequence: u32, result: Result<Answer, CtiError>) {
        self.receive(sequence, &Message::Answer(result));
    }

    fn tell(&mut self, event: Event) -> Vec<ProviderEvent> {
        self.receive(0, &Message::Event(event));
        self.events()
    }

    fn submit(&mut self, command: Command) -> Vec<ProviderEvent> {
        self.session.submit(self.now, command);
        self.events()
    }
}

fn short(request: &Request) -> String {
    match request {
        Request::ProviderOpen(open) => format!("provider {}", open.epoch),
        Request::Assume(epoch) => format!("assume {epoch}"),
        Request::DeviceOpen(device) => format!("open {}", device.as_str()),
        Request::DeviceClose(device) => format!("close {}", device.as_str()),
        Request::LineOpen(at) => format!("open line {}", at.device.as_str()),
        Request::LineClose(at) => format!("close line {}", at.device.as_str()),
        Request::DeviceData { .. } => "data".to_owned(),
        Request::MakeCall { .. } => "call".to_owned(),
        Request::FeatureRegister(_) => "register".to_owned(),
        Request::FeatureAnswer { invocation, .. } => format!("verdict {}", invocation.0),
        Request::ProviderClose => "close".to_owned(),
    }
}

fn sent(requests: &[(u32, &str)]) -> Vec<(u32, String)> {
    requests.iter().map(|(sequence, text)| (*sequence, (*text).to_owned())).collect()
}

fn lost(reason: LinkLoss) -> ProviderEvent {
    ProviderEvent::LinkLost { manager: "a".into(), reason }
}

fn is(name: &str, status: Option<DeviceStatus>) -> ProviderEvent {
    ProviderEvent::Device { device: device(name), status }
}
