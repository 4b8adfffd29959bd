use std::collections::{BTreeMap, BTreeSet};

use ringback::callback::Record;
use ringback::model::{DeviceName, DirectoryNumber};
use ringback_sim::{CallManager, Tone};

/// What can be seen of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phone {
    /// The first line of its screen.
    shows: Option<String>,
    hears: Tone,
    rings: Vec<DirectoryNumber>,
    idle: bool,
    alerts: u64,
}

/// What can be seen at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    phones: BTreeMap<DeviceName, Phone>,
    /// Who has a request.
    callers: Vec<DeviceName>,
}

impl State {
    pub(super) fn of(call_manager: &CallManager, records: &[Record]) -> Self {
        let phone = |name: DeviceName| {
            let phone = Phone {
                shows: call_manager.screen(&name).map(|screen| first_line(&screen.text)),
                hears: call_manager.hears(&name),
                rings: call_manager.rings(&name),
                idle: call_manager.is_idle(&name),
                alerts: call_manager.alerts(&name),
            };
            (name, phone)
        };
        let mut callers: Vec<_> = records.iter().map(|record| record.caller.device.clone()).collect();
        callers.sort_unstable();
        Self { phones: call_manager.phones().into_iter().map(phone).collect(), callers }
    }

    /// What concerns these phones.
    pub(super) fn only(&self, phones: &BTreeSet<DeviceName>) -> Self {
        let known = self.phones.iter().filter(|(name, _)| phones.contains(*name));
        Self {
            phones: known.map(|(name, phone)| (name.clone(), phone.clone())).collect(),
            callers: self.callers.iter().filter(|name| phones.contains(*name)).cloned().collect(),
        }
    }

    /// Nothing goes on.
    pub(super) fn is_quiet(&self) -> bool {
        self.callers.is_empty() && self.phones.values().all(|phone| phone.idle && phone.shows.is_none())
    }

    /// What can be expected now and could not before.
    pub(super) fn news(&self, before: &Self) -> Vec<String> {
        let mut news = Vec::new();
        for (device, now) in &self.phones {
            let (name, was) = (word(device.as_str()), before.phones.get(device));
            match now.alerts.saturating_sub(was.map_or(0, |was| was.alerts)) {
                0 => {}
                1 => news.push(format!("expect {name} alerted")),
                times => news.push(format!("expect {name} alerted {times} times")),
            }
            if was.is_none_or(|was| was.hears != now.hears) && now.hears != Tone::Silence {
                news.push(format!("expect {name} hears {}", now.hears));
            }
            if let Some(caller) = now.rings.first()
                && was.is_none_or(|was| was.rings.first() != Some(caller))
            {
                news.push(format!("expect {name} rings from {}", word(caller.as_str())));
            }
            match &now.shows {
                shows if was.is_some_and(|was| was.shows == *shows) => {}
                Some(text) => news.push(format!("expect {name} shows \"{text}\"")),
                None if was.is_some() => news.push(format!("expect {name} shows nothing")),
                None => {}
            }
        }
        if self.callers.len() != before.callers.len() {
            news.push(format!("expect pending {}", self.callers.len()));
        }
        news
    }
}

/// A name or number as the language takes it: in quotes, unless it cannot be anything else.
pub(super) fn word(text: &str) -> String {
    let plain = text.len() == 1 || text.chars().all(|c| c.is_ascii_digit());
    if plain && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        text.to_owned()
    } else {
        format!("\"{text}\"")
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.split('"').next().unwrap_or_default().trim_end().to_owned()
}
