use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ringback_election::{
    Evidence, Incarnation, Intent, Member, Registry, RegistryError, Report, Request, View,
};
use ringback_model::{Epoch, Group, Millis};
use secrecy::SecretString;

use crate::address::Address;
use crate::client::Client;
use crate::connection::Connections;
use crate::error::{Fault, OpenError};
use crate::keys::Keys;
use crate::tls;
use crate::watcher::Watcher;
use crate::wire::{LeaseId, read};

pub(crate) type Answer = Result<View, RegistryError>;

/// How a cluster of etcd is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The password, if it is not in the address. Default `None`.
    pub password: Option<SecretString>,
    /// The PEM file of the authority that made the certificates of the servers. Default `None`: those count that the
    /// system trusts.
    pub authority: Option<PathBuf>,
    /// What proves to the servers that this instance may connect, where they ask for it (`--client-cert-auth`). It does
    /// not log in: that is done by user and password. Default `None`.
    pub client: Option<ClientCertificate>,
    /// How many requests are under way at once, each over a connection of its own; besides them one connection listens.
    /// Default 8. More is of use for many groups.
    pub connections: usize,
    /// How long a connection may take to come about, for each server. Default 500 ms.
    pub connect_timeout: Millis,
    /// How long the answer to a request may take; a call is two requests, and a few more when something changes. Default
    /// 500 ms: less than the time after which an instance asks anew (`call_timeout`), so that it then asks another server.
    /// Logging in may take 5 s, as servers compare passwords slowly on purpose.
    pub request_timeout: Millis,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            password: None,
            authority: None,
            client: None,
            connections: 8,
            connect_timeout: Millis(500),
            request_timeout: Millis(500),
        }
    }
}

/// The two PEM files that prove who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with those between it and the authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The registry of the election in etcd, for instances on any number of machines. A clone is the same one.
///
/// A connection that is lost is made anew at the next call, to the next server of the cluster; nothing is to be done when a
/// server restarts, or is replaced by another at the same place.
#[derive(Clone)]
pub struct EtcdRegistry {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) client: Arc<Client>,
    pub(crate) keys: Keys,
    pub(crate) watcher: Watcher,
    held: Mutex<HashMap<Run, Held>>,
    place: String,
}

type Run = (Group, IpAddr, Incarnation);

/// The leases of etcd that a run is known to have: they can be kept alive before looking.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    membership: Option<LeaseId>,
    office: Option<(Epoch, LeaseId)>,
}

impl EtcdRegistry {
    /// Connects, logs in, looks whether the keys can be read, and begins to listen for changes. Needs a tokio runtime with
    /// time and I/O, now and later.
    ///
    /// The address is `https://USER:PASSWORD@HOST:PORT,HOST:PORT/PREFIX`, with all servers of the cluster. `http://` does
    /// not encrypt: beyond networks that are trusted it protects neither the password nor the leases. Without a user nobody
    /// logs in. The prefix, default `/ringback`, is that of all keys; all instances must name the same one.
    ///
    /// # Errors
    /// Every reason has its own variant, which says what to do.
    pub async fn open(address: &str, options: Options) -> Result<Self, OpenError> {
        let Address { encrypted, endpoints, user, password, prefix } = Address::parse(address)?;
        let tls = if encrypted { Some(tls::connector(&options)?) } else { None };
        let hosts: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
        let place = format!("{}://{}", if encrypted { "https" } else { "http" }, hosts.join(","));
        let password = options.password.clone().or(password);
        let login = user.map(|user| (user, password.unwrap_or_default()));
        let client = Arc::new(Client::new(Connections::new(endpoints, tls, &options), login));
        let keys = Keys::new(prefix.clone());
        // Of no group, but under the prefix: reaches a majority of the servers, and needs the same right as the rest.
        let probe = (format!("{prefix}/"), format!("{prefix}/\0"));
        let probe = [read(&probe)];
        let mut found = client.transaction(&[], &probe).await;
        for _ in 1..hosts.len() {
            // The next server is asked then.
            if found.as_ref().is_err_and(Fault::is_of_this_server) {
                found = client.transaction(&[], &probe).await;
            }
        }
        found.map_err(|fault| fault.at_opening(&place, &prefix))?;
        let watcher = Watcher::start(Arc::clone(&client), keys.clone());
        let inner = Inner { client, keys, watcher, held: Mutex::default(), place };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where it is, for people: without user and password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.inner.place
    }
}

