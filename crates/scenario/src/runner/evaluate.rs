use std::net::IpAddr;

use ringback_model::{DeviceName, DirectoryNumber};

use super::observations::{InstanceStatus, Observations, Screen};
use super::window::Mark;
use crate::language::{Condition, Key, PhoneCondition, Tone};

/// A condition, looked at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether it holds.
    pub holds: bool,
    /// What was seen instead, or as well: for `saw ...`.
    pub saw: String,
}

impl Seen {
    fn new(holds: bool, saw: impl Into<String>) -> Self {
        Self { holds, saw: saw.into() }
    }
}

/// Looks whether a condition holds now; events count from `since`.
#[must_use]
pub fn evaluate(condition: &Condition, at: &dyn Observations, since: Mark) -> Seen {
    match condition {
        Condition::Phone { phone, is } => of_phone(phone, is, at, since),
        Condition::Active(address) => active(Some(*address), &asked(at)),
        Condition::NoActive => active(None, &asked(at)),
        Condition::Backups(wanted) => backups(wanted, &asked(at)),
        Condition::Registered { address, at: wanted } => {
            let found = at.instances().into_iter().find(|instance| instance.address == *address);
            let is_running = found.is_some();
            let registered = found.and_then(|instance| instance.registered);
            let place = registered.as_deref().unwrap_or("nowhere");
            let saw = match is_running {
                true => format!("{address} registered {place}"),
                false => format!("{address} not running"),
            };
            Seen::new(registered == *wanted, saw)
        }
        Condition::Database { address, up } => {
            match at.instances().into_iter().find(|instance| instance.address == *address) {
                None => Seen::new(false, format!("{address} not running")),
                Some(InstanceStatus { database_up, .. }) => Seen::new(
                    database_up == *up,
                    format!("{address} database {}", if database_up { "up" } else { "down" }),
                ),
            }
        }
        Condition::Pending(wanted) => {
            let pending = at.pending();
            Seen::new(pending == *wanted, format!("pending {pending}"))
        }
        Condition::Queue { dn, callers } => {
            let queue = at.queue(dn);
            let names: Vec<&str> = queue.iter().map(DeviceName::as_str).collect();
            let saw = if names.is_empty() { "nobody".to_owned() } else { names.join(" ") };
            Seen::new(queue == *callers, format!("queue {}: {saw}", dn.as_str()))
        }
        Condition::OpenDevices(wanted) => {
            let open = at.open_devices();
            Seen::new(open == *wanted, format!("open devices {open}"))
        }
        Condition::OpenLines(wanted) => {
            let open = at.open_lines();
            Seen::new(open == *wanted, format!("open lines {open}"))
        }
        Condition::Alarm(name) => match at.alarms_since(since, name) {
            0 => Seen::new(false, format!("no alarm {name}")),
            times => Seen::new(true, format!("alarm {name} {times} times")),
        },
    }
}

fn asked(at: &dyn Observations) -> Vec<InstanceStatus> {
    at.instances().into_iter().filter(|instance| instance.asked).collect()
}

/// Everybody asked must name the same, and the one that is named must be ready.
fn active(wanted: Option<IpAddr>, asked: &[InstanceStatus]) -> Seen {
    let all_agree = asked.iter().all(|instance| instance.active == wanted);
    let holds = match wanted {
        Some(address) => {
            all_agree && asked.iter().any(|instance| instance.address == address && instance.ready)
        }
        None => all_agree,
    };
    let saw = says(asked, |instance| {
        let named = instance.active.map_or("no active".to_owned(), |address| format!("active {address}"));
        let is_itself = instance.active == Some(instance.address);
        if is_itself && !instance.ready { format!("{named} (not ready)") } else { named }
    });
    Seen::new(holds, saw)
}

