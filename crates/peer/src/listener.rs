use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ringback_election::Member;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::Config;
use crate::error::PeerError;
use crate::security::Transport;
use crate::wire::greeting;

/// When the system has nothing left for another connection, it is asked again after this.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens at the instance's address, greets whoever comes, and keeps the link.
pub(crate) async fn listen(
    me: Member,
    config: &Config,
    transport: Arc<Transport>,
    count: watch::Sender<usize>,
) -> Result<(SocketAddr, AbortHandle), PeerError> {
    let at = SocketAddr::new(me.address, config.port);
    let failed = |reason| PeerError::Listen { at, reason };
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    let (greeting, limit) =
        (Arc::<str>::from(greeting(&me)), Duration::from_millis(config.connect_timeout.0));
    let most = config.max_links;
    let task = tokio::spawn(async move {
        // Ends with this task, and with it the links.
        let mut links = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            while links.try_join_next().is_some() {}
            if links.len() >= most {
                tracing::warn!("a link from another instance was turned away: there are {most} already");
                continue;
            }
            let (greeting, transport, count) = (Arc::clone(&greeting), Arc::clone(&transport), count.clone());
            links.spawn(async move { hold(stream, &greeting, &transport, limit, &count).await });
        }
    });
    Ok((local, task.abort_handle()))
}

/// Keeps one link until the other end is gone.
async fn hold(
    stream: TcpStream,
    greeting: &str,
    transport: &Transport,
    limit: Duration,
    count: &watch::Sender<usize>,
) {
    let from = stream.peer_addr();
    let greet = async {
        let mut link = transport.accept(stream).await?;
        link.stream.write_all(greeting.as_bytes()).await?;
        link.stream.flush().await?;
        Ok::<_, std::io::Error>(link)
    };
    let mut link = match timeout(limit, greet).await {
        Ok(Ok(link)) => link,
        Ok(Err(error)) => {
            if let Ok(from) = from {
                tracing::warn!(%from, "a link from another instance was not made: {error}");
            }
            return;
        }
        Err(_) => return,
    };
    // What is read is nothing that was agreed on; the link is kept all the same, as it says that this instance lives.
    count.send_modify(|count| *count += 1);
    let mut ignored = [0; 64];
    while let Ok(1..) = link.stream.read(&mut ignored).await {}
    count.send_modify(|count| *count -= 1);
}
