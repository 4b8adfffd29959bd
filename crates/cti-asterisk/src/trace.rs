//! Recorded manager-interface streams: each message behind a line `>>> T` (sent by the client) or `<<< T` (sent by
//! the server), T in seconds since the recording began.

use std::time::Duration;

use thiserror::Error;

use crate::ami::{AmiError, Item, Message, Parser};

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `>>>`: the client.
    ToServer,
    /// `<<<`: the server.
    FromServer,
}

/// One recorded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When, since the recording began.
    pub at: Duration,
    /// Who sent it.
    pub direction: Direction,
    /// The line of the file on which its marker stands, from 1.
    pub line: usize,
    /// The message.
    pub message: Message,
}

/// Why a recording cannot be read, and where. Nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct TraceError {
    /// The line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    #[source]
    pub kind: TraceErrorKind,
}

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceErrorKind {
    /// Text stands before the first marker.
    #[error("expected \">>> SECONDS\" or \"<<< SECONDS\" before the first message")]
    NoMarker,
    /// The time behind a marker is none.
    #[error("expected seconds such as 12.3456 behind the marker, found {0:?}")]
    Time(String),
    /// The time is before that of an earlier message.
    #[error("the time goes back: {this:?} after {earlier:?}")]
    TimeGoesBack {
        /// The time here.
        this: Duration,
        /// The time before.
        earlier: Duration,
    },
    /// The message before this line is not ended by an empty line.
    #[error("the message that began on line {began} is not ended by an empty line")]
    Unfinished {
        /// Where its marker stands.
        began: usize,
    },
    /// The text is not the manager protocol.
    #[error("not the manager protocol: {0}")]
    Protocol(#[from] AmiError),
}

/// Reads a whole recording.
///
/// # Errors
/// It is not one; the error names the line.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, TraceError> {
    let mut reader = Reader::default();
    let mut number = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        reader.line(number, line).map_err(|kind| TraceError { line: number, kind })?;
    }
    reader.end().map_err(|kind| TraceError { line: number, kind })?;
    Ok(reader.records)
}

#[derive(Default)]
struct Reader {
    parsers: [Parser; 2],
    marker: Option<(Duration, Direction, usize)>,
    records: Vec<Record>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), TraceErrorKind> {
        if let Some((direction, time)) = marker(line) {
            self.end()?;
            let at = seconds(time).ok_or_else(|| TraceErrorKind::Time(time.to_owned()))?;
            if let Some((earlier, ..)) = self.marker.filter(|(earlier, ..)| *earlier > at) {
                return Err(TraceErrorKind::TimeGoesBack { this: at, earlier });
            }
            self.marker = Some((at, direction, number));
            return Ok(());
        }
        let Some((at, direction, began)) = self.marker else {
            let blank = line.iter().all(u8::is_ascii_whitespace);
            return if blank { Ok(()) } else { Err(TraceErrorKind::NoMarker) };
        };
        let mut items = Vec::new();
        self.parsers[direction as usize].feed(line, &mut items)?;
        self.records.extend(items.into_iter().filter_map(|item| match item {
            Item::Message(message) => Some(Record { at, direction, line: began, message }),
            Item::Greeting(_) => None,
        }));
        Ok(())
    }

    /// No message may be open where a marker or the end of the file stands.
    fn end(&self) -> Result<(), TraceErrorKind> {
        match self.marker {
            Some((_, direction, began)) if !self.parsers[direction as usize].is_between_messages() => {
                Err(TraceErrorKind::Unfinished { began })
            }
            _ => Ok(()),
        }
    }
}

fn marker(line: &[u8]) -> Option<(Direction, &str)> {
    let text = std::str::from_utf8(line).ok()?;
    let (direction, rest) = match text.split_at_checked(3)? {
        (">>>", rest) => (Direction::ToServer, rest),
        ("<<<", rest) => (Direction::FromServer, rest),
        _ => return None,
    };
    Some((direction, rest.trim()))
}

/// Plain decimal seconds, to the microsecond.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6.6}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, micros * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_directions_with_their_times() {
        let text = ">>> 0.0464\nAction: Login\r\nActionID: 1\r\n\r\n<<< 1.5\nResponse: Success\n\n<<< 2\n\n";
        let records = read(text.as_bytes()).unwrap();
        let seen: Vec<_> = records.iter().map(|r| (r.at.as_micros(), r.direction, r.line)).collect();
        assert_eq!(seen, [(46_400, Direction::ToServer, 1), (1_500_000, Direction::FromServer, 5)]);
        assert_eq!(records[0].message.get("ActionID"), Some("1"));
    }

    #[test]
    fn a_greeting_is_no_message() {
        let records = read(b"<<< 0.1\nAsterisk Call Manager/9.0.0\n\n<<< 0.2\nEvent: A\n\n").unwrap();
        assert_eq!(records.len(), 1);
    }

    #[test]
    fn errors_name_the_line() {
        let cases: [(&str, usize, TraceErrorKind); 6] = [
            ("\nEvent: A\n\n", 2, TraceErrorKind::NoMarker),
            ("<<< now\nEvent: A\n\n", 1, TraceErrorKind::Time("now".into())),
            ("<<< 1.\n", 1, TraceErrorKind::Time("1.".into())),
            ("<<< 0.1\nEvent: A\n<<< 0.2\n", 3, TraceErrorKind::Unfinished { began: 1 }),
            ("<<< 0.1\nEvent: A\n\n<<< 0.2\nEvent: B\nExten: 1", 6, TraceErrorKind::Unfinished { began: 4 }),
            ("<<< 0.1\nno header\n\n", 2, TraceErrorKind::Protocol(AmiError::NoColon { len: 9 })),
        ];
        for (text, line, kind) in cases {
            assert_eq!(read(text.as_bytes()), Err(TraceError { line, kind }), "{text:?}");
        }
        let error = read(b"<<< 2.0\n\n<<< 1.0\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3: the time goes back: 1s after 2s");
    }

    #[test]
    fn nothing_recorded_is_an_empty_recording() {
        assert_eq!(read(b""), Ok(vec![]));
    }
}
