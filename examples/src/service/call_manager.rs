use std::sync::Arc;

use ringback::OnParameters;
use ringback::client_parameters;
use ringback::cti::CtiProvider;
use ringback::cti_net::{ClientConfig, ClientProvider, Manager, TcpConnector};
use ringback::db::{ChangeFeed, Directory, ServiceParameters};
use ringback_cti_asterisk::directory::{FurnishedDirectory, Profile};
use ringback_cti_asterisk::provider::AsteriskProvider;
use ringback_db::MergedFeed;
use ringback_db::tcp::{RebindingTcpFeed, SharedSecret, TcpLimits, TcpPort};

use super::config::ServiceConfig;
use super::run::RunError;
use super::secret::secret;
use crate::asterisk;
use crate::database::Database;

/// What the service needs of the call manager that is configured.
pub(super) struct CallManager {
    pub(super) provider: Box<dyn CtiProvider>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) feed: Box<dyn ChangeFeed>,
    pub(super) on_parameters: OnParameters,
}

pub(super) async fn call_manager(
    config: &ServiceConfig,
    database: &Database,
) -> Result<CallManager, RunError> {
    let mut feeds = vec![database.feed(&config.group)];
    let port = told_over_tcp(config, &mut feeds)?;
    let move_port = move |parameters: &ServiceParameters| {
        if let Some(port) = &port {
            port.set(parameters.change_notification_port);
        }
    };
    if let Some(asterisk) = &config.asterisk {
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
    let (provider, mut at_client) = cti_client(config)?;
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
    config: &ServiceConfig,
) -> Result<(ClientProvider, impl FnMut(&ServiceParameters) + Send + use<>), RunError> {
    let managers = config.cti.managers.iter().map(|manager| Manager::new(&manager.name, &manager.address));
    let password = secret(config.cti.password.as_ref(), config.cti.password_file.as_deref())?;
    let mut client =
        ClientConfig::new(managers.collect(), config.cti.user.clone(), password.unwrap_or_default());
    client.group = config.group.clone();
    let provider = ClientProvider::new(client.clone(), Arc::new(TcpConnector))?;
    let at_client = client_parameters(provider.control(), client);
    Ok((provider, at_client))
}

/// What others tell of changes over TCP, if there is a secret.
fn told_over_tcp(
    config: &ServiceConfig,
    feeds: &mut Vec<Box<dyn ChangeFeed>>,
) -> Result<Option<TcpPort>, RunError> {
    let notified = &config.change_notification;
    let Some(secret) = secret(notified.secret.as_ref(), notified.secret_file.as_deref())? else {
        return Ok(None);
    };
    let (secret, limits) = (SharedSecret::new(secret)?, TcpLimits::default());
    let (told, port) = RebindingTcpFeed::new(notified.listen, secret, limits, config.group.clone());
    feeds.push(Box::new(told));
    Ok(Some(port))
}
