//! One instance of the service as a process.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::model::{Group, Millis};
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::TracingSink;
use ringback::{Config, OnParameters, Ports, Service};
use ringback_db_sqlite::Presence;
use ringback_sim::CallManagerConfig;
use tokio::signal::unix::{SignalKind, signal};

use crate::database::{Database, Options, Place};
use crate::peers::tell_of_deaths;
use crate::stage::Failure;

/// Runs on this database until SIGTERM, then stops in good order. The instances of this machine show in the
/// folder that they live.
///
/// # Errors
/// It cannot begin; says why.
pub async fn run(
    folder: &Path,
    place: &Place,
    address: IpAddr,
    cti: String,
    on_parameters: Option<OnParameters>,
) -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    let database = Database::open(place, &Options::default()).await?;
    let mut config = Config::new(address, incarnation());
    // The lock is taken before the first report: a former run at this address is dead.
    let presence = Presence::hold(folder, &config.member)?;
    config.exclusive = true;

    let group = Group::default();
    let login = CallManagerConfig::default();
    let mut client = ClientConfig::new(vec![Manager::new("cti1", cti)], login.user, login.password);
    // Paused again and again, it sees links lost soon after they came up, and would try ever later.
    client.retry_limit = Millis(1000);
    let registry = database.registry();
    let ports = Ports {
        provider: Box::new(ClientProvider::new(client, Arc::new(TcpConnector))?),
        directory: database.directory(),
        feed: Some(database.feed(&group)),
        store: database.store(),
        registry: Arc::clone(&registry),
        renderer: Arc::new(XmlRenderer::default()),
        alarms: Arc::new(TracingSink),
        on_parameters,
        on_settings: None,
    };
    let member = config.member;
    let (service, handle) = Service::new(config, ports)?;
    let deaths = tell_of_deaths(folder.to_owned(), registry, group, member, handle.clone());
    let service = service.run();
    tokio::pin!(service, deaths);
    loop {
        tokio::select! {
            () = &mut service => break,
            () = &mut deaths => {}
            _ = terminated.recv() => handle.stop(),
        }
    }
    drop(presence);
    Ok(())
}

/// Different for every run: two runs at one address do not start in the same nanosecond.
#[expect(clippy::disallowed_methods, reason = "names a run, and decides nothing")]
pub(crate) fn incarnation() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) ^ u64::from(std::process::id()).rotate_left(40)
}
