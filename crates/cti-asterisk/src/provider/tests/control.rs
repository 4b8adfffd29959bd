//! What is changed while a provider runs, against a manager interface over a stream in memory, on a clock that stands still.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ringback_cti::CtiProvider;
use ringback_db::ServiceParameters;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::client::{Connector, Stream};
use crate::provider::{AsteriskProvider, Times};

/// Hands the other end to the test.
struct Fake(mpsc::UnboundedSender<DuplexStream>);

#[async_trait]
impl Connector for Fake {
    async fn connect(&self, _: &session::Server) -> io::Result<Box<dyn Stream>> {
        let (ours, theirs) = duplex(64 * 1024);
        self.0.send(theirs).unwrap();
        Ok(Box::new(ours))
    }
}

/// A server that does what it is told, and tells which actions came.
async fn serve(stream: DuplexStream, told: mpsc::UnboundedSender<String>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"Asterisk Call Manager/9.0.0\r\n").await?;
    loop {
        let mut action = String::new();
        while !action.ends_with("\r\n\r\n") {
            if stream.read_line(&mut action).await? == 0 {
                return Ok(());
            }
        }
        let header = |key: &str| {
            let found = action.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            found.unwrap_or_default().to_owned()
        };
        let (name, id) = (header("Action"), header("ActionID"));
        let success = format!("Response: Success\r\nActionID: {id}\r\n");
        let more = match name.as_str() {
            "Challenge" => "Challenge: 1\r\n\r\n".to_owned(),
            "Login" => "\r\nEvent: FullyBooted\r\nUptime: 600\r\n\r\n".to_owned(),
            "ListCommands" => {
                let names = super::super::NEEDED.iter().map(|(name, ..)| format!("{name}: x\r\n"));
                names.collect::<String>() + "\r\n"
            }
            "UserEvent" => "\r\nEvent: UserEvent\r\nUserEvent: RingbackProbe\r\n\r\n".to_owned(),
            "Setvar" => {
                "\r\nEvent: DeviceStateChange\r\nDevice: Custom:ringback\r\nState: INUSE\r\n\r\n".to_owned()
            }
            "PJSIPShowEndpoints" => format!(
                "EventList: start\r\n\r\nEvent: EndpointList\r\nActionID: {id}\r\nObjectName: 1001\r\n\
                 DeviceState: Not in use\r\n\r\nEvent: EndpointListComplete\r\nActionID: {id}\r\nEventList: Complete\r\n\r\n"
            ),
            _ => "\r\n".to_owned(),
        };
        stream.write_all((success + &more).as_bytes()).await?;
        let _nobody_looks = told.send(action);
    }
}

struct Running {
    provider: AsteriskProvider,
    actions: mpsc::UnboundedReceiver<String>,
}

impl Running {
    async fn new() -> Self {
        let (ends, mut servers) = mpsc::unbounded_channel();
        let config =
            Config::new(session::Config::new(session::Server::new("pbx", "here", "cti", "secret".into())));
        let mut provider = AsteriskProvider::new(config, Arc::new(Fake(ends))).unwrap();
        provider.submit(Command::Assume(Epoch(1)));
        provider.submit(Command::OpenDevice(device("1001")));
        let (told, actions) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(stream) = servers.recv().await {
                let _broken = serve(stream, told.clone()).await;
            }
        });
        while !matches!(provider.next().await, Some(ProviderEvent::LinkUp { .. })) {}
        let mut running = Self { provider, actions };
        running.pass(Duration::from_millis(10)).await;
        running
    }

    /// Lets it run for so long; gives back what the server was asked.
    async fn pass(&mut self, time: Duration) -> Vec<String> {
        let run = async { while self.provider.next().await.is_some() {} };
        assert!(timeout(time, run).await.is_err(), "it goes on");
        std::iter::from_fn(|| self.actions.try_recv().ok()).collect()
    }

    /// How long the recall of this alert is to ring.
    async fn recall(&mut self, id: u128) -> String {
        self.provider.submit(Command::SendData {
            tag: Tag(1),
            device: device("1001"),
            id: Some(DataId(id)),
            content: ALERT.to_owned(),
        });
        let asked = self.pass(Duration::from_millis(10)).await;
        let order = asked.iter().find(|action| action.starts_with("Action: Originate\r\n")).unwrap();
        order.lines().find_map(|line| line.strip_prefix("Timeout: ")).unwrap().to_owned()
    }
}

fn parameters(rows: &[(&str, &str)]) -> Times {
    let rows: Vec<_> = rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (parameters, problems) = ServiceParameters::parse(&rows);
    assert!(problems.is_empty(), "{problems:?}");
    Times::from(&parameters)
}

#[tokio::test(start_paused = true)]
async fn a_changed_recall_timer_changes_how_long_the_next_recall_rings() {
    let mut running = Running::new().await;
    assert_eq!(running.recall(1).await, "20000");
    let control = running.provider.control();
    control.set(parameters(&[("Call Back Recall Timer", "35")]));
    running.pass(Duration::from_millis(10)).await;
    assert_eq!(running.recall(2).await, "35000");
    // What cannot be is not put in force.
    control.set(Times { ring: Millis::ZERO, ..parameters(&[]) });
    running.pass(Duration::from_millis(10)).await;
    assert_eq!(running.recall(3).await, "35000");
}

#[tokio::test(start_paused = true)]
async fn a_changed_heartbeat_changes_how_often_the_server_is_asked() {
    let mut running = Running::new().await;
    let pings =
        |asked: Vec<String>| asked.iter().filter(|action| action.starts_with("Action: Ping\r\n")).count();
    // Every 10 s, unless the service says otherwise.
    assert_eq!(pings(running.pass(Duration::from_secs(25)).await), 2);
    running.provider.control().set(parameters(&[]));
    running.pass(Duration::from_secs(6)).await;
    assert_eq!(pings(running.pass(Duration::from_secs(60)).await), 2, "30 s by default");
    running.provider.control().set(parameters(&[("HeartBeat Interval Time Out", "3")]));
    running.pass(Duration::from_secs(4)).await;
    assert_eq!(pings(running.pass(Duration::from_secs(30)).await), 10);
}

#[test]
fn the_parameters_have_these_places() {
    let config =
        Config::new(session::Config::new(session::Server::new("pbx", "here", "cti", "secret".into())));
    assert_eq!(Times::of(&config).ring, Millis::from_secs(20));
    let times = parameters(&[
        ("Call Back Recall Timer", "1"),
        ("Provider Open Call Time Out", "2000"),
        ("HeartBeat Interval Time Out", "3"),
        ("Synchronous Request Time Out", "4000"),
        ("Connection Retry Time Out", "5000"),
    ]);
    let link = session::Times {
        open_timeout: Millis::from_secs(2),
        keep_alive: Millis::from_secs(3),
        request_timeout: Millis::from_secs(4),
        retry_limit: Millis::from_secs(5),
    };
    assert_eq!(times, Times { ring: Millis::from_secs(1), link });
}
