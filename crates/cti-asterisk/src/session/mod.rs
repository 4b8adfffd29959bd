//! One manager interface, without sockets and without a clock: connecting again, greeting, login, keep-alive, and
//! which answer belongs to which action.
//!
//! Whoever runs a [`Session`] carries out its [`Output`]s in order, tells it what came of them and what was received,
//! writes what it finds in [`Session::transmit`], and calls [`Session::handle_timeout`] at
//! [`Session::next_timeout`].
//!
//! ```text
//!   wait -> connecting -> greeting -> challenge -> login -> up
//!    ^          |            |            |          |      |
//!    +----------+------------+------------+----------+------+   each loss, after a delay
//! ```
//!
//! What it keeps to:
//! - Nothing is sent before the greeting came, and nothing but the login before the login is accepted.
//! - Each action has exactly one outcome; one that timed out before its first byte was written never reaches the wire.
//! - Events and answers keep the order of the wire.
//! - All buffers are bounded: lines and messages by the parser, actions by count, events by
//!   [`Config::backlog`]: a user that takes them too slowly is told [`Event::Lagged`] instead.

mod config;
mod event;
mod requests;
mod times;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt::Write as _;

use bytes::BytesMut;
use md5::{Digest, Md5};
use ringback_model::{Millis, Timestamp};
use secrecy::ExposeSecret;

pub use config::{Config, ConfigError, Login, Server};
pub use event::{Event, Failure, Loss, Output, Ticket};
use requests::{Requests, Taken};
pub use times::Times;

use crate::ami::{Action, ActionError, Item, Message, Parser};

/// The first delay between two attempts.
const FIRST_DELAY: Millis = Millis(500);

/// A link that held for so long was a good one: losing it starts the delays afresh.
const GOOD_LINK: Millis = Millis::from_secs(10);

/// Names one connection or the attempt at it. What is told of an older one is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Attempt(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting { until: Timestamp },
    Connecting { deadline: Timestamp },
    Greeting { deadline: Timestamp },
    Challenge { deadline: Timestamp, number: u64 },
    Login { deadline: Timestamp, number: u64 },
    Up { since: Timestamp, ping: Ping },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    /// The next one is due.
    Due(Timestamp),
    /// One was sent: its answer must come by then.
    Awaited { number: u64, until: Timestamp },
}

/// One client's session with a manager interface.
#[derive(Debug)]
pub struct Session {
    config: Config,
    phase: Phase,
    attempt: Attempt,
    /// Attempts that failed, and links that did not hold, in a row.
    failures: u32,
    parser: Parser,
    version: String,
    requests: Requests,
    outputs: VecDeque<Output>,
    /// How many of the outputs are events of the server.
    backlog: usize,
}

