use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::address::Endpoint;
use crate::error::Fault;
use crate::registry::Options;

type Sender = SendRequest<Full<Bytes>>;

/// More than any answer that is asked for.
const LONGEST_ANSWER: usize = 64 << 20;

/// A link on which nothing is heard for so long is tried out, and again after each pause.
const QUIET: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);

/// The connections to the servers of a cluster. One server is asked until it fails, then the next.
pub(crate) struct Connections {
    endpoints: Vec<Endpoint>,
    tls: Option<TlsConnector>,
    connect_timeout: Duration,
    request_timeout: Duration,
    preferred: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
    places: Semaphore,
}

struct Idle {
    endpoint: usize,
    sender: Sender,
}

/// An answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) date: Option<String>,
    pub(crate) body: Bytes,
}

/// What is to be asked.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// Such as `/v3/kv/range`.
    pub(crate) path: &'static str,
    pub(crate) body: &'a Bytes,
    pub(crate) token: Option<&'a HeaderValue>,
}

impl Connections {
    /// Connects nowhere yet.
    pub(crate) fn new(endpoints: Vec<Endpoint>, tls: Option<TlsConnector>, options: &Options) -> Arc<Self> {
        Arc::new(Self {
            endpoints,
            tls,
            connect_timeout: options.connect_timeout.to_duration(),
            request_timeout: options.request_timeout.to_duration(),
            preferred: AtomicUsize::new(0),
            idle: Mutex::default(),
            places: Semaphore::new(options.connections.max(1)),
        })
    }

    /// The time-out of a request.
    pub(crate) fn patience(&self) -> Duration {
        self.request_timeout
    }

