use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback::election::{Member, MemoryRegistry};
use ringback_callback::Record;
use ringback_cti::DataId;
use ringback_cti::message::{Answer, Request};
use ringback_db::Write;
use ringback_model::{DeviceName, Epoch, Group, RequestId, Timestamp};
use ringback_screen::phone::{PhoneObject, SoftKeyPress, parse};
use ringback_sim::{Observation, SwitchEvent};
use tokio::sync::mpsc;

use super::facts::{Event, Facts, request_of};
use super::invariants::{self, Invariant};
use super::plan::Moment;
use super::{Counts, Violation};

/// The name of one run of an instance.
pub(super) fn name(member: &Member) -> String {
    format!("{}#{}", member.address, member.incarnation.0)
}

/// Sees everything and checks it. Clones are the same one.
#[derive(Clone)]
pub(super) struct Observer(Arc<Mutex<Inner>>);

struct Inner {
    facts: Facts,
    invariants: Vec<Box<dyn Invariant>>,
    violation: Option<Violation>,
    counts: Counts,
    story: Option<Vec<String>>,
    registry: MemoryRegistry,
    group: Group,
    /// The alert that each phone was sent last, and whether it was idle.
    sent: BTreeMap<DeviceName, (DataId, bool)>,
    alerts: BTreeSet<DataId>,
    armed: Vec<Moment>,
    moments: mpsc::UnboundedSender<Moment>,
}

