//! A way to the manager interface, which can be interrupted: a CTIManager of the scenario as one instance reaches it. The PBX
//! and its calls go on.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::language::CtiManagerAction;

/// What becomes of connections; counted, so that a start ends those from before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    now: CtiManagerAction,
    starts: u64,
}

/// A relay at an address of its own. It ends with this value.
pub(super) struct Relay {
    address: SocketAddr,
    state: watch::Sender<State>,
}

impl Relay {
    /// Passes everything on to `to` that comes to a socket, which must not block.
    pub(super) fn serve(listener: std::net::TcpListener, to: String) -> std::io::Result<Self> {
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (state, watching) = watch::channel(State { now: CtiManagerAction::Start, starts: 0 });
        tokio::spawn(accept(listener, to, watching));
        Ok(Self { address, state })
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stopped, it closes every connection; frozen, it keeps them, and passes nothing on.
    pub(super) fn act(&self, action: CtiManagerAction) {
        self.state.send_modify(|state| {
            // What runs goes on running.
            if action != state.now {
                state.starts += u64::from(action == CtiManagerAction::Start);
                state.now = action;
            }
        });
    }
}

async fn accept(listener: TcpListener, to: String, mut state: watch::Receiver<State>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted
                    && state.borrow().now != CtiManagerAction::Stop
                {
                    tokio::spawn(pass(stream, to.clone(), state.clone()));
                }
            }
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// One connection, up to its end.
async fn pass(mut from: TcpStream, to: String, mut state: watch::Receiver<State>) {
    let since = *state.borrow_and_update();
    let through = async {
        let Ok(mut to) = TcpStream::connect(to).await else { return };
        // It ends with either end.
        let _ended = copy_bidirectional(&mut from, &mut to).await;
    };
    tokio::pin!(through);
    let mut frozen = since.now == CtiManagerAction::Freeze;
    loop {
        tokio::select! {
            () = &mut through, if !frozen => return,
            changed = state.changed() => {
                let now = *state.borrow_and_update();
                let is_over = now.now == CtiManagerAction::Stop || now.starts != since.starts;
                if changed.is_err() || is_over {
                    return;
                }
                frozen = now.now == CtiManagerAction::Freeze;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    async fn echo() -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        address.to_string()
    }

    /// Whether an echo comes back; `None`: the connection is closed.
    async fn answers(stream: &mut TcpStream, within: Duration) -> Option<bool> {
        if stream.write_all(b"x").await.is_err() {
            return None;
        }
        match timeout(within, stream.read(&mut [0; 8])).await {
            Ok(Ok(0) | Err(_)) => None,
            Ok(Ok(_)) => Some(true),
            Err(_) => Some(false),
        }
    }

    #[tokio::test]
    async fn it_is_stopped_frozen_and_started() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let relay = Relay::serve(listener, echo().await).unwrap();
        let connect = async || TcpStream::connect(relay.address()).await.unwrap();
        let mut first = connect().await;
        assert_eq!(answers(&mut first, LONG).await, Some(true));
        relay.act(CtiManagerAction::Start);
        assert_eq!(answers(&mut first, LONG).await, Some(true));
        relay.act(CtiManagerAction::Freeze);
        // The lapse is what is expected.
        assert_eq!(answers(&mut first, Duration::from_millis(100)).await, Some(false));
        assert_eq!(answers(&mut connect().await, Duration::from_millis(100)).await, Some(false));
        relay.act(CtiManagerAction::Start);
        assert_eq!(answers(&mut first, LONG).await, None);
        let mut second = connect().await;
        assert_eq!(answers(&mut second, LONG).await, Some(true));
        relay.act(CtiManagerAction::Stop);
        assert_eq!(answers(&mut second, LONG).await, None);
        assert_eq!(answers(&mut connect().await, LONG).await, None);
        relay.act(CtiManagerAction::Start);
        assert_eq!(answers(&mut connect().await, LONG).await, Some(true));
    }
}
