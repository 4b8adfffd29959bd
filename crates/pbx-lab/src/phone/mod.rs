//! A small SIP phone: it registers, calls, rings, answers, and takes messages.

mod ear;
mod incoming;
mod outgoing;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::dialog::registration::Registration;
use rsipstack::sip::{Header, StatusCode, StatusCodeKind, Uri};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::TransportLayer;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use ear::Sound;
pub use outgoing::{CallOutcome, PhoneCall};

use ear::Ear;

use crate::error::LabError;
use crate::server::Server;
use crate::site;

/// So many further challenges of the server are answered.
const CHALLENGES: usize = 3;

/// What a phone does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answering {
    /// It rings until told what to do.
    Ring,
    /// It answers after this time.
    After(Duration),
    /// It says that it is busy.
    Busy,
}

/// What a phone sees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneEvent {
    /// It rings.
    Rings {
        /// The name shown.
        name: String,
        /// The number shown.
        number: String,
    },
    /// A call to it was given up before it was answered.
    StoppedRinging,
    /// A call to it was answered.
    Answered,
    /// The far end of an answered call left.
    HungUp,
    /// A text came.
    Text(String),
    /// A notification came.
    Notified {
        /// What for.
        event: String,
        /// What it says.
        body: String,
    },
}

/// One event and when it was seen.
pub type Seen = (Instant, PhoneEvent);

/// A call to the phone, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// Which: they count up.
    pub id: u64,
    /// The name shown.
    pub name: String,
    /// The number shown.
    pub number: String,
    /// Whether it was answered.
    pub answered: bool,
    /// What is heard in it; only phones that listen hear.
    pub sound: Option<Sound>,
}

/// A call to the phone.
struct Incoming {
    id: u64,
    name: String,
    number: String,
    dialog: InviteDialog,
    answered: bool,
    ear: Option<Ear>,
}

struct Inner {
    name: String,
    contact: Uri,
    server: String,
    credential: Credential,
    dialogs: Arc<DialogLayer>,
    endpoint: EndpointInnerRef,
    answering: Mutex<Answering>,
    /// The name shown by the call that is to be answered at once.
    awaited: Mutex<Option<String>>,
    calls: Mutex<Vec<Incoming>>,
    next_call: AtomicU64,
    /// How many calls may come in at a time.
    room: AtomicUsize,
    listens: AtomicBool,
    address: IpAddr,
    events: mpsc::UnboundedSender<Seen>,
    changed: watch::Sender<u64>,
}

