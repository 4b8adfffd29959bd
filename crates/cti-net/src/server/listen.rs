use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{CtiServer, ServerConfig, serve_connection};

/// Why there is no listener. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "{address} is in use by another program: stop that program, or choose another port (CTI Connecting Port)"
    )]
    InUse {
        /// Where it was to listen.
        address: String,
    },
    /// This program may not listen there.
    #[error("no permission to listen at {address}: choose a port above 1023, or grant the permission")]
    NotPermitted {
        /// Where it was to listen.
        address: String,
    },
    /// The address is not one of this machine, or not an address.
    #[error(
        "cannot listen at {address}: {source}; give an address of this machine and a port, as in 0.0.0.0:2748"
    )]
    Other {
        /// Where it was to listen.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Listens at `address` (`host:port`).
///
/// # Errors
/// Named, with advice: see [`BindError`].
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { address },
            io::ErrorKind::PermissionDenied => BindError::NotPermitted { address },
            _ => BindError::Other { address, source },
        }
    })
}

/// Serves every connection that `listener` accepts, until this future is dropped; then all of them are closed.
pub async fn listen(listener: TcpListener, server: Arc<dyn CtiServer>, config: ServerConfig) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let _ = stream.set_nodelay(true);
                links.spawn(serve_connection(stream, Arc::clone(&server), config.clone()));
            },
            Some(_ended) = links.join_next() => {}
        }
    }
}
