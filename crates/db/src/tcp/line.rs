use std::io;
use std::time::Duration;

use ringback_model::Group;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use tokio::time::timeout;

/// The longest line, in bytes, with its line feed.
pub const MAX_LINE: usize = 1024;

/// Why no line came.
#[derive(Debug)]
pub(super) enum NoLine {
    /// The other side has closed the connection, or it broke.
    Closed,
    /// It is longer than allowed.
    TooLong,
    /// It did not begin, or did not end, in time.
    TooSlow,
}

impl From<io::Error> for NoLine {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// Reads a line without its end. It must begin within `idle`, and from then on come whole within `whole`: whoever sends
/// a byte now and then gains nothing.
pub(super) async fn read(
    reader: &mut (impl AsyncBufRead + Unpin),
    idle: Duration,
    whole: Duration,
) -> Result<Vec<u8>, NoLine> {
    let begun = timeout(idle, reader.fill_buf()).await.map_err(|_| NoLine::TooSlow)??;
    if begun.is_empty() {
        return Err(NoLine::Closed);
    }
    let mut line = Vec::new();
    let mut bounded = reader.take(MAX_LINE as u64);
    timeout(whole, bounded.read_until(b'\n', &mut line)).await.map_err(|_| NoLine::TooSlow)??;
    if line.pop_if(|byte| *byte == b'\n').is_none() {
        return Err(if line.len() == MAX_LINE { NoLine::TooLong } else { NoLine::Closed });
    }
    line.pop_if(|byte| *byte == b'\r');
    Ok(line)
}

/// What a line of a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Auth(&'a str),
    Group(Group),
    Changed { table: &'a str, key: &'a str },
    Resync,
    Ping,
}

impl<'a> Command<'a> {
    /// Or what is wrong with it; never what it holds.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, &'static str> {
        let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("AUTH", proof) => Ok(Self::Auth(proof)),
            ("GROUP", name) => {
                Group::new(name).map(Self::Group).map_err(|_| "that is no name of a group: GROUP NAME")
            }
            ("CHANGED", row) => match row.split_once(' ') {
                Some((table, key)) if !table.is_empty() && !key.is_empty() => {
                    Ok(Self::Changed { table, key })
                }
                _ => Err("say CHANGED TABLE KEY"),
            },
            ("RESYNC", "") => Ok(Self::Resync),
            ("PING", "") => Ok(Self::Ping),
            _ => Err("say AUTH, GROUP, CHANGED, RESYNC or PING"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_command_and_what_is_none() {
        let group = Group::new("berlin-1").unwrap();
        let cases = [
            ("AUTH 00ff", Ok(Command::Auth("00ff"))),
            ("AUTH", Ok(Command::Auth(""))),
            ("GROUP berlin-1", Ok(Command::Group(group))),
            ("CHANGED line /10 01", Ok(Command::Changed { table: "line", key: "/10 01" })),
            ("CHANGED planet x", Ok(Command::Changed { table: "planet", key: "x" })),
            ("RESYNC", Ok(Command::Resync)),
            ("PING", Ok(Command::Ping)),
            ("GROUP", Err("that is no name of a group: GROUP NAME")),
            ("GROUP a b", Err("that is no name of a group: GROUP NAME")),
            ("CHANGED line", Err("say CHANGED TABLE KEY")),
            ("CHANGED  x", Err("say CHANGED TABLE KEY")),
            ("CHANGED line ", Err("say CHANGED TABLE KEY")),
            ("", Err("say AUTH, GROUP, CHANGED, RESYNC or PING")),
            ("ping", Err("say AUTH, GROUP, CHANGED, RESYNC or PING")),
            ("RESYNC now", Err("say AUTH, GROUP, CHANGED, RESYNC or PING")),
        ];
        for (line, expected) in cases {
            assert_eq!(Command::parse(line.as_bytes()), expected, "{line}");
        }
        assert_eq!(Command::parse(b"PING\xFF"), Err("the line is not UTF-8"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Command::parse(&line);
        }
    }
}
