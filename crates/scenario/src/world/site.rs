use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ringback_db::{
    AdminError, DirectoryAdmin, MemoryDirectory, MemoryStore, PhoneConfig, RequestStore, StoreError,
};
use ringback_db_sqlite::SqliteDirectory;
use ringback_model::{DeviceName, DirectoryNumber, Group, LineId, Locale, Partition};
use ringback_sim::{
    ActionError, CallManager, CallManagerConfig, CtiManager, PhoneSetup as SimPhone, SimNetwork,
};
use thiserror::Error;

use super::store::WatchedStore;
use crate::language::{PhoneSetup, Setting, Setup, SetupStatement};

/// The call manager's database as the world writes it, and stops it.
#[async_trait]
pub trait Database: DirectoryAdmin {
    /// Stops the database, or starts it again.
    ///
    /// # Errors
    /// Why it cannot be.
    fn set_running(&self, running: bool) -> Result<(), String>;
}

impl Database for MemoryDirectory {
    fn set_running(&self, running: bool) -> Result<(), String> {
        self.set_available(running);
        Ok(())
    }
}

impl Database for SqliteDirectory {
    fn set_running(&self, _running: bool) -> Result<(), String> {
        Err("a file, which has nothing to stop".to_owned())
    }
}

/// Everything around the service: the simulated call manager with its phones, CTIManagers and network, the directory
/// and the request store.
#[derive(Clone)]
pub struct Site {
    /// The group that all of it belongs to.
    pub group: Group,
    /// The call manager.
    pub call_manager: CallManager,
    /// Its CTIManagers, in the order in which they are configured.
    pub managers: Vec<CtiManager>,
    /// The network between them and the instances.
    pub network: SimNetwork,
    /// The call manager's database.
    pub database: Arc<dyn Database>,
    /// The request store.
    pub store: WatchedStore,
    first_lines: Arc<Mutex<BTreeMap<DeviceName, LineId>>>,
}

