//! A small phone that speaks phone XML: it is told over HTTP what to do, shows screens and plays sounds.

mod execute;
mod http;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringback_screen::phone::{ExecuteItem, Priority};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::LabError;

/// A screen as the phone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlScreen {
    /// Above the text.
    pub title: String,
    /// Below the text.
    pub prompt: String,
    /// The text, lines separated by `\n`.
    pub text: String,
    /// The softkeys, from the left.
    pub soft_keys: Vec<XmlSoftKey>,
}

/// A softkey of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlSoftKey {
    /// What the phone shows.
    pub name: String,
    /// What it fetches when the key is pressed.
    pub url: String,
}

impl XmlSoftKey {
    /// What the key means, whatever the language calls it (`Dial`, `Cancel`, `Exit`, `OK`): the last part of its URL, up to
    /// the colon behind which it says more; of the phone's own keys (`SoftKey:Exit`), what is behind the colon.
    #[must_use]
    pub fn key(&self) -> &str {
        match self.url.rsplit_once('/') {
            Some((_, last)) => last.split(':').next().unwrap_or_default(),
            None => self.url.rsplit(':').next().unwrap_or_default(),
        }
    }
}

/// What is to be seen and heard at the phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlDisplay {
    /// The screen; `None`: its own.
    pub screen: Option<XmlScreen>,
    /// The names of all files that it has played, the first one first.
    pub played: Vec<String>,
    /// How many screens it has been given.
    pub screens: usize,
}

impl XmlDisplay {
    /// How many alerts it has played.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.played.len()
    }

    /// Whether this stands on the screen: in title, prompt or text, line breaks counted as blanks.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        self.screen.as_ref().is_some_and(|screen| {
            [&screen.title, &screen.prompt, &screen.text]
                .iter()
                .any(|part| part.replace('\n', " ").contains(text))
        })
    }

    /// What the softkeys of its screen mean, from the left.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.screen.iter().flat_map(|screen| screen.soft_keys.iter().map(XmlSoftKey::key)).collect()
    }
}

/// How the phone behaves when it is told something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum XmlManner {
    /// As it should.
    #[default]
    Obeys,
    /// It answers with this error number, and does nothing.
    Fails(u8),
    /// It answers with this HTTP status, and does nothing.
    Status(u16),
    /// It says that it does what it is told, but reaches nobody to fetch a screen from.
    CutOff,
}

/// Whom the phone asks whether it may be told something.
enum Asks {
    /// Nobody: this is what it accepts.
    Nobody { authorization: String },
    /// The server of this URL.
    Url(String),
}

struct Inner {
    address: SocketAddr,
    asks: Asks,
    manner: Mutex<XmlManner>,
    idle: Mutex<bool>,
    display: watch::Sender<XmlDisplay>,
    orders: mpsc::Sender<Vec<ExecuteItem>>,
    /// What waits until the phone is idle.
    later: Mutex<Vec<ExecuteItem>>,
}

/// A phone at an address of its own. It falls silent with this value.
pub struct XmlPhone {
    inner: Arc<Inner>,
    display: watch::Receiver<XmlDisplay>,
    _running: DropGuard,
}

/// So many orders wait at most, as in a phone.
const ORDERS: usize = 16;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Inner {
    fn failed(&self, what: impl ToString) -> LabError {
        LabError::Phone { phone: self.address.to_string(), what: what.to_string() }
    }
}

impl XmlPhone {
    /// A phone at a free port of this address that takes orders from whoever knows user and password.
    ///
    /// # Errors
    /// The address is none of this machine.
    pub async fn start(address: IpAddr, user: &str, password: &str) -> Result<Self, LabError> {
        let authorization = http::authorization(user, password);
        Self::start_asking(address, Asks::Nobody { authorization }).await
    }

    /// The same, but it asks the server of this URL (`http://HOST/PATH`) whether user and password are right, as phones do
    /// whose configuration names an authentication URL.
    ///
    /// # Errors
    /// The address is none of this machine.
    pub async fn start_with_authentication_url(address: IpAddr, url: &str) -> Result<Self, LabError> {
        Self::start_asking(address, Asks::Url(url.to_owned())).await
    }

