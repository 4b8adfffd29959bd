use std::net::IpAddr;

use ringback_model::{DeviceName, DirectoryNumber};

use super::window::Mark;
use crate::language::Tone;

/// A screen of the service as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Screen {
    /// The line above.
    pub title: String,
    /// The line below.
    pub prompt: String,
    /// The text between them.
    pub text: String,
    /// The keys in order, by their logical names.
    pub keys: Vec<String>,
}

/// What one running instance of the service says of itself and the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceStatus {
    /// Its address.
    pub address: IpAddr,
    /// Whether it can be asked: it is neither paused nor cut off.
    pub asked: bool,
    /// Who it says is active.
    pub active: Option<IpAddr>,
    /// Who it says the backups are, in order.
    pub backups: Vec<IpAddr>,
    /// Whether it is active itself *and* has reopened what its requests need.
    pub ready: bool,
    /// The CTIManager at which its provider is open.
    pub registered: Option<String>,
    /// Whether it says that the directory database can be reached.
    pub database_up: bool,
}

/// What can be seen of phones, switch, service and store. Everything is the state of the moment but the events, which
/// are counted from a [`Mark`].
pub trait Observations {
    /// What the phone's user hears.
    fn hears(&self, phone: &DeviceName) -> Tone;
    /// The callers that make the phone ring, the oldest first.
    fn rings(&self, phone: &DeviceName) -> Vec<DirectoryNumber>;
    /// The number that the phone talks with; a held call does not count.
    fn talks_with(&self, phone: &DeviceName) -> Option<DirectoryNumber>;
    /// Whether the phone has no call and is on hook.
    fn is_idle(&self, phone: &DeviceName) -> bool;
    /// The service's screen on the phone, if one is up.
    fn screen(&self, phone: &DeviceName) -> Option<Screen>;
    /// The call manager's own prompt line.
    fn prompt(&self, phone: &DeviceName) -> Option<String>;
    /// The running instances, by address.
    fn instances(&self) -> Vec<InstanceStatus>;
    /// How many requests the store holds.
    fn pending(&self) -> u64;
    /// The callers waiting for the number and not yet notified, in order.
    fn queue(&self, dn: &DirectoryNumber) -> Vec<DeviceName>;
    /// The devices open at the connected CTIManager.
    fn open_devices(&self) -> u64;
    /// The lines open at the connected CTIManager.
    fn open_lines(&self) -> u64;
    /// The present end of the event logs.
    fn mark(&self) -> Mark;
    /// How often the phone played the alert since then.
    fn alerts_since(&self, mark: Mark, phone: &DeviceName) -> u64;
    /// How often the alarm was raised since then.
    fn alarms_since(&self, mark: Mark, name: &str) -> u64;
}
