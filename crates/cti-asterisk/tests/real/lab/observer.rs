//! What there is at the server in truth: an own login at its manager interface, which looks and can do what phones cannot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringback_cti_asterisk::ami::{Action, Message};
use ringback_cti_asterisk::client::{Client, TcpConnector};
use ringback_cti_asterisk::session::{Config, Event, Ticket};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Only what hangs takes so long.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// The phone's name.
    pub(crate) phone: String,
    /// The server's number of its state: 4 it calls, 5 it rings, 6 it is up.
    pub(crate) state: u8,
    /// The server's name of the call.
    pub(crate) linked: String,
    /// It is in a bridge.
    pub(crate) bridged: bool,
    /// Somebody rings for it.
    pub(crate) ringback: bool,
}

/// What there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) channels: BTreeMap<String, Seen>,
    /// Whether a phone is registered.
    pub(crate) registered: BTreeMap<String, bool>,
    /// The summary of a phone.
    pub(crate) states: BTreeMap<String, String>,
    /// How many texts came from a phone.
    pub(crate) texts: BTreeMap<String, usize>,
    /// The signal that was heard last.
    pub(crate) heard: u64,
    booted: bool,
}

impl View {
    /// A call that was made for a phone is on its way: the phone is to be picked up, or whom it is for is being called.
    pub(crate) fn places(&self) -> bool {
        let is_made = |id: &str| id.starts_with("ringback-call-");
        self.channels.iter().any(|(id, channel)| is_made(id) && !channel.ringback && !channel.bridged)
    }

    /// The channels of a phone.
    pub(crate) fn of<'v>(&'v self, phone: &'v str) -> impl Iterator<Item = (&'v String, &'v Seen)> {
        self.channels.iter().filter(move |(_, channel)| channel.phone == phone)
    }

    fn take(&mut self, message: &Message) {
        let id = message.get("Uniqueid").unwrap_or_default();
        let has = |key, value| message.get(key) == Some(value);
        match message.get("Event").unwrap_or_default() {
            "FullyBooted" => self.booted = true,
            "Newchannel" | "Newstate" => {
                let name = message.get("Channel").unwrap_or_default();
                let phone = name.strip_prefix("PJSIP/").and_then(|name| name.rsplit_once('-'));
                let Some((phone, _)) = phone else { return };
                let channel = self.channels.entry(id.to_owned()).or_default();
                channel.phone = phone.to_owned();
                channel.linked = message.get("Linkedid").unwrap_or_default().to_owned();
                channel.state = message.get("ChannelState").and_then(|state| state.parse().ok()).unwrap_or(0);
            }
            event @ ("BridgeEnter" | "BridgeLeave") => {
                if let Some(channel) = self.channels.get_mut(id) {
                    channel.bridged = event == "BridgeEnter";
                }
            }
            "DialState" if has("DialStatus", "RINGING") => {
                if let Some(channel) = self.channels.get_mut(id) {
                    channel.ringback = true;
                }
            }
            "Hangup" => drop(self.channels.remove(id)),
            "ContactStatus" => {
                if let Some(phone) = message.get("EndpointName").or_else(|| message.get("AOR")) {
                    self.registered.insert(phone.to_owned(), !has("ContactStatus", "Removed"));
                }
            }
            "DeviceStateChange" => {
                let phone = message.get("Device").and_then(|device| device.strip_prefix("PJSIP/"));
                if let Some(phone) = phone {
                    let state = message.get("State").unwrap_or_default().to_owned();
                    self.states.insert(phone.to_owned(), state);
                }
            }
            "UserEvent" if has("UserEvent", "CallBackText") => {
                let from = message.get("From").unwrap_or_default().to_owned();
                *self.texts.entry(from).or_default() += 1;
            }
            "UserEvent" => {
                let signal = message.get("Caller").and_then(|caller| caller.strip_prefix(super::SIGNAL));
                if let Some(signal) = signal.and_then(|signal| signal.parse().ok()) {
                    self.heard = signal;
                }
            }
            _ => {}
        }
    }
}

/// The observer; its login ends with it.
pub(crate) struct Observer {
    view: Arc<Mutex<View>>,
    changed: watch::Receiver<()>,
    orders: mpsc::UnboundedSender<(&'static str, Action)>,
    running: AbortHandle,
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Observer {
    /// Logs in, and knows of everything from there on.
    pub(crate) async fn log_in(config: Config) -> Self {
        let mut client = Client::new(config, Arc::new(TcpConnector)).unwrap();
        let view = Arc::new(Mutex::new(View::default()));
        let (tell, changed) = watch::channel(());
        let (orders, mut ordered) = mpsc::unbounded_channel::<(&'static str, Action)>();
        let eyes = Arc::clone(&view);
        let running = tokio::spawn(async move {
            let mut tickets = 0;
            loop {
                tokio::select! {
                    event = client.next(None) => {
                        if let Some(Event::Message(message)) = event {
                            eyes.lock().unwrap_or_else(PoisonError::into_inner).take(&message);
                            tell.send_replace(());
                        }
                    }
                    Some((name, action)) = ordered.recv() => {
                        tickets += 1;
                        client.request(Ticket(tickets), name, action).unwrap();
                    }
                }
            }
        });
        let mut observer = Self { view, changed, orders, running: running.abort_handle() };
        observer.until("booted", |view| view.booted).await.unwrap();
        observer
    }

    /// What there is now.
    pub(crate) fn view(&self) -> View {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&View) -> bool) -> Result<(), String> {
        let mut changed = self.changed.clone();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                if wanted(&self.view()) {
                    return;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let lapsed = timeout(WATCHDOG, waiting).await.is_err();
        if lapsed {
            Err(format!("not seen at the server: {what}; there is {:#?}", self.view()))
        } else {
            Ok(())
        }
    }

    /// Tells the server to do something.
    pub(crate) fn order(&self, name: &'static str, headers: &[(&str, &str)]) {
        let action = Action::new(name).unwrap();
        let action = headers.iter().fold(action, |action, (key, value)| action.header(key, value).unwrap());
        self.orders.send((name, action)).unwrap();
    }
}
