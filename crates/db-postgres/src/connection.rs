use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::config::LoadBalanceHosts;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::Options;
use crate::error::{Effect, Fault, OpenError};
use crate::listener::Listener;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Makes the schema, once.
    Setup,
    /// Reads everything, and writes the directory.
    Work,
    /// Writes requests: one connection, so that they are written in the order in which they were given.
    Writer,
    /// The registry, which must not queue behind the others.
    Registry,
    /// Hears of changes.
    Listener,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Work => "work",
            Self::Writer => "writer",
            Self::Registry => "registry",
            Self::Listener => "listener",
        }
    }
}

/// So much later than the server this side gives a call up: then the server, or the way to it, is gone.
const GRACE: Duration = Duration::from_millis(500);

/// The connections to one database, shared by all its ports.
#[derive(Clone)]
pub(crate) struct Connections {
    work: Lane,
    writer: Lane,
    registry: Lane,
    pub(crate) listener: Arc<Listener>,
}

/// The connections for one purpose, and how long a call over one of them may take.
#[derive(Clone)]
struct Lane {
    pool: Pool,
    limit: Duration,
}

impl Connections {
    /// Connects nowhere yet, but for the listener.
    pub(crate) fn new(
        config: &Config,
        tls: &MakeRustlsConnect,
        options: &Options,
        process: &str,
    ) -> Result<Self, OpenError> {
        let lane = |role, size| -> Result<Lane, OpenError> {
            let limit = time_limit(role, options) + GRACE;
            let manager = Manager::from_config(
                role_config(config, role, options),
                tls.clone(),
                ManagerConfig { recycling_method: RecyclingMethod::Fast },
            );
            let pool = Pool::builder(manager)
                .max_size(size)
                .runtime(Runtime::Tokio1)
                .wait_timeout(Some(limit))
                .create_timeout(Some(way_limit(options)))
                .post_create(greeting(role, process))
                .build()
                .map_err(|error| OpenError::Other {
                    place: role.name().to_owned(),
                    reason: error.to_string(),
                })?;
            Ok(Lane { pool, limit })
        };
        Ok(Self {
            work: lane(Role::Work, options.connections.max(1))?,
            writer: lane(Role::Writer, 1)?,
            registry: lane(Role::Registry, 2)?,
            listener: Arc::new(Listener::start(
                role_config(config, Role::Listener, options),
                tls.clone(),
                options,
            )),
        })
    }

    fn lane(&self, role: Role) -> &Lane {
        match role {
            Role::Writer => &self.writer,
            Role::Registry => &self.registry,
            Role::Setup | Role::Work | Role::Listener => &self.work,
        }
    }

    /// One statement, which is a transaction: one exchange with the server once it has been prepared. A reading one is sent
    /// again over another connection if its connection turns out to be gone.
    pub(crate) async fn query<E>(
        &self,
        role: Role,
        effect: Effect,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Fault<E>> {
        let lane = self.lane(role);
        let mut may_repeat = true;
        loop {
            let session = lane.pool.get().await.map_err(|error| Fault::unreached(&error))?;
            // While it is prepared nothing can have happened.
            let mut sent = Effect::None;
            let exchange = async {
                let statement = session.prepare_cached(sql).await?;
                sent = effect;
                session.query(&statement, values).await
            };
            match tokio::time::timeout(lane.limit, exchange).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => {
                    let is_gone = is_gone(&error);
                    if is_gone {
                        // Not to be given to the next one before it is known to be closed.
                        drop(Object::take(session));
                    }
                    if is_gone && sent == Effect::None && may_repeat {
                        may_repeat = false;
                        continue;
                    }
                    return Err(Fault::of(sent, &error));
                }
                Err(_) => {
                    drop(Object::take(session));
                    return Err(Fault::lost(sent, "the server does not answer".to_owned()));
                }
            }
        }
    }

