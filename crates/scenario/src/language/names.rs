use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ringback_model::DeviceName;

use super::lexer::ends_word;

/// The instance that runs if no `node` statement says otherwise.
pub const DEFAULT_NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// The CTIManager that runs if no `ctimanager` statement says otherwise.
pub const DEFAULT_CTIMANAGER: &str = "cti1";

/// Words that begin a statement or part it: a phone or CTIManager of that name is written in quotes.
const RESERVED: &[&str] = &[
    "active",
    "add",
    "alarm",
    "backups",
    "ctimanager",
    "cut",
    "expect",
    "for",
    "freeze",
    "heal",
    "kill",
    "never",
    "no",
    "node",
    "nowhere",
    "on",
    "open",
    "pause",
    "pending",
    "phone",
    "pool",
    "queue",
    "remove",
    "resume",
    "set",
    "start",
    "stop",
    "template",
    "wait",
    "within",
];

/// What statements may name: the phones, instances and CTIManagers there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    phones: BTreeMap<DeviceName, usize>,
    nodes: Vec<IpAddr>,
    ctimanagers: Vec<String>,
}

impl Names {
    /// No phones, the default instance, the default CTIManager.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a phone, declared in this line. Gives back the line of an earlier declaration, which stays.
    pub fn add_phone(&mut self, name: DeviceName, line: usize) -> Option<usize> {
        match self.phones.get(&name) {
            Some(earlier) => Some(*earlier),
            None => self.phones.insert(name, line),
        }
    }

    /// Adds an instance; `false` if it was named before. The first one takes the default's place.
    pub fn add_node(&mut self, address: IpAddr) -> bool {
        let new = !self.nodes.contains(&address);
        if new {
            self.nodes.push(address);
        }
        new
    }

    /// Adds an instance beside those there are, the default included.
    pub fn join_node(&mut self, address: IpAddr) {
        self.nodes = self.nodes().to_vec();
        self.add_node(address);
    }

    /// Adds a CTIManager; `false` if it was named before. The first one takes the default's place.
    pub fn add_ctimanager(&mut self, name: &str) -> bool {
        let new = !self.ctimanagers.iter().any(|known| known == name);
        if new {
            self.ctimanagers.push(name.to_owned());
        }
        new
    }

    /// The phones, by name.
    pub fn phones(&self) -> impl Iterator<Item = &DeviceName> {
        self.phones.keys()
    }

    /// Whether there is such a phone.
    #[must_use]
    pub fn has_phone(&self, name: &DeviceName) -> bool {
        self.phones.contains_key(name)
    }

    /// The instances.
    #[must_use]
    pub fn nodes(&self) -> &[IpAddr] {
        if self.nodes.is_empty() { &[DEFAULT_NODE] } else { &self.nodes }
    }

    /// The CTIManagers, in the order in which they are configured.
    pub fn ctimanagers(&self) -> impl Iterator<Item = &str> {
        let default = self.ctimanagers.is_empty().then_some(DEFAULT_CTIMANAGER);
        self.ctimanagers.iter().map(String::as_str).chain(default)
    }
}

/// Whether an unquoted name could be taken for something else.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.parse::<IpAddr>().is_ok()
}

/// A word as the language writes it: in quotes if it would not be one word otherwise.
pub(super) fn word_text(word: &str) -> String {
    if word.is_empty() || word.chars().any(ends_word) { format!("\"{word}\"") } else { word.to_owned() }
}

/// A name as the language writes it: in quotes also if it is a word of the language.
pub(super) fn name_text(name: &str) -> String {
    if is_reserved(name) { format!("\"{name}\"") } else { word_text(name) }
}
