use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use ringback_cti::message::CtiError;
use ringback_cti::server::{ServerLoss, ServerOutput, ServerParameters, ServerSession};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;

use super::link::{Outgoing, Taken};
use super::{CtiServer, Link, ServerConfig};
use crate::clock::Clock;
use crate::sender::Sender;

/// While so many encoded bytes wait to be written, the rest of the queue waits unencoded.
const HIGH_WATER: usize = 64 * 1024;

/// How long the last words may take to be written before the connection is closed over them.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// Why a link ended otherwise than in good order. It is closed, and the server has been told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The connection failed.
    #[error("connection failed: {0}")]
    Io(#[from] io::Error),
    /// The session ended the link.
    #[error(transparent)]
    Session(ServerLoss),
    /// The application does not read what it is sent.
    #[error("application too slow: more than {queue} answers and events wait for it")]
    SlowConsumer {
        /// How many may wait: [`ServerConfig::queue`].
        queue: usize,
    },
    /// The application closed the connection without closing its provider.
    #[error("connection closed by the application while its provider was open")]
    Gone,
}

/// Serves one connection to its end. Dropping the future closes the connection.
///
/// # Errors
/// The link did not end in good order.
pub async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    server: Arc<dyn CtiServer>,
    config: ServerConfig,
) -> Result<(), ServeError> {
    let clock = Clock::start();
    let parameters = ServerParameters {
        versions: config.versions,
        heartbeat: config.heartbeat,
        open_timeout: config.open_timeout,
    };
    let served = Served { link: Link::new(config.queue), server, known: false };
    let session = ServerSession::new(clock.now(), parameters);
    let result = Connection { stream, served, session, clock, config }.run().await;
    tracing::debug!(?result, "served link ended");
    result
}

/// A link as the server knows it. However it ends, the server is told once.
struct Served {
    link: Link,
    server: Arc<dyn CtiServer>,
    known: bool,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.link.end();
        if self.known {
            self.server.closed(self.link.id());
        }
    }
}

struct Connection<S> {
    stream: S,
    served: Served,
    session: ServerSession,
    clock: Clock,
    config: ServerConfig,
}

enum Step {
    Read(io::Result<usize>),
    Sent(io::Result<()>),
    Taken(Taken),
    Due,
    Frozen,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(mut self) -> Result<(), ServeError> {
        let (mut reader, writer) = tokio::io::split(self.stream);
        let mut sender = Sender::new(writer);
        let mut input = BytesMut::with_capacity(4096);
        let mut freeze = self.config.freeze.clone();
        loop {
            thawed(&mut freeze).await;
            if let Some(loss) = self.served.carry_out(&mut self.session) {
                // Whether the far end still listens does not matter any more.
                let _ = tokio::time::timeout(FAREWELL, sender.finish(self.session.transmit())).await;
                return match loss {
                    ServerLoss::Closed => Ok(()),
                    loss => Err(ServeError::Session(loss)),
                };
            }
            let due = self.session.next_timeout();
            let output = self.session.transmit();
            let (sends, room) = (sender.wants(output), output.len() < HIGH_WATER);
            // A link that has gone silent may have its bytes waiting here after a pause: they are read first.
            let step = tokio::select! {
                biased;
                () = frozen(&mut freeze) => Step::Frozen,
                read = reader.read_buf(&mut input) => Step::Read(read),
                sent = sender.send(output), if sends => Step::Sent(sent),
                taken = self.served.link.take(room) => Step::Taken(taken),
                () = self.clock.sleep_until(due) => Step::Due,
            };
            let now = self.clock.now();
            match step {
                Step::Frozen => {}
                Step::Read(read) => {
                    if read? == 0 {
                        return if self.served.known { Err(ServeError::Gone) } else { Ok(()) };
                    }
                    self.session.received(now, &mut input);
                }
                Step::Sent(sent) => sent?,
                Step::Taken(Taken::Overflow) => {
                    return Err(ServeError::SlowConsumer { queue: self.config.queue });
                }
                Step::Taken(Taken::Message(message)) => match message {
                    Outgoing::Answer { sequence, result } => self.session.answer(now, sequence, result),
                    Outgoing::Event(event) => {
                        if let Err(error) = self.session.event(now, event) {
                            tracing::warn!(%error, "an event was not sent: the protocol cannot carry it");
                        }
                    }
                    Outgoing::Close(reason) => self.session.close(reason),
                },
                Step::Due => {}
            }
            // Also when something else came first: bytes that keep coming must not keep the clock from being looked at.
            self.session.handle_timeout(now);
        }
    }
}

impl Served {
    /// Hands what the application wants to the server. `Some`: the link has ended.
    fn carry_out(&mut self, session: &mut ServerSession) -> Option<ServerLoss> {
        while let Some(output) = session.poll_output() {
            match output {
                ServerOutput::Open { sequence, version, open } => {
                    self.known = true;
                    self.link.agreed(version);
                    self.server.provider_open(&self.link, open, self.link.reply(sequence));
                }
                ServerOutput::Request { sequence, request } => {
                    self.server.request(&self.link, request, self.link.reply(sequence));
                }
                ServerOutput::Disconnect(loss) => return Some(loss),
                _ => return Some(ServerLoss::ClosedByUs(CtiError::NotSupported)),
            }
        }
        None
    }
}

/// Waits until there is no freeze.
async fn thawed(freeze: &mut Option<watch::Receiver<bool>>) {
    if let Some(freeze) = freeze {
        // Who cannot be told to freeze any more is not frozen.
        let _ = freeze.wait_for(|frozen| !*frozen).await;
    }
}

/// Waits until there is a freeze.
async fn frozen(freeze: &mut Option<watch::Receiver<bool>>) {
    if let Some(freeze) = freeze
        && freeze.wait_for(|frozen| *frozen).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
