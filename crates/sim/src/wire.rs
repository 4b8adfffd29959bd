use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// So much waits on the way before a writer has to wait.
const IN_FLIGHT: usize = 256 * 1024;

/// What is done to one connection from outside.
#[derive(Debug, Default)]
pub(crate) struct Valve(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    from_node: bool,
    to_node: bool,
    closed: bool,
    /// The reader at the node, and the one at the CTIManager.
    readers: [Option<Waker>; 2],
}

impl Valve {
    /// Says which ways are blocked.
    pub(crate) fn block(&self, from_node: bool, to_node: bool) {
        self.change(|state| (state.from_node, state.to_node) = (from_node, to_node));
    }

    /// The node is gone. The far end learns of it as soon as it hears from the node at all.
    pub(crate) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a simulated connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: DuplexStream,
    valve: Arc<Valve>,
    at_node: bool,
}

impl Wire {
    /// The node's end, the CTIManager's end, and what controls them.
    pub(crate) fn pair() -> (Self, Self, Arc<Valve>) {
        let (near, far) = tokio::io::duplex(IN_FLIGHT);
        let valve = Arc::new(Valve::default());
        let end = |stream, at_node| Self { stream, valve: Arc::clone(&valve), at_node };
        (end(near, true), end(far, false), Arc::clone(&valve))
    }
}

impl State {
    /// Whether what this end should read is blocked, and what it writes.
    fn blocked(&self, at_node: bool) -> (bool, bool) {
        if at_node { (self.to_node, self.from_node) } else { (self.from_node, self.to_node) }
    }

    /// Whether this end knows that the connection is closed.
    fn closed(&self, at_node: bool) -> bool {
        self.closed && (at_node || !self.from_node)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let at_node = self.at_node;
        let (closed, blocked) = {
            let mut state = self.valve.lock();
            // Also without a block: a change of the valve must wake a reader that waits for bytes.
            state.readers[usize::from(!at_node)] = Some(cx.waker().clone());
            (state.closed(at_node), state.blocked(at_node).0)
        };
        if closed {
            return Poll::Ready(Ok(()));
        }
        if blocked {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let at_node = self.at_node;
        let (closed, blocked) = {
            let state = self.valve.lock();
            (state.closed(at_node), state.blocked(at_node).1)
        };
        if closed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            // That the other end is gone cannot be known through a cut.
            Poll::Ready(Err(_)) if blocked => Poll::Ready(Ok(buf.len())),
            written => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What arrives at this end within a minute; `None`: nothing.
    async fn read(wire: &mut Wire) -> Option<String> {
        let mut buffer = [0; 16];
        let read = tokio::time::timeout(std::time::Duration::from_secs(60), wire.read(&mut buffer)).await;
        let length = read.ok()?.unwrap();
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    fn closed() -> Option<String> {
        Some(String::new())
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_is_silent_and_what_was_under_way_arrives_after_the_healing() {
        let (mut near, mut far, valve) = Wire::pair();
        near.write_all(b"one").await.unwrap();
        assert_eq!(read(&mut far).await.as_deref(), Some("one"));
        valve.block(true, true);
        near.write_all(b"two").await.unwrap();
        far.write_all(b"three").await.unwrap();
        assert_eq!((read(&mut far).await, read(&mut near).await), (None, None));
        valve.block(false, false);
        assert_eq!(read(&mut far).await.as_deref(), Some("two"));
        assert_eq!(read(&mut near).await.as_deref(), Some("three"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_of_one_way_leaves_the_other() {
        let (mut near, mut far, valve) = Wire::pair();
        valve.block(true, false);
        near.write_all(b"one").await.unwrap();
        far.write_all(b"two").await.unwrap();
        assert_eq!((read(&mut far).await, read(&mut near).await.as_deref()), (None, Some("two")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_waits_is_woken_by_the_healing_and_by_the_closing() {
        for (close, expected) in [(false, Some("one".to_owned())), (true, closed())] {
            let (mut near, mut far, valve) = Wire::pair();
            valve.block(true, true);
            near.write_all(b"one").await.unwrap();
            let reader = tokio::spawn(async move { read(&mut far).await });
            tokio::task::yield_now().await;
            if close {
                valve.close();
            }
            valve.block(false, false);
            assert_eq!(reader.await.unwrap(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn that_the_other_end_is_gone_is_not_known_through_a_cut() {
        let (near, mut far, valve) = Wire::pair();
        valve.block(true, true);
        drop(near);
        valve.close();
        assert_eq!(read(&mut far).await, None);
        far.write_all(b"lost").await.unwrap();
        valve.block(false, false);
        assert_eq!(read(&mut far).await, closed());
        assert!(far.write_all(b"lost").await.is_err());
    }
}
