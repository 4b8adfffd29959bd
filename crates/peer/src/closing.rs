use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ringback_election::Member;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Config;
use crate::security::{End, Link, Transport};
use crate::wire::read_greeting;

/// A host that is gone without a word is noticed after some of these, so that the link is made again when it is back. It
/// proves nothing.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// Between two attempts; doubled up to what is configured. A kernel that closes all that a process had may close the link
/// before the place where it listened.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// What an attempt to link found.
enum Found {
    /// The one that was looked for.
    Linked(Link),
    /// Another run at its address, or nobody listens there.
    Gone,
    /// Nothing that proves anything.
    Unknown,
}

/// See [`PeerLinks::closed`](crate::PeerLinks::closed).
pub(crate) async fn closed(transport: &Transport, config: &Config, peer: Member) {
    // Its kernel closed a link with this very run.
    let mut was_closed = false;
    let limit = Duration::from_millis(config.retry_interval.0);
    let mut pause = FIRST_PAUSE;
    loop {
        match look(transport, config, &peer).await {
            Found::Linked(mut link) => {
                // It lives: the link was closed by somebody else.
                was_closed = stay(&mut link).await == End::ByKernel;
                pause = FIRST_PAUSE;
                if was_closed {
                    continue;
                }
            }
            Found::Gone if was_closed => return,
            Found::Gone | Found::Unknown => {}
        }
        sleep(pause.min(limit)).await;
        pause = (pause * 2).min(limit);
    }
}

/// Stays on the link until it ends.
async fn stay(link: &mut Link) -> End {
    let mut byte = [0];
    let read = link.stream.read(&mut byte).await;
    link.end(&read)
}

async fn look(transport: &Transport, config: &Config, peer: &Member) -> Found {
    let to = SocketAddr::new(peer.address, config.port);
    let linked = async {
        let stream = TcpStream::connect(to).await?;
        keep_alive(&stream);
        let mut link = transport.connect(stream, peer.address).await?;
        let who = read_greeting(&mut link.stream).await?;
        Ok::<_, io::Error>((link, who))
    };
    match timeout(Duration::from_millis(config.connect_timeout.0), linked).await {
        Ok(Ok((link, who))) if who.is(peer) => Found::Linked(link),
        // Only one process can listen there.
        Ok(Ok((_, who))) if who.address == peer.address => Found::Gone,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Found::Gone,
        Ok(Ok((_, who))) => {
            tracing::warn!("{who} answers at {to}: give every instance the address at which it is reached");
            Found::Unknown
        }
        Ok(Err(error)) => {
            tracing::warn!("no link with {peer} at {to}: {error}");
            Found::Unknown
        }
        Err(_) => Found::Unknown,
    }
}

fn keep_alive(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    // Without it a link that is dead without a word is kept; it is no worse than having none.
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}
