use std::net::IpAddr;

use crate::provider::NEEDED;

/// What ringback is configured to use of a PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The manager interface, `host:port`.
    pub address: String,
    /// It is reached over TLS.
    pub tls: bool,
    /// The manager user.
    pub user: String,
    /// From where it logs in, as far as that is known.
    pub from: Option<IpAddr>,
    /// How the server calls a phone: this and the phone's name.
    pub technology: String,
    /// The context in which recalls and calls back begin.
    pub recall_context: String,
    /// Some phones are told something by text, and may answer by text.
    pub texts: bool,
    /// Some phones are told something by notification.
    pub notifications: bool,
    /// The section of ringback's file in which this is said.
    pub section: String,
}

impl Site {
    /// A manager interface, and the defaults of [`provider::Config`](crate::provider::Config) for the rest.
    pub fn new(address: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            tls: false,
            user: user.into(),
            from: None,
            technology: "PJSIP/".to_owned(),
            recall_context: "ringback-recall".to_owned(),
            texts: true,
            notifications: false,
            section: "asterisk".to_owned(),
        }
    }

    /// Where its lines belong in the configuration of ringback.
    pub(super) fn ours(&self) -> String {
        format!("ringback's file, [{}]", self.section)
    }

    /// The header of the section about TLS there.
    pub(super) fn tls_section(&self) -> String {
        format!("[{}.tls]", self.section)
    }
}

/// When a module is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    Always,
    Texts,
    Notifications,
}

impl When {
    pub(super) fn holds(self, site: &Site) -> bool {
        match self {
            Self::Always => true,
            Self::Texts => site.texts,
            Self::Notifications => site.notifications,
        }
    }
}

/// A module of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// Its file.
    pub(super) name: &'static str,
    /// What does not work without it.
    pub(super) what: &'static str,
    pub(super) when: When,
}

const fn module(name: &'static str, what: &'static str, when: When) -> Module {
    Module { name, what, when }
}

/// The modules that Call Back needs.
pub(super) const MODULES: [Module; 11] = [
    module("res_pjsip.so", "there are no phones", When::Always),
    module("chan_pjsip.so", "phones cannot be called", When::Always),
    module("res_manager_devicestate.so", "the states of the phones cannot be read", When::Always),
    module("func_devstate.so", "it cannot be seen whether events are delivered", When::Always),
    module("func_db.so", "do not disturb and forwarding cannot be set", When::Always),
    module("func_cut.so", "texts of phones cannot be taken apart", When::Texts),
    module("func_strings.so", "texts of phones cannot be taken apart", When::Texts),
    module("app_userevent.so", "the dialplan cannot tell ringback anything", When::Always),
    module("app_read.so", "the digit after busy cannot be read", When::Always),
    module("res_pjsip_messaging.so", "phones can neither send nor be sent texts", When::Texts),
    module("res_pjsip_notify.so", "phones cannot be sent notifications", When::Notifications),
];

/// An action that must be allowed: its name, what it is for, and the write class that allows it.
pub(super) fn actions(site: &Site) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let by_notification = [("PJSIPNotify", "to notify phones", "system")];
    let to_look = [
        ("GetConfig", "to see which event filters there are", "system"),
        ("CoreSettings", "to see which version the server has", "system"),
        ("ModuleCheck", "to see which modules are loaded", "system"),
        ("PJSIPShowEndpoint", "to see how phones are configured", "system"),
        ("ShowDialPlan", "to see the dialplan", "reporting"),
    ];
    let texts = site.texts;
    let needed = NEEDED.into_iter().filter(move |(name, ..)| texts || *name != "MessageSend");
    needed.chain(by_notification.into_iter().filter(|_| site.notifications)).chain(to_look)
}

/// The module without which an action does not exist.
pub(super) fn module_of(action: &str) -> Option<&'static str> {
    match action {
        "DeviceStateList" => Some("res_manager_devicestate.so"),
        "PJSIPShowEndpoints" | "PJSIPShowEndpoint" => Some("res_pjsip.so"),
        "PJSIPNotify" => Some("res_pjsip_notify.so"),
        _ => None,
    }
}

/// The classes of events that the manager user must be told, and what is in each.
pub(super) const READ: [(&str, &str); 3] = [
    ("system", "that the server has booted, registrations"),
    ("call", "calls, device states"),
    ("user", "feature codes, texts"),
];

/// The classes of actions that the manager user must be allowed.
pub(super) const WRITE: &str = "system,call,originate,message,user,reporting";
