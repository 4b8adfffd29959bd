//! The session against exact bytes, in pieces of every size, and against servers that lie.

mod hostile;
mod link;
mod requests;
mod times;

use ringback_model::Timestamp;
use secrecy::SecretString;

use super::{Attempt, Config, Event, Login, Output, Server, Session, Ticket};
use crate::ami::Action;

const GREETING: &str = "Asterisk Call Manager/9.0.0\r\n";
const CHALLENGE: &str = "Response: Success\r\nActionID: ringback-1-1\r\nChallenge: 840415273\r\n\r\n";
const ACCEPTED: &str =
    "Response: Success\r\nActionID: ringback-1-2\r\nMessage: Authentication accepted\r\n\r\n";

fn config() -> Config {
    Config::new(Server::new("pbx", "127.0.0.10:5038", "cti", SecretString::from("cti-secret")))
}

/// A session, the time, what it sent, and what it told.
struct Bench {
    session: Session,
    now: Timestamp,
    /// So many bytes are handed over at a time.
    piece: usize,
}

impl Bench {
    fn new(config: Config) -> Self {
        let now = Timestamp(0);
        Self { session: Session::new(now, config).unwrap(), now, piece: usize::MAX }
    }

    /// Connected, nothing received yet.
    fn connected(config: Config) -> Self {
        let mut bench = Self::new(config);
        assert_eq!(bench.outputs(), [Output::Connect(Attempt(1))]);
        bench.session.connected(Attempt(1));
        bench
    }

    /// Logged in.
    fn up(config: Config) -> Self {
        let plain = config.server.login == Login::Plain;
        let mut bench = Self::connected(config);
        bench.receive(GREETING);
        let answers = if plain { ACCEPTED.replace("-1-2", "-1-1") } else { [CHALLENGE, ACCEPTED].concat() };
        bench.receive(&answers);
        bench.sent();
        assert_eq!(bench.told(), [Event::Up { version: "9.0.0".into() }]);
        bench
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.session.poll_output()).collect()
    }

    fn told(&mut self) -> Vec<Event> {
        self.outputs()
            .into_iter()
            .filter_map(|output| match output {
                Output::Event(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    /// Everything that it wants to send now.
    fn sent(&mut self) -> String {
        let mut sent = Vec::new();
        loop {
            let bytes = self.session.transmit(self.now);
            if bytes.is_empty() {
                return String::from_utf8(sent).unwrap();
            }
            sent.extend_from_slice(&bytes.split());
        }
    }

    fn receive(&mut self, text: &str) {
        let attempt = self.session.attempt;
        for piece in text.as_bytes().chunks(self.piece.min(text.len().max(1))) {
            self.session.received(self.now, attempt, piece);
        }
    }

    fn until(&mut self, now: u64) {
        self.now = Timestamp(now);
        self.session.handle_timeout(self.now);
    }

    fn request(&mut self, ticket: u64, name: &'static str) {
        self.session.request(self.now, Ticket(ticket), name, Action::new(name).unwrap()).unwrap();
    }
}