    /// Several statements in one transaction, which writes.
    pub(crate) async fn transact<E>(
        &self,
        role: Role,
        write: impl AsyncFnOnce(&deadpool_postgres::Transaction<'_>) -> Result<(), Fault<E>>,
    ) -> Result<(), Fault<E>> {
        let lane = self.lane(role);
        let mut session = lane.answering().await?;
        let mut committing = false;
        let exchange = async {
            let before = |error: tokio_postgres::Error| Fault::of(Effect::None, &error);
            let transaction = session.transaction().await.map_err(before)?;
            write(&transaction).await?;
            committing = true;
            transaction.commit().await.map_err(|error| Fault::of(Effect::Write, &error))
        };
        let done = tokio::time::timeout(lane.limit, exchange).await.unwrap_or_else(|_| {
            let effect = if committing { Effect::Write } else { Effect::None };
            Err(Fault::lost(effect, "the server does not answer".to_owned()))
        });
        if matches!(done, Err(Fault::Unavailable(_) | Fault::OutcomeUnknown(_))) {
            // Whatever it was, the next one begins with a connection that is known to work.
            drop(Object::take(session));
        }
        done
    }
}

impl Lane {
    /// A connection that answers. One may have been lost without anybody having noticed yet.
    async fn answering<E>(&self) -> Result<Object, Fault<E>> {
        let mut may_repeat = true;
        loop {
            let session = self.pool.get().await.map_err(|error| Fault::unreached(&error))?;
            let (is_gone, failure) = match tokio::time::timeout(self.limit, session.simple_query("")).await {
                Ok(Ok(_)) => return Ok(session),
                Ok(Err(error)) => (is_gone(&error), Fault::of(Effect::None, &error)),
                Err(_) => (false, Fault::lost(Effect::None, "the server does not answer".to_owned())),
            };
            drop(Object::take(session));
            // As for what reads: a server that is silent is not waited for twice.
            if !(is_gone && std::mem::take(&mut may_repeat)) {
                return Err(failure);
            }
        }
    }
}

/// Whether an error means that the connection can be used no more.
fn is_gone(error: &tokio_postgres::Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("work", &self.work.pool.status()).finish_non_exhaustive()
    }
}

fn time_limit(role: Role, options: &Options) -> Duration {
    match role {
        Role::Setup => options.setup_timeout,
        Role::Work => options.read_timeout,
        Role::Writer | Role::Registry | Role::Listener => options.write_timeout,
    }
    .to_duration()
}

/// How long the whole way to a session may take, with encryption and login: tokio-postgres limits the first step only.
pub(crate) fn way_limit(options: &Options) -> Duration {
    options.connect_timeout.to_duration() + GRACE
}

/// How a connection of this role is made: told apart by its name, and with the server's own time limits.
pub(crate) fn role_config(config: &Config, role: Role, options: &Options) -> Config {
    let mut config = config.clone();
    let limit = time_limit(role, options).as_millis();
    let settings = format!(
        "{} -c statement_timeout={limit} -c lock_timeout={limit} -c idle_in_transaction_session_timeout={limit} \
         -c default_transaction_isolation=read\\ committed",
        config.get_options().unwrap_or_default()
    );
    let patience = options.connect_timeout.to_duration();
    config
        .application_name(format!("{}/{}", options.application_name, role.name()))
        .options(settings.trim())
        .connect_timeout(patience)
        // In any order: a host that takes connections and then says nothing must not stand before the others for ever.
        .load_balance_hosts(LoadBalanceHosts::Random)
        // A link whose other end is gone without a word is found within some seconds, whether it is used or not.
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(5))
        .keepalives_interval(Duration::from_secs(2))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(10));
    config
}

/// What is said first over each connection.
fn greeting(role: Role, process: &str) -> Hook {
    let process = process.to_owned();
    Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let process = process.clone();
        Box::pin(async move {
            // What is confirmed is on the disk, whatever the server's default is.
            let durable = "SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') = 'off'";
            client.execute(durable, &[]).await.map_err(HookError::Backend)?;
            if role == Role::Writer {
                let number = "SELECT set_config('ringback.process', $1, false),
                    set_config('ringback.session', nextval('writer_session')::text, false)";
                client.execute(number, &[&process]).await.map_err(HookError::Backend)?;
            }
            Ok(())
        })
    })
}
