use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::{AddrParseError, IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ringback::election::Parameters;
use ringback::model::Millis;
use ringback::serviceability::alarm::Severity;
use ringback::serviceability::trace::{Rotation, TraceField, TraceLevel};
use ringback_peer::{AddressError, Credentials, Security};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::check::check;
use super::group::GroupConfig;
use super::problem::{ConfigError, Source};
use super::written::Written;
use crate::database::Place;

/// Everything that one instance of the service is told at its start. What can be changed while it runs is in the
/// directory: the service parameters. Paths are relative to the folder of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceConfig {
    /// The groups that may be served, at least one. Default: one, `default`.
    pub groups: Vec<GroupConfig>,
    /// The address by which the instance is ranked and known. Default `127.0.0.1`.
    pub address: OwnAddress,
    /// A folder of dictionaries that replace the built-in ones. Default: none.
    pub dictionaries: Option<PathBuf>,
    /// The databases.
    pub database: DatabaseConfig,
    /// How the instances watch each other.
    pub election: Parameters,
    /// The links by which instances on several machines prove deaths. Default: none, only leases that pass.
    pub peers: Option<PeersConfig>,
    /// What is traced, and where to.
    pub traces: TraceConfig,
    /// Which alarms go where.
    pub alarms: AlarmConfig,
    /// Change notification over TCP, for a directory that cannot notify by itself.
    pub change_notification: ChangeNotificationConfig,
}

/// The databases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Where phones, lines and service parameters are: a file, or `postgres://...`. Default `ringback.db`. With an
    /// Asterisk, which has the phones and lines itself, only the parameters and settings.
    pub directory: Place,
    /// Where the requests are, and the instances of each group meet, too. Default `ringback.db`.
    pub store: Place,
    /// A file whose first line is the password of both, if they are on a server. Default: none.
    pub password_file: Option<PathBuf>,
    /// The folder in which the instances of this machine show that they live. Default: that of the store's file, or of
    /// the configuration if the store is on a server.
    pub locks: Option<PathBuf>,
    /// How long a call waits for another process to give a file free, or for a server to write. In ms, default 1000.
    pub busy_timeout: Millis,
    /// How often changes by other processes are looked for in a file. In ms, default 20.
    pub poll_interval: Millis,
}

/// The address of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum OwnAddress {
    /// This one.
    Given(IpAddr),
    /// `auto`: this machine's address in the first of the candidates' networks in which it has one.
    Auto,
}

impl TryFrom<String> for OwnAddress {
    type Error = AddrParseError;

    fn try_from(text: String) -> Result<Self, AddrParseError> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Given) }
    }
}

/// The links between the instances.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeersConfig {
    /// The port at which each instance listens, at its own address. Default 2553.
    pub port: u16,
    /// Beyond one machine: who vouches for the instances' certificates, in PEM.
    pub authority: Option<PathBuf>,
    /// This instance's certificate.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

impl PeersConfig {
    /// The same for the links themselves.
    #[must_use]
    pub fn links(&self) -> ringback_peer::Config {
        let mut links = ringback_peer::Config::default();
        links.port = self.port;
        if let (Some(authority), Some(certificate), Some(key)) =
            (&self.authority, &self.certificate, &self.key)
        {
            let (authority, certificate, key) = (authority.clone(), certificate.clone(), key.clone());
            links.security = Security::MutualTls(Credentials { authority, certificate, key });
        }
        links
    }
}

impl Default for PeersConfig {
    fn default() -> Self {
        let port = ringback_peer::Config::default().port;
        Self { port, authority: None, certificate: None, key: None }
    }
}

/// What is traced, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceConfig {
    /// The folder of the trace files. Default `traces`.
    pub folder: PathBuf,
    /// Lines a file. Default 2000.
    pub lines: u64,
    /// Files kept. Default 250.
    pub files: usize,
    /// The level of every field that has none of its own. Default `significant`.
    #[serde(deserialize_with = "word")]
    pub level: TraceLevel,
    /// Levels of single fields.
    #[serde(deserialize_with = "words")]
    pub levels: BTreeMap<TraceField, TraceLevel>,
    /// Numbers and names are written into the traces. Default no.
    pub personal_data: bool,
}

/// Which alarms go where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmConfig {
    /// The least severity that goes to the traces. Default `informational`.
    #[serde(deserialize_with = "word")]
    pub traces: Severity,
}

/// Change notification over TCP: the port is the service parameter *CBB Change Notification TCP Port*.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeNotificationConfig {
    /// The address that is listened at. Default `127.0.0.1`.
    pub listen: IpAddr,
    /// The secret shared with those who notify; or `secret_file`. Without either nobody listens.
    pub secret: Option<Secret>,
    /// A file whose first line is the secret.
    pub secret_file: Option<PathBuf>,
}