/// A registered phone. It falls silent with this value: nothing answers at its address any more.
pub struct Phone {
    inner: Arc<Inner>,
    events: mpsc::UnboundedReceiver<Seen>,
    _running: DropGuard,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Inner {
    fn failed(&self, what: impl ToString) -> LabError {
        LabError::Phone { phone: self.name.clone(), what: what.to_string() }
    }

    fn tell(&self, event: PhoneEvent) {
        // Nobody listens any more.
        let _ = self.events.send((Instant::now(), event));
        self.change();
    }

    fn change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// An ear for a call, if the phone listens.
    fn ear(&self) -> Result<Option<Ear>, LabError> {
        let listens = self.listens.load(Ordering::Relaxed);
        listens.then(|| Ear::open(self.address, self.changed.clone())).transpose()
    }

    fn uri(&self, user: &str) -> Result<Uri, LabError> {
        format!("sip:{user}@{}", self.server).as_str().try_into().map_err(|error| self.failed(error))
    }
}

impl Inner {
    /// What a call says about its media. Without an ear there is none, but a server wants to hear of some.
    fn session_description(&self, ear: Option<&Ear>) -> Vec<u8> {
        let (address, port) = (self.address, ear.map_or(4000, Ear::port));
        format!(
            "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n\
             a=rtpmap:0 PCMU/8000\r\n"
        )
        .into_bytes()
    }
}

fn sdp_headers() -> Vec<Header> {
    vec![Header::ContentType("application/sdp".into())]
}

impl Phone {
    /// Registers a phone of the server's site.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn register(server: &Server, name: &str) -> Result<Self, LabError> {
        let failed = |what: String| LabError::Phone { phone: name.to_owned(), what };
        let cancel = CancellationToken::new();
        let transport = TransportLayer::new(cancel.clone());
        let local = format!("{}:0", server.address()).parse().map_err(|error| failed(format!("{error}")))?;
        let udp = UdpConnection::create_connection(local, None, Some(cancel.child_token())).await;
        transport.add_transport(udp.map_err(|error| failed(error.to_string()))?.into());
        let endpoint =
            EndpointBuilder::new().with_cancel_token(cancel.clone()).with_transport_layer(transport).build();
        let address =
            endpoint.get_addrs().into_iter().next().ok_or_else(|| failed("no socket".to_owned()))?;
        let contact = format!("sip:{name}@{}", address.addr);
        let contact = Uri::try_from(contact.as_str()).map_err(|error| failed(error.to_string()))?;
        let requests = endpoint.incoming_transactions().map_err(|error| failed(error.to_string()))?;
        let (events, receiver) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            name: name.to_owned(),
            contact,
            server: server.registrar(name),
            credential: Credential {
                username: name.to_owned(),
                password: site::password(name),
                realm: None,
                auth_username: None,
            },
            dialogs: Arc::new(DialogLayer::new(endpoint.inner.clone())),
            endpoint: endpoint.inner.clone(),
            answering: Mutex::new(Answering::Ring),
            awaited: Mutex::new(None),
            calls: Mutex::new(Vec::new()),
            next_call: AtomicU64::new(0),
            room: AtomicUsize::new(1),
            listens: AtomicBool::new(false),
            address: server.address().into(),
            events,
            changed: watch::Sender::new(0),
        });
        let running = cancel.clone().drop_guard();
        tokio::spawn(async move {
            tokio::select! {
                () = endpoint.serve() => {}
                () = cancel.cancelled() => {}
            }
        });
        tokio::spawn(incoming::serve(Arc::clone(&inner), requests));
        let phone = Self { inner, events: receiver, _running: running };
        phone.renew().await?;
        Ok(phone)
    }

    /// Registers again.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn renew(&self) -> Result<(), LabError> {
        self.send_registration(None).await
    }

    /// Tells the server that it leaves.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn unregister(&self) -> Result<(), LabError> {
        self.send_registration(Some(0)).await
    }

    async fn send_registration(&self, expires: Option<u32>) -> Result<(), LabError> {
        let inner = &self.inner;
        let registrar = Uri::try_from(format!("sip:{}", inner.server).as_str());
        let registrar = registrar.map_err(|error| inner.failed(error))?;
        let credential = Some(inner.credential.clone());
        let mut registration = Registration::new(inner.endpoint.clone(), credential);
        registration.contact = Some(rsipstack::sip::typed::Contact {
            display_name: None,
            uri: inner.contact.clone(),
            params: vec![],
        });
        let mut answer = registration.register(registrar.clone(), expires).await;
        // The password is right: on a machine that is very busy the challenge may be too old when it is answered.
        for _ in 0..CHALLENGES {
            let stale = |answer: &rsipstack::sip::Response| answer.status_code == StatusCode::Unauthorized;
            if !answer.as_ref().is_ok_and(stale) {
                break;
            }
            answer = registration.register(registrar.clone(), expires).await;
        }
        let answer = answer.map_err(|error| inner.failed(error))?;
        if answer.status_code.kind() != StatusCodeKind::Successful {
            return Err(inner.failed(format!("registration: {}", answer.status_code)));
        }
        Ok(())
    }

    /// Its number.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What it does from now on when it is called.
    pub fn set_answering(&self, answering: Answering) {
        *lock(&self.inner.answering) = answering;
    }

    /// How many calls may come in at a time (at first one): it says that it is busy to others.
    pub fn set_room(&self, calls: usize) {
        self.inner.room.store(calls, Ordering::SeqCst);
    }

    /// From its next call on it hears what the server plays: see [`Sound`].
    pub fn listen(&self) {
        self.inner.listens.store(true, Ordering::Relaxed);
    }

    /// Answers the next call at once that shows a name beginning so.
    pub fn await_call(&self, name: &str) {
        *lock(&self.inner.awaited) = Some(name.to_owned());
    }

    /// The calls to it, the oldest first.
    #[must_use]
    pub fn incoming(&self) -> Vec<IncomingCall> {
        incoming::calls(&self.inner)
    }

    /// Answers the call that rings, the oldest if there are several.
    ///
    /// # Errors
    /// Nothing rings.
    pub fn answer(&self) -> Result<(), LabError> {
        incoming::answer(&self.inner, None)
    }

    /// Refuses the call that rings as busy, or ends the one that was answered; the oldest if there are several.
    ///
    /// # Errors
    /// There is none.
    pub async fn hang_up(&self) -> Result<(), LabError> {
        incoming::hang_up(&self.inner, None).await
    }

    /// The same with this call.
    ///
    /// # Errors
    /// There is no such call.
    pub async fn hang_up_call(&self, id: u64) -> Result<(), LabError> {
        incoming::hang_up(&self.inner, Some(id)).await
    }

    /// Tells of every change: of its calls, of what is heard, and of what came.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Calls a number.
    ///
    /// # Errors
    /// The call could not be begun.
    pub fn call(&self, number: &str) -> Result<PhoneCall, LabError> {
        outgoing::call(&self.inner, number)
    }

    /// Sends a text.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn text(&self, to: &str, text: &str) -> Result<(), LabError> {
        outgoing::text(&self.inner, None, to, text).await
    }

    /// The same from a sender that calls itself so, whatever it is: `x:1002@y`.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn text_as(&self, name: &str, to: &str, text: &str) -> Result<(), LabError> {
        outgoing::text(&self.inner, Some(name), to, text).await
    }

    /// The next event, if there is one within this time.
    pub async fn next_event(&mut self, within: Duration) -> Option<Seen> {
        timeout_at(Instant::now() + within, self.events.recv()).await.ok().flatten()
    }

    /// Waits for an event that is wanted, and drops those before it.
    ///
    /// # Errors
    /// It does not come in time; the error says what came instead.
    pub async fn wait_for(
        &mut self,
        within: Duration,
        wanted: impl Fn(&PhoneEvent) -> bool,
    ) -> Result<Seen, LabError> {
        let end = Instant::now() + within;
        let mut others = Vec::new();
        while let Ok(Some(seen)) = timeout_at(end, self.events.recv()).await {
            if wanted(&seen.1) {
                return Ok(seen);
            }
            others.push(seen.1);
        }
        Err(self.inner.failed(format!("not seen within {within:?}; seen instead: {others:?}")))
    }

    /// Everything seen and not taken yet.
    pub fn drain(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}