fn backups(wanted: &[IpAddr], asked: &[InstanceStatus]) -> Seen {
    let holds = !asked.is_empty() && asked.iter().all(|instance| instance.backups == wanted);
    let saw = says(asked, |instance| {
        let named: Vec<_> = instance.backups.iter().map(IpAddr::to_string).collect();
        if named.is_empty() { "no backups".to_owned() } else { format!("backups {}", named.join(" ")) }
    });
    Seen::new(holds, saw)
}

fn says(asked: &[InstanceStatus], what: impl Fn(&InstanceStatus) -> String) -> String {
    match asked {
        [] => "no instance that could be asked".to_owned(),
        [only] => what(only),
        _ => asked
            .iter()
            .map(|instance| format!("{} says: {}", instance.address, what(instance)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn of_phone(phone: &DeviceName, is: &PhoneCondition, at: &dyn Observations, since: Mark) -> Seen {
    match is {
        PhoneCondition::Hears(tone) => {
            let heard = at.hears(phone);
            Seen::new(heard == *tone, format!("{} hears {}", phone.as_str(), heard.word()))
        }
        PhoneCondition::Rings(from) => {
            let callers = at.rings(phone);
            let holds = match from {
                Some(dn) => callers.contains(dn),
                None => !callers.is_empty(),
            };
            Seen::new(holds, calls(phone, at))
        }
        PhoneCondition::ConnectedTo(dn) => {
            Seen::new(at.talks_with(phone).as_ref() == Some(dn), calls(phone, at))
        }
        PhoneCondition::Idle => Seen::new(at.is_idle(phone), calls(phone, at)),
        PhoneCondition::Shows(wanted) => {
            let screen = at.screen(phone);
            let holds = match (wanted, &screen) {
                (Some(text), Some(screen)) => shows(screen, text),
                (None, None) => true,
                _ => false,
            };
            Seen::new(holds, screen.map_or("no screen".to_owned(), |screen| shown(&screen)))
        }
        PhoneCondition::Prompts(text) => match at.prompt(phone) {
            Some(prompt) => {
                Seen::new(folded(&prompt).contains(&folded(text)), format!("prompt \"{prompt}\""))
            }
            None => Seen::new(false, "no prompt"),
        },
        PhoneCondition::SoftKeys(wanted) => match at.screen(phone) {
            Some(screen) => {
                let holds =
                    screen.keys.iter().map(String::as_str).eq(wanted.iter().map(|key: &Key| key.word()));
                Seen::new(holds, format!("softkeys {}", screen.keys.join(" ")))
            }
            None => Seen::new(false, "no screen"),
        },
        PhoneCondition::Alerted(wanted) => {
            let times = at.alerts_since(since, phone);
            let holds = wanted.map_or(times > 0, |wanted| times == wanted);
            Seen::new(holds, format!("{} alerted {times} times", phone.as_str()))
        }
    }
}

/// What a phone is doing, in the words of the language as far as they reach.
fn calls(phone: &DeviceName, at: &dyn Observations) -> String {
    let name = phone.as_str();
    let callers = at.rings(phone);
    if !callers.is_empty() {
        let from: Vec<_> = callers.iter().map(DirectoryNumber::as_str).collect();
        return format!("{name} rings from {}", from.join(", "));
    }
    if let Some(dn) = at.talks_with(phone) {
        return format!("{name} connected to {}", dn.as_str());
    }
    match at.hears(phone) {
        Tone::Silence if at.is_idle(phone) => format!("{name} idle"),
        Tone::Silence => format!("{name} in a call on hold"),
        tone => format!("{name} hears {}", tone.word()),
    }
}

/// Line breaks count as blanks, and several blanks as one.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shows(screen: &Screen, text: &str) -> bool {
    let text = folded(text);
    [&screen.title, &screen.prompt, &screen.text].into_iter().any(|part| folded(part).contains(&text))
}

fn shown(screen: &Screen) -> String {
    let parts = [&screen.title, &screen.prompt, &screen.text];
    let parts: Vec<_> = parts.into_iter().map(|part| folded(part)).filter(|part| !part.is_empty()).collect();
    format!("\"{}\"", parts.join(" | "))
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
