use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use super::auth::SharedSecret;
use super::limits::TcpLimits;
use super::listener::{ChangeListener, ListenError};

/// The listeners of a process that serves several groups: those whose parameter names the same port share one, and whoever
/// notifies says by `GROUP` which is meant. Clones share the same listeners.
#[derive(Debug, Clone)]
pub struct SharedListeners {
    secret: SharedSecret,
    limits: TcpLimits,
    open: Arc<Mutex<HashMap<SocketAddr, Weak<ChangeListener>>>>,
}

impl SharedListeners {
    /// None is open yet. All of them have this secret and these limits.
    #[must_use]
    pub fn new(secret: SharedSecret, limits: TcpLimits) -> Self {
        Self { secret, limits, open: Arc::default() }
    }

    /// The listener at this address: one that somebody has, or else a new one. It ends with the last who has it. Port 0
    /// is another one each time.
    ///
    /// # Errors
    /// As [`ChangeListener::bind`].
    pub async fn at(&self, address: SocketAddr) -> Result<Arc<ChangeListener>, ListenError> {
        // Held until it is open: whoever asks meanwhile gets the same.
        let mut open = self.open.lock().await;
        if let Some(listener) = open.get(&address).and_then(Weak::upgrade) {
            return Ok(listener);
        }
        let listener = ChangeListener::bind(address, self.secret.clone(), self.limits).await?;
        let listener = Arc::new(listener);
        open.retain(|_, listener| listener.strong_count() > 0);
        if address.port() != 0 {
            open.insert(address, Arc::downgrade(&listener));
        }
        Ok(listener)
    }
}
