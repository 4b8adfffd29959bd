use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use ringback_cti::session::{Attempt, Config, ConfigError, Manager, Output, Session};
use ringback_cti::{Capabilities, Command, CtiProvider, Dedup, Fencing, ProviderEvent};
use tokio::io::{AsyncReadExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use super::connector::{Connector, Stream};
use crate::clock::Clock;
use crate::sender::Sender;

/// So many bytes are asked for at a time.
const READ: usize = 16 * 1024;

/// So many reads in a row at most, while something waits to be sent.
const READS: u8 = 8;

type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// A provider over the CTI protocol: one link at a time to the first CTIManager that can be reached.
///
/// It runs inside [`next`](CtiProvider::next): whoever uses it must keep polling that. Dropping `next` loses
/// nothing; dropping the provider closes the connection.
pub struct ClientProvider {
    connector: Arc<dyn Connector>,
    session: Session,
    clock: Clock,
    wire: Wire,
    input: BytesMut,
    /// So many reads came while something waited to be sent; after [`READS`] that comes before more of them.
    reads: u8,
    events: VecDeque<ProviderEvent>,
    control: ClientControl,
    changes: mpsc::UnboundedReceiver<Config>,
}

/// The connection, or the attempt at it.
enum Wire {
    None,
    Connecting(Attempt, Connecting),
    Up(Attempt, ReadHalf<Box<dyn Stream>>, Sender<WriteHalf<Box<dyn Stream>>>),
}

enum Step {
    Changed(Config),
    Connected(Attempt, io::Result<Box<dyn Stream>>),
    Read(Attempt, io::Result<usize>),
    Sent(Attempt, io::Result<()>),
    Due,
}

/// Changes the configuration of a running [`ClientProvider`].
#[derive(Debug, Clone)]
pub struct ClientControl {
    changes: mpsc::UnboundedSender<Config>,
}

impl ClientControl {
    /// Puts this configuration in force. A link to a CTIManager that is no longer configured is given up.
    ///
    /// # Errors
    /// The configuration cannot work; the one in force stays.
    pub fn configure(&self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        // A provider that is gone needs no configuration.
        let _ = self.changes.send(config);
        Ok(())
    }
}

impl ClientProvider {
    /// A provider that begins to connect as soon as `next` is polled.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(config: Config, connector: Arc<dyn Connector>) -> Result<Self, ConfigError> {
        let clock = Clock::start();
        let session = Session::new(clock.now(), config)?;
        let (sender, changes) = mpsc::unbounded_channel();
        Ok(Self {
            connector,
            session,
            clock,
            wire: Wire::None,
            input: BytesMut::new(),
            reads: 0,
            events: VecDeque::new(),
            control: ClientControl { changes: sender },
            changes,
        })
    }

    /// A handle for changing the configuration later, from anywhere.
    #[must_use]
    pub fn control(&self) -> ClientControl {
        self.control.clone()
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect { attempt, manager } => {
                    tracing::debug!(manager = manager.name, "connecting to a CTIManager");
                    self.input.clear();
                    let connecting = connect(Arc::clone(&self.connector), manager);
                    self.wire = Wire::Connecting(attempt, Box::pin(connecting));
                }
                Output::Event(event) => self.events.push_back(event),
                // Never a connection beside another: what is not wanted is closed before the next one is made.
                _ => self.wire = Wire::None,
            }
        }
    }

    async fn step(&mut self) -> Step {
        let due = self.session.next_timeout();
        let (clock, reads) = (self.clock, self.reads);
        let changes = &mut self.changes;
        let io = async {
            match &mut self.wire {
                Wire::None => std::future::pending().await,
                Wire::Connecting(attempt, connecting) => {
                    let attempt = *attempt;
                    Step::Connected(attempt, connecting.await)
                }
                Wire::Up(attempt, reader, sender) => {
                    let output = self.session.transmit();
                    let sends = sender.wants(output);
                    self.input.reserve(READ);
                    // Reading first, since the last words of a link tell why it ends; but a CTIManager that never stops
                    // writing must not keep us from sending.
                    if sends && reads >= READS {
                        tokio::select! {
                            biased;
                            sent = sender.send(output) => Step::Sent(*attempt, sent),
                            read = reader.read_buf(&mut self.input) => Step::Read(*attempt, read),
                        }
                    } else {
                        tokio::select! {
                            biased;
                            read = reader.read_buf(&mut self.input) => Step::Read(*attempt, read),
                            sent = sender.send(output), if sends => Step::Sent(*attempt, sent),
                        }
                    }
                }
            }
        };
        // Bytes before time: after a pause they may show that the link is alive.
        tokio::select! {
            biased;
            Some(config) = changes.recv() => Step::Changed(config),
            step = io => step,
            () = clock.sleep_until(due) => Step::Due,
        }
    }

    fn take(&mut self, step: Step) {
        let now = self.clock.now();
        let kept = matches!(step, Step::Read(..)) && !self.session.transmit().is_empty();
        let reads = self.reads;
        self.reads = if kept { reads.saturating_add(1) } else { 0 };
        // These came first, whatever waits to be read; the clock is looked at after that.
        let before_reading =
            matches!(step, Step::Changed(_)) || reads >= READS && matches!(step, Step::Sent(..));
        match step {
            Step::Changed(config) => {
                if let Err(error) = self.session.configure(now, config) {
                    tracing::error!(%error, "configuration refused");
                }
            }
            Step::Connected(attempt, Ok(stream)) => {
                let (reader, writer) = tokio::io::split(stream);
                self.wire = Wire::Up(attempt, reader, Sender::new(writer));
                self.session.connected(now, attempt);
            }
            Step::Connected(attempt, Err(error)) => {
                self.wire = Wire::None;
                self.session.connect_failed(now, attempt, error.to_string());
            }
            Step::Read(attempt, Ok(1..)) => self.session.received(now, attempt, &mut self.input),
            Step::Sent(_, Ok(())) | Step::Due => {}
            Step::Read(attempt, _) | Step::Sent(attempt, _) => self.session.closed(now, attempt),
        }
        if !before_reading {
            self.session.handle_timeout(now);
        }
        self.carry_out();
    }
}

async fn connect(connector: Arc<dyn Connector>, manager: Manager) -> io::Result<Box<dyn Stream>> {
    connector.connect(&manager).await
}

#[async_trait]
impl CtiProvider for ClientProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Fencing::Strict, Dedup::ById)
    }

    fn submit(&mut self, command: Command) {
        self.session.submit(self.clock.now(), command);
        self.carry_out();
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        self.carry_out();
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let step = self.step().await;
            let is_read = matches!(step, Step::Read(..));
            self.take(step);
            if is_read && self.events.is_empty() {
                // Nothing for the caller, perhaps for ever: who waits beside this has a turn.
                tokio::task::yield_now().await;
            }
        }
    }
}