/// A text that is not printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub SecretString);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use secrecy::ExposeSecret;
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl ServiceConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// It cannot be read, or says something that cannot be: file, line, key, value, and what is allowed.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|reason| ConfigError::Unreadable {
            file: file.to_owned(),
            reason: reason.to_string(),
        })?;
        let mut config = Self::parse(file, &text)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        config.in_folder(folder);
        Ok(config)
    }

    /// Understands and checks the text of a file. Paths stay as they are.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let source = Source::new(file, text);
        let written: Written = toml::from_str(text).map_err(|error| source.not_understood(&error))?;
        let form = written.form();
        let config = written.config(&source)?;
        check(&config, form, &source)?;
        Ok(config)
    }

    /// The instance's address, if need be as this machine has it now.
    ///
    /// # Errors
    /// It has none in the networks.
    pub fn own_address(&self) -> Result<IpAddr, AddressError> {
        match self.address {
            OwnAddress::Given(address) => Ok(address),
            OwnAddress::Auto => ringback_peer::own_address(&self.election.candidates.networks),
        }
    }

    /// Those of the groups for which the instance at this address is a candidate.
    pub fn served_at(&self, address: IpAddr) -> impl Iterator<Item = &GroupConfig> {
        let candidates = &self.election.candidates;
        self.groups.iter().filter(move |group| group.candidates(candidates).admit(address).is_ok())
    }

    /// The group of this name; without a name all of them.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn chosen(&self, name: Option<&str>) -> Result<Vec<&GroupConfig>, UnknownGroup> {
        let is_chosen = |group: &&GroupConfig| name.is_none_or(|name| group.name.as_str() == name);
        let chosen: Vec<_> = self.groups.iter().filter(is_chosen).collect();
        match name {
            Some(name) if chosen.is_empty() => {
                Err(UnknownGroup { name: name.to_owned(), known: self.group_names() })
            }
            _ => Ok(chosen),
        }
    }

    pub(super) fn group_names(&self) -> String {
        self.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn in_folder(&mut self, folder: &Path) {
        let places = [&mut self.database.directory, &mut self.database.store];
        let files = places.into_iter().filter_map(|place| match place {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        });
        let optional = [
            &mut self.dictionaries,
            &mut self.change_notification.secret_file,
            &mut self.database.password_file,
            &mut self.database.locks,
        ];
        let of_groups = self.groups.iter_mut().flat_map(GroupConfig::files);
        let of_peers = self.peers.iter_mut().flat_map(|peers| {
            let files = [&mut peers.authority, &mut peers.certificate, &mut peers.key];
            files.into_iter().flatten()
        });
        let given = optional.into_iter().flatten().chain(of_groups).chain(of_peers);
        for path in files.chain([&mut self.traces.folder]).chain(given) {
            *path = folder.join(&*path);
        }
        if self.database.locks.is_none() {
            let beside = match &self.database.store {
                Place::File(path) => path.parent().unwrap_or(Path::new("")),
                Place::Server(_) => folder,
            };
            let here = beside.as_os_str().is_empty();
            self.database.locks = Some(if here { PathBuf::from(".") } else { beside.to_owned() });
        }
    }
}

/// A group was asked for that the file does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no group {name:?}: there are {known}")]
pub struct UnknownGroup {
    /// What was asked for.
    name: String,
    /// Those that there are.
    known: String,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            groups: vec![GroupConfig::default()],
            address: OwnAddress::Given(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            dictionaries: None,
            database: DatabaseConfig::default(),
            election: Parameters::default(),
            peers: None,
            traces: TraceConfig::default(),
            alarms: AlarmConfig::default(),
            change_notification: ChangeNotificationConfig::default(),
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        let file = Place::from("ringback.db");
        Self {
            directory: file.clone(),
            store: file,
            password_file: None,
            locks: None,
            busy_timeout: Millis(1000),
            poll_interval: Millis(20),
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        let Rotation { lines, files } = Rotation::default();
        Self {
            folder: PathBuf::from("traces"),
            lines,
            files,
            level: TraceLevel::Significant,
            levels: BTreeMap::new(),
            personal_data: false,
        }
    }
}

impl Default for AlarmConfig {
    fn default() -> Self {
        Self { traces: Severity::Informational }
    }
}

impl Default for ChangeNotificationConfig {
    fn default() -> Self {
        Self { listen: IpAddr::V4(Ipv4Addr::LOCALHOST), secret: None, secret_file: None }
    }
}

/// A value that is written as one of some words.
fn word<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn words<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: FromStr<Err: fmt::Display> + Ord,
    V: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let texts = BTreeMap::<String, String>::deserialize(from)?;
    let read = |(key, value): (String, String)| {
        let key = key.parse().map_err(serde::de::Error::custom)?;
        Ok((key, value.parse().map_err(serde::de::Error::custom)?))
    };
    texts.into_iter().map(read).collect()
}
