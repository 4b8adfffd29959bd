use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ringback::model::{DeviceName, Locale, Millis, UtcOffset};
use ringback_cti_asterisk::notify::push;
use secrecy::SecretString;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::service::Secret;

/// The section `[asterisk]`: the call manager is an Asterisk, reached at its manager interface. Times are in ms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsteriskConfig {
    /// Its name in alarms and status. Default `asterisk`.
    pub name: String,
    /// The manager interface, `host:port`. Default `127.0.0.1:5038`.
    pub address: String,
    /// The manager user. Default `ringback`.
    pub user: String,
    /// Its secret; or `secret_file`.
    pub secret: Option<Secret>,
    /// A file whose first line is the secret.
    pub secret_file: Option<PathBuf>,
    /// The manager interface is reached over TLS, as this says. Default: it is not.
    pub tls: Option<AsteriskTlsConfig>,
    /// How the server calls a phone: this and the phone's name. Default `PJSIP/`.
    pub technology: String,
    /// The context of the dialplan in which recalls and calls back begin. Default `ringback-recall`.
    pub recall_context: String,
    /// How long after a start of the server a line that looks free is not believed to be. Default 120 000.
    pub proof: Millis,
    /// How often phones, hints and settings are read anew. Default 30 000.
    pub refresh: Millis,
    /// How long the server may take to answer the first questions. Default 5 000.
    pub patience: Millis,
    /// The language of the phones' users. Default `en_US`.
    pub locale: Locale,
    /// What the phones' clocks show, in minutes east of UTC. Default 0.
    pub utc_offset: UtcOffset,
    /// How phones are told something, unless `phones` names another way. Default `recall`.
    pub way: CommonWay,
    /// What a recall shows before the number. Default `Call Back`.
    pub recall_title: String,
    /// Phones that are recalled are sent screens as texts, too. Default yes.
    pub recall_texts: bool,
    /// The event of notifications. Default `x-ringback`.
    pub notify_event: String,
    /// The ways of single phones.
    pub phones: BTreeMap<DeviceName, PhoneWay>,
    /// How phones that show screens are told, and reach this instance. Default: there are none.
    pub push: Option<PushConfig>,
}

/// How the manager interface is reached over TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsteriskTlsConfig {
    /// The authorities that are trusted (PEM). Default: those of this machine.
    pub ca_file: Option<PathBuf>,
    /// The name in the server's certificate. Default: the host of the address.
    pub server_name: Option<String>,
}

/// How any phone can be told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommonWay {
    /// It is rung; picked up, it is connected with whom it waited for.
    Recall,
    /// By a text (SIP MESSAGE).
    Text,
    /// By a notification (SIP NOTIFY).
    Notify,
}

/// How one phone is told something: `"text"`, or `{ push = "192.0.2.71" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneWay {
    /// As any can be.
    Common(CommonWay),
    /// It shows screens: it is told over HTTP at this host, and port if that is not 80.
    Push(String),
}

impl From<CommonWay> for PhoneWay {
    fn from(way: CommonWay) -> Self {
        Self::Common(way)
    }
}

impl<'de> Deserialize<'de> for PhoneWay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PhoneWayVisitor)
    }
}

struct PhoneWayVisitor;

impl<'de> Visitor<'de> for PhoneWayVisitor {
    type Value = PhoneWay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#""recall", "text", "notify", or { push = "HOST" }"#)
    }

    fn visit_str<E: Error>(self, way: &str) -> Result<PhoneWay, E> {
        Ok(PhoneWay::Common(match way {
            "recall" => CommonWay::Recall,
            "text" => CommonWay::Text,
            "notify" => CommonWay::Notify,
            _ => return Err(E::custom("expected \"recall\", \"text\", \"notify\", or { push = \"HOST\" }")),
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PhoneWay, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Shows {
            push: String,
        }
        Shows::deserialize(MapAccessDeserializer::new(map)).map(|phone| PhoneWay::Push(phone.push))
    }
}

/// The section `[asterisk.push]`: phones that show screens are told over HTTP, and fetch and answer them over HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// Where this instance listens for phones. Default `0.0.0.0:8188`.
    pub listen: SocketAddr,
    /// The address at which phones reach that: `host:port`. Default: `listen`, if that is an address of its own.
    pub public: Option<String>,
    /// The address at which phones reach the instance that acts, whichever it is: `host:port`. Default: `public`.
    pub keys: Option<String>,
    /// The user that phones accept. Default `ringback`.
    pub user: String,
    /// Its password; or `password_file`.
    pub password: Option<Secret>,
    /// A file whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// What the addresses of keys are signed with, the same at all instances; or `secret_file`. Default: user and password.
    pub secret: Option<Secret>,
    /// A file whose first line is that secret.
    pub secret_file: Option<PathBuf>,
    /// Phones may ask this instance whether user and password are right. Default no.
    pub authenticates: bool,
    /// How long a phone may take to answer an order. Default 5 000.
    pub answer: Millis,
    /// How long a phone may take to fetch its screen. Default 5 000.
    pub fetch: Millis,
}

impl PushConfig {
    /// The same for the library, with the password and the secret that count.
    #[must_use]
    pub fn server(&self, password: SecretString, secret: Option<SecretString>) -> push::Config {
        let mut server = push::Config::new(self.listen, push::Login::new(&self.user, password));
        server.public.clone_from(&self.public);
        server.keys.clone_from(&self.keys);
        server.secret = secret;
        server.authenticates = self.authenticates;
        server.answer = self.answer;
        server.fetch = self.fetch;
        server
    }
}

impl Default for PushConfig {
    fn default() -> Self {
        let push::Config { listen, answer, fetch, authenticates, .. } = push::Config::new(
            SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8188),
            push::Login::new("ringback", SecretString::default()),
        );
        Self {
            listen,
            public: None,
            keys: None,
            user: "ringback".to_owned(),
            password: None,
            password_file: None,
            secret: None,
            secret_file: None,
            authenticates,
            answer,
            fetch,
        }
    }
}

impl AsteriskConfig {
    /// Whether some phone is told in this way.
    #[must_use]
    pub fn uses(&self, way: CommonWay) -> bool {
        self.way == way || self.phones.values().any(|other| *other == way.into())
    }
}

impl Default for AsteriskConfig {
    fn default() -> Self {
        Self {
            name: "asterisk".to_owned(),
            address: "127.0.0.1:5038".to_owned(),
            user: "ringback".to_owned(),
            secret: None,
            secret_file: None,
            tls: None,
            technology: "PJSIP/".to_owned(),
            recall_context: "ringback-recall".to_owned(),
            proof: Millis::from_mins(2),
            refresh: Millis::from_secs(30),
            patience: Millis::from_secs(5),
            locale: Locale::default(),
            utc_offset: UtcOffset::default(),
            way: CommonWay::Recall,
            recall_title: "Call Back".to_owned(),
            recall_texts: true,
            notify_event: "x-ringback".to_owned(),
            phones: BTreeMap::new(),
            push: None,
        }
    }
}
