//! A connector whose links can be cut.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use ringback_cti_asterisk::client::{Connector, Stream, TcpConnector};
use ringback_cti_asterisk::session::Server;
use tokio::io::copy_bidirectional;
use tokio::sync::watch;

/// How much may be on its way.
const PIPE: usize = 64 * 1024;

/// Connects by TCP, unless it was cut.
#[derive(Clone)]
pub(crate) struct Scissors {
    cut: Arc<watch::Sender<bool>>,
}

impl Default for Scissors {
    fn default() -> Self {
        Self { cut: Arc::new(watch::Sender::new(false)) }
    }
}

impl Scissors {
    /// Breaks every link, and lets none be made; or lets them be made again.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

#[async_trait]
impl Connector for Scissors {
    async fn connect(&self, server: &Server) -> io::Result<Box<dyn Stream>> {
        let mut cut = self.cut.subscribe();
        if *cut.borrow_and_update() {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "cut"));
        }
        let mut far = TcpConnector.connect(server).await?;
        let (near, mut inner) = tokio::io::duplex(PIPE);
        tokio::spawn(async move {
            tokio::select! {
                _ = copy_bidirectional(&mut inner, &mut far) => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        });
        Ok(Box::new(near))
    }
}
