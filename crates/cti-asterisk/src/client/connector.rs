use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::session::Server;

/// A connection, whatever it runs over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How a manager interface is reached. Implement it for a proxy, or for a fake server.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// Connects to this server. It may take as long as it likes: the client gives up by dropping the future.
    ///
    /// # Errors
    /// There is no connection; the text is shown to the operator.
    async fn connect(&self, server: &Server) -> io::Result<Box<dyn Stream>>;
}

/// Connects by TCP to the address `host:port`. The manager's port is 5038 unless it was changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnector;

pub(super) async fn tcp(server: &Server) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(&server.address).await.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                ": check bindaddr and port in manager.conf, and enabled = yes"
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                ": check the host, and the way to it"
            }
            io::ErrorKind::TimedOut => ": check the host, and that nothing between drops what is sent there",
            // A name that nobody knows has no kind of its own.
            _ => ": check the host's name",
        };
        io::Error::new(error.kind(), format!("{}: {error}{hint}", server.address))
    })?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[async_trait]
impl Connector for TcpConnector {
    async fn connect(&self, server: &Server) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(tcp(server).await?))
    }
}