impl Session {
    /// Begins to connect.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(now: Timestamp, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut session = Self {
            parser: Parser::new(config.limits),
            config,
            phase: Phase::Waiting { until: now },
            attempt: Attempt(0),
            failures: 0,
            version: String::new(),
            requests: Requests::default(),
            outputs: VecDeque::new(),
            backlog: 0,
        };
        session.handle_timeout(now);
        Ok(session)
    }

    /// What to do next. Ask until it is `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if let Some(Output::Event(Event::Message(_) | Event::Listed(..))) = output {
            self.backlog -= 1;
        }
        output
    }

    /// The bytes to be sent on the present connection: take from the front what has been written, and only that.
    pub fn transmit(&mut self, now: Timestamp) -> &mut BytesMut {
        let in_flight = if self.is_up() { self.config.in_flight } else { 0 };
        self.requests.output(now, in_flight)
    }

    /// Whether actions can be sent.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up { .. })
    }

    /// The server as configured.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.config.server
    }

    /// Asks the server for something; the outcome is told under this ticket. `name` is the action's, for errors.
    ///
    /// # Errors
    /// The action leaves no room for its id. Nothing was sent, and no outcome will be told.
    pub fn request(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        name: &'static str,
        action: Action,
    ) -> Result<(), ActionError> {
        // A place for the id; the id itself is given when it is sent.
        action.clone().header("ActionID", "")?;
        let failure = if !self.is_up() {
            Failure::NoLink
        } else if self.requests.waiting() >= self.config.waiting {
            Failure::TooMany(self.config.waiting)
        } else {
            self.requests.push(ticket, name, action, now + self.config.request_timeout);
            return Ok(());
        };
        self.tell(Event::Answer(ticket, Err(failure)));
        Ok(())
    }

    /// The connection of this attempt is made.
    pub fn connected(&mut self, attempt: Attempt) {
        if let Phase::Connecting { deadline } = self.phase
            && attempt == self.attempt
        {
            self.parser = Parser::new(self.config.limits);
            self.requests = Requests::of_link(attempt.0);
            self.phase = Phase::Greeting { deadline };
        }
    }

    /// The connection of this attempt cannot be made.
    pub fn connect_failed(&mut self, now: Timestamp, attempt: Attempt, why: impl Into<String>) {
        if attempt == self.attempt && matches!(self.phase, Phase::Connecting { .. }) {
            self.lose(now, Loss::Connect(why.into()));
        }
    }

    /// The connection of this attempt has been closed, by the far side or by the network.
    pub fn closed(&mut self, now: Timestamp, attempt: Attempt) {
        if attempt == self.attempt && !matches!(self.phase, Phase::Waiting { .. }) {
            self.lose(now, Loss::Closed);
        }
    }

    /// Gives the present connection up, and begins anew after a delay.
    pub fn give_up(&mut self, now: Timestamp, why: impl Into<String>) {
        if !matches!(self.phase, Phase::Waiting { .. }) {
            self.lose(now, Loss::GivenUp(why.into()));
        }
    }

    /// Takes bytes that were received on the connection of this attempt.
    pub fn received(&mut self, now: Timestamp, attempt: Attempt, bytes: &[u8]) {
        if attempt != self.attempt || matches!(self.phase, Phase::Waiting { .. } | Phase::Connecting { .. }) {
            return;
        }
        let mut items = Vec::new();
        let result = self.parser.feed(bytes, &mut items);
        for item in items {
            if attempt != self.attempt || matches!(self.phase, Phase::Waiting { .. }) {
                // The connection was given up: what else came on it means nothing.
                return;
            }
            match item {
                Item::Greeting(version) => self.greeted(now, version),
                Item::Message(message) => self.message(now, message),
            }
        }
        if let Err(error) = result
            && !matches!(self.phase, Phase::Waiting { .. })
        {
            self.lose(now, Loss::Protocol(error));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Timestamp {
        match self.phase {
            Phase::Waiting { until } => until,
            Phase::Connecting { deadline }
            | Phase::Greeting { deadline }
            | Phase::Challenge { deadline, .. }
            | Phase::Login { deadline, .. } => deadline,
            Phase::Up { ping: Ping::Due(at) | Ping::Awaited { until: at, .. }, .. } => {
                self.requests.next_deadline().map_or(at, |deadline| deadline.min(at))
            }
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let open = self.config.open_timeout;
        match self.phase {
            Phase::Waiting { until } if until <= now => {
                self.attempt = Attempt(self.attempt.0 + 1);
                self.phase = Phase::Connecting { deadline: now + open };
                self.outputs.push_back(Output::Connect(self.attempt));
            }
            Phase::Connecting { deadline } if deadline <= now => {
                self.lose(now, Loss::Connect(format!(
                    "no connection within {open}: check host and port, and that nothing between drops what is sent there"
                )));
            }
            Phase::Greeting { deadline } if deadline <= now => self.lose(now, Loss::NoGreeting(open)),
            Phase::Challenge { deadline, .. } | Phase::Login { deadline, .. } if deadline <= now => {
                self.lose(now, Loss::LoginTimeout(open));
            }
            Phase::Up { since, ping } => {
                self.keep_alive(now, since, ping);
                let mut out = Vec::new();
                self.requests.expire(now, &mut out);
                out.into_iter().for_each(|event| self.tell(event));
            }
            _ => {}
        }
    }

    fn keep_alive(&mut self, now: Timestamp, since: Timestamp, ping: Ping) {
        match ping {
            Ping::Due(at) if at <= now => {
                let until = now + self.config.keep_alive;
                let Ok(action) = Action::new("Ping") else { return };
                let number = self.requests.own("Ping", action, until + self.config.keep_alive);
                self.phase = Phase::Up { since, ping: Ping::Awaited { number, until } };
            }
            Ping::Awaited { until, .. } if until <= now => {
                self.lose(now, Loss::Silent(self.config.keep_alive));
            }
            _ => {}
        }
    }

    fn greeted(&mut self, now: Timestamp, version: String) {
        let Phase::Greeting { deadline } = self.phase else { return };
        self.version = version;
        match self.config.server.login {
            Login::Plain => {
                let secret = self.config.server.secret.expose_secret().to_owned();
                self.log_in(deadline, &[("Secret", secret)]);
            }
            Login::Challenge => match Action::new("Challenge").and_then(|a| a.header("AuthType", "MD5")) {
                Ok(action) => {
                    let number = self.requests.own("Challenge", action, deadline);
                    self.phase = Phase::Challenge { deadline, number };
                }
                Err(error) => self.lose(now, Loss::GivenUp(error.to_string())),
            },
        }
    }

    /// Sends the login. The configuration is checked: its texts are headers.
    fn log_in(&mut self, deadline: Timestamp, proof: &[(&str, String)]) {
        let action = || {
            let mut action = Action::new("Login")?.header("Username", &self.config.server.user)?;
            for (key, value) in proof {
                action = action.header(key, value)?;
            }
            action.header("Events", &self.config.events)
        };
        if let Ok(action) = action() {
            let number = self.requests.own("Login", action, deadline);
            self.phase = Phase::Login { deadline, number };
        }
    }

    fn message(&mut self, now: Timestamp, message: Message) {
        if matches!(self.phase, Phase::Greeting { .. }) {
            return self.lose(now, Loss::NoAmi);
        }
        match self.requests.take(message) {
            Taken::Own(number, result) => self.own_answer(now, number, result),
            Taken::Told(event) => self.tell(event),
            Taken::No(message) if self.is_up() => {
                if matches!(message.kind(), crate::ami::MessageKind::Event(_)) {
                    self.requests.hears(&message);
                    self.tell(Event::Message(message));
                }
            }
            // Before the login, nothing of it counts.
            Taken::No(_) | Taken::Nothing => {}
        }
    }

    fn own_answer(&mut self, now: Timestamp, number: u64, result: Result<Message, Message>) {
        let told = |message: &Message| message.get("Message").unwrap_or("without a reason").to_owned();
        match (self.phase, result) {
            (Phase::Challenge { deadline, number: asked }, result) if asked == number => {
                match result.as_ref().ok().and_then(|message| message.known("Challenge")) {
                    Some(challenge) => {
                        let key = digest(challenge, self.config.server.secret.expose_secret());
                        self.log_in(deadline, &[("AuthType", "MD5".to_owned()), ("Key", key)]);
                    }
                    None => {
                        self.lose(now, Loss::NoChallenge(told(&result.unwrap_or_else(|refused| refused))))
                    }
                }
            }
            (Phase::Login { number: asked, .. }, Ok(_)) if asked == number => {
                self.phase = Phase::Up { since: now, ping: Ping::Due(now + self.config.keep_alive) };
                self.tell(Event::Up { version: self.version.clone() });
            }
            (Phase::Login { number: asked, .. }, Err(refused)) if asked == number => {
                self.lose(now, Loss::LoginRefused(told(&refused)));
            }
            // Even a refusal shows that the server takes actions.
            (Phase::Up { since, ping: Ping::Awaited { number: asked, .. } }, _) if asked == number => {
                self.phase = Phase::Up { since, ping: Ping::Due(now + self.config.keep_alive) };
            }
            _ => {}
        }
    }

    /// Queues an event; drops all that the server said and that still waits if it is too much.
    fn tell(&mut self, event: Event) {
        if matches!(event, Event::Message(_) | Event::Listed(..)) {
            if self.backlog >= self.config.backlog {
                self.outputs.retain(|output| match output {
                    Output::Event(event) => {
                        !matches!(event, Event::Message(_) | Event::Listed(..) | Event::Lagged)
                    }
                    _ => true,
                });
                self.outputs.push_back(Output::Event(Event::Lagged));
                self.backlog = 0;
            }
            self.backlog += 1;
        }
        self.outputs.push_back(Output::Event(event));
    }

    /// Gives up the present connection or the attempt at it, and begins anew after a delay.
    fn lose(&mut self, now: Timestamp, loss: Loss) {
        let mut out = Vec::new();
        self.requests.fail_all(&mut out);
        out.into_iter().for_each(|event| self.tell(event));
        let event = match self.phase {
            Phase::Up { since, .. } => {
                if now - since >= GOOD_LINK {
                    self.failures = 0;
                }
                Event::Lost(loss)
            }
            _ => Event::Failed(loss),
        };
        self.outputs.push_back(Output::Disconnect(self.attempt));
        self.tell(event);
        let delay = Millis(FIRST_DELAY.0.saturating_mul(1 << self.failures.min(20)));
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Waiting { until: now + delay.min(self.config.retry_limit) };
    }
}

/// What proves the secret without telling it: MD5 of the challenge and the secret, in hexadecimal.
fn digest(challenge: &str, secret: &str) -> String {
    let mut hash = Md5::new();
    hash.update(challenge);
    hash.update(secret);
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
