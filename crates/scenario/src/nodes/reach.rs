use std::sync::Arc;

use ringback::cti_net::{ClientConfig, ClientProvider};
use ringback::db::{ChangeFeed, Directory, RequestStore};
use ringback::election::MemoryRegistry;
use ringback::model::Group;
use ringback::screen::Dictionaries;
use ringback::serviceability::alarm::AlarmSink;
use ringback::{Config, OnParameters, client_parameters};
use ringback_cti::CtiProvider;

use super::{Outfit, Tuning};

/// What one run of an instance reaches its phones by, and reads of them.
pub struct Link {
    /// The call manager.
    pub provider: Box<dyn CtiProvider>,
    /// Its database.
    pub directory: Arc<dyn Directory>,
    /// What changes in that.
    pub feed: Box<dyn ChangeFeed>,
    /// Called with the parameters at the start, and whenever they change.
    pub on_parameters: Option<OnParameters>,
}

/// The call manager, as its instances reach it.
pub trait Reach: Send + Sync {
    /// A link for a run of an instance, which may be configured further for it.
    ///
    /// # Errors
    /// Why there can be none.
    fn link(&self, config: &mut Config, tuning: Option<&dyn Tuning>) -> Result<Link, String>;
}

/// What every instance of a site is given besides its link.
pub struct Common {
    /// The group.
    pub group: Group,
    /// The request store.
    pub store: Arc<dyn RequestStore>,
    /// Where the instances meet.
    pub registry: MemoryRegistry,
    /// The texts of the screens.
    pub dictionaries: Dictionaries,
    /// Who is told of alarms besides the observer.
    pub alarms: Arc<dyn AlarmSink>,
}

/// A call manager that is reached over CTIManagers.
pub(super) struct OverCti {
    outfit: Outfit,
}

impl OverCti {
    pub(super) fn new(outfit: Outfit) -> (Self, Common) {
        let common = Common {
            group: outfit.group.clone(),
            store: Arc::clone(&outfit.store),
            registry: outfit.registry.clone(),
            dictionaries: outfit.dictionaries.clone(),
            alarms: Arc::clone(&outfit.alarms),
        };
        (Self { outfit }, common)
    }
}

impl Reach for OverCti {
    fn link(&self, config: &mut Config, tuning: Option<&dyn Tuning>) -> Result<Link, String> {
        let outfit = &self.outfit;
        let (user, password) = outfit.login.clone();
        let mut client = ClientConfig::new(outfit.managers.clone(), user, password);
        client.group = outfit.group.clone();
        if let Some(tuning) = tuning {
            tuning.configure(config, &mut client);
        }
        let provider = ClientProvider::new(client.clone(), (outfit.connector)(config.member.address))
            .map_err(|error| error.to_string())?;
        let on_parameters = client_parameters(provider.control(), client);
        Ok(Link {
            provider: Box::new(provider),
            directory: Arc::clone(&outfit.directory),
            feed: (outfit.feed)(),
            on_parameters: Some(on_parameters),
        })
    }
}
