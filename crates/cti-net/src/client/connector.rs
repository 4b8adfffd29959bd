use std::io;

use async_trait::async_trait;
use ringback_cti::session::Manager;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection, whatever it runs over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How a CTIManager is reached. Implement it for TLS, for a proxy, or for a simulated network.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// Connects to this CTIManager. It may take as long as it likes: the client gives up by dropping the future.
    ///
    /// # Errors
    /// There is no connection; the client goes on to the next CTIManager.
    async fn connect(&self, manager: &Manager) -> io::Result<Box<dyn Stream>>;
}

/// Connects by TCP to the address `host:port`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnector;

#[async_trait]
impl Connector for TcpConnector {
    async fn connect(&self, manager: &Manager) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(&manager.address).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
