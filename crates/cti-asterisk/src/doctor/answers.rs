use std::collections::{BTreeMap, BTreeSet};

use ringback_model::{Millis, Timestamp};

use super::dialplan::Dialplan;
use super::needs::{MODULES, Module};
use crate::ami::{Action, Message};
use crate::session::Failure;

/// The user event by which it is seen whether user events are delivered.
const PROBE_EVENT: &str = "RingbackDoctor";
/// The device whose state is set to see whether call events are delivered: the one that the provider uses for the same.
const PROBE_DEVICE: &str = "Custom:ringback";

/// One question to a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What the manager user may do.
    Commands,
    /// What stands in the section of this manager user.
    User(String),
    /// Which version it is.
    Settings,
    /// What time it is.
    Clock,
    /// Whether a module is loaded.
    Module(Module),
    /// Its endpoints.
    Endpoints,
    /// One endpoint in detail.
    Endpoint(String),
    /// Its hints.
    Hints,
    /// Its dialplan.
    Dialplan,
    /// To raise a user event.
    RaiseEvent,
    /// To change the state of a device to this.
    ChangeState(&'static str),
}

impl Question {
    /// What can be asked at once, by this manager user.
    #[must_use]
    pub fn first(user: &str) -> Vec<Self> {
        let modules = MODULES.into_iter().map(Self::Module);
        let user = Self::User(user.to_owned());
        let fixed =
            [Self::Commands, user, Self::Settings, Self::Clock, Self::Endpoints, Self::Hints, Self::Dialplan];
        // One of the two states is a change.
        let probes = [Self::RaiseEvent, Self::ChangeState("INUSE"), Self::ChangeState("NOT_INUSE")];
        fixed.into_iter().chain(modules).chain(probes).collect()
    }

    /// The action's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Commands => "ListCommands",
            Self::User(_) => "GetConfig",
            Self::Settings => "CoreSettings",
            Self::Clock => "Ping",
            Self::Module(_) => "ModuleCheck",
            Self::Endpoints => "PJSIPShowEndpoints",
            Self::Endpoint(_) => "PJSIPShowEndpoint",
            Self::Hints => "ExtensionStateList",
            Self::Dialplan => "ShowDialPlan",
            Self::RaiseEvent => "UserEvent",
            Self::ChangeState(_) => "Setvar",
        }
    }

    /// The action. `None`: a name cannot be said to the server.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        let action = Action::new(self.name()).ok()?;
        match self {
            Self::User(name) => {
                action.header("Filename", "manager.conf").and_then(|action| action.header("Category", name))
            }
            Self::Module(module) => action.header("Module", module.name),
            Self::Endpoint(name) => action.header("Endpoint", name),
            Self::RaiseEvent => action.header("UserEvent", PROBE_EVENT),
            Self::ChangeState(state) => {
                let variable = format!("DEVICE_STATE({PROBE_DEVICE})");
                action.header("Variable", &variable).and_then(|action| action.header("Value", state))
            }
            _ => Ok(action),
        }
        .ok()
    }
}

/// An endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The server can reach its phone.
    pub(super) reachable: bool,
    /// Where its phone dials.
    pub(super) context: Option<String>,
    /// Where the texts of its phone go.
    pub(super) message_context: Option<String>,
    /// From how many calls on it counts as busy.
    pub(super) busy_at: Option<String>,
    /// What its calls are given.
    pub(super) variables: Option<String>,
}

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hint {
    pub(super) number: String,
    pub(super) context: String,
    /// The phones behind it.
    pub(super) devices: Vec<String>,
}

/// What a server has answered, and what it was heard to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    pub(super) version: Option<String>,
    /// What the manager user may do. `None`: not known.
    pub(super) commands: Option<BTreeSet<String>>,
    /// The lines `eventfilter` of the manager user, key and value each. `None`: not known.
    pub(super) filters: Option<Vec<(String, String)>>,
    /// Whether a module is loaded, as far as it could be asked.
    pub(super) modules: BTreeMap<&'static str, bool>,
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    pub(super) hints: BTreeSet<Hint>,
    /// `None`: it could not be looked at.
    pub(super) dialplan: Option<Dialplan>,
    /// The server's time less this machine's, in ms.
    pub(super) ahead: Option<i64>,
    /// Whether an event of this class was heard, if one was provoked.
    pub(super) heard_system: bool,
    pub(super) heard_call: Option<bool>,
    pub(super) heard_user: Option<bool>,
    listed_dialplan: Dialplan,
}

