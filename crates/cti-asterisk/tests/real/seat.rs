//! A provider at a server, watched.

use std::sync::Arc;
use std::time::Duration;

use ringback_cti::{Command, CtiProvider, ProviderEvent};
use ringback_cti_asterisk::client::TcpConnector;
use ringback_cti_asterisk::map::line_of;
use ringback_cti_asterisk::provider::{AsteriskProvider, Config};
use ringback_cti_asterisk::session;
use ringback_model::{DeviceName, Epoch, reveal_personal_data};
use ringback_pbx_lab::{Asterisk, Phone, Release, Server, Site};
use tokio::time::{Instant, timeout_at};

/// What happens at once happens within this time, on a busy machine, too.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) fn traced() {
    let _again = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
    reveal_personal_data(true);
}

pub(crate) async fn server(site: &Site) -> Option<Server> {
    server_of(Release::V22, site).await
}

pub(crate) async fn server_of(release: Release, site: &Site) -> Option<Server> {
    traced();
    let asterisk = Asterisk::fetch_or_skip(release)?;
    Some(Server::start(&asterisk, site).await.unwrap())
}

pub(crate) fn config(server: &Server) -> Config {
    let (user, secret) = server.login();
    let manager = session::Server::new("pbx", server.manager(), user, secret.into());
    // The servers of tests have just been started, and their phones are in no call that they would have forgotten.
    Config { proof: Some(ringback_model::Millis(0)), ..Config::new(session::Config::new(manager)) }
}

pub(crate) fn provider(config: Config) -> AsteriskProvider {
    AsteriskProvider::new(config, Arc::new(TcpConnector)).unwrap()
}

pub(crate) fn device(name: &str) -> DeviceName {
    DeviceName::new(name).unwrap()
}

/// Waits for a report that is wanted; gives back all until then.
pub(crate) async fn until(
    provider: &mut AsteriskProvider,
    within: Duration,
    wanted: impl Fn(&ProviderEvent) -> bool,
) -> Vec<ProviderEvent> {
    let end = Instant::now() + within;
    let mut seen = Vec::new();
    while let Ok(Some(event)) = timeout_at(end, provider.next()).await {
        let found = wanted(&event);
        seen.push(event);
        if found {
            return seen;
        }
    }
    panic!("not seen within {within:?}; seen instead: {seen:#?}");
}

/// Connected and acting, with these phones and their lines open.
pub(crate) async fn acting(config: Config, phones: &[&str]) -> AsteriskProvider {
    let mut provider = provider(config);
    provider.submit(Command::Assume(Epoch(1)));
    until(&mut provider, SOON, |event| matches!(event, ProviderEvent::LinkUp { .. })).await;
    for phone in phones {
        provider.submit(Command::OpenDevice(device(phone)));
        provider.submit(Command::OpenLine(line_of(&device(phone)).unwrap()));
    }
    provider
}

pub(crate) async fn phones(server: &Server, names: &[&str]) -> Vec<Phone> {
    let mut phones = Vec::new();
    for name in names {
        phones.push(Phone::register(server, name).await.unwrap());
    }
    phones
}