    /// Asks, and reads the whole answer, which must come within `patience`.
    pub(crate) async fn ask(&self, question: Question<'_>, patience: Duration) -> Result<Answer, Fault> {
        // Whoever is there already has a time-out.
        let _place = self.places.acquire().await.map_err(|error| Fault::NotSent(error.to_string()))?;
        let mut request = self.request(question)?;
        while let Some(Idle { endpoint, mut sender }) = self.rested() {
            let end = Instant::now() + patience;
            // A connection that the server has closed since is no loss: nothing was sent.
            if !matches!(timeout_at(end, sender.ready()).await, Ok(Ok(()))) {
                continue;
            }
            match timeout_at(end, sender.try_send_request(request)).await {
                Ok(Err(mut error)) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(self.lost(endpoint, &error.into_error())),
                },
                Ok(Ok(response)) => return self.read(endpoint, sender, response, end).await,
                Err(_) => return Err(self.silent(endpoint, patience)),
            }
        }
        let (endpoint, mut sender) = self.connect().await?;
        let end = Instant::now() + patience;
        match timeout_at(end, sender.send_request(request)).await {
            Ok(Ok(response)) => self.read(endpoint, sender, response, end).await,
            Ok(Err(error)) => Err(self.lost(endpoint, &error)),
            Err(_) => Err(self.silent(endpoint, patience)),
        }
    }

    /// Asks over a connection of its own for an answer that does not end.
    pub(crate) async fn stream(&self, question: Question<'_>) -> Result<Response<Incoming>, Fault> {
        let request = self.request(question)?;
        let (endpoint, mut sender) = self.connect().await?;
        match timeout(self.request_timeout, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.lost(endpoint, &error)),
            Err(_) => Err(self.silent(endpoint, self.request_timeout)),
        }
    }

    /// From now on the next server is asked, if this is the one that is asked now.
    pub(crate) fn turn_away(&self, endpoint: usize) {
        let next = (endpoint + 1) % self.endpoints.len();
        let turned = self.preferred.compare_exchange(endpoint, next, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Which server is asked now.
    pub(crate) fn preferred(&self) -> usize {
        self.preferred.load(Ordering::Relaxed) % self.endpoints.len()
    }

    fn request(&self, question: Question<'_>) -> Result<Request<Full<Bytes>>, Fault> {
        let host = self.endpoints[self.preferred()].to_string();
        let mut builder =
            Request::post(question.path).header(HOST, host).header(CONTENT_TYPE, "application/json");
        if let Some(token) = question.token {
            builder = builder.header(AUTHORIZATION, token);
        }
        let request = builder.body(Full::from(question.body.clone()));
        request.map_err(|error| Fault::Invalid(error.to_string()))
    }

    fn rested(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let preferred = self.preferred();
        while let Some(connection) = idle.pop() {
            if connection.endpoint == preferred && !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    async fn read(
        &self,
        endpoint: usize,
        sender: Sender,
        response: Response<Incoming>,
        end: Instant,
    ) -> Result<Answer, Fault> {
        let (head, body) = response.into_parts();
        let body = match timeout_at(end, Limited::new(body, LONGEST_ANSWER).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => return Err(self.lost(endpoint, &*error)),
            Err(_) => return Err(self.silent(endpoint, self.request_timeout)),
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(Idle { endpoint, sender });
        let date = head.headers.get(DATE).and_then(|date| date.to_str().ok()).map(ToOwned::to_owned);
        Ok(Answer { status: head.status, date, body })
    }

    /// A new connection, to the next server that can be reached.
    async fn connect(&self) -> Result<(usize, Sender), Fault> {
        let first = self.preferred();
        let mut reasons = Vec::new();
        let mut is_tls = false;
        for step in 0..self.endpoints.len() {
            let endpoint = (first + step) % self.endpoints.len();
            let place = &self.endpoints[endpoint];
            match timeout(self.connect_timeout, self.connect_to(place)).await {
                Ok(Ok(sender)) => {
                    if step > 0 {
                        self.preferred.store(endpoint, Ordering::Relaxed);
                    }
                    return Ok((endpoint, sender));
                }
                Ok(Err(Way::Closed(reason))) => reasons.push(format!("{place}: {reason}")),
                Ok(Err(Way::Unsafe(reason))) => {
                    is_tls = true;
                    reasons.push(format!("{place}: {reason}"));
                }
                Err(_) => reasons.push(format!("{place}: no answer in {:?}", self.connect_timeout)),
            }
        }
        let reasons = reasons.join("; ");
        Err(if is_tls { Fault::Tls(reasons) } else { Fault::NotSent(reasons) })
    }

    async fn connect_to(&self, place: &Endpoint) -> Result<Sender, Way> {
        let closed = |error: std::io::Error| Way::Closed(error.to_string());
        let stream = TcpStream::connect((place.host.as_str(), place.port)).await.map_err(closed)?;
        // Both are for speed and for links that are dead without a word; without them it works, too.
        let _ = stream.set_nodelay(true);
        let keepalive = TcpKeepalive::new().with_time(QUIET).with_interval(PAUSE);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        let Some(tls) = &self.tls else { return begin(stream).await };
        let name =
            ServerName::try_from(place.host.clone()).map_err(|error| Way::Unsafe(error.to_string()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| Way::Unsafe(error.to_string()))?;
        begin(stream).await
    }

    fn lost(&self, endpoint: usize, error: &(dyn Error + 'static)) -> Fault {
        self.turn_away(endpoint);
        let place = &self.endpoints[endpoint];
        let cause = error.source().map_or_else(String::new, |cause| format!(", {cause}"));
        // Servers look at our certificate only when they are asked something.
        if is_of_tls(error) {
            return Fault::Tls(format!("{place}: {error}{cause}"));
        }
        Fault::Lost(format!("the connection to {place} is lost ({error}{cause})"))
    }

    fn silent(&self, endpoint: usize, patience: Duration) -> Fault {
        self.turn_away(endpoint);
        Fault::Lost(format!("{} does not answer in {patience:?}", self.endpoints[endpoint]))
    }
}

fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Why a connection did not come about.
enum Way {
    Closed(String),
    Unsafe(String),
}

/// The task ends when the sender is dropped.
async fn begin<T>(stream: T) -> Result<Sender, Way>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| Way::Closed(error.to_string()))?;
    tokio::spawn(connection);
    Ok(sender)
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
