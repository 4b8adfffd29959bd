use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_model::{DeviceName, DirectoryNumber, Timestamp};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cti_manager::CtiManager;
use crate::switch::{Action, ActionError, PhoneSetup, ScreenView, Switch, Tone};

/// What a call manager is started with.
#[derive(Debug, Clone)]
pub struct CallManagerConfig {
    /// The time at the start; from there it runs with tokio's clock. Default: 2026-01-05, 14:00 UTC.
    pub start: Timestamp,
    /// The CTI user that applications log in with. Default: `ringback`.
    pub user: String,
    /// Its password. Default: `ringback`.
    pub password: SecretString,
}

impl Default for CallManagerConfig {
    fn default() -> Self {
        Self { start: Timestamp(1_767_621_600_000), user: "ringback".into(), password: "ringback".into() }
    }
}

/// An alert that a phone played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Where.
    pub device: DeviceName,
    /// When.
    pub at: Timestamp,
}

/// A handle on the simulated call manager; clones are the same one.
#[derive(Debug, Clone)]
pub struct CallManager {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Inner {
    switch: Switch,
    changed: watch::Sender<u64>,
    start: Timestamp,
    anchor: Instant,
}

impl CallManager {
    /// A call manager without phones. Its time starts now.
    #[must_use]
    pub fn new(config: CallManagerConfig) -> Self {
        let (sender, changed) = watch::channel(0);
        let inner =
            Inner { switch: Switch::default(), changed: sender, start: config.start, anchor: Instant::now() };
        Self { inner: Arc::new(Mutex::new(inner)), changed }
    }

    /// Adds a phone, registered and idle. One that was removed may be added again.
    ///
    /// # Errors
    /// The name is taken, or the phone has no line.
    pub fn add_phone(&self, setup: PhoneSetup) -> Result<(), ActionError> {
        self.lock().switch.add_phone(setup)
    }

    /// Removes a phone: it cannot be called any more and is out of service; its running calls go on.
    ///
    /// # Errors
    /// There is no such phone.
    pub fn remove_phone(&self, device: &DeviceName) -> Result<(), ActionError> {
        self.lock().switch.remove_phone(device)
    }

    /// Lets the user of a phone do something. What changes nothing is no error.
    ///
    /// # Errors
    /// The action is impossible now; nothing was changed.
    pub fn act(&self, device: &DeviceName, action: Action) -> Result<(), ActionError> {
        let now = self.now();
        self.lock().switch.act(now, device, action)
    }

    /// The phones, in order of their names, without those that were removed.
    #[must_use]
    pub fn phones(&self) -> Vec<DeviceName> {
        self.lock().switch.phones()
    }

    /// What the user of the phone hears; silence if there is no such phone.
    #[must_use]
    pub fn hears(&self, device: &DeviceName) -> Tone {
        self.lock().switch.hears(device)
    }

    /// The numbers of the callers that make the phone ring, the oldest call first.
    #[must_use]
    pub fn rings(&self, device: &DeviceName) -> Vec<DirectoryNumber> {
        self.lock().switch.rings(device)
    }

    /// Whether the phone talks with this number now (a held call does not count).
    #[must_use]
    pub fn is_connected_to(&self, device: &DeviceName, dn: &DirectoryNumber) -> bool {
        self.lock().switch.is_connected_to(device, dn)
    }

    /// Whether the phone has no call of any kind.
    #[must_use]
    pub fn is_idle(&self, device: &DeviceName) -> bool {
        self.lock().switch.is_idle(device)
    }

    /// The screen that an application has put on the phone.
    #[must_use]
    pub fn screen(&self, device: &DeviceName) -> Option<ScreenView> {
        self.lock().switch.screen(device)
    }

    /// The call manager's own prompt line on the phone.
    #[must_use]
    pub fn prompt(&self, device: &DeviceName) -> Option<String> {
        self.lock().switch.prompt(device)
    }

    /// How many alerts the phone has played since it was added.
    #[must_use]
    pub fn alerts(&self, device: &DeviceName) -> u64 {
        self.lock().switch.alerts(device)
    }

    /// Every alert played so far, in order.
    #[must_use]
    pub fn alert_log(&self) -> Vec<Alert> {
        Vec::new()
    }

    /// The event log: one line for each event, with its simulated time. The same actions at the same times give the
    /// same log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells of every observable change: the number grows with each.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// The call manager's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let inner = self.lock();
        inner.start + inner.anchor.elapsed().into()
    }

    /// A new CTIManager of this call manager, started.
    #[must_use]
    pub fn cti_manager(&self, name: &str) -> CtiManager {
        CtiManager::new(name, self.clone())
    }

    /// The devices that applications have open, at all CTIManagers.
    #[must_use]
    pub fn open_devices(&self) -> usize {
        0
    }

    /// The lines that applications have open, at all CTIManagers.
    #[must_use]
    pub fn open_lines(&self) -> usize {
        0
    }

    /// Starts the task that runs the timers. It ends with the last handle.
    pub fn spawn_timers(&self) -> JoinHandle<()> {
        tokio::spawn(async {})
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