impl Answers {
    /// Takes a part of a list.
    pub fn listed(&mut self, question: &Question, part: &Message) {
        match question {
            Question::Endpoints => {
                if let Some(name) = part.known("ObjectName") {
                    let unreachable = part.get("DeviceState").is_some_and(|state| state == "Unavailable");
                    self.endpoints.entry(name.to_owned()).or_default().reachable = !unreachable;
                }
            }
            // What belongs to it is listed, too.
            Question::Endpoint(name) if part.get("ObjectType") == Some("endpoint") => {
                let endpoint = self.endpoints.entry(name.clone()).or_default();
                let said = |key| part.known(key).map(str::to_owned);
                endpoint.context = said("Context");
                endpoint.message_context = said("MessageContext");
                endpoint.busy_at = said("DeviceStateBusyAt");
                endpoint.variables = said("SetVar");
            }
            Question::Hints => {
                if let (Some(number), Some(hint)) = (part.known("Exten"), part.known("Hint")) {
                    let devices = hint.split(['&', ',']).filter_map(crate::map::device_of);
                    self.hints.insert(Hint {
                        number: number.to_owned(),
                        context: part.get("Context").unwrap_or_default().to_owned(),
                        devices: devices.map(|device| device.as_str().to_owned()).collect(),
                    });
                }
            }
            Question::Dialplan => self.listed_dialplan.take(part),
            _ => {}
        }
    }

    /// Takes the outcome of a question, at this moment by this machine's clock.
    pub fn answered(&mut self, now: Timestamp, question: &Question, result: Result<&Message, &Failure>) {
        match (question, result) {
            (Question::Commands, Ok(commands)) => {
                let names = commands.headers().map(|(key, _)| key.to_owned());
                self.commands = Some(names.collect());
            }
            (Question::User(_), Ok(section)) => {
                // `Line-000000-000004: eventfilter=!Event: RTCP`
                let lines = section.headers().filter(|(key, _)| key.starts_with("Line-"));
                let lines = lines.filter_map(|(_, line)| line.split_once('='));
                let filters = lines.filter(|(key, _)| key.starts_with("eventfilter"));
                let owned = filters.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
                self.filters = Some(owned.collect());
            }
            (Question::Settings, Ok(settings)) => {
                self.version = settings.known("AsteriskVersion").map(str::to_owned);
            }
            (Question::Clock, Ok(pong)) => self.ahead = pong.get("Timestamp").and_then(|at| ahead(at, now)),
            (Question::Module(module), Ok(_)) => {
                self.modules.insert(module.name, true);
            }
            (Question::Module(module), Err(Failure::Refused(_))) => {
                self.modules.insert(module.name, false);
            }
            (Question::Dialplan, Ok(_)) => self.dialplan = Some(std::mem::take(&mut self.listed_dialplan)),
            (Question::RaiseEvent, Ok(_)) => {
                self.heard_user.get_or_insert(false);
            }
            (Question::ChangeState(_), Ok(_)) => {
                self.heard_call.get_or_insert(false);
            }
            _ => {}
        }
    }

    /// Takes an event that no question asked for.
    pub fn heard(&mut self, event: &Message) {
        match event.get("Event") {
            Some("FullyBooted") => self.heard_system = true,
            Some("UserEvent") if event.get("UserEvent") == Some(PROBE_EVENT) => self.heard_user = Some(true),
            Some("DeviceStateChange") if event.get("Device") == Some(PROBE_DEVICE) => {
                self.heard_call = Some(true);
            }
            _ => {}
        }
    }

    /// Whether nothing more is to be heard.
    #[must_use]
    pub fn has_heard_all(&self) -> bool {
        self.heard_system && self.heard_call != Some(false) && self.heard_user != Some(false)
    }

    /// What can be asked now that the endpoints are known.
    #[must_use]
    pub fn next(&self) -> Vec<Question> {
        self.endpoints.keys().cloned().map(Question::Endpoint).collect()
    }

    /// The server's version, if it was told.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The phones that are looked at: the endpoints with a number, or with a hint.
    pub fn phones(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str).filter(|name| self.is_phone(name))
    }

    /// The number that the hints give to an endpoint: the one it is named after, else the one that fewest share.
    pub(super) fn number_of(&self, endpoint: &str) -> Option<&str> {
        let has = |hint: &&Hint| hint.devices.iter().any(|device| device == endpoint);
        let hints = self.hints.iter().filter(has);
        let best = hints.min_by_key(|hint| (hint.number != endpoint, hint.devices.len(), hint.number.len()));
        best.map(|hint| hint.number.as_str())
    }

    /// Lines to other servers have neither.
    pub(super) fn is_phone(&self, name: &str) -> bool {
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        is_number || self.hints.iter().any(|hint| hint.devices.iter().any(|device| device == name))
    }
}

/// `1795403651.521970`, less this machine's time.
fn ahead(told: &str, now: Timestamp) -> Option<i64> {
    let (seconds, fraction) = told.split_once('.').unwrap_or((told, "0"));
    let millis = fraction.get(..3).unwrap_or("0").parse::<u64>().ok()?;
    let told = Timestamp(0) + Millis::from_secs(seconds.parse().ok()?) + Millis(millis);
    Some(i64::try_from(told.0).ok()? - i64::try_from(now.0).ok()?)
}
