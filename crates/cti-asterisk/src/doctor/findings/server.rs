//! The server itself, and what its manager user may do.

use super::{Finding, RELOAD_MANAGER};
use crate::doctor::answers::Answers;
use crate::doctor::filters::HeldBack;
use crate::doctor::finding::Change;
use crate::doctor::needs::{MODULES, READ, Site, WRITE, actions, module_of};

/// Of each class that must be read, the event that was made to happen.
const PROVOKED: [&str; 3] = ["FullyBooted", "DeviceStateChange", "UserEvent"];
/// The versions with which Call Back is known to work.
const VERSIONS: std::ops::RangeInclusive<u32> = 16..=22;
/// So many milliseconds may two clocks differ.
const CLOCKS: i64 = 2000;

/// `22.10.1~dfsg`, `certified/20.7-cert1`, `GIT-22-abc`.
fn release(version: &str) -> Option<u32> {
    let number = |part: &str| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().ok()
    };
    version.split(['/', '-', ' ']).find_map(number)
}

pub(super) fn version(answers: &Answers, found: &mut Vec<Finding>) {
    let Some(version) = &answers.version else { return };
    let (first, last) = (VERSIONS.start(), VERSIONS.end());
    match release(version) {
        Some(release) if VERSIONS.contains(&release) => {}
        Some(release) if release < *first => found.push(
            Finding::new(format!("Asterisk {version} is too old: Call Back needs {first} to {last}"))
                .with(Change::set("the server", [format!("install Asterisk {last}")])),
        ),
        _ => found.push(Finding::note(format!(
            "Call Back has not been tried with Asterisk {version}, but with {first} to {last}"
        ))),
    }
}

fn manager_section(site: &Site) -> String {
    format!("manager.conf, [{}]", site.user)
}

pub(super) fn permissions(site: &Site, answers: &Answers, found: &mut Vec<Finding>) {
    let Some(commands) = &answers.commands else { return };
    let without_module = |name: &str| {
        module_of(name).is_some_and(|module| answers.modules.get(module).is_some_and(|loaded| !loaded))
    };
    let missing: Vec<_> =
        actions(site).filter(|(name, ..)| !commands.contains(*name) && !without_module(name)).collect();
    if missing.is_empty() {
        return;
    }
    let mut classes: Vec<&str> = Vec::new();
    for (.., class) in &missing {
        if !classes.contains(class) {
            classes.push(class);
        }
    }
    let what: Vec<String> =
        missing.iter().map(|(name, what, _)| format!("{name} ({})", purpose(what))).collect();
    found.push(
        Finding::new(format!(
            "the manager user {} lacks the write class{} {}: it may not do {}",
            site.user,
            if classes.len() == 1 { "" } else { "es" },
            classes.join(", "),
            what.join(", ")
        ))
        .with(Change::set(manager_section(site), [format!("write = {WRITE}")]))
        .then(RELOAD_MANAGER),
    );
}

/// What an action is for, without advice about modules, which is given elsewhere.
fn purpose(what: &str) -> &str {
    what.split(';').next().unwrap_or(what)
}

pub(super) fn events(site: &Site, answers: &Answers, found: &mut Vec<Finding>) {
    let held =
        HeldBack::by(answers.filters.as_deref().unwrap_or_default(), &site.technology, answers.phones());
    filters(site, &held, found);
    // This module is who tells device states: without it none arrives, whatever the user may read.
    let told = answers.modules.get("res_manager_devicestate.so") != Some(&false);
    let heard_call = answers.heard_call.filter(|_| told);
    let heard = [Some(answers.heard_system), heard_call, answers.heard_user];
    let silent = READ.iter().zip(heard).zip(PROVOKED);
    // A filter explains it.
    let silent = silent.filter(|(_, event)| !held.events.contains(event)).map(|(class, _)| class);
    let silent: Vec<_> = silent.filter(|(_, heard)| *heard == Some(false)).collect();
    if silent.is_empty() {
        return;
    }
    let classes: Vec<String> = silent.iter().map(|((class, what), _)| format!("{class} ({what})")).collect();
    let all: Vec<&str> = READ.iter().map(|(class, _)| *class).collect();
    found.push(
        Finding::new(format!(
            "the manager user {} is not told events of the class{} {}: one was made to happen, and did not arrive",
            site.user,
            if silent.len() == 1 { "" } else { "es" },
            classes.join(", ")
        ))
        .with(Change::set(
            manager_section(site),
            [format!("read = {}", all.join(",")), "; and no eventfilter line that holds them back".to_owned()],
        ))
        .then(RELOAD_MANAGER),
    );
}

/// What the lines `eventfilter` of the manager user hold back, though the class may be right.
fn filters(site: &Site, held: &HeldBack, found: &mut Vec<Finding>) {
    if !held.events.is_empty() {
        let without = if held.events.len() == 1 { "it" } else { "them" };
        let mut finding = Finding::new(format!(
            "event filters of the manager user {} hold back {}: without {without} ringback does not see all that phones do",
            site.user,
            held.events.join(", ")
        ));
        if !held.excluding.is_empty() {
            finding = finding.with(Change::remove(manager_section(site), held.excluding.iter().cloned()));
        }
        if !held.not_included.is_empty() {
            let lines = held.not_included.iter().map(|event| format!("eventfilter = Event: {event}"));
            finding = finding.with(Change::set(manager_section(site), lines));
        }
        found.push(finding.then(RELOAD_MANAGER));
    }
    if !held.unclear.is_empty() {
        found.push(Finding::note(format!(
            "what these event filters of the manager user {} hold back is not known: {}",
            site.user,
            held.unclear.join("; ")
        )));
    }
}

pub(super) fn modules(site: &Site, answers: &Answers, found: &mut Vec<Finding>) {
    let needed = MODULES.iter().filter(|module| module.when.holds(site));
    let missing: Vec<_> = needed.filter(|module| answers.modules.get(module.name) == Some(&false)).collect();
    if missing.is_empty() {
        return;
    }
    let what: Vec<String> =
        missing.iter().map(|module| format!("{} ({})", module.name, module.what)).collect();
    found.push(
        Finding::new(format!("modules are not loaded: {}", what.join(", ")))
            .with(Change::set(
                "modules.conf, [modules]",
                missing.iter().map(|module| format!("load = {}", module.name)),
            ))
            .then("restart Asterisk, or load them with asterisk -rx 'module load NAME'"),
    );
}

pub(super) fn clock(answers: &Answers, found: &mut Vec<Finding>) {
    let Some(ahead) = answers.ahead.filter(|ahead| ahead.abs() > CLOCKS) else { return };
    let seconds = ahead.unsigned_abs() / 1000;
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    found.push(
        Finding::new(format!(
            "the server's clock is {seconds} s {side} this machine's: the time on screens is not that on the phones, \
             and traces cannot be compared"
        ))
        .with(Change::set("both machines", ["timedatectl set-ntp true"])),
    );
}
