//! The session of a manager interface over tokio. It decides nothing: bytes and the time go in, events come out. It
//! keeps time by tokio's clock alone, so that a paused clock stops it, and runs in the caller's task.

mod clock;
mod connector;
#[cfg(feature = "tls")]
mod tls;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use ringback_model::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use clock::Clock;
pub use connector::{Connector, Stream, TcpConnector};
#[cfg(feature = "tls")]
pub use tls::TlsConnector;

use crate::ami::{Action, ActionError};
use crate::session::{Attempt, Config, ConfigError, Event, Output, Server, Session, Ticket, Times};

/// So many bytes are asked for at a time.
const READ: usize = 16 * 1024;

type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// A client of one manager interface that connects by itself, again and again.
///
/// It runs inside [`next`](Self::next): whoever uses it must keep polling that. What is not taken stays in the
/// sockets, until the server gives up the connection; then everything is read anew.
pub struct Client {
    connector: Arc<dyn Connector>,
    session: Session,
    clock: Clock,
    wire: Wire,
    input: BytesMut,
    events: VecDeque<Event>,
}

/// The connection, or the attempt at it.
enum Wire {
    None,
    Connecting(Attempt, Connecting),
    Up {
        attempt: Attempt,
        reader: ReadHalf<Box<dyn Stream>>,
        writer: WriteHalf<Box<dyn Stream>>,
        unflushed: bool,
    },
}

enum Step {
    Connected(Attempt, io::Result<Box<dyn Stream>>),
    Read(Attempt, io::Result<usize>),
    Sent(Attempt, io::Result<()>),
    Due,
}

impl Client {
    /// A client that begins to connect as soon as `next` is polled.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(config: Config, connector: Arc<dyn Connector>) -> Result<Self, ConfigError> {
        let clock = Clock::start();
        Ok(Self {
            connector,
            session: Session::new(clock.now(), config)?,
            clock,
            wire: Wire::None,
            input: BytesMut::new(),
            events: VecDeque::new(),
        })
    }

    /// The present time of this client.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The server as configured.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.session.server()
    }

    /// Asks the server for something; the outcome is told under this ticket. `name` is the action's, for errors.
    ///
    /// # Errors
    /// The action leaves no room for its id. Nothing was sent, and no outcome will be told.
    pub fn request(&mut self, ticket: Ticket, name: &'static str, action: Action) -> Result<(), ActionError> {
        let result = self.session.request(self.clock.now(), ticket, name, action);
        self.carry_out();
        result
    }

    /// Puts these times in force, link or not.
    ///
    /// # Errors
    /// One of them is zero; those in force stay.
    pub fn set_times(&mut self, times: Times) -> Result<(), ConfigError> {
        self.session.set_times(self.clock.now(), times)
    }

    /// Gives the present connection up, and begins anew after a delay.
    pub fn give_up(&mut self, why: impl Into<String>) {
        self.session.give_up(self.clock.now(), why);
        self.carry_out();
    }

    /// What has come and was not taken yet.
    pub fn take(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Waits for the next event; `None` when the time given has come before. Dropping the future loses nothing.
    pub async fn next(&mut self, until: Option<Timestamp>) -> Option<Event> {
        self.carry_out();
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if until.is_some_and(|until| until <= self.clock.now()) {
                return None;
            }
            let step = self.step(until).await;
            self.apply(step);
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect(attempt) => {
                    self.input.clear();
                    let (connector, server) = (Arc::clone(&self.connector), self.session.server().clone());
                    let connecting = async move { connector.connect(&server).await };
                    self.wire = Wire::Connecting(attempt, Box::pin(connecting));
                }
                Output::Disconnect(_) => self.wire = Wire::None,
                Output::Event(event) => self.events.push_back(event),
            }
        }
    }

    async fn step(&mut self, until: Option<Timestamp>) -> Step {
        let clock = self.clock;
        let now = clock.now();
        let due = self.session.next_timeout();
        let due = until.map_or(due, |until| until.min(due));
        let io = async {
            match &mut self.wire {
                Wire::None => std::future::pending().await,
                Wire::Connecting(attempt, connecting) => {
                    let attempt = *attempt;
                    Step::Connected(attempt, connecting.await)
                }
                Wire::Up { attempt, reader, writer, unflushed } => {
                    let output = self.session.transmit(now);
                    let sends = *unflushed || !output.is_empty();
                    self.input.reserve(READ);
                    tokio::select! {
                        biased;
                        // What is to be sent is short, and a call waits for it.
                        sent = send(writer, output, unflushed), if sends => Step::Sent(*attempt, sent),
                        read = reader.read_buf(&mut self.input) => Step::Read(*attempt, read),
                    }
                }
            }
        };
        tokio::select! {
            biased;
            step = io => step,
            () = clock.sleep_until(due) => Step::Due,
        }
    }

    fn apply(&mut self, step: Step) {
        let now = self.clock.now();
        match step {
            Step::Connected(attempt, Ok(stream)) => {
                let (reader, writer) = tokio::io::split(stream);
                self.wire = Wire::Up { attempt, reader, writer, unflushed: false };
                self.session.connected(attempt);
            }
            Step::Connected(attempt, Err(error)) => {
                self.wire = Wire::None;
                self.session.connect_failed(now, attempt, error.to_string());
            }
            Step::Read(attempt, Ok(1..)) => {
                self.session.received(now, attempt, &self.input);
                self.input.clear();
            }
            Step::Sent(_, Ok(())) | Step::Due => {}
            Step::Read(attempt, _) | Step::Sent(attempt, _) => self.session.closed(now, attempt),
        }
        self.session.handle_timeout(now);
        self.carry_out();
    }
}

/// Writes some of `output` and takes it off, or flushes what encryption holds back. Dropping the future loses nothing.
async fn send(
    writer: &mut WriteHalf<Box<dyn Stream>>,
    output: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    if output.is_empty() {
        writer.flush().await?;
        *unflushed = false;
    } else {
        if writer.write_buf(output).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    Ok(())
}
