//! Endpoints, and the hints that give them numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, RELOAD_DIALPLAN, RELOAD_PHONES};
use crate::doctor::answers::Answers;
use crate::doctor::finding::Change;
use crate::doctor::needs::Site;

fn hint_line(site: &Site, number: &str) -> String {
    format!("exten => {number},hint,{}{number}", site.technology)
}

pub(super) fn hints(site: &Site, answers: &Answers, found: &mut Vec<Finding>) {
    let may_list = |name| answers.commands.as_ref().is_none_or(|commands| commands.contains(name));
    if !may_list("ExtensionStateList") || !may_list("PJSIPShowEndpoints") {
        return;
    }
    if answers.endpoints.is_empty() {
        found.push(
            Finding::new("the server has no endpoints: there is no phone to be called back")
                .with(Change::set("pjsip.conf", ["; as in examples/asterisk/pjsip.conf"]))
                .then(RELOAD_PHONES),
        );
        return;
    }
    let behind: BTreeSet<&str> =
        answers.hints.iter().flat_map(|hint| hint.devices.iter().map(String::as_str)).collect();
    // Where the others have theirs, if a phone does not say where it dials.
    let usual = answers.hints.iter().next().map_or("phones", |hint| hint.context.as_str());
    let mut without: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for phone in answers.phones().filter(|phone| !behind.contains(phone)) {
        let context = answers.endpoints.get(phone).and_then(|endpoint| endpoint.context.as_deref());
        without.entry(context.unwrap_or(usual)).or_default().push(phone);
    }
    if !without.is_empty() {
        let all: Vec<&str> = without.values().flatten().copied().collect();
        let finding = Finding::new(format!(
            "{} without a hint, so that nobody can be called back there, nor from there: {}",
            if all.len() == 1 { "an endpoint is" } else { "endpoints are" },
            all.join(", ")
        ));
        let finding = without.iter().fold(finding, |finding, (context, phones)| {
            let lines = phones.iter().map(|phone| hint_line(site, phone));
            finding.with(Change::set(format!("extensions.conf, [{context}]"), lines))
        });
        found.push(finding.then(RELOAD_DIALPLAN));
    }
    for hint in answers.hints.iter().filter(|hint| is_of_phones(answers, &hint.context)) {
        let place = format!("extensions.conf, [{}]", hint.context);
        let is_behind = |device: &String| answers.endpoints.contains_key(device);
        // Another kind of hint has no devices of phones.
        if !hint.devices.is_empty() && !hint.devices.iter().any(is_behind) {
            let devices: Vec<String> =
                hint.devices.iter().map(|device| format!("{}{device}", site.technology)).collect();
            let line = format!("exten => {},hint,{}", hint.number, devices.join("&"));
            found.push(
                Finding::new(format!("{} has a hint, but no endpoint is behind it", hint.number))
                    .with(Change::remove(place, [line]))
                    .with(Change::set(
                        "pjsip.conf",
                        [format!("[{0}]  ; endpoint, auth and aor {0}", hint.number)],
                    ))
                    .any()
                    .then(RELOAD_DIALPLAN),
            );
        }
    }
}

/// Whether endpoints dial in a context, or may: a server has others, such as the samples of its packages.
fn is_of_phones(answers: &Answers, context: &str) -> bool {
    let Some(dialplan) = &answers.dialplan else { return true };
    let contexts = answers.endpoints.values().filter_map(|endpoint| endpoint.context.as_deref());
    contexts.collect::<BTreeSet<_>>().into_iter().any(|from| dialplan.names_from(from).contains(&context))
}

/// The phones of which something holds, by the place in which they are configured.
pub(super) fn each<'a>(phones: impl IntoIterator<Item = &'a str>, line: &str, finding: Finding) -> Finding {
    phones
        .into_iter()
        .fold(finding, |finding, phone| finding.with(Change::set(format!("pjsip.conf, [{phone}]"), [line])))
}

pub(super) fn settings(answers: &Answers, found: &mut Vec<Finding>) {
    let busy: Vec<&str> = answers
        .phones()
        .filter(|phone| {
            let at = answers.endpoints.get(*phone).and_then(|endpoint| endpoint.busy_at.as_deref());
            at.is_some_and(|at| at != "0")
        })
        .collect();
    if !busy.is_empty() {
        let finding = Finding::new(format!(
            "device_state_busy_at is set for {}: a phone that only rings may be told to be busy",
            busy.join(", ")
        ));
        found.push(each(busy, "device_state_busy_at = 0", finding).then(RELOAD_PHONES));
    }
}

/// Endpoints that are not named after their numbers.
pub(super) fn names(answers: &Answers, found: &mut Vec<Finding>) {
    for (name, endpoint) in &answers.endpoints {
        let Some(number) = answers.number_of(name).filter(|number| number != name) else { continue };
        let line = format!("NUMBER={number}");
        let knows = |variables: &String| variables.split(',').any(|variable| variable.trim() == line);
        if !endpoint.variables.as_ref().is_some_and(knows) {
            found.push(
                Finding::new(format!(
                    "{name} is the phone of {number}, and its calls do not say so: do not disturb and forwarding are set for \
                     {name}, and whom it calls back sees {name}"
                ))
                .with(Change::set(format!("pjsip.conf, [{name}]"), [format!("set_var = {line}")]))
                .then(RELOAD_PHONES),
            );
        }
    }
}

pub(super) fn unreachable(answers: &Answers, found: &mut Vec<Finding>) {
    let absent: Vec<&str> = answers
        .phones()
        .filter(|phone| answers.endpoints.get(*phone).is_some_and(|it| !it.reachable))
        .collect();
    if !absent.is_empty() {
        found.push(Finding::note(format!(
            "not registered at the moment, so that nobody is called back there until they are: {}",
            absent.join(", ")
        )));
    }
}