impl Inner {
    /// The leases of etcd that this call keeps alive, as far as is known.
    pub(crate) fn to_keep(&self, group: &Group, request: &Request) -> Vec<LeaseId> {
        let Request::Tick(report) = request else { return Vec::new() };
        let run = (group.clone(), report.member.address, report.member.incarnation);
        let Some(held) = self.held().get(&run).copied() else { return Vec::new() };
        let office = match report.intent {
            Intent::Renew { epoch } => held.office.filter(|(known, _)| *known == epoch),
            Intent::Leave => return Vec::new(),
            Intent::Watch | Intent::Acquire { .. } | Intent::Release { .. } => None,
        };
        held.membership.into_iter().chain(office.map(|(_, lease)| lease)).collect()
    }

    /// What a run was found to have; nothing if it is none any more.
    pub(crate) fn remember(
        &self,
        group: &Group,
        report: &Report,
        membership: Option<LeaseId>,
        office: Option<LeaseId>,
    ) {
        let run = (group.clone(), report.member.address, report.member.incarnation);
        let mut held = self.held();
        if membership.is_none() && office.is_none() {
            held.remove(&run);
            return;
        }
        let known = held.entry(run).or_default();
        known.membership = membership;
        if let (Intent::Renew { epoch }, office) = (report.intent, office) {
            known.office = office.map(|lease| (epoch, lease));
        }
    }

    pub(crate) fn forget(&self, leases: &HashSet<LeaseId>) {
        self.held().retain(|_, held| !held.membership.is_some_and(|lease| leases.contains(&lease)));
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Run, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Registry for EtcdRegistry {
    async fn tick(&self, group: &Group, report: &Report) -> Answer {
        self.one(group, Request::Tick(*report)).await
    }

    async fn tick_all(&self, reports: &[(Group, Report)]) -> Vec<Answer> {
        let calls: Vec<_> =
            reports.iter().map(|(group, report)| (group.clone(), Request::Tick(*report))).collect();
        self.inner.carry_out(&calls).await
    }

    async fn call_all(&self, calls: &[(Group, Request)]) -> Vec<Answer> {
        self.inner.carry_out(calls).await
    }

    async fn read(&self, group: &Group) -> Answer {
        self.inner.look(group).await
    }

    async fn expel(&self, group: &Group, by: &Member, dead: &Member, evidence: Evidence) -> Answer {
        self.one(group, Request::Expel { by: *by, dead: *dead, evidence }).await
    }

    /// Without a question to the servers: they tell of changes, also of leases that they have ended.
    async fn changed(&self, group: &Group, _member: &Member, seen: u64) {
        let seen = i64::try_from(seen).unwrap_or(i64::MAX);
        let mut heard = self.inner.watcher.subscribe();
        // Never an error: the sender lives in the watcher.
        drop(heard.wait_for(|heard| heard.is_listening() && heard.revision(group.as_str()) > seen).await);
    }
}

impl EtcdRegistry {
    async fn one(&self, group: &Group, request: Request) -> Answer {
        let answers = self.inner.carry_out(&[(group.clone(), request)]).await;
        answers.into_iter().next().unwrap_or_else(|| Err(RegistryError::NotDone("no answer".to_owned())))
    }
}

impl fmt::Debug for EtcdRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdRegistry").field("place", &self.inner.place).finish_non_exhaustive()
    }
}
