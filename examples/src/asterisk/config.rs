use std::collections::BTreeMap;
use std::path::PathBuf;

use ringback::model::{DeviceName, Locale, Millis, UtcOffset};
use serde::Deserialize;

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
    /// How long a recall rings. Default 20 000.
    pub ring: Millis,
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
    pub way: PhoneWay,
    /// What a recall shows before the number. Default `Call Back`.
    pub recall_title: String,
    /// Phones that are recalled are sent screens as texts, too. Default yes.
    pub recall_texts: bool,
    /// The event of notifications. Default `x-ringback`.
    pub notify_event: String,
    /// The ways of single phones.
    pub phones: BTreeMap<DeviceName, PhoneWay>,
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

/// How a phone is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhoneWay {
    /// It is rung; picked up, it is connected with whom it waited for.
    Recall,
    /// By a text (SIP MESSAGE).
    Text,
    /// By a notification (SIP NOTIFY).
    Notify,
}

impl AsteriskConfig {
    /// Whether some phone is told in this way.
    #[must_use]
    pub fn uses(&self, way: PhoneWay) -> bool {
        self.way == way || self.phones.values().any(|other| *other == way)
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
            ring: Millis::from_secs(20),
            proof: Millis::from_mins(2),
            refresh: Millis::from_secs(30),
            patience: Millis::from_secs(5),
            locale: Locale::default(),
            utc_offset: UtcOffset::default(),
            way: PhoneWay::Recall,
            recall_title: "Call Back".to_owned(),
            recall_texts: true,
            notify_event: "x-ringback".to_owned(),
            phones: BTreeMap::new(),
        }
    }
}