    async fn start_asking(address: IpAddr, asks: Asks) -> Result<Self, LabError> {
        let command = |source| LabError::Command { what: format!("listen at {address}"), source };
        let listener = TcpListener::bind((address, 0)).await.map_err(command)?;
        let address = listener.local_addr().map_err(command)?;
        let (display, watching) = watch::channel(XmlDisplay::default());
        let (orders, waiting) = mpsc::channel(ORDERS);
        let inner = Arc::new(Inner {
            address,
            asks,
            manner: Mutex::default(),
            idle: Mutex::new(true),
            display,
            orders,
            later: Mutex::default(),
        });
        let cancel = CancellationToken::new();
        let (phone, ended) = (Arc::clone(&inner), cancel.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = http::serve(Arc::clone(&phone), listener) => {}
                () = execute::run(&phone, waiting) => {}
                () = ended.cancelled() => {}
            }
        });
        Ok(Self { inner, display: watching, _running: cancel.drop_guard() })
    }

    /// Where it takes orders.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// What is to be seen and heard now.
    #[must_use]
    pub fn display(&self) -> XmlDisplay {
        self.display.borrow().clone()
    }

    /// The screen that is shown now.
    #[must_use]
    pub fn shown(&self) -> Option<XmlScreen> {
        self.display.borrow().screen.clone()
    }

    /// How many alerts it has played.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.display.borrow().alerts()
    }

    /// How it behaves from now on.
    pub fn set_manner(&self, manner: XmlManner) {
        *lock(&self.inner.manner) = manner;
    }

    /// Whether it is idle. What is to be done when idle is done then; what is to be done only if idle is not done otherwise.
    pub fn set_idle(&self, idle: bool) {
        *lock(&self.inner.idle) = idle;
        let later = if idle { std::mem::take(&mut *lock(&self.inner.later)) } else { Vec::new() };
        if !later.is_empty() {
            // A phone whose orders overflow forgets some.
            let _full = self.inner.orders.try_send(later);
        }
    }

    /// Its user leaves whatever is shown, without telling anybody.
    pub fn leave_screen(&self) {
        self.inner.display.send_modify(|display| display.screen = None);
    }

    /// Presses the softkey of the screen that is shown: by what it means (`Dial`), or by its name.
    ///
    /// # Errors
    /// There is no such key, or what it leads to cannot be fetched.
    pub async fn press(&self, key: &str) -> Result<(), LabError> {
        let shown = self.shown().ok_or_else(|| self.inner.failed("shows no screen"))?;
        let found = shown.soft_keys.iter().find(|found| found.key() == key);
        let found = found.or_else(|| shown.soft_keys.iter().find(|found| found.name == key));
        let found = found.ok_or_else(|| self.inner.failed(format!("has no key {key} on {shown:?}")))?;
        execute::follow(&self.inner, &found.url).await
    }

    /// Tells of every change of what is to be seen and heard.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<XmlDisplay> {
        self.display.clone()
    }

    /// Waits until this is to be seen or heard.
    ///
    /// # Errors
    /// It does not come in time; the error says what is there instead.
    pub async fn wait_for(
        &mut self,
        within: Duration,
        wanted: impl FnMut(&XmlDisplay) -> bool,
    ) -> Result<XmlDisplay, LabError> {
        let end = Instant::now() + within;
        let found =
            timeout_at(end, self.display.wait_for(wanted)).await.map(|seen| seen.map(|seen| seen.clone()));
        match found {
            Ok(seen) => seen.map_err(|_| self.inner.failed("has ended")),
            Err(_) => {
                let seen = self.display();
                Err(self.inner.failed(format!("not seen within {within:?}; seen instead: {seen:?}")))
            }
        }
    }
}

/// Whether it is done now, later (`None`), or never.
fn when(priority: Priority, idle: bool) -> Option<bool> {
    match priority {
        Priority::AtOnce => Some(true),
        Priority::WhenIdle => idle.then_some(true),
        Priority::OnlyIfIdle => Some(idle),
    }
}
