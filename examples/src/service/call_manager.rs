use std::net::IpAddr;
use std::sync::Arc;

use ringback::OnParameters;
use ringback::client_parameters;
use ringback::cti::CtiProvider;
use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::db::{ChangeFeed, Directory, ServiceParameters};
use ringback_cti_asterisk::directory::{FurnishedDirectory, Profile};
use ringback_cti_asterisk::provider::AsteriskProvider;
use ringback_db::MergedFeed;
use ringback_db::tcp::{RebindingTcpFeed, SharedListeners, SharedSecret, TcpLimits};

use super::config::ChangeNotificationConfig;
use super::group::GroupConfig;
use super::run::RunError;
use super::secret::secret;
use crate::asterisk;
use crate::database::Database;

/// What the service needs of the call manager that is configured for its group.
pub(super) struct CallManager {
    pub(super) provider: Box<dyn CtiProvider>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) feed: Box<dyn ChangeFeed>,
    pub(super) on_parameters: OnParameters,
}

/// Where others tell of changes over TCP: an address of this machine, and listeners that all groups use.
#[derive(Debug, Clone)]
pub(super) struct ToldOverTcp {
    ip: IpAddr,
    listeners: SharedListeners,
}

pub(super) async fn call_manager(
    group: &GroupConfig,
    database: &Database,
    told: Option<ToldOverTcp>,
) -> Result<CallManager, RunError> {
    let mut feeds = vec![database.feed(&group.name)];
    let port = told.map(|ToldOverTcp { ip, listeners }| {
        let (told, port) = RebindingTcpFeed::sharing(ip, listeners, group.name.clone());
        feeds.push(Box::new(told));
        port
    });
    let move_port = move |parameters: &ServiceParameters| {
        if let Some(port) = &port {
            port.set(parameters.change_notification_port);
        }
    };
    if let Some(asterisk) = &group.asterisk {
        let manager = secret(asterisk.secret.as_ref(), asterisk.secret_file.as_deref())?.unwrap_or_default();
        let connector = asterisk::connector(asterisk)?;
        let push = match &asterisk.push {
            Some(push) => {
                let password = secret(push.password.as_ref(), push.password_file.as_deref())?;
                let signed_with = secret(push.secret.as_ref(), push.secret_file.as_deref())?;
                Some(push.server(password.unwrap_or_default(), signed_with))
            }
            None => None,
        };
        let ways = asterisk::ways(asterisk, push).await?;
        let provider = AsteriskProvider::new(asterisk::provider(asterisk, manager, ways), connector)?;
        let profile = Profile {
            locale: asterisk.locale.clone(),
            utc_offset: asterisk.utc_offset,
            ..Profile::default()
        };
        let directory = FurnishedDirectory::new(provider.directory(profile), database.directory());
        feeds.push(Box::new(provider.feed()));
        let control = provider.control();
        return Ok(CallManager {
            provider: Box::new(provider),
            directory: Arc::new(directory),
            feed: Box::new(MergedFeed::new(feeds)),
            on_parameters: Box::new(move |parameters| {
                control.set(parameters.into());
                move_port(parameters);
            }),
        });
    }
    let (provider, mut at_client) = cti_client(group)?;
    Ok(CallManager {
        provider: Box::new(provider),
        directory: database.directory(),
        feed: Box::new(MergedFeed::new(feeds)),
        on_parameters: Box::new(move |parameters| {
            at_client(parameters);
            move_port(parameters);
        }),
    })
}

/// The client of the CTIManagers, and what puts changed parameters into force there.
fn cti_client(
    group: &GroupConfig,
) -> Result<(ClientProvider, impl FnMut(&ServiceParameters) + Send + use<>), RunError> {
    let cti = &group.cti;
    let managers = cti.managers.iter().map(|manager| Manager::new(&manager.name, &manager.address));
    let password = secret(cti.password.as_ref(), cti.password_file.as_deref())?;
    let mut client = ClientConfig::new(managers.collect(), cti.user.clone(), password.unwrap_or_default());
    client.group = group.name.clone();
    let provider = ClientProvider::new(client.clone(), Arc::new(TcpConnector))?;
    let at_client = client_parameters(provider.control(), client);
    Ok((provider, at_client))
}

impl ToldOverTcp {
    /// If there is a secret.
    pub(super) fn new(config: &ChangeNotificationConfig) -> Result<Option<Self>, RunError> {
        let Some(secret) = secret(config.secret.as_ref(), config.secret_file.as_deref())? else {
            return Ok(None);
        };
        let listeners = SharedListeners::new(SharedSecret::new(secret)?, TcpLimits::default());
        Ok(Some(Self { ip: config.listen, listeners }))
    }
}
