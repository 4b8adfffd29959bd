//! The client against a fake manager interface over streams in memory, on a clock that stands still.

use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ringback_model::{Millis, Timestamp};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::{Client, Connector, Stream};
use crate::ami::Action;
use crate::session::{Config, Event, Failure, Loss, Server, Ticket};

/// Hands out one end of a stream and the other to the test, or refuses.
struct Fake {
    ends: mpsc::UnboundedSender<DuplexStream>,
    refusals: Mutex<usize>,
}

#[async_trait]
impl Connector for Fake {
    async fn connect(&self, _: &Server) -> io::Result<Box<dyn Stream>> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        // A narrow pipe: nothing fits at once.
        let (ours, theirs) = duplex(7);
        self.ends.send(theirs).unwrap();
        Ok(Box::new(ours))
    }
}

fn client(refusals: usize) -> (Client, mpsc::UnboundedReceiver<DuplexStream>) {
    let (ends, servers) = mpsc::unbounded_channel();
    let config = Config::new(Server::new("pbx", "here", "cti", "secret".into()));
    let fake = Fake { ends, refusals: Mutex::new(refusals) };
    (Client::new(config, Arc::new(fake)).unwrap(), servers)
}

/// Reads one action; gives back its name and its id.
async fn action(stream: &mut BufReader<DuplexStream>) -> (String, String) {
    let (mut name, mut id) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return (String::new(), String::new());
        }
        match line.trim_end().split_once(": ") {
            Some(("Action", value)) => name = value.to_owned(),
            Some(("ActionID", value)) => id = value.to_owned(),
            Some(_) => {}
            None => return (name, id),
        }
    }
}

async fn respond(stream: &mut BufReader<DuplexStream>, id: &str, rest: &str) {
    let text = format!("Response: Success\r\nActionID: {id}\r\n{rest}\r\n");
    stream.get_mut().write_all(text.as_bytes()).await.unwrap();
}

/// Lets one connection log in and gives it back.
async fn let_in(stream: DuplexStream) -> BufReader<DuplexStream> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"Asterisk Call Manager/9.0.0\r\n").await.unwrap();
    let (name, id) = action(&mut stream).await;
    assert_eq!(name, "Challenge");
    respond(&mut stream, &id, "Challenge: 1\r\n").await;
    let (name, id) = action(&mut stream).await;
    assert_eq!(name, "Login");
    respond(&mut stream, &id, "").await;
    stream
}

#[tokio::test(start_paused = true)]
async fn logs_in_asks_and_is_answered() {
    let (mut client, mut servers) = client(0);
    tokio::spawn(async move {
        let mut stream = let_in(servers.recv().await.unwrap()).await;
        let (name, id) = action(&mut stream).await;
        respond(&mut stream, &id, &format!("Heard: {name}\r\n")).await;
        // Until the client goes.
        while action(&mut stream).await.0 == "Ping" {}
    });
    assert_eq!(client.next(None).await, Some(Event::Up { version: "9.0.0".into() }));
    client.request(Ticket(1), "CoreStatus", Action::new("CoreStatus").unwrap()).unwrap();
    let Some(Event::Answer(Ticket(1), Ok(answer))) = client.next(None).await else { panic!("no answer") };
    assert_eq!(answer.get("Heard"), Some("CoreStatus"));
    assert_eq!(client.now(), Timestamp(0), "no time has passed");
}

#[tokio::test(start_paused = true)]
async fn comes_back_after_refusals_and_losses() {
    let (mut client, mut servers) = client(2);
    tokio::spawn(async move {
        for _ in 0..2 {
            drop(let_in(servers.recv().await.unwrap()).await);
        }
        std::future::pending::<()>().await;
    });
    let mut times = Vec::new();
    for _ in 0..6 {
        let event = client.next(None).await.unwrap();
        let what = match event {
            Event::Failed(Loss::Connect(_)) => "refused",
            Event::Up { .. } => "up",
            Event::Lost(Loss::Closed) => "lost",
            other => panic!("{other:?}"),
        };
        times.push((client.now().0, what));
    }
    let expected =
        [(0, "refused"), (500, "refused"), (1500, "up"), (1500, "lost"), (3500, "up"), (3500, "lost")];
    assert_eq!(times, expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_left() {
    let (mut client, mut servers) = client(0);
    tokio::spawn(async move {
        let _held = let_in(servers.recv().await.unwrap()).await;
        std::future::pending::<()>().await;
    });
    client.next(None).await;
    client.request(Ticket(1), "X", Action::new("X").unwrap()).unwrap();
    // The pipe takes its first bytes, so that it may have been read.
    assert_eq!(client.next(None).await, Some(Event::Answer(Ticket(1), Err(Failure::Unknown))));
    assert_eq!(client.now(), Timestamp(5_000));
    assert_eq!(client.next(None).await, Some(Event::Lost(Loss::Silent(Millis::from_secs(10)))));
    assert_eq!(client.now(), Timestamp(20_000));
}

#[tokio::test(start_paused = true)]
async fn the_time_given_ends_the_waiting_and_loses_nothing() {
    let (mut client, mut servers) = client(0);
    let (sender, mut tell) = mpsc::unbounded_channel::<&'static str>();
    tokio::spawn(async move {
        let mut stream = let_in(servers.recv().await.unwrap()).await;
        while let Some(text) = tell.recv().await {
            stream.get_mut().write_all(text.as_bytes()).await.unwrap();
        }
    });
    client.next(None).await;
    sender.send("Event: Hang").unwrap();
    assert_eq!(client.next(Some(Timestamp(50))).await, None);
    assert_eq!(client.now(), Timestamp(50));
    sender.send("up\r\n\r\n").unwrap();
    let Some(Event::Message(message)) = client.next(Some(Timestamp(100))).await else { panic!("no event") };
    assert_eq!(message.get("Event"), Some("Hangup"));
}
