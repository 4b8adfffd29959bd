use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use ringback_callback::Kind;
use ringback_model::{DirectoryNumber, Timestamp};

/// Replays a recorded manager-interface stream of an Asterisk and prints when a line became available.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "replay")]
#[command(group = clap::ArgGroup::new("question").required(true).multiple(true))]
pub struct Arguments {
    /// The recording: each message behind a line `>>> T` or `<<< T`, T in seconds
    pub file: PathBuf,
    /// A request that is active from T on, in seconds; prints its first notification. Repeatable: each has an engine
    /// of its own
    #[arg(long, group = "question", value_name = "CALLER:CALLED:busy@T|CALLER:CALLED:noanswer@T")]
    pub request: Vec<RequestArgument>,
    /// Prints each time this line goes from any call to idle. Repeatable
    #[arg(long, group = "question", value_name = "DN")]
    pub watch: Vec<DirectoryNumber>,
    /// Prints each press of the callback key
    #[arg(long, group = "question")]
    pub keys: bool,
}

/// `CALLER:CALLED:busy@T` or `CALLER:CALLED:noanswer@T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestArgument {
    /// Who waits.
    pub caller: DirectoryNumber,
    /// For whom.
    pub called: DirectoryNumber,
    /// What the caller heard.
    pub kind: Kind,
    /// From when on, in milliseconds of the recording.
    pub at: Timestamp,
}

impl fmt::Display for RequestArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Busy => "busy",
            Kind::NoAnswer => "noanswer",
        };
        let (seconds, millis) = (self.at.0 / 1000, self.at.0 % 1000);
        write!(f, "{}:{}:{kind}@{seconds}.{millis:03}", self.caller.as_str(), self.called.as_str())
    }
}

impl FromStr for RequestArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [caller, called, when] = parts[..] else {
            return Err("expected CALLER:CALLED:busy@T or CALLER:CALLED:noanswer@T".into());
        };
        let number = |text| DirectoryNumber::new(text).map_err(|error| error.to_string());
        let (kind, time) = when
            .split_once('@')
            .ok_or_else(|| format!("expected busy@T or noanswer@T behind the numbers, found {when:?}"))?;
        let kind = match kind {
            "busy" => Kind::Busy,
            "noanswer" => Kind::NoAnswer,
            _ => return Err(format!("a request is busy or noanswer, not {kind:?}")),
        };
        let at = millis(time).ok_or_else(|| format!("T is seconds such as 12.34, not {time:?}"))?;
        Ok(Self { caller: number(caller)?, called: number(called)?, kind, at: Timestamp(at) })
    }
}

fn millis(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let millis: u64 = format!("{fraction:0<3.3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_written() {
        for (text, kind, at) in [
            ("1001:1002:busy@2.000", Kind::Busy, 2000),
            ("1001:1002:noanswer@17.320", Kind::NoAnswer, 17_320),
        ] {
            let request: RequestArgument = text.parse().unwrap();
            assert_eq!((request.kind, request.at), (kind, Timestamp(at)));
            assert_eq!(request.to_string(), text);
        }
        assert_eq!("1:2:busy@7".parse::<RequestArgument>().unwrap().at, Timestamp(7000));
    }

    #[test]
    fn errors_say_what_is_allowed() {
        for (text, expected) in [
            ("1001:1002", "expected CALLER:CALLED:busy@T or CALLER:CALLED:noanswer@T"),
            ("1001:1002:busy", "expected busy@T or noanswer@T behind the numbers, found \"busy\""),
            ("1001:1002:ringing@2", "a request is busy or noanswer, not \"ringing\""),
            ("1001:1002:busy@-1", "T is seconds such as 12.34, not \"-1\""),
            ("1001:1002:busy@1e3", "T is seconds such as 12.34, not \"1e3\""),
            (":1002:busy@1", "a directory number is empty: give 1 to 50 characters"),
        ] {
            assert_eq!(text.parse::<RequestArgument>(), Err(expected.to_owned()));
        }
    }

    #[test]
    fn something_must_be_asked() {
        let error = Arguments::try_parse_from(["replay", "file"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--request"), "{error}");
    }
}
