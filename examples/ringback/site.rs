//! What is around the service: the database, the simulated call manager and its CTIManagers on real ports.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ringback::cti_net::{Manager, bind};
use ringback::db::{Directory, RequestStore};
use ringback::model::{Group, LineId, Timestamp};
use ringback::serviceability::trace::{
    Rotation, TraceClock, TraceFiles, TraceLevels, TraceOutput, TraceSettings, install,
};
use ringback_db_sqlite::{Options, SqliteDatabase, SqliteDirectory};
use ringback_examples::journal::{Beginning, Journal};
use ringback_scenario::language::{Action, PhoneAction, PhoneSetup, Setting, SetupStatement};
use ringback_scenario::parse;
use ringback_scenario::world::Site;
use ringback_sim::{Action as SimAction, CallManager, CallManagerConfig};

use crate::demo::DemoError;

/// The phones of a new database, as a scenario sets them up.
const PHONES: &str = "phone A 1001\nphone B 1002\nphone C 1003\n";

/// Everything but the instances.
pub(crate) struct Around {
    pub(crate) site: Site,
    pub(crate) database: SqliteDatabase,
    pub(crate) directory: Arc<SqliteDirectory>,
    pub(crate) store: Arc<dyn RequestStore>,
    pub(crate) managers: Vec<Manager>,
    pub(crate) phones: Vec<PhoneSetup>,
    pub(crate) journal: Journal,
}

impl Around {
    /// Opens the database in the folder, sets the switch up from what it holds of the group, and listens for applications.
    pub(crate) async fn open(
        folder: &Path,
        group: &Group,
        listen: &[SocketAddr],
        instances: &[IpAddr],
    ) -> Result<Self, DemoError> {
        let unusable = |error| DemoError::Folder { path: folder.to_owned(), error };
        fs::create_dir_all(folder).map_err(unusable)?;
        let mut listeners = Vec::new();
        let mut managers = Vec::new();
        for (index, address) in listen.iter().enumerate() {
            let listener = bind(&address.to_string()).await.map_err(|error| DemoError::Port { error })?;
            let address = listener.local_addr().map_err(unusable)?.to_string();
            managers.push(Manager::new(format!("cti{}", index + 1), address));
            listeners.push(listener);
        }
        let database = SqliteDatabase::open(folder.join("ringback.db"), Options::default()).await?;
        let store: Arc<dyn RequestStore> = Arc::new(database.store());
        let now = store.now().await?;
        let call_manager = CallManager::new(CallManagerConfig { start: now, ..CallManagerConfig::default() });
        trace_to(folder, call_manager.clone())?;

        let directory = Arc::new(database.directory());
        let names: Vec<&str> = managers.iter().map(|manager| manager.name.as_str()).collect();
        let site = Site::in_group(
            group.clone(),
            call_manager,
            names.clone(),
            Arc::clone(&directory) as _,
            Arc::clone(&store),
        )
        .await?;
        let phones = phones(&site).await?;
        let journal = Journal::new(Beginning {
            phones: phones.clone(),
            settings: settings(&*directory, group).await,
            others: set_up(instances, &names),
        });
        restore_forwards(&site, &*directory, &phones, &journal, now).await;
        for (manager, listener) in site.managers.iter().cloned().zip(listeners) {
            // It serves until the program ends.
            drop(tokio::spawn(async move { manager.listen(listener).await }));
        }
        let (call_manager, watched, group) =
            (site.call_manager.clone(), site.store.clone(), site.group.clone());
        drop(tokio::spawn(journal.clone().follow(call_manager, watched, group)));
        Ok(Self { site, database, directory, store, managers, phones, journal })
    }
}

/// Those that the database holds; three, if it holds none.
async fn phones(site: &Site) -> Result<Vec<PhoneSetup>, DemoError> {
    if site.database.phones(&site.group).await.map_err(ringback_scenario::world::SiteError::from)?.is_empty()
    {
        let setup = parse(PHONES).map_err(DemoError::Phones)?.setup;
        site.set_up(&setup).await?;
        let phone = |what| if let SetupStatement::Phone(phone) = what { Some(phone) } else { None };
        return Ok(setup.into_iter().filter_map(|setup| phone(setup.what)).collect());
    }
    Ok(site.adopt_phones().await?)
}

/// The service parameters that are set, as far as the scenario language knows them.
async fn settings(directory: &dyn Directory, group: &Group) -> Vec<Setting> {
    let rows = directory.parameters(group).await.unwrap_or_default();
    let read = |(name, value): &(String, String)| {
        let scenario = parse(&format!("set \"{name}\" = {value}")).ok()?;
        match scenario.setup.into_iter().next()?.what {
            SetupStatement::Set(setting) => Some(setting),
            _ => None,
        }
    };
    rows.iter().filter_map(read).collect()
}

fn set_up(instances: &[IpAddr], managers: &[&str]) -> Vec<String> {
    let instances: Vec<String> = instances.iter().map(ToString::to_string).collect();
    let mut statements = Vec::new();
    if !instances.is_empty() {
        statements.push(format!("node {}", instances.join(",")));
    }
    statements.push(format!("ctimanager {}", managers.join(",")));
    statements
}

/// The switch obeys what the database says of forwarding.
async fn restore_forwards(
    site: &Site,
    directory: &dyn Directory,
    phones: &[PhoneSetup],
    journal: &Journal,
    now: Timestamp,
) {
    for phone in phones {
        let Some(dn) = phone.lines.first() else { continue };
        let line = LineId::new(phone.partition.clone().unwrap_or_default(), dn.clone());
        let Ok(Some(entry)) = directory.line(&site.group, &line).await else { continue };
        if let Some(to) = entry.forwards_all_to {
            let does = PhoneAction::Forwards(Some(to.clone()));
            journal.acts(now, &Action::Phone { phone: phone.name.clone(), does });
            // The phone has just been added.
            let _known = site.call_manager.act(&phone.name, SimAction::ForwardsAll(Some(to)));
        }
    }
}

fn trace_to(folder: &Path, clock: CallManager) -> Result<(), DemoError> {
    let files = TraceFiles::open(folder.join("traces"), "ringback", Rotation::default())?;
    let settings = TraceSettings {
        levels: TraceLevels::default(),
        output: TraceOutput::Files(files),
        clock: TraceClock::new(move || clock.now()),
    };
    // The levels stay as they are in this program.
    let _handle = install(settings)?;
    Ok(())
}
