use std::sync::Arc;

use ringback_model::Group;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::auth::{self, SharedSecret};
use super::feed::Feeds;
use super::limits::TcpLimits;
use super::line::{self, Command, NoLine};
use crate::feed::Table;

/// What all conversations share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) secret: SharedSecret,
    pub(super) limits: TcpLimits,
    pub(super) feeds: Arc<Feeds>,
    /// Seats for those who know the secret: strangers cannot take them.
    pub(super) seats: Arc<Semaphore>,
}

/// Why a conversation ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The other side has closed it, or it broke.
    Closed,
    /// The other side does not know the secret.
    Stranger,
    /// For another reason, which it was told.
    Told(&'static str),
}

const TOO_LONG: &str = "the line is too long";
const TOO_SLOW: &str = "nothing came for too long";
const TOO_MANY: &str = "too many connections: close one, or try again later";

/// Talks with a client until it goes or is sent away. `waiting` is its place among the strangers.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    desk: &Desk,
    waiting: OwnedSemaphorePermit,
) -> End {
    let mut stream = BufReader::new(stream);
    let ended = talk(&mut stream, desk, waiting).await.err();
    let end = ended.unwrap_or(End::Closed);
    match &end {
        End::Told(why) => drop(answer(&mut stream, desk, Err(why)).await),
        End::Stranger => drop(answer(&mut stream, desk, Err("not authenticated")).await),
        End::Closed => {}
    }
    // What happens to it now is of no matter.
    let _ = timeout(desk.limits.line.to_duration(), stream.shutdown()).await;
    end
}

type Stream<S> = BufReader<S>;

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    desk: &Desk,
    waiting: OwnedSemaphorePermit,
) -> Result<(), End> {
    let patience = desk.limits.line.to_duration();
    match timeout(patience, authenticate(stream, desk)).await {
        Ok(known) => known?,
        Err(_) => return Err(End::Told(TOO_SLOW)),
    }
    let _seat = Arc::clone(&desk.seats).try_acquire_owned().map_err(|_| End::Told(TOO_MANY))?;
    drop(waiting);
    answer(stream, desk, Ok(())).await?;
    let mut group = Group::default();
    loop {
        let line = line::read(stream, desk.limits.idle.to_duration(), patience).await?;
        let done = Command::parse(&line).and_then(|command| obey(command, &mut group, &desk.feeds));
        answer(stream, desk, done).await?;
    }
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    desk: &Desk,
) -> Result<(), End> {
    let greeting = auth::greeting().ok_or(End::Told("no random numbers to be had"))?;
    send(stream, desk, &greeting).await?;
    let patience = desk.limits.line.to_duration();
    let line = line::read(stream, patience, patience).await?;
    match Command::parse(&line) {
        Ok(Command::Auth(proof)) if desk.secret.accepts(&greeting, proof) => Ok(()),
        _ => Err(End::Stranger),
    }
}

fn obey(command: Command<'_>, group: &mut Group, feeds: &Feeds) -> Result<(), &'static str> {
    const NOBODY: &str = "no such group here: say GROUP NAME first";
    let told = match command {
        Command::Auth(_) => return Err("authenticated already"),
        Command::Ping => true,
        Command::Group(name) => {
            let known = feeds.has(&name);
            if known {
                *group = name;
            }
            known
        }
        Command::Resync => feeds.tell(group, None),
        // A table that only a newer client knows: what it means is not known, so everything is read.
        Command::Changed { table, key } => feeds.tell(group, Table::named(table).map(|table| (table, key))),
    };
    if told { Ok(()) } else { Err(NOBODY) }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    desk: &Desk,
    done: Result<(), &str>,
) -> Result<(), End> {
    match done {
        Ok(()) => send(stream, desk, "OK").await,
        Err(why) => send(stream, desk, &format!("ERR {why}")).await,
    }
}

/// A client that does not read its answers is not waited for.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    desk: &Desk,
    line: &str,
) -> Result<(), End> {
    let line = format!("{line}\n");
    let sending = async {
        stream.write_all(line.as_bytes()).await?;
        stream.flush().await
    };
    match timeout(desk.limits.line.to_duration(), sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(End::Closed),
    }
}

