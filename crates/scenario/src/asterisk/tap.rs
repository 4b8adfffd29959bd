//! What an instance has open at the server, counted at the port between them: a PBX does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback_cti::{Capabilities, Command, CtiProvider, ProviderEvent};
use ringback_model::{Appearance, DeviceName};
use tokio::sync::watch;

/// What one instance wants open, and what it knows to be there.
#[derive(Debug, Default)]
struct Open {
    devices: BTreeSet<DeviceName>,
    lines: BTreeSet<Appearance>,
    in_service: BTreeSet<DeviceName>,
}

/// What every instance has open. Clones are the same.
#[derive(Clone)]
pub(super) struct Counts {
    open: Arc<Mutex<BTreeMap<IpAddr, Open>>>,
    changed: watch::Sender<u64>,
}

impl Counts {
    /// Nobody has anything open. `changed` is told of everything that passes.
    pub(super) fn new(changed: watch::Sender<u64>) -> Self {
        Self { open: Arc::default(), changed }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The devices that this instance has open.
    pub(super) fn devices(&self, instance: IpAddr) -> usize {
        let open = self.lock();
        open.get(&instance).map_or(0, |open| open.devices.intersection(&open.in_service).count())
    }

    /// The lines that this instance has open.
    pub(super) fn lines(&self, instance: IpAddr) -> usize {
        let open = self.lock();
        let counted =
            |open: &Open| open.lines.iter().filter(|line| open.in_service.contains(&line.device)).count();
        open.get(&instance).map_or(0, counted)
    }

    fn passes(&self, instance: IpAddr, change: impl FnOnce(&mut Open)) {
        change(self.lock().entry(instance).or_default());
        self.changed.send_modify(|count| *count += 1);
    }
}

/// A provider, counted.
pub(super) struct Tap<P> {
    behind: P,
    instance: IpAddr,
    counts: Counts,
}

impl<P> Tap<P> {
    pub(super) fn new(behind: P, instance: IpAddr, counts: Counts) -> Self {
        counts.passes(instance, |open| *open = Open::default());
        Self { behind, instance, counts }
    }
}

impl<P> Drop for Tap<P> {
    fn drop(&mut self) {
        self.counts.passes(self.instance, |open| *open = Open::default());
    }
}

#[async_trait]
impl<P: CtiProvider> CtiProvider for Tap<P> {
    fn capabilities(&self) -> Capabilities {
        self.behind.capabilities()
    }

    fn submit(&mut self, command: Command) {
        self.counts.passes(self.instance, |open| match &command {
            Command::OpenDevice(device) => drop(open.devices.insert(device.clone())),
            Command::CloseDevice(device) => {
                open.devices.remove(device);
                open.lines.retain(|line| line.device != *device);
            }
            Command::OpenLine(line) => drop(open.lines.insert(line.clone())),
            Command::CloseLine(line) => drop(open.lines.remove(line)),
            Command::Relinquish => {
                open.devices.clear();
                open.lines.clear();
            }
            _ => {}
        });
        self.behind.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        let event = self.behind.next().await;
        self.counts.passes(self.instance, |open| match &event {
            Some(ProviderEvent::Device { device, status: Some(_) }) => {
                open.in_service.insert(device.clone());
            }
            Some(ProviderEvent::Device { device, status: None }) => drop(open.in_service.remove(device)),
            Some(ProviderEvent::LinkLost { .. }) => open.in_service.clear(),
            _ => {}
        });
        event
    }
}
