use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ringback_cti::message::Event;
use ringback_cti::{Dedup, Fencing};
use ringback_model::{DeviceName, DirectoryNumber, Timestamp};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::applications::Applications;
use crate::cti_manager::CtiManager;
use crate::log::{EventLog, describe};
use crate::observe::{Observation, Observer};
use crate::switch::{Action, ActionError, PhoneSetup, ScreenView, Switch, SwitchEvent, Tone};

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
#[derive(Clone)]
pub struct CallManager {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Receiver<u64>,
}

struct Inner {
    switch: Switch,
    applications: Applications,
    user: String,
    password: SecretString,
    log: EventLog,
    alerts: Vec<Alert>,
    observer: Option<Observer>,
    changed: watch::Sender<u64>,
    start: Timestamp,
    anchor: Instant,
}

impl CallManager {
    /// A call manager without phones. Its time starts now.
    #[must_use]
    pub fn new(config: CallManagerConfig) -> Self {
        let (sender, changed) = watch::channel(0);
        let inner = Inner {
            switch: Switch::default(),
            applications: Applications::default(),
            user: config.user,
            password: config.password,
            log: EventLog::default(),
            alerts: Vec::new(),
            observer: None,
            changed: sender,
            start: config.start,
            anchor: Instant::now(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), changed }
    }

    /// Adds a phone, registered and idle. One that was removed may be added again.
    ///
    /// # Errors
    /// The name is taken, or the phone has no line.
    pub fn add_phone(&self, setup: PhoneSetup) -> Result<(), ActionError> {
        self.change(|inner, _| inner.switch.add_phone(setup))
    }

    /// Removes a phone: it cannot be called any more and is out of service; its running calls go on.
    ///
    /// # Errors
    /// There is no such phone.
    pub fn remove_phone(&self, device: &DeviceName) -> Result<(), ActionError> {
        self.change(|inner, _| inner.switch.remove_phone(device))
    }

    /// Lets the user of a phone do something. What changes nothing is no error.
    ///
    /// # Errors
    /// The action is impossible now; nothing was changed.
    pub fn act(&self, device: &DeviceName, action: Action) -> Result<(), ActionError> {
        self.change(|inner, now| inner.switch.act(now, device, action))
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
        self.talks_with(device).as_ref() == Some(dn)
    }

    /// The number that the phone talks with now; a held call does not count.
    #[must_use]
    pub fn talks_with(&self, device: &DeviceName) -> Option<DirectoryNumber> {
        self.lock().switch.talks_with(device)
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
        self.lock().alerts.clone()
    }

    /// The event log: one line for each event, with its simulated time (the latest 100 000 lines). The same actions at the same times give the
    /// same log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.lock().log.lines()
    }

    /// Tells of every observable change from now on: the number grows with each.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        let mut changed = self.changed.clone();
        changed.mark_unchanged();
        changed
    }

    /// The call manager's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// A new CTIManager of this call manager, started.
    #[must_use]
    pub fn cti_manager(&self, name: &str) -> CtiManager {
        CtiManager::new(name, self.clone())
    }

    /// The devices that applications have open, at all CTIManagers that answer.
    #[must_use]
    pub fn open_devices(&self) -> usize {
        self.look(|applications| applications.open_devices(None))
    }

    /// The lines that applications have open, at all CTIManagers that answer.
    #[must_use]
    pub fn open_lines(&self) -> usize {
        self.look(|applications| applications.open_lines(None))
    }

    /// Tells this observer of everything from now on.
    pub fn observe(&self, observer: Observer) {
        self.lock().observer = Some(observer);
    }

    /// Whether its CTIManagers know epochs. A call manager that is started does; with [`Fencing::LeaseOnly`] it is like a
    /// PBX that does not: it closes nothing and serves everybody.
    pub fn set_fencing(&self, fencing: Fencing) {
        self.lock().applications.set_fencing(fencing);
    }

    /// Whether its phones know data that they have acted on. Those of a call manager that is started do; with
    /// [`Dedup::None`] they act on it again.
    pub fn set_dedup(&self, dedup: Dedup) {
        self.lock().switch.set_dedup(dedup);
    }

    /// Starts the task that runs the timers. It ends with the last handle.
    pub fn spawn_timers(&self) -> JoinHandle<()> {
        tokio::spawn(run_timers(Arc::downgrade(&self.inner), self.changed.clone()))
    }

    /// Serves what a CTIManager hands on, and tells everybody what came of it.
    pub(crate) fn applications<T>(&self, serve: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        self.change(|inner, now| {
            serve(&mut Desk {
                now,
                switch: &mut inner.switch,
                applications: &mut inner.applications,
                log: &mut inner.log,
                observer: inner.observer.as_ref(),
                user: &inner.user,
                password: &inner.password,
            })
        })
    }

    /// Looks and changes nothing.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Applications) -> T) -> T {
        look(&self.lock().applications)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner, Timestamp) -> T) -> T {
        let mut inner = self.lock();
        let now = inner.now();
        let result = change(&mut inner, now);
        inner.settle(now);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CallManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallManager").finish_non_exhaustive()
    }
}

