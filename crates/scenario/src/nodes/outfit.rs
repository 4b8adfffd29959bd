use std::net::IpAddr;
use std::sync::Arc;

use ringback::cti_net::{Connector, Manager};
use ringback::db::{ChangeFeed, Directory, MemoryDirectory, RequestStore};
use ringback::election::MemoryRegistry;
use ringback::model::Group;
use ringback::screen::Dictionaries;
use ringback::serviceability::alarm::{AlarmSink, TracingSink};
use ringback_sim::CallManagerConfig;
use secrecy::SecretString;

use crate::world::Site;

/// What every instance of a site is given.
pub struct Outfit {
    /// The group.
    pub group: Group,
    /// The CTIManagers, in order.
    pub managers: Vec<Manager>,
    /// The CTI user and its password.
    pub login: (String, SecretString),
    /// How the instance at an address reaches them.
    pub connector: Box<dyn Fn(IpAddr) -> Arc<dyn Connector> + Send + Sync>,
    /// The call manager's database.
    pub directory: Arc<dyn Directory>,
    /// What changes in it.
    pub feed: Box<dyn Fn() -> Box<dyn ChangeFeed> + Send + Sync>,
    /// The request store.
    pub store: Arc<dyn RequestStore>,
    /// Where the instances meet.
    pub registry: MemoryRegistry,
    /// The texts of the screens.
    pub dictionaries: Dictionaries,
    /// Who is told of alarms besides the observer.
    pub alarms: Arc<dyn AlarmSink>,
}

impl Outfit {
    /// What the instances of a site work with that keeps everything in memory; `directory` is the site's. Alarms go to
    /// the traces.
    #[must_use]
    pub fn in_memory(site: &Site, directory: &MemoryDirectory) -> Self {
        let login = CallManagerConfig::default();
        let clock = site.call_manager.clone();
        let network = site.network.clone();
        let (feeds, group) = (directory.clone(), site.group.clone());
        Self {
            group: site.group.clone(),
            managers: site
                .managers
                .iter()
                .map(|manager| Manager::new(manager.name(), manager.name()))
                .collect(),
            login: (login.user, login.password),
            connector: Box::new(move |node: IpAddr| Arc::new(network.connector(node)) as Arc<dyn Connector>),
            directory: Arc::new(directory.clone()),
            feed: Box::new(move || Box::new(feeds.feed(&group)) as Box<dyn ChangeFeed>),
            store: Arc::new(site.store.clone()),
            registry: MemoryRegistry::new(move || clock.now()),
            dictionaries: Dictionaries::built_in(),
            alarms: Arc::new(TracingSink),
        }
    }
}
