use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The writing half of a connection. It also flushes, which a plain TCP stream does not need, but one that
/// encrypts or buffers does.
#[derive(Debug)]
pub(crate) struct Sender<W> {
    writer: W,
    unflushed: bool,
}

impl<W: AsyncWrite + Unpin> Sender<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, unflushed: false }
    }

    /// Whether [`send`](Self::send) has something to do.
    pub(crate) fn wants(&self, output: &BytesMut) -> bool {
        self.unflushed || !output.is_empty()
    }

    /// Writes some of `output` and takes it off, or flushes. Dropping the future loses nothing.
    pub(crate) async fn send(&mut self, output: &mut BytesMut) -> io::Result<()> {
        if output.is_empty() {
            self.writer.flush().await?;
            self.unflushed = false;
        } else {
            if self.writer.write_buf(output).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.unflushed = true;
        }
        Ok(())
    }

    /// Writes all of `output` and closes.
    pub(crate) async fn finish(&mut self, output: &mut BytesMut) -> io::Result<()> {
        while self.wants(output) {
            self.send(output).await?;
        }
        self.writer.shutdown().await
    }
}
