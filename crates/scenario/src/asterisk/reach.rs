//! How the instances reach the PBX, and what they are told of its phones that a PBX does not know.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback::Config;
use ringback::db::{MemoryDirectory, MergedFeed};
use ringback_cti_asterisk::client::TcpConnector;
use ringback_cti_asterisk::directory::{FurnishedDirectory, PbxDirectory, Profile};
use ringback_cti_asterisk::provider::{self, AsteriskProvider};
use ringback_model::Group;

use super::tap::{Counts, Tap};
use crate::nodes::{Link, Reach, Tuning};

/// What the instances have read of the PBX, by their addresses. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Readings(Arc<Mutex<BTreeMap<IpAddr, PbxDirectory>>>);

impl Readings {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, PbxDirectory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As these instances have read it.
    pub(super) fn of(&self, instances: &[IpAddr]) -> Vec<PbxDirectory> {
        self.lock()
            .iter()
            .filter(|(address, _)| instances.contains(address))
            .map(|(_, pbx)| pbx.clone())
            .collect()
    }
}

/// The way to one server.
pub(super) struct ToPbx {
    pub(super) config: provider::Config,
    pub(super) furniture: MemoryDirectory,
    pub(super) group: Group,
    pub(super) counts: Counts,
    pub(super) readings: Readings,
}

impl Reach for ToPbx {
    fn link(&self, config: &mut Config, _: Option<&dyn Tuning>) -> Result<Link, String> {
        let instance = config.member.address;
        let provider = AsteriskProvider::new(self.config.clone(), Arc::new(TcpConnector));
        let provider = provider.map_err(|error| error.to_string())?;
        let pbx = provider.directory(Profile::default());
        self.readings.lock().insert(instance, pbx.clone());
        let feeds =
            MergedFeed::new(vec![Box::new(provider.feed()), Box::new(self.furniture.feed(&self.group))]);
        Ok(Link {
            provider: Box::new(Tap::new(provider, instance, self.counts.clone())),
            directory: Arc::new(FurnishedDirectory::new(pbx, Arc::new(self.furniture.clone()))),
            feed: Box::new(feeds),
            on_parameters: None,
        })
    }
}
