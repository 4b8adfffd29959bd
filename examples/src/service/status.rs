//! How the instances of this machine are: each answers at a socket beside the locks.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringback::{Handle, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// How long an instance may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits for who asked to read the answer; the next who asks waits, too.
const UNREAD: Duration = Duration::from_secs(1);
/// How the sockets' names end.
const ENDING: &str = "status";

/// A socket; it goes with this value.
struct Socket {
    path: PathBuf,
    listener: UnixListener,
}

impl Socket {
    fn bind(path: PathBuf) -> io::Result<Self> {
        // Left by a run that was killed: whoever calls this holds the lock of the address.
        let _ = std::fs::remove_file(&path);
        Ok(Self { listener: UnixListener::bind(&path)?, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may have been taken away by hand.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Answers everybody who connects with the status of the instance at this address, for each group that it serves. Never
/// returns.
pub(super) async fn answer(folder: PathBuf, address: IpAddr, handles: Vec<Handle>) {
    let path = folder.join(format!("ringback-{address}.{ENDING}"));
    let socket = match Socket::bind(path.clone()) {
        Ok(socket) => socket,
        Err(error) => {
            // The service works without it.
            tracing::warn!(path = %path.display(), %error, "nobody can ask for the status here");
            return std::future::pending().await;
        }
    };
    loop {
        if let Ok((mut stream, _)) = socket.listener.accept().await {
            let statuses: Vec<Status> = handles.iter().map(Handle::status).collect();
            let said = serde_json::to_vec(&statuses).unwrap_or_default();
            // With hundreds of groups it does not fit into the socket's buffer, and whoever asked may not read.
            let _ = timeout(UNREAD, stream.write_all(&said)).await;
        }
    }
}

/// The status of every instance that runs on this machine with its locks in this folder, for each group that it serves: in
/// the order of groups, then of addresses.
///
/// # Errors
/// The folder cannot be read.
pub async fn statuses(folder: &Path) -> io::Result<Vec<Status>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            // One that was killed leaves its socket, and nobody is behind it.
            found.extend(ask(&path).await.unwrap_or_default());
        }
    }
    found.sort_by_key(|status: &Status| (status.group.clone(), status.address));
    Ok(found)
}

async fn ask(path: &Path) -> Option<Vec<Status>> {
    let ask = async {
        let mut stream = UnixStream::connect(path).await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await?;
        io::Result::Ok(said)
    };
    // One that is paused does not answer.
    let said = timeout(PATIENCE, ask).await.ok()?.ok()?;
    serde_json::from_slice(&said).ok()
}
