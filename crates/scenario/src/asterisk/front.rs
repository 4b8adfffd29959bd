//! The address at which the displays press keys: one for all instances, as a proxy before them has it. It asks one after the
//! other, until one does not answer that it does not act.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The longest request of a phone.
const REQUEST: usize = 4096;
/// What a phone is answered whom nobody serves.
const NOBODY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// One instance behind it.
#[derive(Debug, Clone, Copy)]
struct Behind {
    address: SocketAddr,
    /// It is neither paused nor cut off.
    answers: bool,
}

/// The instances behind it. Clones are the same.
#[derive(Clone, Default)]
struct All(Arc<Mutex<BTreeMap<IpAddr, Behind>>>);

impl All {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Behind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address. Clones are the same.
#[derive(Clone)]
pub(super) struct Front {
    address: SocketAddr,
    all: All,
}

impl Front {
    /// At an address of its own.
    pub(super) async fn start(address: IpAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((address, 0)).await?;
        let (address, all) = (listener.local_addr()?, All::default());
        let behind = all.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A phone that goes away gets no answer.
                tokio::spawn(pass(stream, behind.clone()));
            }
        });
        Ok(Self { address, all })
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// An instance serves here from now on.
    pub(super) fn put(&self, instance: IpAddr, address: SocketAddr) {
        self.all.lock().insert(instance, Behind { address, answers: true });
    }

    /// Whether an instance answers at all. One that has been killed says so itself.
    pub(super) fn set_answers(&self, instance: IpAddr, answers: bool) {
        if let Some(behind) = self.all.lock().get_mut(&instance) {
            behind.answers = answers;
        }
    }
}

async fn pass(mut phone: TcpStream, all: All) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && request.len() < REQUEST {
        if phone.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let behind: Vec<_> = all.lock().values().filter(|one| one.answers).map(|one| one.address).collect();
    for address in behind {
        if let Ok((answer, _until_it_was_read)) = ask(address, &request).await
            && !answer.starts_with(b"HTTP/1.1 503 ")
        {
            phone.write_all(&answer).await?;
            phone.shutdown().await?;
            while phone.read(&mut [0; 256]).await? > 0 {}
            return Ok(());
        }
    }
    phone.write_all(NOBODY).await
}

/// The answer, and the connection, which is closed when the phone has it.
async fn ask(address: SocketAddr, request: &[u8]) -> io::Result<(Vec<u8>, TcpStream)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok((answer, stream))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// An instance that answers everybody this.
    async fn instance(status: &'static str) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _asked = stream.read(&mut [0; 512]).await;
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                let _left = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn the_one_that_acts_is_found() {
        let front = Front::start(Ipv4Addr::LOCALHOST.into()).await.unwrap();
        let get = async || {
            let (answer, _) = ask(front.address(), b"GET /key HTTP/1.1\r\n\r\n").await.unwrap();
            String::from_utf8(answer).unwrap().lines().next().unwrap_or_default().to_owned()
        };
        let node = |last| IpAddr::from([10, 0, 0, last]);
        assert_eq!(get().await, "HTTP/1.1 503 Service Unavailable");
        // One that is gone, one that stands by, one that acts.
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        front.put(node(1), gone);
        front.put(node(2), instance("503 Service Unavailable").await);
        front.put(node(3), instance("200 OK").await);
        assert_eq!(get().await, "HTTP/1.1 200 OK");
        front.set_answers(node(3), false);
        assert_eq!(get().await, "HTTP/1.1 503 Service Unavailable");
        front.put(node(3), instance("404 Not Found").await);
        assert_eq!(get().await, "HTTP/1.1 404 Not Found");
    }
}
