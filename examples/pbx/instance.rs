//! The service as a process of its own. It prints what those who measure cannot see at the phones.

use std::fmt;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use ringback::cti::{Capabilities, Command, CtiProvider, ProviderEvent};
use ringback::model::Millis;
use ringback::screen::XmlRenderer;
use ringback::serviceability::alarm::TracingSink;
use ringback::{Config, Ports, Service};
use ringback_cti_asterisk::client::TcpConnector;
use ringback_cti_asterisk::directory::Profile;
use ringback_cti_asterisk::{provider, session};
use ringback_db_sqlite::{Options, Presence, SqliteDatabase};
use tokio::signal::unix::{SignalKind, signal};

use crate::stage::Failure;

/// What it is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Terms {
    /// The folder of its SQLite file.
    pub(crate) folder: PathBuf,
    /// The manager interface.
    pub(crate) manager: String,
    /// The manager user.
    pub(crate) user: String,
    /// Its secret.
    pub(crate) secret: String,
    /// How many times it has been started.
    pub(crate) life: u64,
    /// How long a recall rings, in milliseconds.
    #[arg(long)]
    pub(crate) ring: u64,
    /// How long after the server's start a line that looks free is not believed, in milliseconds.
    #[arg(long)]
    pub(crate) proof: u64,
}

/// Tells who measures. Without one there is nothing left to do.
fn tell(what: fmt::Arguments<'_>) {
    if writeln!(io::stdout(), "{what}").is_err() {
        std::process::exit(1);
    }
}

/// Tells of each alert before it is sent.
struct Announced<P>(P);

#[async_trait]
impl<P: CtiProvider> CtiProvider for Announced<P> {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn submit(&mut self, command: Command) {
        if let Command::SendData { device, id: Some(id), .. } = &command {
            tell(format_args!("alert {} {:x}", device.as_str(), id.0));
        }
        self.0.submit(command);
    }

    async fn next(&mut self) -> Option<ProviderEvent> {
        self.0.next().await
    }
}

/// Runs until SIGTERM.
pub(crate) async fn run(terms: Terms) -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    let database = SqliteDatabase::open(terms.folder.join("ringback.db"), Options::default()).await?;
    let mut config = Config::new(Ipv4Addr::LOCALHOST.into(), terms.life);
    // A former run is dead: its lock could be taken.
    let _presence = Presence::hold(&terms.folder, &config.member)?;
    config.exclusive = true;

    let server = session::Server::new("pbx", terms.manager, terms.user, terms.secret.into());
    let mut client = session::Config::new(server);
    client.retry_limit = Millis(500);
    let mut asterisk = provider::Config::new(client);
    asterisk.ring = Millis(terms.ring);
    asterisk.proof = Some(Millis(terms.proof));
    let asterisk = provider::AsteriskProvider::new(asterisk, Arc::new(TcpConnector))?;
    let ports = Ports {
        directory: Arc::new(asterisk.directory(Profile::default())),
        feed: Some(Box::new(asterisk.feed())),
        provider: Box::new(Announced(asterisk)),
        store: Arc::new(database.store()),
        registry: Arc::new(database.registry()),
        renderer: Arc::new(XmlRenderer::default()),
        alarms: Arc::new(TracingSink),
        on_parameters: None,
        on_settings: None,
    };
    let (service, handle) = Service::new(config, ports)?;
    // A thread of the runtime hears of an event and goes on with it; this one would have to be woken for each.
    let mut service = tokio::spawn(service.run());
    let mut status = handle.watch();
    loop {
        tokio::select! {
            ended = &mut service => return Ok(ended?),
            _ = terminated.recv() => handle.stop(),
            Ok(()) = status.changed() => {
                let status = status.borrow_and_update();
                tell(format_args!("ready {} {}", status.ready, status.registered_at.is_some()));
            }
        }
    }
}