impl From<NoLine> for End {
    fn from(reason: NoLine) -> Self {
        match reason {
            NoLine::Closed => Self::Closed,
            NoLine::TooLong => Self::Told(TOO_LONG),
            NoLine::TooSlow => Self::Told(TOO_SLOW),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncReadExt, DuplexStream};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::feed::{Change, ChangeFeed};
    use crate::tcp::TcpFeed;

    /// The other side of a conversation.
    struct Other {
        stream: BufReader<DuplexStream>,
        end: JoinHandle<End>,
        feeds: Arc<Feeds>,
        seats: Arc<Semaphore>,
    }

    fn secret() -> SharedSecret {
        SharedSecret::new("0123456789abcdef").unwrap()
    }

    impl Other {
        fn new() -> Self {
            let (here, there) = tokio::io::duplex(4096);
            let (feeds, seats) = (Arc::<Feeds>::default(), Arc::new(Semaphore::new(1)));
            let desk = Desk {
                secret: secret(),
                limits: TcpLimits::default(),
                feeds: Arc::clone(&feeds),
                seats: Arc::clone(&seats),
            };
            let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
            let end = tokio::spawn(async move { converse(there, &desk, place).await });
            Self { stream: BufReader::new(here), end, feeds, seats }
        }

        async fn hear(&mut self) -> String {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            line
        }

        async fn say(&mut self, text: &str) -> String {
            self.stream.write_all(text.as_bytes()).await.unwrap();
            self.hear().await
        }

        async fn authenticated() -> Self {
            let mut other = Self::new();
            let greeting = other.hear().await;
            let proof = secret().proof(greeting.trim_end());
            assert_eq!(other.say(&format!("AUTH {proof}\r\n")).await, "OK\n");
            other
        }

        /// Writes now and then until the end. What it heard last, and after how long.
        async fn drip(mut self, text: &str, every: Duration) -> (String, Duration, End) {
            let start = Instant::now();
            while !self.end.is_finished() {
                let _ = self.stream.write_all(text.as_bytes()).await;
                sleep(every).await;
            }
            let mut heard = String::new();
            self.stream.read_to_string(&mut heard).await.unwrap();
            (heard, start.elapsed(), self.end.await.unwrap())
        }
    }

    async fn row(feed: &mut TcpFeed) -> Change {
        feed.next().await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_conversation() {
        let mut other = Other::authenticated().await;
        let berlin = Group::new("berlin").unwrap();
        assert_eq!(other.say("CHANGED phone A\n").await, "ERR no such group here: say GROUP NAME first\n");
        let mut feeds = [other.feeds.subscribe(&Group::default()), other.feeds.subscribe(&berlin)];
        for feed in &mut feeds {
            assert_eq!(row(feed).await, Change::Resync);
        }
        let told = |seq, table, key: &str| Change::Row { seq, table, key: key.to_owned() };
        assert_eq!(other.say("CHANGED phone SEP 1\n").await, "OK\n");
        assert_eq!(row(&mut feeds[0]).await, told(1, Table::Phone, "SEP 1"));
        assert_eq!(other.say("GROUP paris\n").await, "ERR no such group here: say GROUP NAME first\n");
        assert_eq!(other.say("GROUP berlin\n").await, "OK\n");
        // Two lines at once, two answers.
        assert_eq!(other.say("CHANGED alarm A\nCHANGED planet B\n").await, "OK\n");
        assert_eq!(other.hear().await, "OK\n");
        assert_eq!(row(&mut feeds[1]).await, told(1, Table::Alarm, "A"));
        assert_eq!(row(&mut feeds[1]).await, Change::Resync);
        assert_eq!(other.say("RESYNC\n").await, "OK\n");
        assert_eq!(row(&mut feeds[1]).await, Change::Resync);
        assert_eq!(other.say("PING\n").await, "OK\n");
        assert_eq!(other.say("AUTH 00\n").await, "ERR authenticated already\n");
        assert_eq!(other.say("CHANGED phone\n").await, "ERR say CHANGED TABLE KEY\n");
        assert_eq!(other.say("HELP\n").await, "ERR say AUTH, GROUP, CHANGED, RESYNC or PING\n");
        drop(other.stream);
        assert_eq!(other.end.await.unwrap(), End::Closed);
        assert_eq!(other.seats.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_are_sent_away_at_once() {
        for line in ["AUTH 00\n", "AUTH\n", "PING\n", "CHANGED phone A\n", "\n", "GET / HTTP/1.1\r\n"] {
            let mut other = Other::new();
            assert!(other.hear().await.starts_with("RINGBACK-CHANGES 1 "));
            assert_eq!(other.say(line).await, "ERR not authenticated\n", "{line}");
            assert_eq!(other.hear().await, "");
            assert_eq!(other.end.await.unwrap(), End::Stranger);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_is_sent_away_however_busy() {
        let slow = "ERR nothing came for too long\n";
        for (text, every) in [("", 1), ("A", 1), ("A", 9)] {
            let mut other = Other::new();
            other.hear().await;
            let (heard, after, end) = other.drip(text, Duration::from_secs(every)).await;
            assert_eq!((heard.as_str(), end), (slow, End::Told(TOO_SLOW)));
            assert!(after <= Duration::from_secs(20), "{after:?}");
        }
        let other = Other::authenticated().await;
        let (heard, after, _) = other.drip("P", Duration::from_secs(3)).await;
        assert_eq!(heard, slow);
        assert!(after <= Duration::from_secs(15), "{after:?}");
        // Silence is allowed for longer.
        let other = Other::authenticated().await;
        let (heard, after, _) = other.drip("", Duration::from_secs(1)).await;
        assert_eq!(heard, slow);
        assert!((300..=302).contains(&after.as_secs()), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_too_long_ends_it() {
        let mut other = Other::authenticated().await;
        let _feed = other.feeds.subscribe(&Group::default());
        let longest = format!("CHANGED phone {}\n", "x".repeat(line::MAX_LINE - 15));
        assert_eq!(longest.len(), line::MAX_LINE);
        assert_eq!(other.say(&longest).await, "OK\n");
        assert_eq!(other.say(&"x".repeat(line::MAX_LINE)).await, "ERR the line is too long\n");
        assert_eq!(other.hear().await, "");
        assert_eq!(other.end.await.unwrap(), End::Told(TOO_LONG));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_the_answers_is_left() {
        let other = Other::authenticated().await;
        let (_, after, end) = other.drip("PING\n".repeat(100).as_str(), Duration::from_millis(100)).await;
        assert_eq!(end, End::Closed);
        assert!(after < Duration::from_secs(120), "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_seat_for_so_many() {
        let mut other = Other::new();
        let _taken = Arc::clone(&other.seats).try_acquire_owned().unwrap();
        let greeting = other.hear().await;
        let proof = secret().proof(greeting.trim_end());
        let answer = other.say(&format!("AUTH {proof}\n")).await;
        assert_eq!(answer, "ERR too many connections: close one, or try again later\n");
    }
}