/// Why a site could not be built, or changed. What was built before stays.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The call manager refused.
    #[error(transparent)]
    CallManager(#[from] ActionError),
    /// The directory refused.
    #[error(transparent)]
    Directory(#[from] AdminError),
    /// The request store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Site {
    /// A site with these CTIManagers, a directory and a store, and without phones. Must be called within a runtime:
    /// the call manager's timers run there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn new<'a>(
        call_manager: CallManager,
        managers: impl IntoIterator<Item = &'a str>,
        database: Arc<dyn Database>,
        store: Arc<dyn RequestStore>,
    ) -> Result<Self, SiteError> {
        Self::in_group(Group::default(), call_manager, managers, database, store).await
    }

    /// The same in this group of directory and store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn in_group<'a>(
        group: Group,
        call_manager: CallManager,
        managers: impl IntoIterator<Item = &'a str>,
        database: Arc<dyn Database>,
        store: Arc<dyn RequestStore>,
    ) -> Result<Self, SiteError> {
        // The task ends by itself with the last handle on the call manager.
        drop(call_manager.spawn_timers());
        let managers: Vec<_> = managers.into_iter().map(|name| call_manager.cti_manager(name)).collect();
        let network = SimNetwork::new(managers.clone());
        let store = WatchedStore::new(store, group.clone()).await?;
        Ok(Self { group, call_manager, managers, network, database, store, first_lines: Arc::default() })
    }

    /// A site as a scenario sets it up, all of it in memory; the second is its directory, for the service to read.
    ///
    /// # Errors
    /// The set-up contradicts itself.
    pub async fn in_memory(
        setup: &[Setup],
        managers: impl IntoIterator<Item = &str>,
    ) -> Result<(Self, MemoryDirectory), SiteError> {
        let call_manager = CallManager::new(CallManagerConfig::default());
        let clock = call_manager.clone();
        let directory = MemoryDirectory::new();
        let store = MemoryStore::new(Arc::new(move || clock.now()));
        let database = Arc::new(directory.clone());
        let site = Self::new(call_manager, managers, database, Arc::new(store)).await?;
        site.set_up(setup).await?;
        Ok((site, directory))
    }

    /// Carries out the set-up. Templates come first, then pools, then phones, whatever the order in the file.
    ///
    /// # Errors
    /// A phone or the directory refuses.
    pub async fn set_up(&self, setup: &[Setup]) -> Result<(), SiteError> {
        furnish(self.database.as_ref(), &self.group, setup).await?;
        for statement in setup {
            if let SetupStatement::Phone(phone) = &statement.what {
                self.plug_in(phone)?;
            }
        }
        Ok(())
    }

    /// Adds a phone to the database and to the switch.
    ///
    /// # Errors
    /// One of them refuses.
    pub async fn add_phone(&self, phone: &PhoneSetup) -> Result<(), SiteError> {
        self.database.put_phone(&self.group, &entry(phone)).await?;
        self.plug_in(phone)
    }

    fn plug_in(&self, phone: &PhoneSetup) -> Result<(), SiteError> {
        let lines = lines(phone);
        if let Some(first) = lines.first() {
            let mut first_lines = self.first_lines.lock().unwrap_or_else(PoisonError::into_inner);
            first_lines.insert(phone.name.clone(), first.clone());
        }
        let calls_per_line = usize::try_from(phone.calls.unwrap_or(1)).unwrap_or(usize::MAX);
        self.call_manager.add_phone(SimPhone { device: phone.name.clone(), lines, calls_per_line })?;
        Ok(())
    }

    /// Adds to the switch every phone that the database holds, idle; gives them back, ordered by name.
    ///
    /// # Errors
    /// The database or the switch refuses.
    pub async fn adopt_phones(&self) -> Result<Vec<PhoneSetup>, SiteError> {
        let mut adopted = Vec::new();
        for phone in self.database.phones(&self.group).await? {
            let Some(first) = phone.lines.first() else { continue };
            let partition = first.partition.clone();
            let mut first_lines = self.first_lines.lock().unwrap_or_else(PoisonError::into_inner);
            first_lines.insert(phone.device.clone(), first.clone());
            drop(first_lines);
            adopted.push(PhoneSetup {
                name: phone.device.clone(),
                lines: phone.lines.iter().map(|line| line.dn.clone()).collect(),
                locale: Some(phone.locale).filter(|locale| *locale != Locale::default()),
                template: phone.template,
                pool: phone.pool,
                calls: None,
                partition: Some(partition).filter(|partition| *partition != Partition::default()),
            });
            self.call_manager.add_phone(SimPhone {
                device: phone.device,
                lines: phone.lines,
                calls_per_line: 1,
            })?;
        }
        Ok(adopted)
    }

    /// Removes a phone from the database and from the switch.
    ///
    /// # Errors
    /// One of them refuses.
    pub async fn remove_phone(&self, name: &DeviceName) -> Result<(), SiteError> {
        self.database.remove_phone(&self.group, name).await?;
        self.call_manager.remove_phone(name)?;
        Ok(())
    }

    /// Writes to the database that the first line of a phone forwards all calls.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn forward_all(
        &self,
        phone: &DeviceName,
        to: Option<&DirectoryNumber>,
    ) -> Result<(), SiteError> {
        let first_lines = || self.first_lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = first_lines().get(phone).cloned() else {
            return Err(SiteError::CallManager(ActionError::UnknownPhone));
        };
        self.database.set_forward_all(&self.group, &line, to).await?;
        Ok(())
    }

    /// Sets a service parameter in the database.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn set(&self, setting: &Setting) -> Result<(), SiteError> {
        let value = setting.stored();
        self.database.set_parameter(&self.group, setting.parameter.name, Some(&value)).await?;
        Ok(())
    }
}

/// Writes the set-up to a directory: templates, then pools, then phones and parameters.
pub(crate) async fn furnish<D: DirectoryAdmin + ?Sized>(
    database: &D,
    group: &Group,
    setup: &[Setup],
) -> Result<(), AdminError> {
    let statements = || setup.iter().map(|setup| &setup.what);
    for statement in statements() {
        if let SetupStatement::Template { name, callback } = statement {
            database.put_template(group, name, *callback).await?;
        }
    }
    for statement in statements() {
        if let SetupStatement::Pool { name, template } = statement {
            database.put_pool(group, name, template.as_deref()).await?;
        }
    }
    for statement in statements() {
        match statement {
            SetupStatement::Phone(phone) => database.put_phone(group, &entry(phone)).await?,
            SetupStatement::Set(setting) => {
                database.set_parameter(group, setting.parameter.name, Some(&setting.stored())).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn lines(phone: &PhoneSetup) -> Vec<LineId> {
    let partition = phone.partition.clone().unwrap_or_default();
    phone.lines.iter().map(|dn| LineId::new(partition.clone(), dn.clone())).collect()
}

/// The phone as the directory holds it.
pub(crate) fn entry(phone: &PhoneSetup) -> PhoneConfig {
    PhoneConfig {
        locale: phone.locale.clone().unwrap_or_default(),
        template: phone.template.clone(),
        pool: phone.pool.clone(),
        ..PhoneConfig::new(phone.name.clone(), lines(phone))
    }
}