impl Observer {
    pub(super) fn new(
        registry: MemoryRegistry,
        group: Group,
        fifo: bool,
        log: bool,
        moments: mpsc::UnboundedSender<Moment>,
    ) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            facts: Facts::new(fifo),
            invariants: invariants::all(),
            violation: None,
            counts: Counts::default(),
            story: log.then(Vec::new),
            registry,
            group,
            sent: BTreeMap::new(),
            alerts: BTreeSet::new(),
            armed: Vec::new(),
            moments,
        })))
    }

    /// What the call manager tells.
    pub(super) fn at_switch(&self, now: Timestamp, observation: &Observation<'_>) {
        let mut inner = self.lock();
        inner.facts.now = now;
        match observation {
            Observation::Switch(event) => inner.switch_event(event),
            Observation::Request { application, epoch, request, result: Ok(answer), switch } => {
                inner.request(application, *epoch, request, answer, |device| switch.is_idle(device));
            }
            _ => {}
        }
    }

    /// An instance has begun to write.
    pub(super) fn issued(&self, now: Timestamp, instance: &str, epoch: Epoch) {
        let mut inner = self.lock();
        inner.facts.now = now;
        let lease = inner.lease(instance, epoch);
        inner.see(&Event::Issued { instance, lease: lease.as_ref().map_err(String::as_str).copied() });
        inner.moment(Moment::WriteIssued);
    }

    /// The store has written.
    pub(super) fn wrote(&self, now: Timestamp, instance: &str, epoch: Epoch, writes: &[Write]) {
        let mut inner = self.lock();
        inner.facts.now = now;
        inner.wrote(instance, epoch, writes);
        inner.moment(Moment::Written);
    }

    /// The store holds something else than it did: a server has taken its place that had not heard of everything.
    pub(super) fn set_back(&self, now: Timestamp, writes: &[Write]) {
        let mut inner = self.lock();
        inner.facts.now = now;
        inner.changed("the standby", None, writes);
    }

    /// Links are held up from now on, or one less is.
    pub(super) fn held_up(&self, now: Timestamp, held_up: bool) {
        let facts = &mut self.lock().facts;
        facts.now = now;
        facts.held_up(held_up);
    }

    /// Tells of the next moment of this kind.
    pub(super) fn arm(&self, moment: Moment) {
        self.lock().armed.push(moment);
    }

    /// A line of the story.
    pub(super) fn say(&self, now: Timestamp, line: impl FnOnce() -> String) {
        let mut inner = self.lock();
        inner.facts.now = now;
        inner.say(line);
    }

    /// A promise is broken that was not checked here.
    pub(super) fn violated(&self, now: Timestamp, invariant: &'static str, what: String) {
        let mut inner = self.lock();
        inner.facts.now = now;
        inner.violated(invariant, what);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.lock().violation.is_some()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.lock().facts.records.values().cloned().collect()
    }

    pub(super) fn result(&self) -> (Option<Violation>, Counts, Vec<String>) {
        let mut inner = self.lock();
        (inner.violation.take(), inner.counts, inner.story.take().unwrap_or_default())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn see(&mut self, event: &Event<'_>) {
        let mut broken = None;
        for invariant in &mut self.invariants {
            if let Err(what) = invariant.see(&self.facts, event) {
                broken.get_or_insert((invariant.name(), what));
            }
        }
        if let Some((invariant, what)) = broken {
            self.violated(invariant, what);
        }
    }

    fn violated(&mut self, invariant: &'static str, what: String) {
        self.say(|| format!("VIOLATED: {invariant}: {what}"));
        if self.violation.is_none() {
            self.violation = Some(Violation { invariant, what, at: self.facts.now });
        }
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        let now = self.facts.now;
        if let Some(story) = &mut self.story {
            story.push(format!("{now} {}", line()));
        }
    }

    fn moment(&mut self, moment: Moment) {
        if let Some(place) = self.armed.iter().position(|armed| *armed == moment) {
            self.armed.swap_remove(place);
            // Who waits for it may have finished.
            let _ = self.moments.send(moment);
        }
    }

    /// Whether this run of an instance has the lease for this epoch, or why not.
    fn lease(&self, instance: &str, epoch: Epoch) -> Result<(), String> {
        match self.registry.in_force(&self.group) {
            Some(lease) if lease.epoch == epoch && name(&lease.holder) == instance => Ok(()),
            Some(lease) => Err(format!(
                "epoch {epoch} is over: the lease is that of {} in {}",
                name(&lease.holder),
                lease.epoch
            )),
            None => Err(format!("the lease of epoch {epoch} is over")),
        }
    }

    /// The same for what has come to a phone: it may have been sent just before its sender gave the lease back, which
    /// nobody else has taken yet.
    fn lease_at_phone(&self, instance: &str, epoch: Epoch) -> Result<(), String> {
        let given_back = || {
            let last = self.registry.ledger(&self.group).lease;
            last.is_some_and(|last| last.released && last.epoch == epoch && name(&last.holder) == instance)
        };
        self.lease(instance, epoch).or_else(|why| if given_back() { Ok(()) } else { Err(why) })
    }

    fn switch_event(&mut self, event: &SwitchEvent) {
        self.say(|| ringback_sim::describe(event));
        self.see(&Event::Switch(event));
        match event {
            SwitchEvent::Alerted(device) => {
                let Some((id, idle)) = self.sent.remove(device) else { return };
                self.counts.alerts += 1;
                self.see(&Event::Alert { device, id, idle });
                self.moment(Moment::Alerted);
            }
            SwitchEvent::Screen { screen: Some(_), .. } => self.moment(Moment::Shown),
            _ => {}
        }
    }

    fn request(
        &mut self,
        instance: &str,
        epoch: Epoch,
        request: &Request,
        answer: &Answer,
        is_idle: impl Fn(&DeviceName) -> bool,
    ) {
        match request {
            Request::Assume(epoch) => self.say(|| format!("{instance} assumes epoch {epoch}")),
            Request::DeviceData { device, id, content } => {
                self.say(|| {
                    let what = id.map_or(String::new(), |id| format!(" alert of {}", request_of(id)));
                    format!("{instance} in epoch {epoch} sends data to {}{what}", device.as_str())
                });
                let activated = activated(content);
                self.facts.activated.extend(activated);
                if let Some(id) = id {
                    self.counts.in_doubt += u32::from(!self.alerts.insert(*id));
                    self.sent.insert(device.clone(), (*id, is_idle(device)));
                }
                let lease = self.lease_at_phone(instance, epoch);
                let lease = lease.as_ref().map_err(String::as_str).copied();
                self.see(&Event::Data { instance, epoch, device, activated, lease });
            }
            Request::MakeCall { .. } => {
                self.say(|| format!("{instance} in epoch {epoch} makes a call: {answer:?}"));
                self.counts.dials += 1;
                let lease = self.lease_at_phone(instance, epoch);
                let lease = lease.as_ref().map_err(String::as_str).copied();
                self.see(&Event::Dialled { instance, epoch, lease });
                self.moment(Moment::Dialled);
            }
            _ => {}
        }
    }

    fn wrote(&mut self, instance: &str, epoch: Epoch, writes: &[Write]) {
        self.counts.epochs = self.counts.epochs.max(epoch.0);
        self.changed(instance, Some(epoch), writes);
    }

    fn changed(&mut self, instance: &str, epoch: Option<Epoch>, writes: &[Write]) {
        let term = epoch.map_or(String::new(), |epoch| format!(" in epoch {epoch}"));
        let mut gone = Vec::new();
        for write in writes {
            self.say(|| match write {
                Write::Put(record) => format!(
                    "{instance}{term} stores {} of {} for {}: {:?}, cycle {:?}",
                    record.id,
                    record.caller.device.as_str(),
                    record.called.dn.as_str(),
                    record.phase,
                    record.cycle
                ),
                Write::Delete(id) => format!("{instance}{term} removes {id}"),
            });
            match write {
                Write::Put(record) => {
                    let new = self.facts.records.insert(record.id, record.clone()).is_none();
                    self.counts.requests += u32::from(new);
                }
                Write::Delete(id) => {
                    if let Some(record) = self.facts.records.remove(id) {
                        self.facts.gone.insert(*id, record.clone());
                        gone.push(record);
                    }
                }
            }
        }
        if let Some(epoch) = epoch {
            self.see(&Event::Wrote { instance, epoch });
        }
        for write in writes {
            if let Write::Put(record) = write {
                self.see(&Event::Stored(record));
            }
        }
        for record in &gone {
            self.see(&Event::Gone(record));
        }
    }
}

/// The request that a screen says is activated, if it is that screen.
fn activated(content: &str) -> Option<RequestId> {
    let Ok(PhoneObject::Text { text, soft_keys, .. }) = parse(content.as_bytes()) else { return None };
    if !text.starts_with("CallBack is activated") {
        return None;
    }
    soft_keys.iter().find_map(|key| SoftKeyPress::parse(&key.url).ok()?.about)
}