/// What a CTIManager works with while it serves one request.
pub(crate) struct Desk<'a> {
    pub(crate) now: Timestamp,
    pub(crate) switch: &'a mut Switch,
    pub(crate) applications: &'a mut Applications,
    pub(crate) log: &'a mut EventLog,
    pub(crate) observer: Option<&'a Observer>,
    pub(crate) user: &'a str,
    pub(crate) password: &'a SecretString,
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.start + self.anchor.elapsed().into()
    }

    /// Tells the applications what happened, until nothing more follows from it.
    fn settle(&mut self, now: Timestamp) {
        loop {
            let events = self.switch.take_events();
            if events.is_empty() {
                break;
            }
            for event in events {
                if let Some(observer) = &self.observer {
                    observer(now, &Observation::Switch(&event));
                }
                self.log.add(now, &describe(&event));
                self.tell(now, event);
            }
        }
        self.changed.send_modify(|count| *count += 1);
    }

    fn tell(&mut self, now: Timestamp, event: SwitchEvent) {
        match event {
            SwitchEvent::InService(device) => self.applications.tell_all(&Event::DeviceInService(device)),
            SwitchEvent::OutOfService(device) => self.applications.out_of_service(&device),
            SwitchEvent::Status { device, status } => {
                self.applications.tell_device(&device.clone(), &Event::DeviceStatus { device, status });
            }
            SwitchEvent::Call { at, info } => {
                self.applications.tell_line(&at.clone(), &Event::Call { at, info });
            }
            SwitchEvent::UserChanged(device) => {
                self.applications.tell_device(&device.clone(), &Event::DeviceUserChanged(device));
            }
            SwitchEvent::Feature(pressed) => {
                let invocation = pressed.invocation;
                if !self.applications.invoke(pressed) {
                    self.switch.feature_unavailable(invocation);
                }
            }
            SwitchEvent::Data { device, key, content } => {
                let event = Event::DeviceData { device: device.clone(), content };
                if !self.applications.tell_device(&device, &event) && key == "Exit" {
                    self.switch.close_screen(&device);
                }
            }
            SwitchEvent::Alerted(device) => self.alerts.push(Alert { device, at: now }),
            SwitchEvent::Screen { .. } | SwitchEvent::Prompt { .. } => {}
        }
    }
}

/// Runs the switch's timers until the call manager is gone.
async fn run_timers(inner: Weak<Mutex<Inner>>, mut changed: watch::Receiver<u64>) {
    loop {
        let next = {
            let Some(inner) = inner.upgrade() else { return };
            let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
            let now = inner.now();
            changed.mark_unchanged();
            if inner.switch.next_timeout().is_some_and(|at| at <= now) {
                inner.switch.handle_timeout(now);
                inner.settle(now);
            }
            inner.switch.next_timeout().map(|at| inner.anchor + at.since(inner.start).to_duration())
        };
        let timeout = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            change = changed.changed() => if change.is_err() { return },
            () = timeout => {}
        }
    }
}
