//! A small SIP phone: it registers, calls, rings, answers, and takes messages.

mod incoming;
mod outgoing;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::dialog::registration::Registration;
use rsipstack::sip::{Header, StatusCodeKind, Uri};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::TransportLayer;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use outgoing::{CallOutcome, PhoneCall};

use crate::error::LabError;
use crate::server::Server;
use crate::site;

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

/// A call to the phone.
#[derive(Clone)]
struct Incoming {
    dialog: InviteDialog,
    answered: bool,
}

struct Inner {
    name: String,
    contact: Uri,
    server: String,
    credential: Credential,
    dialogs: Arc<DialogLayer>,
    endpoint: EndpointInnerRef,
    answering: Mutex<Answering>,
    call: Mutex<Option<Incoming>>,
    events: mpsc::UnboundedSender<Seen>,
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
    }

    fn uri(&self, user: &str) -> Result<Uri, LabError> {
        format!("sip:{user}@{}", self.server).as_str().try_into().map_err(|error| self.failed(error))
    }
}

/// What every call says about its media: there is none, but a server wants to hear of some.
fn session_description(address: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n\
         a=rtpmap:0 PCMU/8000\r\n"
    )
    .into_bytes()
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
            call: Mutex::new(None),
            events,
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
        let answer = registration.register(registrar, expires).await.map_err(|error| inner.failed(error))?;
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

    /// Answers the call that rings.
    ///
    /// # Errors
    /// Nothing rings.
    pub fn answer(&self) -> Result<(), LabError> {
        incoming::answer(&self.inner)
    }

    /// Refuses the call that rings as busy, or ends the one that was answered.
    ///
    /// # Errors
    /// There is none.
    pub async fn hang_up(&self) -> Result<(), LabError> {
        incoming::hang_up(&self.inner).await
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
        outgoing::text(&self.inner, to, text).await
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
