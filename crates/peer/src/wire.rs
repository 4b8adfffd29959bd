//! The one line that is ever said on a link: which run of an instance is at the other end.

use std::io;

use ringback_election::{Incarnation, Member};
use ringback_model::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt};

const GREETING: &str = "ringback-peer 1 ";

/// Longer than any greeting.
const LIMIT: usize = 128;

/// What an instance says of itself.
pub(crate) fn greeting(me: &Member) -> String {
    format!("{GREETING}{me}\n")
}

/// Who a greeting says to be there. The time of its start is not told.
pub(crate) fn greeted(line: &str) -> Option<Member> {
    let (address, incarnation) = line.strip_prefix(GREETING)?.split_once('#')?;
    let incarnation = u64::from_str_radix(incarnation, 16).ok()?;
    Some(Member::new(address.parse().ok()?, Incarnation(incarnation), Timestamp(0)))
}

/// Reads the greeting, and nothing after it.
pub(crate) async fn read_greeting(link: &mut (impl AsyncRead + Unpin)) -> io::Result<Member> {
    let mut line = Vec::with_capacity(LIMIT);
    loop {
        // Byte by byte: it is one short line, once.
        match link.read_u8().await? {
            b'\n' => break,
            _ if line.len() == LIMIT => return Err(invalid()),
            byte => line.push(byte),
        }
    }
    std::str::from_utf8(&line).ok().and_then(greeted).ok_or_else(invalid)
}

fn invalid() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "something else than ringback, or a newer one, is at this port",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_names_the_run() {
        let me = Member::new([10, 0, 0, 1].into(), Incarnation(0x3f2a), Timestamp(99));
        assert_eq!(greeting(&me), "ringback-peer 1 10.0.0.1#3f2a\n");
        assert!(greeted("ringback-peer 1 10.0.0.1#3f2a").unwrap().is(&me));
        let v6 = Member::new("2001:db8::1".parse().unwrap(), Incarnation(u64::MAX), Timestamp(0));
        assert!(greeted(greeting(&v6).trim_end()).unwrap().is(&v6));
    }

    #[tokio::test]
    async fn what_is_no_greeting_is_told() {
        for said in [
            "SSH-2.0-OpenSSH\r\n",
            "\n",
            "ringback-peer 2 10.0.0.1#7\n",
            "ringback-peer 1 10.0.0.1\n",
            "ringback-peer 1 10.0.0.1#\n",
            "ringback-peer 1 10.0.0.1#-1\n",
            "ringback-peer 1 10.0.0.1#10000000000000000\n",
            "ringback-peer 1 somewhere#7\n",
            &"x".repeat(1000),
        ] {
            let error = read_greeting(&mut said.as_bytes()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{said}");
        }
        let cut_off = read_greeting(&mut "ringback-peer 1 10.0".as_bytes()).await.unwrap_err();
        assert_eq!(cut_off.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn nothing_after_the_greeting_is_taken() {
        let mut said = "ringback-peer 1 ::1#1\nmore".as_bytes();
        read_greeting(&mut said).await.unwrap();
        assert_eq!(said, b"more");
    }
}
